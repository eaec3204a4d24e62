"""Execution of the command in the arguments."""

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
    """Run the command in the arguments. A configuration error is one line, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobplatform.settings")
    if sys.argv[1:2] != ["serve"]:
        # Commands are short-lived: each would leave counter files among those of the servers.
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    try:
        if sys.argv[1:2] == ["demo"]:
            # The demo needs no configuration, so it may use a generated key. Set here, because
            # settings are loaded before any command. An invalid value of DEBUG is still refused.
            env.boolean("DEBUG", default=False)
            os.environ["DEBUG"] = "true"
        if sys.argv[1:2] in (["mcp"], ["help"], []) or {"--help", "-h"} & set(sys.argv):
            # `mcp` runs beside an agent and queries a store elsewhere; help only prints. Neither
            # signs anything.
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
        # A folder that is not writable, a server that is down: not a fault of this program.
        sys.exit(f"The database cannot be used: {str(error).strip() or type(error).__name__}")


def _advice() -> str | None:
    """Return advice about missing tables, or None. Django must be set up, as it is in a command."""
    readiness = import_module("joblogs.database.readiness")
    return cast("str | None", readiness.advice())
