"""What the commands of this store have in common."""

from __future__ import annotations

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from joblogs.database import readiness


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
