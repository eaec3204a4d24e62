"""Day partitions on PostgreSQL; on SQLite there are none, and nothing here does anything.

`CREATE TABLE … PARTITION OF` and `DROP` would lock the whole table, and with it every read of other
days, behind any open transaction. So tables are made apart and attached, and dropped only when the
lock is to be had at once.
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
    """The day partitions of one table. Names are the table's and the day: `table_20261123`."""

    def __init__(self, model: type[django_models.Model]) -> None:
        self.table = model._meta.db_table

    def days(self) -> list[datetime.date]:
        """The days that have a partition of their own, ascending."""
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
        """Bytes on disk of all of them, indexes included; None on SQLite, which cannot tell."""
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
        """Those of the days that have no partition yet; none on SQLite."""
        have = set(self.days())
        return [day for day in days if day not in have] if is_postgresql() else []

    def make(self, day: datetime.date) -> bool:
        """Make the partition of a day and move there what the default one holds of it.

        False if the lock was not to be had in time: another day.
        """
        name, start, end = self._name(day), day.isoformat(), _next(day).isoformat()
        quote = connection.ops.quote_name
        table, child, default = quote(self.table), quote(name), quote(f"{self.table}_default")
        try:
            with answering(), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                cursor.execute(f"CREATE TABLE {child} (LIKE {table} INCLUDING ALL)")
                # The bounds as a check: attaching need not read the table to believe them.
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
        """The days whose rows lie in the default partition; none on SQLite."""
        if not is_postgresql():
            return []
        default = connection.ops.quote_name(f"{self.table}_default")
        days: list[datetime.date] = []
        with connection.cursor() as cursor:
            # From day to day along the key: a DISTINCT would read every row.
            while True:
                after = days[-1] if days else datetime.date.min
                cursor.execute(f"SELECT MIN(day) FROM {default} WHERE day > %s", [after])  # noqa: S608 - our names
                (day,) = cursor.fetchone()
                if day is None or day == datetime.date.max:
                    return days
                days.append(day)

    def empty(self, days: Sequence[datetime.date]) -> list[datetime.date]:
        """Those of these days whose partitions hold nothing. One statement."""
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
        """Let nobody else near a day until the caller's transaction ends.

        Raises OperationalError if somebody is there for longer than LOCK_TIMEOUT_MS. Other days go
        on meanwhile.
        """
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            child = connection.ops.quote_name(self._name(day))
            cursor.execute(f"LOCK TABLE {child} IN ACCESS EXCLUSIVE MODE")

    def keep_only(
        self, day: datetime.date, keys: Sequence[int], *, column: str = "host_result_id"
    ) -> None:
        """Empty a day's partition but for the rows of these host results, or of what else a column
        names. The caller holds its lock."""
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
        """Drop a day's partition if it is empty and the lock is to be had at once."""
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
