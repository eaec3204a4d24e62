"""Size of the database on disk."""

from __future__ import annotations

from django.db import connection

from .driver import is_postgresql


def size() -> int:
    """Return the size of the whole database in bytes."""
    with connection.cursor() as cursor:
        if is_postgresql():
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(cursor.fetchone()[0])
