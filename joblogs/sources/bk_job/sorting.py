"""Sorts a dump on disk: a temporary SQLite file, as a dump may be larger than memory.

Rows and documents come in the order of their files and leave in that of records. It takes about
as much room as the unpacked logs; TMPDIR says where.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

# `object` has no declared type: hosts by number and hosts by address both fit, unchanged.
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
# Made after the rows are in: one external sort instead of an insertion per row.
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
    # Chunks never change; a file's document grows, so the longer of two is the later one.
    "script": "INSERT OR IGNORE INTO script VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "file": """INSERT INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (oid) DO UPDATE SET lines = excluded.lines, fields = excluded.fields,
        content = excluded.content WHERE excluded.lines > file.lines""",
}

Values = tuple[Any, ...]


class Sorter:
    """Where a dump lies while it is sorted. A context: it is gone at the end."""

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
        """Take rows in, as they come; how many of them were there already."""
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
        """Call it once everything is in."""
        self._connection.executescript(_INDEXES)

    def read(self, statement: str, *values: Any) -> Iterator[Values]:
        """Rows of a statement of ours, one after another."""
        return self._connection.execute(statement, values)

    def snapshots(self, step: int) -> list[str | None]:
        """The JSON cells that name a step's hosts, the resolved ones first."""
        found = self.read(
            """SELECT targets, resolved, original FROM step
            LEFT JOIN source ON source.step = step.id WHERE step.id = ?""",
            step,
        )
        return [cell for row in found for cell in row]

    def host(self, job: int, host: int) -> Values | None:
        """ip and ipv6 of a host of a job in task_instance_host."""
        found = self.read("SELECT ip, ipv6 FROM host WHERE job = ? AND host = ?", job, host)
        return next(found, None)

    def hosts_with(self, job: int, address: str) -> set[int]:
        """The hosts of a job that had an address."""
        found = self.read("SELECT host FROM host WHERE job = ? AND ? IN (ip, ipv6)", job, address)
        return {host for (host,) in found}

    def addresses_in_logs(self, step: int, host: int) -> list[str]:
        """`cloud:address` of a host, as documents of older writers carry them."""
        found = self.read(
            """SELECT DISTINCT ip, ipv6 FROM script WHERE step = ?1 AND object = ?2
            UNION SELECT DISTINCT ip, ipv6 FROM file WHERE step = ?1 AND object = ?2""",
            step,
            host,
        )
        return [text for row in found for text in row if text]

    def named_by_address(self, step: int) -> list[str]:
        """The objects of a step that have no number."""
        found = self.read(
            """SELECT object FROM script WHERE step = ?1 AND typeof(object) = 'text'
            UNION SELECT object FROM file WHERE step = ?1 AND typeof(object) = 'text'
            UNION SELECT object FROM result WHERE step = ?1 AND typeof(object) = 'text'""",
            step,
        )
        return [text for (text,) in found]

    def number(self, step: int, address: str, host: int) -> None:
        """Give an object of a step its number: it is sorted with what else is about that host."""
        for statement in (
            "UPDATE script SET object = ? WHERE step = ? AND object = ?",
            "UPDATE file SET object = ? WHERE step = ? AND object = ?",
            "UPDATE OR REPLACE result SET object = ? WHERE step = ? AND object = ?",
        ):
            self._connection.execute(statement, (host, step, address))
