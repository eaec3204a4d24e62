"""Runs the command named by the arguments."""

from __future__ import annotations

import os
import secrets
import sys
from importlib import import_module
from typing import cast

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError, OperationalError

from jobplatform import env


def run() -> None:
    """Run the command named by the arguments; a wrong environment is one line, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobplatform.settings")
    if sys.argv[1:2] != ["serve"]:
        # Commands come and go: each would leave counter files behind among those of the servers.
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    try:
        if sys.argv[1:2] == ["demo"]:
            # The demo runs with nothing set, so it may use a generated key; here, because the
            # settings are read before any command is. A wrong value is refused all the same.
            env.boolean("DEBUG", default=False)
            os.environ["DEBUG"] = "true"
        if sys.argv[1:2] in (["mcp"], ["help"], []) or {"--help", "-h"} & set(sys.argv):
            # The first runs beside an agent and queries a store elsewhere; help only prints.
            # Neither signs anything.
            os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(64))
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error))
    except DatabaseError as error:
        if "--traceback" in sys.argv:
            raise
        # Django's own commands fail in the middle of a statement where tables are missing.
        if advice := _advice():
            sys.exit(advice)
        if not isinstance(error, OperationalError):
            raise
        # A folder that may not be written to, a server that is gone: nothing of ours is at fault.
        sys.exit(f"The database cannot be used: {str(error).strip() or type(error).__name__}")


def _advice() -> str | None:
    """What to do about missing tables; called when Django is set up, which a command has done."""
    readiness = import_module("joblogs.database.readiness")
    return cast("str | None", readiness.advice())
