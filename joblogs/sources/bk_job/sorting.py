"""Sorting of a dump in a temporary SQLite file, because a dump may be larger than memory.

Rows and documents are added in the order of the files and read in the order of records. The file,
in TMPDIR, takes about as much space as the uncompressed logs.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

# `object` has no declared type, so that ids and addresses of hosts are both stored unchanged.
_TABLES = """
CREATE TABLE job (id INTEGER PRIMARY KEY, app INTEGER, fields TEXT);
CREATE TABLE step (id INTEGER PRIMARY KEY, job INTEGER, targets TEXT, fields TEXT);
CREATE TABLE source (step INTEGER PRIMARY KEY, resolved TEXT, original TEXT);
CREATE TABLE host (job INTEGER, host INTEGER, ip TEXT, ipv6 TEXT, PRIMARY KEY (job, host))
    WITHOUT ROWID;
CREATE TABLE result (step INTEGER, object, count INTEGER, batch INTEGER, role INTEGER, fields TEXT,
    PRIMARY KEY (step, object, count, batch, role)) WITHOUT ROWID;
CREATE TABLE script (step INTEGER, object, count INTEGER, batch INTEGER, ending INTEGER,
    oid BLOB UNIQUE, ip TEXT, ipv6 TEXT, content BLOB);
CREATE TABLE file (step INTEGER, object, count INTEGER, batch INTEGER, role INTEGER, key TEXT,
    oid BLOB UNIQUE, lines INTEGER, ip TEXT, ipv6 TEXT, fields TEXT, content BLOB);
"""
# Created after all rows are inserted: one external sort instead of an index update per row.
_INDEXES = """
CREATE INDEX step_of_job ON step (job);
CREATE INDEX script_order ON script (step, object, count, batch, ending, oid);
CREATE INDEX file_order ON file (step, object, count, batch, role, key, oid);
"""
INSERT = {
    "job": "INSERT OR REPLACE INTO job VALUES (?, ?, ?)",
    "step": "INSERT OR REPLACE INTO step VALUES (?, ?, ?, ?)",
    "source": "INSERT OR REPLACE INTO source VALUES (?, ?, ?)",
    "host": "INSERT OR REPLACE INTO host VALUES (?, ?, ?, ?)",
    "result": "INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?)",
    # Chunks never change. The document of a file grows, so the longer of two is the later one.
    "script": "INSERT OR IGNORE INTO script VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "file": """INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (oid) DO UPDATE SET lines = excluded.lines, fields = excluded.fields,
        content = excluded.content WHERE excluded.lines > file.lines""",
}

Values = tuple[Any, ...]


class Sorter:
    """Context manager of the temporary database in which a dump is sorted."""

    def __enter__(self) -> Sorter:
        self._folder = tempfile.TemporaryDirectory(prefix="joblogs-bk-job-")
        self._connection = sqlite3.connect(
            Path(self._folder.name, "dump.sqlite3"), isolation_level=None
        )
        # Nothing here outlives the process, so nothing need survive a crash.
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_TABLES)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()
        self._folder.cleanup()

    def put(self, table: str, rows: Iterable[Values]) -> int:
        """Insert rows; return how many of them were there already."""
        before, total = self._connection.total_changes, 0

        def counted() -> Iterator[Values]:
            nonlocal total
            for row in rows:
                total += 1
                yield row

        self._connection.execute("BEGIN")
        self._connection.executemany(INSERT[table], counted())
        self._connection.execute("COMMIT")
        return total - (self._connection.total_changes - before)

    def index(self) -> None:
        """Create the indexes, after all rows are inserted."""
        self._connection.executescript(_INDEXES)

    def read(self, statement: str, *values: Any) -> Iterator[Values]:
        """Yield the rows of a statement."""
        return self._connection.execute(statement, values)

    def snapshots(self, step: int) -> list[str | None]:
        """Return the JSON cells with a step's hosts: targets, resolved and original sources."""
        found = self.read(
            """SELECT targets, resolved, original FROM step
            LEFT JOIN source ON source.step = step.id WHERE step.id = ?""",
            step,
        )
        return [cell for row in found for cell in row]

    def host(self, job: int, host: int) -> Values | None:
        """Return ip and ipv6 of a host of a job from task_instance_host, or None."""
        found = self.read("SELECT ip, ipv6 FROM host WHERE job = ? AND host = ?", job, host)
        return next(found, None)

    def hosts_with(self, job: int, address: str) -> set[int]:
        """Return the hosts of a job that had an address."""
        found = self.read("SELECT host FROM host WHERE job = ? AND ? IN (ip, ipv6)", job, address)
        return {host for (host,) in found}

    def addresses_in_logs(self, step: int, host: int) -> list[str]:
        """Return the `cloud:address` texts of a host in documents of older versions of bk-job."""
        found = self.read(
            """SELECT DISTINCT ip, ipv6 FROM script WHERE step = ?1 AND object = ?2
            UNION SELECT DISTINCT ip, ipv6 FROM file WHERE step = ?1 AND object = ?2""",
            step,
            host,
        )
        return [text for row in found for text in row if text]

    def named_by_address(self, step: int) -> list[str]:
        """Return the objects of a step that have no id."""
        found = self.read(
            """SELECT object FROM script WHERE step = ?1 AND typeof(object) = 'text'
            UNION SELECT object FROM file WHERE step = ?1 AND typeof(object) = 'text'
            UNION SELECT object FROM result WHERE step = ?1 AND typeof(object) = 'text'""",
            step,
        )
        return [text for (text,) in found]

    def number(self, step: int, address: str, host: int) -> None:
        """Replace an object's address by its host id, so that all its rows are sorted together."""
        for statement in (
            "UPDATE script SET object = ? WHERE step = ? AND object = ?",
            "UPDATE file SET object = ? WHERE step = ? AND object = ?",
            "UPDATE OR REPLACE result SET object = ? WHERE step = ? AND object = ?",
        ):
            self._connection.execute(statement, (host, step, address))
