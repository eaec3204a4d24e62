"""Server of the commands `serve` and `demo`: gunicorn with the project's configuration."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import NoReturn

from django.db import connections

CONFIGURATION = ("-c", "python:jobplatform.gunicorn")
APPLICATION = "jobplatform.wsgi:application"
_CODE = str(Path(__file__).resolve().parents[2])


def check_free(host: str, port: int) -> None:
    """Raise OSError if it is impossible to listen at this address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def serve(bind: str) -> NoReturn:
    """Replace this process by gunicorn, listening on `bind`."""
    connections.close_all()
    # So that the code is found from any working directory.
    paths = [_CODE, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "gunicorn", *CONFIGURATION, "--bind", bind, APPLICATION]
    # A signal to the process that was started reaches the server.
    os.execve(  # noqa: S606 - no shell is wanted
        sys.executable, command, os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    )
