"""Connections to PostgreSQL: how long they trust a server, and how long they wait for it."""

from __future__ import annotations

import select
import time
from typing import Any, ClassVar, Final, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")


class TrustingConnection(psycopg.Connection[Any]):
    """Connection that takes a server which answered a moment ago for still there.

    The pool tests each connection that it lends, so that a restart of the server costs no failed
    request. Its test, an empty statement, takes as long as a small one; a server that ends sessions
    says so, and that is heard without asking.
    """

    TRUST_SECONDS: ClassVar[float] = 1.0
    _answered_at = float("-inf")
    answer_seconds: float | None = None
    """How long an answer may take from now on; one that takes longer costs the connection."""

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
        # Between two statements a server has nothing to say but that it goes.
        listening = select.poll()
        listening.register(self.fileno(), select.POLLIN)
        return not listening.poll(0)


class GivenUpConnection(TrustingConnection):
    """Connection that closes itself when the server takes too long, because another can be queried.

    A server whose process or disk hangs keeps its connections, so no timeout of the network notices
    it, and its own `statement_timeout` hangs with it: each thread that asks would wait for ever.
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
    # Else it tries ever more seldom to reach a server that is gone, up to minutes apart, and
    # requests fail for as long after it is back. Given up, the next request tries.
    "reconnect_timeout": 2,
    "connection_class": TrustingConnection,
}
# A replica is given up quickly, because the primary can be queried instead, and never written to,
# whatever server the URL names.
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
