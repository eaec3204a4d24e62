"""A connection to a server that may be given up, because another can be asked instead."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg.abc import PQGen

T = TypeVar("T")


class GivenUpConnection(psycopg.Connection[Any]):
    """Closes itself when the server takes too long to answer.

    A server whose process or disk hangs keeps its connections, so no timeout of the network notices
    it, and its own `statement_timeout` hangs with it: each thread that asks would wait for ever.
    """

    PATIENCE_SECONDS: ClassVar[float] = 10.0

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(
                gen, interval, self.PATIENCE_SECONDS if timeout is None else timeout
            )
        except psycopg.OperationalError:
            self.close()
            raise
