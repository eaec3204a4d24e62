"""Locks across processes, and handling of lock conflicts and unreachable databases."""

from __future__ import annotations

import fcntl
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from django.db import (
    DEFAULT_DB_ALIAS,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    connections,
)

from joblogs.errors import Unavailable

from .driver import execute, is_postgresql
from .worker_errors import is_duplicate, is_lost_node

T = TypeVar("T")
RETRIES = 3
_GONE = {"08", "53", "57P"}
"""Prefixes of PostgreSQL's error codes: no connection, out of resources, shutdown."""


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Try to hold the lock with this name across processes; yield whether it was acquired.

    A session's advisory lock on PostgreSQL; a lock on a file beside the database on SQLite. Both
    are released when the process ends.
    """
    if is_postgresql():
        key = _lock_key(name)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
            (locked,) = cursor.fetchone()
        try:
            yield locked
        finally:
            if locked:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
        return
    file = Path(f"{connection.settings_dict['NAME']}.{name}.lock")
    with open(file, "w", opener=_for_its_owner) as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def share_lock(name: str) -> None:
    """Acquire the lock with this name in shared mode until the transaction ends.

    It waits while another transaction holds it exclusively (`take_lock`). Does nothing on SQLite,
    which has one writing transaction at a time.
    """
    if is_postgresql():
        statement = "SELECT pg_advisory_xact_lock_shared(%s)"
        execute(connections[DEFAULT_DB_ALIAS], statement, [_lock_key(name)], prepare=True).close()


def take_lock(name: str) -> None:
    """Acquire the lock with this name exclusively until the transaction ends; wait for others.

    Does nothing on SQLite.
    """
    if is_postgresql():
        statement = "SELECT pg_advisory_xact_lock(%s)"
        execute(connections[DEFAULT_DB_ALIAS], statement, [_lock_key(name)], prepare=True).close()


def _lock_key(name: str) -> int:
    return zlib.crc32(f"joblogs {name}".encode())


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def answering() -> Iterator[None]:
    """Raise Unavailable if the database fails: unreachable, full, or a lock timed out."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable from error
    except InternalError as error:
        if not is_lost_node(error):
            raise
        raise Unavailable from error


def is_unanswered(error: BaseException) -> bool:
    """Return whether an error means that a server is unreachable or does not respond."""
    if isinstance(error, InterfaceError) or is_lost_node(error):
        return True
    # On SQLite an OperationalError may also be a mistake in a statement.
    if not isinstance(error, OperationalError) or not is_postgresql():
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state[:2] in _GONE or state[:3] in _GONE


def retrying(work: Callable[[], T]) -> T:
    """Run a transaction, and retry it if it conflicts with another one.

    Deadlocks, serialization failures and a key that another writer inserted first are retried up
    to three times; after that, or for any other database failure, raise Unavailable.
    """
    for attempt in range(RETRIES + 1):
        try:
            return work()
        except (OperationalError, IntegrityError) as error:
            if attempt == RETRIES or not _is_passing(error):
                raise Unavailable from error
        except InternalError as error:
            if not (is_duplicate(error) or is_lost_node(error)):
                raise
            if attempt == RETRIES or is_lost_node(error):
                raise Unavailable from error
    raise AssertionError("unreachable")


def _is_passing(error: Exception) -> bool:
    if isinstance(error, IntegrityError):
        return True
    state = getattr(error.__cause__, "sqlstate", None)
    return state in {"40001", "40P01"} or "database is locked" in str(error)


def is_timeout(error: BaseException) -> bool:
    """Return whether a statement was cancelled by its connection's time limit."""
    return getattr(error.__cause__, "sqlstate", None) == "57014"
