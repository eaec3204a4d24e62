"""Reads that may be a moment old go to a read replica, where DATABASE_REPLICA_URL names one.

Only what is marked by `from_replica` asks it, and of that only what is about jobs and their logs:
writes, whatever is read in order to write, sessions, logins, apps and their rights stay with the
primary. A replica that does not answer, or is too far behind, is left alone for a while and the
primary is queried instead: an old answer is worse than a busy primary, and none is worse than both.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, cast

from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    Error,
    InterfaceError,
    InternalError,
    OperationalError,
    connections,
)
from django.db.models import Model

from joblogs.errors import JobNotFound, NothingSelected, OffsetBeyondLog, StepNotFound

from .driver import is_postgresql
from .worker_errors import is_lost_node

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

REPLICA: Final = "replica"
PAGES: Final = "pages"
"""The primary through connections of its own, on which a statement may take a few seconds only."""
CHECK_SECONDS, RETRY_SECONDS = 5.0, 15.0
LAG_MAX_SECONDS = 10.0
_RIGHTS: Final = {"app", "appgrant", "scope"}
# Connected to the primary and with nothing left to replay it is up to date, however old the last
# change is. A server that is not in recovery is no replica, or no longer: it is believed.
_LAG = """
    SELECT CASE
        WHEN NOT pg_is_in_recovery() THEN 0
        WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
            AND EXISTS (SELECT 1 FROM pg_stat_wal_receiver) THEN 0
        ELSE EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())
    END
"""
_reading: ContextVar[str] = ContextVar("the database that reads ask", default=DEFAULT_DB_ALIAS)


def reading_alias() -> str:
    """The database that a read about jobs and logs asks here."""
    return _reading.get()


def is_reading_replica() -> bool:
    """Whether reads about jobs and logs ask another database here than those about rights."""
    return _reading.get() == REPLICA


class Router:
    """Sends reads where `reading_alias` says; everything else goes to the primary."""

    def db_for_read(self, model: type[Model], **hints: object) -> str:
        ours = model._meta.app_label == "joblogs" and model._meta.model_name not in _RIGHTS
        return reading_alias() if ours else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: object) -> str:
        # For every model: else a row that was read from the replica would be written there.
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: object) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return db == DEFAULT_DB_ALIAS


class Watch:
    """State of the replica as this process knows it: whether it may be queried now."""

    def __init__(
        self, lag: Callable[[], float | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lag, self._clock, self._lock = lag, clock, threading.Lock()
        self._usable: bool | None = None  # before the first look
        self._look_at = -math.inf

    def usable(self) -> bool:
        """Looked at every few seconds, by one thread; the others go by what it found last."""
        with self._lock:
            if self._clock() < self._look_at:
                return bool(self._usable)
            self._look_at = self._clock() + CHECK_SECONDS
        try:
            lag = self._lag()
        except Error as error:
            self.leave_alone(type(error).__name__)
        else:
            if lag is None or lag > LAG_MAX_SECONDS:
                self.leave_alone(f"it is {lag} seconds behind")
            elif not self._usable:
                self._usable = True
                logger.info("the read replica is queried from now on")
        return bool(self._usable)

    def leave_alone(self, why: str) -> None:
        """It failed to answer, or answers too late."""
        self._look_at = self._clock() + RETRY_SECONDS
        if self._usable is not False:
            logger.warning("the read replica is not queried, the primary is instead: %s", why)
        self._usable = False


def _lag() -> float | None:
    replica = connections[REPLICA]
    if not is_postgresql():
        replica.ensure_connection()
        return 0.0
    with replica.cursor() as cursor:
        cursor.execute(_LAG)
        (lag,) = cursor.fetchone()
        return None if lag is None else float(lag)


_watch = Watch(_lag)


def replica_usable() -> bool:
    """Whether there is a replica that may be queried now."""
    return REPLICA in settings.DATABASES and _watch.usable()


@contextmanager
def _reading_from(alias: str) -> Iterator[None]:
    token = _reading.set(alias)
    try:
        yield
    finally:
        _reading.reset(token)


@contextmanager
def reads_from_replica() -> Iterator[None]:
    """Send the reads of a block to the replica, if it is usable when the block begins."""
    with _reading_from(REPLICA) if replica_usable() else nullcontext():
        yield


def time_limited(read: Callable[P, T]) -> Callable[P, T]:
    """Let no statement of a function that only reads take longer than PAGE_TIMEOUT_SECONDS.

    Raises OperationalError, of which `is_timeout` is true. A body that the function returns in
    parts has no limit. SQLite has none either.
    """

    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        with _reading_from(PAGES) if PAGES in settings.DATABASES else nullcontext():
            return read(*args, **kwargs)

    return reading


def from_replica(read: Callable[P, T]) -> Callable[P, T]:
    """Let a function that only reads ask the replica, and the body that it returns in parts too.

    It is called again for the primary when the replica fails under it, and when it does not know of
    a job, or of text that a follower has: that may have been sent a moment ago.
    """

    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        if not replica_usable():
            return read(*args, **kwargs)
        try:
            with _reading_from(REPLICA):
                answer = read(*args, **kwargs)
        except (OperationalError, InterfaceError, InternalError) as error:
            if isinstance(error, InternalError) and not is_lost_node(error):
                raise
            _watch.leave_alone(type(error).__name__)
            return read(*args, **kwargs)
        except (JobNotFound, StepNotFound, NothingSelected, OffsetBeyondLog):
            return read(*args, **kwargs)
        if getattr(answer, "streaming", False):
            streamed = cast(Any, answer)
            streamed.streaming_content = parts_from_replica(streamed.streaming_content)
        return answer

    reading.uses_replica = True  # type: ignore[attr-defined]
    return reading


def parts_from_replica(parts: Iterable[T]) -> Iterator[T]:
    """The parts of a body that was begun from the replica, each made from there."""
    rest = iter(parts)
    while True:
        # Not around the yield: what happens between two parts is not ours.
        with _reading_from(REPLICA):
            try:
                part = next(rest)
            except StopIteration:
                return
        yield part
