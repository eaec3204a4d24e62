"""`migrate`: Django's command, with retries instead of blocking other users of a table."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections

from joblogs.database import retry_for_locks


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        applied = retry_for_locks(
            partial(super().handle, *args, **options),
            connection=connections[options["database"]],
            on_retry=self._report_wait,
        )
        if not applied:
            raise CommandError(
                "A transaction has used a table of this migration for ten minutes (a dump or a "
                "report: pg_stat_activity names it). Nothing of it is applied, and the store goes "
                "on; run migrate again later."
            )

    def _report_wait(self) -> None:
        self.stdout.write(" waiting: a transaction uses the table")
