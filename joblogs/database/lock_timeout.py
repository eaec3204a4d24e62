"""Retries of schema changes whose locks are not to be had."""

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
    """Run work that locks tables until it gets its locks; False if it did not within ten minutes.

    ALTER TABLE waits for every transaction that uses the table, and whoever comes after waits for
    ALTER TABLE. So it gives up after a second, the others go first, and it is tried again. On
    SQLite the work is run once.
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
