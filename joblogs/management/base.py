"""What the commands of this store have in common."""

from __future__ import annotations

import sys
from pathlib import Path

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from joblogs.database import readiness


def program() -> str:
    """What runs commands here: `joblogs` where it is installed, else Python with manage.py."""
    if Path(sys.argv[0]).name == "joblogs":
        return "joblogs"
    python = Path(sys.executable)
    if python.is_relative_to(Path.cwd()):
        python = python.relative_to(Path.cwd())
    return f"{python} manage.py"


class StoreCommand(BaseCommand):
    """Command that reads or writes the store: it needs the tables of this code."""

    requires_migrations_checks = True
    # Our own (`apps.py`), and no others: for those all pages and the whole API would be loaded, a
    # third of what a command takes to start. `check` and `migrate` look at them.
    requires_system_checks = ("joblogs", Tags.security)

    def check_migrations(self) -> None:
        """Raises CommandError where Django only warns: what follows would fail half-way."""
        if advice := readiness.advice():
            raise CommandError(advice)

    def note(self, text: str) -> None:
        """Write to standard error what is no error, so not in the colour of errors."""
        self.stderr.write(text, str)


def amount(number: int, one: str, more: str = "") -> str:
    """A number and what it counts: "1 step", "2,000 steps"; `more` is a plural without an s."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"
