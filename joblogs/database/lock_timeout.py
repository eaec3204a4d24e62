"""Retries of schema changes that cannot get their locks."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

TIMEOUT_MS = 1000
PAUSE_SECONDS = 2.0
GIVE_UP_SECONDS = 600.0
_LOCK_NOT_AVAILABLE = "55P03"


def retry_for_locks(
    work: Callable[[], object], *, connection: BaseDatabaseWrapper, on_retry: Callable[[], None]
) -> bool:
    """Run work that locks tables, and retry until it gets its locks.

    Return False if it did not get them within ten minutes. ALTER TABLE waits for every transaction
    that uses the table, and later queries wait for ALTER TABLE. So each try gives up after a second
    and lets the others go first. On SQLite the work is run once.
    """
    if connection.vendor != "postgresql":
        work()
        return True
    _execute(connection, f"SET lock_timeout = {TIMEOUT_MS}")
    try:
        end = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < end:
            try:
                work()
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
            else:
                return True
            on_retry()
            time.sleep(PAUSE_SECONDS)
        return False
    finally:
        _execute(connection, "RESET lock_timeout")


def _execute(connection: BaseDatabaseWrapper, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
