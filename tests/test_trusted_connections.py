"""How long a server is trusted without being asked (PostgreSQL)."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from jobplatform.postgres import TrustingConnection

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server"),
]


class Counted(TrustingConnection):
    waits = 0

    def wait(self, *args, **options):
        self.waits += 1
        return super().wait(*args, **options)


@pytest.fixture
def trusting() -> Iterator[Counted]:
    parameters = connection.get_connection_params() | {"autocommit": True}
    parameters.pop("pool", None)
    with Counted.connect(**parameters) as made:
        yield made


def test_one_that_answered_a_moment_ago_is_not_asked(trusting) -> None:
    trusting.execute("SELECT 1")
    before = trusting.waits
    ConnectionPool.check_connection(trusting)
    assert trusting.waits == before


def test_one_that_was_silent_for_long_is(trusting, monkeypatch) -> None:
    monkeypatch.setattr(TrustingConnection, "TRUST_SECONDS", -1.0)
    trusting.execute("SELECT 1")
    before = trusting.waits
    ConnectionPool.check_connection(trusting)
    assert trusting.waits == before + 1


def test_one_that_has_gone_is_noticed_at_once(trusting) -> None:
    trusting.execute("SELECT 1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [trusting.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        ConnectionPool.check_connection(trusting)
    assert trusting.closed


def test_the_pool_lends_such_connections() -> None:
    pool = connection.settings_dict["OPTIONS"]["pool"]
    assert issubclass(pool["connection_class"], TrustingConnection)
