"""An upgrade of a store of release 1 while it is read and written by the program of release 1."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

FOLDER = Path(__file__).parent
DEADLINE_SECONDS = 60
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's locks")
APPLIED = "INSERT INTO django_migrations (app, name, applied) VALUES ('{}', '{}', '2026-01-01')"
COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, character_maximum_length
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name LIKE 'joblogs\\_%'
        AND table_name NOT LIKE '%\\_default' AND is_identity = 'NO'
    ORDER BY table_name, ordinal_position
"""
EXAMPLES = {
    "date": "DATE '2026-11-23'",
    "timestamp with time zone": "TIMESTAMPTZ '2026-11-23 10:00:00Z'",
    "boolean": "false",
    "bytea": "'\\x00'::bytea",
    "jsonb": "'[]'::jsonb",
    "character varying": "'a'",
    "text": "'a'",
}


def recorded() -> str:
    """Statements that record what release 1 had applied."""
    nodes = [node for node in MigrationLoader(None).disk_migrations if node[0] != "joblogs"]
    return ";".join(APPLIED.format(*node) for node in [*nodes, ("joblogs", "0001_release_1")])


@pytest.fixture
def store(tmp_path: Path, django_db_setup: None) -> Iterator[str]:
    """URL of a database with the tables of release 1 and nothing in them."""
    if connection.vendor == "sqlite":
        path = tmp_path / "release-1.sqlite3"
        with closing(sqlite3.connect(path)) as database:
            database.executescript((FOLDER / "schema-1.sqlite.sql").read_text())
            database.executescript(recorded())
        yield f"sqlite:///{path}"
        return
    parts = urlsplit(os.environ["DATABASE_URL"])
    name = f"upgrade_{os.getpid()}"
    with psycopg.connect(urlunsplit(parts), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        url = urlunsplit(parts._replace(path=f"/{name}"))
        with psycopg.connect(url) as database:
            database.execute((FOLDER / "schema-1.postgresql.sql").read_text())
            database.execute(recorded())
        yield url
        server.execute(f"DROP DATABASE {name} (FORCE)")


def command(url: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "jobplatform.settings"}
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        env=os.environ | environment,
        cwd=FOLDER.parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, output
    return output


def inserts_on_postgresql(database: psycopg.Connection[Any]) -> list[str]:
    """An INSERT for each table, of the columns that it has now."""
    columns: dict[str, list[str]] = {}
    values: dict[str, list[str]] = {}
    for table, column, kind, *_others in database.execute(COLUMNS).fetchall():
        columns.setdefault(table, []).append(f'"{column}"')
        values.setdefault(table, []).append(EXAMPLES.get(kind, "1"))
    return [
        f"INSERT INTO {table} ({', '.join(columns[table])}) VALUES ({', '.join(values[table])})"  # noqa: S608 - our names
        for table in columns
    ]


@on_postgresql
def test_what_release_1_inserts_is_taken_by_the_tables_of_today(store: str) -> None:
    with psycopg.connect(store, autocommit=True) as database:
        inserts = inserts_on_postgresql(database)
        assert len(inserts) > 10
        done(command(store, "migrate"))
        # Only what the columns say of themselves: the rows point to nothing.
        database.execute("SET session_replication_role = replica")
        for insert in inserts:
            database.execute(insert)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the tables of SQLite")
def test_what_release_1_inserts_is_taken_by_the_tables_of_today_on_sqlite(store: str) -> None:
    with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as database:
        tables = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'joblogs_%'"
        ).fetchall()
        inserts = []
        for (table,) in tables:
            columns = database.execute(f"PRAGMA table_info({table})").fetchall()
            names = ", ".join(f'"{name}"' for _, name, *_ in columns)
            values = ", ".join("'{}'" if kind == "text" else "1" for _, _, kind, *_ in columns)
            inserts.append(f"INSERT INTO {table} ({names}) VALUES ({values})")  # noqa: S608 - our names
        assert len(inserts) > 10
        done(command(store, "migrate"))
        for insert in inserts:
            database.execute(insert)


@on_postgresql
def test_reads_and_writes_go_on_while_migrate_waits_for_a_dump(store: str) -> None:
    with (
        psycopg.connect(store) as dump,
        psycopg.connect(store, autocommit=True) as database,
    ):
        inserts = inserts_on_postgresql(database)
        tables = [insert.split()[2] for insert in inserts]
        dump.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for table in tables:
            dump.execute(f"SELECT 1 FROM {table}")  # noqa: S608 - our names
        database.execute("SET session_replication_role = replica; SET statement_timeout = '20s'")
        migrating = command(store, "migrate")
        end = time.monotonic() + DEADLINE_SECONDS
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        waited, rounds = False, 0
        # Until it has waited for the dump for some rounds of everything that a program does.
        while rounds < 20 and migrating.poll() is None and time.monotonic() < end:
            waited = waited or database.execute(waits).fetchone() is not None
            rounds += waited
            for table, insert in zip(tables, inserts, strict=True):
                with database.transaction(force_rollback=True):
                    database.execute(insert)
                database.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - our names
        assert waited
        assert migrating.poll() is None
        dump.rollback()
        done(migrating)


@on_postgresql
def test_a_table_that_must_be_locked_is_tried_again(store: str) -> None:
    done(command(store, "migrate"))
    with psycopg.connect(store) as dump, psycopg.connect(store, autocommit=True) as database:
        dump.execute("SELECT 1 FROM django_session")
        database.execute("SET statement_timeout = '20s'")
        # The one table of Django that can go and come back by itself.
        migrating = command(store, "migrate", "sessions", "zero")
        assert migrating.stdout is not None
        for line in migrating.stdout:
            if "waiting: a transaction uses the table" in line:
                break
        assert database.execute("SELECT 1 FROM django_session").fetchall() == []
        dump.rollback()
        done(migrating)
    assert "OK" in done(command(store, "migrate", "sessions"))


def test_the_way_back_is_to_the_tables_of_release_1(store: str) -> None:
    done(command(store, "migrate"))
    done(command(store, "migrate", "joblogs", "0001"))
    assert "OK" in done(command(store, "migrate", "joblogs"))


def test_there_is_no_way_back_while_text_lies_in_packs(store: str) -> None:
    done(command(store, "migrate"))
    pack = (
        "INSERT INTO joblogs_logpack (day, step_id, number, size, newlines, codec, data) "
        "VALUES ('2026-11-23', 1, 1, 1, 0, 0, {})"
    )
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(store.removeprefix("sqlite:///"))) as database:
            database.execute(pack.format("x'61'"))
            database.commit()
    else:
        with psycopg.connect(store) as server:
            server.execute(pack.format("'a'"))
    back = command(store, "migrate", "joblogs", "0001")
    output, _ = back.communicate(timeout=DEADLINE_SECONDS)
    assert back.returncode == 1
    assert "maintain_logs --unpack" in output
