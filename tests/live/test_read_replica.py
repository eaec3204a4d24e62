"""Which reads ask the read replica, and what happens when it is gone.

No replication here: the two databases hold different logs under the same numbers, so each answer
says where it came from. A real standby is tried by hand (docs/operations.md, "Read replica").
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db import OperationalError, connection
from psycopg import sql

from joblogs import database
from joblogs.api.urls import urlpatterns
from joblogs.database.replica import REPLICA, Router, Watch, parts_from_replica, reading_alias
from joblogs.models import App, AppGrant, HostResult, JobInstance, LogRead, Scope
from jobplatform.postgres import GivenUpConnection
from tests.builders import HOST, job, lines, result, script_log, step
from tests.serving import Server, manage, own_database, serving

OLD, NEW = "as the replica has it", "as the primary has it, a moment later"
LONG = "x" * 1_000_000
RAW = f"/api/v1/biz/2/jobs/100/steps/200/hosts/{HOST}/log"
ONLY_NEW = 101
COUNTING = "from joblogs.models import LogRead; print('reads', LogRead.objects.count())"


def raw(server: Server, path: str = RAW) -> str:
    with server.answer("GET", path) as response:
        return response.read().decode()


def drop(url: str) -> None:
    """Let a replica be gone, sessions and all."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # Whoever has the file open would go on reading it if it were deleted.
        with contextlib.closing(sqlite3.connect(parts.path[1:])) as file:
            file.execute("ALTER TABLE joblogs_jobinstance RENAME TO gone")
        return
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        name = sql.Identifier(parts.path[1:])
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_reads_ask_the_replica_producers_the_primary_and_all_the_primary_when_it_is_gone(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / "primary", tmp_path / "replica"]
    for folder in folders:
        folder.mkdir()
    with own_database(folders[1]) as replica:
        alone = os.environ | {"DATABASE_URL": replica, "SECRET_KEY": "for this test"}
        manage(alone, "migrate", "--verbosity", "0")
        many = [result(HOST + n) for n in range(1, 11)]
        long = [script_log(LONG, host=HOST + n) for n in range(1, 11)]
        records = folders[1] / "records.ndjson"
        records.write_bytes(lines(job(), step(), result(), script_log(OLD), *many, *long))
        manage(alone, "import_logs", str(records))
        with serving(folders[0], workers=1, DATABASE_REPLICA_URL=replica) as server:
            sent = lines(job(), step(), result(), script_log(NEW))
            later = lines(job(ONLY_NEW), step(job=ONLY_NEW), result(job=ONLY_NEW))
            assert server.post(sent)["result"]
            assert server.post(later)["result"]

            # A window asks the replica, for a body in parts to its end.
            assert raw(server) == OLD
            told = server.logs(job=100, step=200)
            assert told == {HOST: OLD} | {HOST + n: LONG for n in range(1, 11)}
            chosen = ("--format", "txt", "--job", "100", "--host", str(HOST))
            assert OLD in manage(server.environment, "export_logs", *chosen)
            # A producer asks the primary, and goes on there.
            assert server.expected_offsets(job=100, step=200) == {HOST: len(NEW)}
            assert server.post(lines(script_log("!", offset=len(NEW))))["result"]
            assert server.expected_offsets(job=100, step=200) == {HOST: len(NEW) + 1}
            # What the replica does not know of yet, the primary does.
            assert server.logs(job=ONLY_NEW, step=200) == {HOST: ""}
            # Reads are recorded in the primary, one for each answer with text above.
            assert "reads 3" in manage(server.environment, "shell", "-v", "0", "-c", COUNTING)

            drop(replica)
            assert raw(server) == NEW + "!"
            assert server.logs(job=100, step=200) == {HOST: NEW + "!"}
            said = server.log.read_text()
            assert said.count("the read replica is queried from now on") == 1
            assert said.count("the read replica is not queried") == 1
            assert "was not answered" not in said


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite answers in this process")
def test_a_replica_that_hangs_is_given_up() -> None:
    parameters = connection.get_connection_params()
    parameters.pop("pool", None)

    class Hasty(GivenUpConnection):
        TIMEOUT_SECONDS = 0.1

    with Hasty.connect(**parameters) as hasty:
        hasty.execute("SELECT 1")
        session = hasty.info.backend_pid
        with pytest.raises(psycopg.OperationalError):
            hasty.execute("SELECT pg_sleep(60)")
        assert hasty.closed
    with connection.cursor() as cursor:  # the server still sleeps
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [session])


