"""Day partitions on PostgreSQL. On SQLite there are none.

`CREATE TABLE … PARTITION OF` and `DROP` wait for open transactions and meanwhile block every read
of the whole table. So partitions are created separately and attached, and dropped only if the lock
is available within LOCK_TIMEOUT_MS.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence

from django.db import connection, transaction
from django.db import models as django_models

from joblogs.errors import Unavailable

from .driver import is_postgresql
from .locks import answering

LOCK_TIMEOUT_MS = 2000
_NAME = re.compile(r"_(\d{4})(\d{2})(\d{2})$")


class Partitions:
    """Day partitions of one table, named by table and day, such as `table_20261123`."""

    def __init__(self, model: type[django_models.Model]) -> None:
        self.table = model._meta.db_table

    def days(self) -> list[datetime.date]:
        """Return the days that have a partition, ascending; [] on SQLite."""
        if not is_postgresql():
            return []
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
                "WHERE i.inhparent = %s::regclass",
                [self.table],
            )
            names = [name for (name,) in cursor.fetchall()]
        return sorted(_days(names))

    def size(self) -> int | None:
        """Return the bytes on disk of all partitions with their indexes; None on SQLite."""
        if not is_postgresql():
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COALESCE(SUM(pg_total_relation_size(inhrelid)), 0)::bigint "
                "FROM pg_inherits WHERE inhparent = %s::regclass",
                [self.table],
            )
            return int(cursor.fetchone()[0])

    def missing(self, days: list[datetime.date]) -> list[datetime.date]:
        """Return the days among these that have no partition yet; [] on SQLite."""
        have = set(self.days())
        return [day for day in days if day not in have] if is_postgresql() else []

    def make(self, day: datetime.date) -> bool:
        """Create the partition of a day and move its rows there from the default partition.

        Return False if the lock was not available in time, so that a later run can try again.
        """
        name, start, end = self._name(day), day.isoformat(), _next(day).isoformat()
        quote = connection.ops.quote_name
        table, child, default = quote(self.table), quote(name), quote(f"{self.table}_default")
        try:
            with answering(), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                cursor.execute(f"CREATE TABLE {child} (LIKE {table} INCLUDING ALL)")
                # With the bounds as a check, attaching need not scan the table.
                cursor.execute(
                    f"ALTER TABLE {child} ADD CONSTRAINT day_bounds "
                    f"CHECK (day >= DATE '{start}' AND day < DATE '{end}')"
                )
                cursor.execute(f"LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE")
                cursor.execute(
                    f"WITH moved AS (DELETE FROM {default} WHERE day = %s RETURNING *) "  # noqa: S608 - our names
                    f"INSERT INTO {child} SELECT * FROM moved",
                    [day],
                )
                cursor.execute(
                    f"ALTER TABLE {table} ATTACH PARTITION {child} "
                    f"FOR VALUES FROM ('{start}') TO ('{end}')"
                )
                cursor.execute(f"ALTER TABLE {child} DROP CONSTRAINT day_bounds")
        except Unavailable:
            return False
        return True

    def days_in_default(self) -> list[datetime.date]:
        """Return the days that have rows in the default partition, ascending; [] on SQLite."""
        if not is_postgresql():
            return []
        default = connection.ops.quote_name(f"{self.table}_default")
        days: list[datetime.date] = []
        with connection.cursor() as cursor:
            # One index lookup for each day: DISTINCT would read every row.
            while True:
                after = days[-1] if days else datetime.date.min
                cursor.execute(f"SELECT MIN(day) FROM {default} WHERE day > %s", [after])  # noqa: S608 - our names
                (day,) = cursor.fetchone()
                if day is None or day == datetime.date.max:
                    return days
                days.append(day)

    def empty(self, days: Sequence[datetime.date]) -> list[datetime.date]:
        """Return the days among these whose partitions are empty, by one statement."""
        if not days:
            return []
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            cursor.execute(
                " UNION ALL ".join(
                    f"SELECT DATE '{day}' WHERE NOT EXISTS (SELECT 1 FROM {quote(self._name(day))})"  # noqa: S608 - our names
                    for day in days
                )
            )
            return [day for (day,) in cursor.fetchall()]

    def lock(self, day: datetime.date) -> None:
        """Lock the partition of a day exclusively until the caller's transaction ends.

        Raise OperationalError if the lock is not available within LOCK_TIMEOUT_MS. Other days are
        not affected.
        """
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            child = connection.ops.quote_name(self._name(day))
            cursor.execute(f"LOCK TABLE {child} IN ACCESS EXCLUSIVE MODE")

    def keep_only(
        self, day: datetime.date, keys: Sequence[int], *, column: str = "host_result_id"
    ) -> None:
        """Delete all rows of a day's partition but those with one of these keys in a column.

        The caller holds the lock of the partition.
        """
        child = connection.ops.quote_name(self._name(day))
        with connection.cursor() as cursor:
            if keys:
                cursor.execute(
                    f"CREATE TEMPORARY TABLE staying ON COMMIT DROP AS "  # noqa: S608 - our names
                    f"SELECT * FROM {child} WHERE {connection.ops.quote_name(column)} = ANY(%s)",
                    [list(keys)],
                )
            cursor.execute(f"TRUNCATE TABLE {child}")
            if keys:
                cursor.execute(f"INSERT INTO {child} SELECT * FROM staying")  # noqa: S608 - our names
                cursor.execute("DROP TABLE staying")

    def drop_empty(self, day: datetime.date) -> bool:
        """Drop a day's partition if it is empty and its lock available; return whether it was."""
        quote = connection.ops.quote_name
        child = quote(self._name(day))
        try:
            with answering(), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                cursor.execute(f"ALTER TABLE {quote(self.table)} DETACH PARTITION {child}")
                cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {child})")  # noqa: S608 - our names
                if cursor.fetchone()[0]:
                    transaction.set_rollback(True)
                    return False
                cursor.execute(f"DROP TABLE {child}")
        except Unavailable:
            return False
        return True

    def _name(self, day: datetime.date) -> str:
        return f"{self.table}_{day:%Y%m%d}"


def _days(names: list[str]) -> Iterator[datetime.date]:
    for name in names:
        if match := _NAME.search(name):
            yield datetime.date(int(match[1]), int(match[2]), int(match[3]))


def _next(day: datetime.date) -> datetime.date:
    return day + datetime.timedelta(days=1)
