"""Entry point of the `joblogs` command, of `manage.py` and of `python -m jobplatform`."""

from __future__ import annotations

import sys
from importlib import import_module

INTERRUPTED = 130
"""Exit code of a command that was ended by Ctrl-C."""


def main() -> None:
    """Run the command named by the arguments; Ctrl-C ends it without a traceback."""
    try:
        # Imported here: Django and all that it loads take most of the time in which a person who
        # mistyped presses Ctrl-C.
        import_module("jobplatform.command_line").run()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
