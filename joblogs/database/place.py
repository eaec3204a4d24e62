"""Identification of the database, to distinguish it from its copies."""

from __future__ import annotations

import os

from django.db import connection

from .driver import is_postgresql


def place() -> str:
    """Return a text that differs between this database and any copy, even a restored backup.

    PostgreSQL: the cluster, the timeline (which changes when a standby or a backup is promoted)
    and the database's oid. SQLite: the path of the file and its inode.
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
