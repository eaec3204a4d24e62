"""Locks, and what is done when the database says to wait or to come again."""

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
"""Classes of PostgreSQL's errors: no connection, out of resources, shut down."""


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Hold a lock of this name across processes, if nobody else does: whether it was had.

    PostgreSQL's advisory lock of the session; for SQLite a lock on a file beside the database. Both
    go with the process that holds them.
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
    """Wait until nobody has taken the lock of this name, and keep others from taking it until the
    transaction ends. On SQLite a transaction that writes is alone anyway."""
    if is_postgresql():
        statement = "SELECT pg_advisory_xact_lock_shared(%s)"
        execute(connections[DEFAULT_DB_ALIAS], statement, [_lock_key(name)], prepare=True).close()


def take_lock(name: str) -> None:
    """Wait until nobody shares the lock of this name, and have it alone until the transaction
    ends."""
    if is_postgresql():
        statement = "SELECT pg_advisory_xact_lock(%s)"
        execute(connections[DEFAULT_DB_ALIAS], statement, [_lock_key(name)], prepare=True).close()


def _lock_key(name: str) -> int:
    return zlib.crc32(f"joblogs {name}".encode())


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def answering() -> Iterator[None]:
    """Raise Unavailable where the database does not answer: gone, full, or waited for in vain."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable from error
    except InternalError as error:
        if not is_lost_node(error):
            raise
        raise Unavailable from error


def is_unanswered(error: BaseException) -> bool:
    """Whether an error of a statement says that a server is not there, or does not answer."""
    if isinstance(error, InterfaceError) or is_lost_node(error):
        return True
    # What SQLite says so may as well be a mistake in a statement.
    if not isinstance(error, OperationalError) or not is_postgresql():
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state[:2] in _GONE or state[:3] in _GONE


def retrying(work: Callable[[], T]) -> T:
    """Run a transaction again when the database says that it met another one.

    Deadlocks, serialization failures and a key that another writer made first are retried up to
    three times; then, or for any other database failure, Unavailable. Inside an outer transaction
    (a dry run) nothing is retried that the outer one could not survive.
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
    """Whether a statement was ended because it took longer than its connection allows."""
    return getattr(error.__cause__, "sqlstate", None) == "57014"
