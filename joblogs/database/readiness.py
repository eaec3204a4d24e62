"""Readiness check: the database responds, and every migration of this code is applied."""

from __future__ import annotations

import datetime
import functools
import logging
from enum import StrEnum

from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from .driver import is_postgresql

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2


class Fault(StrEnum):
    """Choices of the reason of a failed check. They are public, so they reveal no details."""

    UNREACHABLE = "the database does not answer"
    TEXT_UNREACHABLE = "the tables of log text do not answer"
    OUTDATED = "migrations are not applied"
    BEFORE_1 = "made by a version before 1.0: export it with that version, see CHANGELOG"


ADVICE = {
    Fault.OUTDATED: "Migrations are missing in this database. Run: manage.py migrate",
    Fault.BEFORE_1: f"This store was {Fault.BEFORE_1}",
}
"""Messages of commands that refuse to start, by fault, where the user can fix it."""

BEFORE_1_MIGRATION = ("joblogs", "0001_initial")
"""First migration of versions before 1.0, which cannot be migrated to 1.0."""


def fault(text_table: str | None = None) -> Fault | None:
    """Return the fault or None, within a few seconds even if the database hangs.

    If `text_table` is given, that table of log text is queried too: it may be on other servers.
    """
    probe = _connection_with_timeout()
    failure = Fault.UNREACHABLE
    try:
        applied = MigrationRecorder(probe).applied_migrations()
        if text_table is not None and _newest_migrations() <= applied.keys():
            failure = Fault.TEXT_UNREACHABLE
            _ask(probe, text_table)
    except Error as error:
        logger.warning("not ready: %s", type(error).__name__)
        return failure
    finally:
        probe.close()
    if BEFORE_1_MIGRATION in applied:
        return Fault.BEFORE_1
    return None if _newest_migrations() <= applied.keys() else Fault.OUTDATED


def _ask(probe: BaseDatabaseWrapper, table: str) -> None:
    """Query one row of today, which reads one partition on any server."""
    with probe.cursor() as cursor:
        name = probe.ops.quote_name(table)
        today = datetime.datetime.now(datetime.UTC).date()
        cursor.execute(f"SELECT 1 FROM {name} WHERE day = %s LIMIT 1", [today])  # noqa: S608 - our names
        cursor.fetchone()


def advice() -> str | None:
    """Return advice to the user of a command if the database has a fault that they can fix."""
    reason = fault()
    return ADVICE.get(reason) if reason is not None else None


@functools.cache
def _newest_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def _connection_with_timeout() -> BaseDatabaseWrapper:
    """Return a connection outside the pool: an exhausted pool is not an unreachable database."""
    probe = connection.copy()
    options = probe.settings_dict["OPTIONS"]
    if is_postgresql():
        options.pop("pool", None)
        limit = f"-c statement_timeout={TIMEOUT_SECONDS * 1000}"
        options |= {
            "connect_timeout": TIMEOUT_SECONDS,
            "tcp_user_timeout": TIMEOUT_SECONDS * 1000,
            "options": f"{options.get('options', '')} {limit}".strip(),
        }
    else:
        options["timeout"] = TIMEOUT_SECONDS
    return probe