@pytest.mark.parametrize("model", [JobInstance, HostResult, LogRead])
def test_a_read_asks_the_replica_only_where_it_is_allowed_to(model) -> None:
    router = Router()
    assert router.db_for_read(model) == "default"
    asked = [router.db_for_read(model) for _ in parts_from_replica([1])]
    assert asked == ["default"]  # what happens between two parts is not the body's

    def parts():
        yield router.db_for_read(model)
        yield reading_alias()
        yield router.db_for_write(model)

    assert list(parts_from_replica(parts())) == [REPLICA, REPLICA, "default"]
    assert router.db_for_read(model) == "default"


@pytest.mark.parametrize("model", [App, AppGrant, Scope])
def test_who_may_read_is_always_asked_of_the_primary(model) -> None:
    parts = (Router().db_for_read(model) for _ in [1])
    assert list(parts_from_replica(parts)) == ["default"]


def watched(*lags: float | None | Exception) -> tuple[Watch, dict[str, float], list[Any]]:
    """A watch over a replica of which each look finds the next of these; its clock; the rest."""
    clock: dict[str, float] = {"now": 1000.0}
    left: list[Any] = list(lags)

    def lag() -> float | None:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return Watch(lag, lambda: clock["now"]), clock, left


def test_a_replica_is_looked_at_now_and_then_only() -> None:
    watch, clock, left = watched(0.0, 9.9, 0.0)
    assert [watch.usable() for _ in range(3)] == [True] * 3
    assert len(left) == 2
    clock["now"] += 5
    assert watch.usable()
    assert len(left) == 1


@pytest.mark.parametrize("found", [10.1, None, OperationalError("gone")])
def test_one_that_is_behind_or_gone_is_left_alone_for_a_while(found, caplog) -> None:
    caplog.set_level(logging.INFO)
    watch, clock, left = watched(0.0, found, found, 0.2)
    assert watch.usable()
    clock["now"] += 5
    assert not watch.usable()
    clock["now"] += 14
    assert not watch.usable()
    assert len(left) == 2
    clock["now"] += 1
    assert not watch.usable()
    clock["now"] += 15
    assert watch.usable()
    # Said when it changes, not each time.
    said = [record.getMessage().split(",")[0] for record in caplog.records]
    on, off = "the read replica is queried from now on", "the read replica is not queried"
    assert said == [on, off, on]


def test_one_that_never_answered_is_told_of_once(caplog) -> None:
    watch, clock, _ = watched(OperationalError("gone"), OperationalError("gone"))
    assert not watch.usable()
    clock["now"] += 15
    assert not watch.usable()
    assert len(caplog.records) == 1
    assert "gone" not in caplog.text  # it may quote the address of the server


def test_each_endpoint_asks_the_replica_but_what_is_for_producers_and_no_data() -> None:
    views: dict[str, Any] = {
        name: pattern.callback
        for pattern in urlpatterns
        if (name := pattern.name) and hasattr(pattern.callback, "view_class")
    }
    methods = {
        name: getattr(view.view_class, method)
        for name, view in views.items()
        for method in ("get", "post")
        if hasattr(view.view_class, method)
    }
    asking = {name for name, method in methods.items() if hasattr(method, "uses_replica")}
    # Cursors of followers and collectors name what the primary had; rights are the primary's.
    primary = {
        "records",
        "offsets",
        "schema",
        "follow",
        "audit",
        "audit_searches",
        "v4_get_user_authorized_scopes",
    }
    assert methods.keys() - asking == primary


def test_without_a_replica_nothing_is_asked_elsewhere() -> None:
    assert database.from_replica(reading_alias)() == "default"
