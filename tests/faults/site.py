"""A store whose database can be stopped and whose disk can be filled: a place for faults."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests import postgres
from tests.object_store.faulty_server import FaultyServer, faulty_server
from tests.serving import Server, serving

DISK_BYTES = 2 * 1024**3


@dataclass
class Disk:
    """A file system of its own that holds the database, if this process may mount one."""

    folder: Path
    mounted: bool = False

    def fill(self) -> None:
        """Leave no room: what is there stays, nothing more fits."""
        while True:
            usage = shutil.disk_usage(self.folder)
            # Whoever writes may have written more meanwhile: then that is too small.
            with contextlib.suppress(subprocess.CalledProcessError):
                return _mount("-o", f"remount,size={usage.used}", self.folder)

    def free(self) -> None:
        """Make room again."""
        _mount("-o", f"remount,size={DISK_BYTES}", self.folder)


@dataclass
class Site:
    """The server, its disk, and for PostgreSQL its database, which is nobody else's."""

    server: Server
    disk: Disk
    objects: FaultyServer
    database: postgres.Database | None = None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    polled: list[int] = field(default_factory=lambda: [0, 0])
    """Statuses that were asked for, and those that told a finish."""

    def leave_no_slack(self) -> None:
        """SQLite writes into the log of changes that it has, before that must grow."""
        if self.database is None:
            url = self.server.environment["DATABASE_URL"]
            with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @property
    def name(self) -> str:
        return "PostgreSQL" if self.database else "SQLite"


@contextlib.contextmanager
def site(folder: Path, *, on_postgresql: bool) -> Iterator[Site]:
    """A site for as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        disk = stack.enter_context(_disk())
        database = None
        url = f"sqlite:///{disk.folder / 'faults.sqlite3'}"
        if on_postgresql:
            binaries = postgres.find_binaries()
            assert binaries, "PostgreSQL is not installed"
            database = stack.enter_context(postgres.running_server(binaries))
            url = _database_on(disk, database)
        objects = stack.enter_context(faulty_server())
        places: dict[str, Any] = {
            "OBJECT_STORE_URL": "s3://logs/faults",
            "AWS_ALLOW_HTTP": "on",
            **objects.environment,
        }
        server = stack.enter_context(serving(folder, url=url, **places))
        yield Site(server, disk, objects, database)


@contextlib.contextmanager
def _disk() -> Iterator[Disk]:
    with tempfile.TemporaryDirectory(prefix="joblogs-disk-") as folder:
        disk = Disk(Path(folder, "disk"))
        disk.folder.mkdir()
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            _mount("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", disk.folder)
            disk.mounted = True
        # PostgreSQL's server is another user's where we are root.
        for path in (Path(folder), disk.folder):
            path.chmod(0o755)
        try:
            yield disk
        finally:
            if disk.mounted:
                subprocess.run(["umount", "--lazy", disk.folder], check=True)


def _mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def _database_on(disk: Disk, database: postgres.Database) -> str:
    """A new database whose tables lie on the disk, and whose log of changes lies elsewhere."""
    space = disk.folder / "tables"
    space.mkdir()
    os.chown(space, database.owner, -1)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE TABLESPACE disk LOCATION {}").format(sql.Literal(str(space)))
        )
        connection.execute("CREATE DATABASE faults TABLESPACE disk")
    return database.url.rsplit("/", 1)[0] + "/faults"
