"""What the commands of this store have in common."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from joblogs.database import readiness


class StoreCommand(BaseCommand):
    """Command that reads or writes the store: it needs the tables of this code."""

    requires_migrations_checks = True

    def check_migrations(self) -> None:
        """Raises CommandError where Django only warns: what follows would fail half-way."""
        if advice := readiness.advice():
            raise CommandError(advice)
