"""Routing of reads that may be slightly stale to a read replica (DATABASE_REPLICA_URL).

Only functions decorated by `from_replica` query it, and only for jobs and their logs: writes, reads
for writes, sessions, logins, apps and their rights use the primary. A replica that does not
respond, or lags too far behind, is not used for a while and the primary is queried instead: stale
data is worse than a busy primary, and an error is worse than both.
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
"""Alias of the primary with separate connections, whose statements have a time limit."""
CHECK_SECONDS, RETRY_SECONDS = 5.0, 15.0
LAG_MAX_SECONDS = 10.0
_RIGHTS: Final = {"app", "appgrant", "scope"}
# A replica that is connected to the primary and has nothing left to replay is up to date, even if
# the last change is old. A server that is not in recovery is no replica, or was promoted: lag 0.
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
    """Return the alias of the database that reads of jobs and logs use in this context."""
    return _reading.get()


def is_reading_replica() -> bool:
    """Return whether reads of jobs and logs use the replica in this context."""
    return _reading.get() == REPLICA


class Router:
    """Database router: reads use `reading_alias()`, everything else the primary."""

    def db_for_read(self, model: type[Model], **hints: object) -> str:
        ours = model._meta.app_label == "joblogs" and model._meta.model_name not in _RIGHTS
        return reading_alias() if ours else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: object) -> str:
        # For every model: otherwise a row read from the replica would be written there.
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: object) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return db == DEFAULT_DB_ALIAS


class Watch:
    """Health of the replica as this process knows it."""

    def __init__(
        self, lag: Callable[[], float | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lag, self._clock, self._lock = lag, clock, threading.Lock()
        self._usable: bool | None = None  # None before the first check
        self._look_at = -math.inf

    def usable(self) -> bool:
        """Return whether the replica may be queried.

        One thread checks it every few seconds; the others use the last result.
        """
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
        """Stop using the replica for a while, because it failed or lags behind."""
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
    """Return whether there is a replica that may be queried now."""
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
    """Send the reads of the block to the replica, if it is usable when the block begins."""
    with _reading_from(REPLICA) if replica_usable() else nullcontext():
        yield


def time_limited(read: Callable[P, T]) -> Callable[P, T]:
    """Limit each statement of a function that only reads to PAGE_TIMEOUT_SECONDS.

    The function raises OperationalError, for which `is_timeout` is true. A streamed body that it
    returns has no limit, nor has SQLite.
    """

    @wraps(read)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        with _reading_from(PAGES) if PAGES in settings.DATABASES else nullcontext():
            return read(*args, **kwargs)

    return reading


def from_replica(read: Callable[P, T]) -> Callable[P, T]:
    """Let a function that only reads query the replica, and a streamed body that it returns too.

    The function is called again with the primary if the replica fails, or lacks a job, a step or
    text that the caller refers to: it may have been sent a moment ago.
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
    """Yield the parts of a body, each produced with reads from the replica."""
    rest = iter(parts)
    while True:
        # Not around the yield: code of the consumer runs between two parts.
        with _reading_from(REPLICA):
            try:
                part = next(rest)
            except StopIteration:
                return
        yield part
