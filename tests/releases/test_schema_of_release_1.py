"""The tables that `migrate` makes are those of release 1, which are kept as SQL.

`schema-1.sqlite.sql` is what `sqlite3 FILE .schema` writes, `schema-1.postgresql.sql` what `pg_dump
--schema-only --no-owner` does, without its settings: where the test of a later migration begins.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

FOLDER = Path(__file__).parent
RELEASE = ("joblogs", "0001_release_1")
SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
TABLES = """
    SELECT c.relname, c.relkind, c.reloptions, pg_get_partkeydef(c.oid),
        pg_get_expr(c.relpartbound, c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %s
"""
COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attidentity, a.attstorage, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %s
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
"""
CONSTRAINTS = """
    SELECT o.conrelid::regclass, o.conname, pg_get_constraintdef(o.oid)
    FROM pg_constraint o JOIN pg_namespace n ON n.oid = o.connamespace AND n.nspname = %s
    WHERE o.contype <> 'n'
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = %s"


def migrated(elsewhere: BaseDatabaseWrapper) -> None:
    """Make the tables of release 1, and those of Django, through another connection."""
    executor = MigrationExecutor(elsewhere)
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] != "joblogs"]
    executor.migrate([RELEASE, *others])


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the schema of SQLite")
def test_migrate_makes_the_tables_of_release_1_on_sqlite(tmp_path: Path) -> None:
    elsewhere = connection.copy()
    elsewhere.settings_dict["NAME"] = str(tmp_path / "made.sqlite3")
    with closing(elsewhere):
        migrated(elsewhere)
    with closing(sqlite3.connect(tmp_path / "made.sqlite3")) as made:
        expected = sorted(made.execute(SQLITE))
    with closing(sqlite3.connect(":memory:")) as kept:
        kept.executescript((FOLDER / "schema-1.sqlite.sql").read_text())
        assert sorted(kept.execute(SQLITE)) == expected


@pytest.fixture
def schemas() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept; CREATE SCHEMA made")
        yield
        cursor.execute("DROP SCHEMA kept CASCADE; DROP SCHEMA made CASCADE")


def facts(schema: str, statement: str) -> list[str]:
    """What the catalogue says of a schema, without the schema's name."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [schema])
        rows: list[Any] = cursor.fetchall()
    return sorted(str(row).replace(f"{schema}.", "") for row in rows)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the schema of PostgreSQL")
@pytest.mark.usefixtures("schemas")
def test_migrate_makes_the_tables_of_release_1_on_postgresql() -> None:
    elsewhere = connection.copy()
    elsewhere.settings_dict["OPTIONS"].pop("pool", None)
    elsewhere.settings_dict["OPTIONS"]["options"] = "-c search_path=made"
    with closing(elsewhere):
        migrated(elsewhere)
    with connection.cursor() as cursor:
        sql = (FOLDER / "schema-1.postgresql.sql").read_text()
        cursor.execute(sql.replace("public.", "kept."))
    for statement in (TABLES, COLUMNS, CONSTRAINTS, INDEXES):
        assert facts("kept", statement) == facts("made", statement)
