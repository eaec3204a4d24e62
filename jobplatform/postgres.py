"""Connections to PostgreSQL with their health checks and timeouts."""

from __future__ import annotations

import select
import time
from typing import Any, ClassVar, Final, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")


class TrustingConnection(psycopg.Connection[Any]):
    """Connection that skips the pool's health check if the server responded a moment ago.

    The pool tests each connection that it lends, so that a restart of the server fails no request.
    The test, an empty statement, takes as long as a small query. A server that ends a session sends
    a message, which is noticed here without a query.
    """

    TRUST_SECONDS: ClassVar[float] = 1.0
    _answered_at = float("-inf")
    answer_seconds: float | None = None
    """Longest time of a response; a slower one closes the connection. None: no limit."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        limit = self.answer_seconds if timeout is None else timeout
        try:
            answer = super().wait(gen, interval, limit)
        except psycopg.OperationalError:
            if self.answer_seconds is not None:
                self.close()
            raise
        self._answered_at = time.monotonic()
        return answer

    def execute(self, query: Any, *args: Any, **options: Any) -> psycopg.Cursor[Any]:
        if query == "" and self._is_trusted():
            return self.cursor()
        return super().execute(query, *args, **options)

    def _is_trusted(self) -> bool:
        if self.closed or time.monotonic() - self._answered_at > self.TRUST_SECONDS:
            return False
        # Between two statements a server sends nothing unless it ends the session.
        listening = select.poll()
        listening.register(self.fileno(), select.POLLIN)
        return not listening.poll(0)


class GivenUpConnection(TrustingConnection):
    """Connection to a replica that closes itself when the server takes too long.

    A server whose process or disk hangs keeps its connections open, so no network timeout notices
    it, and its `statement_timeout` hangs too: each thread that queries it would wait for ever.
    """

    TIMEOUT_SECONDS: ClassVar[float] = 10.0

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            limit = self.TIMEOUT_SECONDS if timeout is None else timeout
            return super().wait(gen, interval, limit)
        except psycopg.OperationalError:
            self.close()
            raise


POOL: Final = {  # of each process
    "min_size": 1,
    "max_size": 8,
    "timeout": 10,
    # By default the pool retries a lost server at growing intervals, up to minutes, and requests
    # fail until the next try even if it is back. After this time the next request connects.
    "reconnect_timeout": 2,
    "connection_class": TrustingConnection,
}
# A replica is given up quickly, because the primary can be queried instead. It is never written to,
# even if the URL names a primary.
REPLICA_OPTIONS: Final = {
    "connect_timeout": 2,
    "tcp_user_timeout": 5000,
    "options": "-c default_transaction_read_only=on",
}
REPLICA_POOL: Final = {
    "min_size": 0,
    "max_size": 8,
    "timeout": 2,
    "reconnect_timeout": 1,
    "connection_class": GivenUpConnection,
}
