"""Databases that live as long as a benchmark."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

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
    with running_server(binaries, _SETTINGS) as (url, _version):
        yield url
