"""The server of the commands `serve` and `demo`: gunicorn with the project's configuration."""

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
    """Raises OSError if nothing can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def serve(bind: str) -> NoReturn:
    """Put gunicorn, listening on `bind`, in this process's place."""
    connections.close_all()
    # Found from whichever folder the command was started in.
    paths = [_CODE, *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [sys.executable, "-m", "gunicorn", *CONFIGURATION, "--bind", bind, APPLICATION]
    # A signal to the process that was started reaches the server.
    os.execve(  # noqa: S606 - no shell is wanted
        sys.executable, command, os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    )
