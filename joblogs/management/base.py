"""Base class and shared functions of the management commands."""

from __future__ import annotations

import sys
from pathlib import Path

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from joblogs.database import readiness


def program() -> str:
    """Return how commands are run here: `joblogs` if it is installed, else Python and manage.py."""
    if Path(sys.argv[0]).name == "joblogs":
        return "joblogs"
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    return f"{python} manage.py"


class StoreCommand(BaseCommand):
    """Command that reads or writes the store, and refuses to start if migrations are missing."""

    requires_migrations_checks = True
    # Only the checks of this app (`apps.py`) and of security: others load all pages and the whole
    # API, a third of the start of a command. `check` and `migrate` run them.
    requires_system_checks = ("joblogs", Tags.security)

    def check_migrations(self) -> None:
        """Raise CommandError where Django only warns, since the command would fail half-way."""
        if advice := readiness.advice():
            raise CommandError(advice)

    def note(self, text: str) -> None:
        """Write a message to standard error that is not an error, without the colour of errors."""
        self.stderr.write(text, str)


def amount(number: int, one: str, more: str = "") -> str:
    """Return a number with its unit: "1 step", "2,000 steps"; `more` is an irregular plural."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"
