"""Where the store's database lies: a copy of it lies somewhere else."""

from __future__ import annotations

import os

from django.db import connection

from .driver import is_postgresql


def place() -> str:
    """What tells this database from a copy of it, restored ones included.

    PostgreSQL: its cluster, its timeline (a standby or a backup that was promoted has a new one)
    and the database in it. SQLite: the file and its number, which a copy does not keep.
    """
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), oid "
                "FROM pg_control_system(), pg_database WHERE datname = current_database()"
            )
            return "/".join(str(value) for value in cursor.fetchone())
    file = str(connection.settings_dict["NAME"])
    return f"{file}/{os.stat(file).st_ino}" if os.path.exists(file) else file
