#!/usr/bin/env python
"""Runs the commands of Django and of `joblogs` (README, "Commands")."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line


def main() -> None:
    """Run the command that the arguments name; a wrong environment is one line, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobplatform.settings")
    # Commands come and go: each would leave files of counts behind among those of the servers.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if sys.argv[1:2] == ["demo"]:
        # The demo runs with nothing set, so it may use a generated key; here, because the settings
        # are read before any command is.
        os.environ["DEBUG"] = "true"
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error))


if __name__ == "__main__":
    main()
