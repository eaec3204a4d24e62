"""Databases that live as long as a benchmark."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.postgres import find_binaries, running_server

DATABASES = ("postgresql", "sqlite")

# What a small production server has; all else is PostgreSQL's default. Writes do wait for the disk.
_SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}


@contextlib.contextmanager
def own_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'benchmark.sqlite3'}"
        return
    binaries = find_binaries()
    if binaries is None:
        raise SystemExit("PostgreSQL is not installed here; --database sqlite runs without it.")
    with running_server(binaries, _SETTINGS) as database:
        yield database.url


def copy_of(url: str) -> str:
    """The URL of a second database that holds the same; nobody may be connected to the first."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        # Not by copying the file: closing that would take the locks of whoever has it open here.
        with (
            contextlib.closing(sqlite3.connect(parts.path)) as source,
            contextlib.closing(sqlite3.connect(f"{parts.path}.copy")) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode=WAL")
        return f"{url}.copy"
    with psycopg.connect(urlunsplit(parts._replace(path="/template1")), autocommit=True) as other:
        made, name = sql.Identifier("copied"), sql.Identifier(parts.path.strip("/"))
        other.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(made))
        other.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, name))
    return urlunsplit(parts._replace(path="/copied"))
