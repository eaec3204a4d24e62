"""Hosts of a step, and the attempts whose rows hold their log (docs/api.md, Attempts)."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Count,
    ExpressionWrapper,
    Q,
    QuerySet,
    Sum,
)

from joblogs import database
from joblogs.choices import HostStatus, Role, StepType
from joblogs.errors import HostListInvalid
from joblogs.models import FileLog, HostResult, StepInstance

HOSTS_MAX = 500
"""Hosts that one answer holds (the API specification)."""
FILE_ROW_BYTES = 1024
"""What a file log costs in memory besides its content."""


class Row(NamedTuple):
    """Columns of a host result that the attempts rule needs."""

    pk: int
    host_id: int
    role: int
    batch: int
    execute_count: int
    actual_execute_count: int | None
    status: int
    held_size: int
    bk_cloud_id: int
    ip: str | None
    ipv6: str | None
    received_size: int = 0
    declared_size: int | None = None
    declared_sha256: bytes | None = None
    truncated: bool = False
    fingerprint_size: int | None = None
    digest: bytes | None = None
    masked: int = 0
    redacted: bool = False


ROW_VALUES: tuple[Any, ...] = (
    *Row._fields[:-1],
    # Whether, not where: a log may have a million masked ranges, and an answer 500 logs.
    ExpressionWrapper(Q(redacted__isnull=False), output_field=BooleanField()),
)
"""Expressions of a Row, for `values_list`."""
BRIEF_VALUES = Row._fields[: -len(Row._field_defaults)]
"""Those of them that say where a text is; the others describe the text."""


class Address(NamedTuple):
    """A host named by its cloud area and one of its addresses, as of the run."""

    bk_cloud_id: int
    address: str


class Attempts(NamedTuple):
    """Some attempts of a step: those up to an execute count, those of a batch. None: all."""

    execute_count: int | None = None
    batch: int | None = None


EVERY_ATTEMPT = Attempts()


class Page(NamedTuple):
    """Some of a step's hosts, by ascending bk_host_id."""

    start: int
    length: int


class StepHost(NamedTuple):
    """A host of a step: its addresses as of its newest attempt, and the rows of its log.

    `rows` are those that hold the log, by batch and role.
    """

    bk_host_id: int
    bk_cloud_id: int
    ip: str | None
    ipv6: str | None
    rows: tuple[Row, ...]

    @property
    def size(self) -> int:
        """Bytes of script log."""
        rows = self.rows
        return rows[0].held_size if len(rows) == 1 else sum(row.held_size for row in rows)

    @property
    def attempt(self) -> int:
        """The execute count as of which this is the log: asked for that, it is the same."""
        return max(row.execute_count for row in self.rows)

    @property
    def batch(self) -> int:
        """The last rolling batch in it, 0 if it does not roll."""
        return max(row.batch for row in self.rows)


def hosts_named(
    step: StepInstance,
    names: Sequence[int | Address],
    attempts: Attempts = EVERY_ATTEMPT,
    *,
    brief: bool = False,
) -> list[StepHost]:
    """The hosts of a step that are named, in that order, each once.

    An address names every host of the step that had it in any attempt; what is not in the step
    names none. `brief`: their rows have only the columns that locate the text.
    """
    ids = [name for name in names if isinstance(name, int)]
    if len(ids) < len(names):
        ids_of = holders(step, {name for name in names if isinstance(name, Address)})
        ids = list(
            itertools.chain.from_iterable(
                [name] if isinstance(name, int) else ids_of.get(name, []) for name in names
            )
        )
    rows = _step_hosts(step, set(ids), attempts, brief=brief)
    return [rows[host] for host in dict.fromkeys(ids) if host in rows]


def hosts_of(
    step: StepInstance, page: Page | None = None, attempts: Attempts = EVERY_ATTEMPT
) -> tuple[list[StepHost], int]:
    """A step's hosts (a file step: its targets) by ascending id, and how many there are in all.

    Without a page all of them, if they are at most HOSTS_MAX; else HostListInvalid.
    """
    hosts = HostResult.objects.for_step(step)
    if step.step_type == StepType.FILE:
        hosts = hosts.targets()
    numbers = hosts.order_by("host_id").values_list("host_id", flat=True).distinct()
    total = numbers.count()
    if page is None and total > HOSTS_MAX:
        raise HostListInvalid(HostListInvalid.TOO_MANY_IN_STEP, total, HOSTS_MAX)
    if page is not None:
        numbers = numbers[page.start : page.start + page.length]
    ids = list(numbers) if total else []
    rows = _step_hosts(step, ids, attempts)
    return [rows[host] for host in ids if host in rows], total


def results_of(
    step: StepInstance, role: Role, attempts: Attempts = EVERY_ATTEMPT
) -> QuerySet[HostResult]:
    """The host results of a step in one role."""
    return _within(HostResult.objects.filter(step=step, role=role), attempts)


def _within(results: QuerySet[HostResult], attempts: Attempts) -> QuerySet[HostResult]:
    if attempts.execute_count is not None:
        results = results.filter(execute_count__lte=attempts.execute_count)
    if attempts.batch is not None:
        results = results.filter(batch=attempts.batch)
    return results


def hosts_as(step: StepInstance, role: Role, attempts: Attempts = EVERY_ATTEMPT) -> list[StepHost]:
    """The hosts that a step has in one role, with what they logged in it, by ascending id."""
    rows: Iterable[tuple[Any, ...]]
    if attempts == EVERY_ATTEMPT:
        rows = _rows_as.plain(step=step.pk, role=role)
    else:
        rows = results_of(step, role, attempts).values_list(*ROW_VALUES)
    return sorted(_grouped(step, rows).values())


@database.CompiledQuery
def _rows_as() -> QuerySet[HostResult, tuple[Any, ...]]:
    rows = HostResult.objects.filter(
        step_id=database.Param("step", BigIntegerField()),
        role=database.Param("role", BigIntegerField()),
    )
    return rows.values_list(*ROW_VALUES)


def effective_attempt(attempts: Sequence[Row], with_files: Collection[int] | None = None) -> Row:
    """The row that holds the log of one host, role and batch (docs/api.md, Attempts).

    `attempts` come newest first. The newest counts, unless it was not executed again: then an
    earlier one does. `with_files` are the rows that own file logs, None for script steps.
    """
    for index, row in enumerate(attempts):
        earlier = attempts[index + 1 :]
        if not earlier:
            return row
        if row.actual_execute_count is not None and row.actual_execute_count < row.execute_count:
            older = [e for e in earlier if e.execute_count <= row.actual_execute_count]
            return effective_attempt(older, with_files) if older else row
        empty = row.pk not in with_files if with_files is not None else not row.held_size
        if row.status != HostStatus.SUCCEEDED_LAST_TIME or not empty:
            return row
    raise ValueError("a host has at least one attempt")


def _step_hosts(
    step: StepInstance, ids: Collection[int], attempts: Attempts, *, brief: bool = False
) -> dict[int, StepHost]:
    if not ids:
        return {}
    if attempts == EVERY_ATTEMPT:
        rows_of = _brief_rows_of.plain if brief else _rows_of
        return _grouped(step, rows_of(step=step.pk, hosts=ids))
    rows = HostResult.objects.filter(database.InArray("host_id", ids), step=step)
    return _grouped(step, _within(rows, attempts).values_list(*ROW_VALUES))


def _named() -> QuerySet[HostResult]:
    named = database.InArray("host_id", database.ArrayParam("hosts", BigIntegerField()))
    return HostResult.objects.filter(named, step_id=database.Param("step", BigIntegerField()))


_rows_of = database.CompiledQuery(lambda: _named().values_list(*ROW_VALUES))
_brief_rows_of = database.CompiledQuery(lambda: _named().values_list(*BRIEF_VALUES))


def _grouped(step: StepInstance, values_of: Iterable[tuple[Any, ...]]) -> dict[int, StepHost]:
    rows = [Row(*values) for values in values_of]
    with_files = None
    if step.step_type == StepType.FILE:
        with_files = file_weights(
            row.pk for row in rows if row.status == HostStatus.SUCCEEDED_LAST_TIME
        )
    by_host: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_host[row.host_id].append(row)
    return {host: _step_host(own, with_files) for host, own in by_host.items()}


def _step_host(rows: list[Row], with_files: Collection[int] | None) -> StepHost:
    if len(rows) == 1:
        (row,) = rows
        return StepHost(row.host_id, row.bk_cloud_id, row.ip, row.ipv6, (row,))
    rows.sort(key=lambda row: (row.batch, row.role, -row.execute_count))
    # The target's addresses before the source's, the newest attempt's before earlier ones'.
    newest = max(rows, key=lambda row: (-row.role, row.execute_count, row.batch))
    effective_rows = [
        effective_attempt(list(attempts), with_files)
        for _, attempts in itertools.groupby(rows, key=attrgetter("batch", "role"))
    ]
    return StepHost(
        bk_host_id=newest.host_id,
        bk_cloud_id=newest.bk_cloud_id,
        ip=newest.ip,
        ipv6=newest.ipv6,
        rows=tuple(effective_rows),
    )


def holders(step: StepInstance, names: set[Address]) -> dict[Address, list[int]]:
    """The hosts that had each address in the step, by ascending id."""
    addresses = {name.address for name in names}
    rows = (
        HostResult.objects.filter(Q(ip__in=addresses) | Q(ipv6__in=addresses), step=step)
        .order_by("host_id")
        .values_list("host_id", "bk_cloud_id", "ip", "ipv6")
        .distinct()
    )
    hosts: dict[Address, list[int]] = {}
    for host, cloud, *own in rows:
        for address in own:
            if address is not None and (name := Address(cloud, address)) in names:
                ids = hosts.setdefault(name, [])
                if host not in ids:
                    ids.append(host)
    return hosts


def file_bytes(rows: Iterable[int]) -> int:
    """Bytes of text in the file logs that these host results own."""
    logs = FileLog.objects.filter(host_result__in=list(rows))
    return int(logs.aggregate(held=Sum("held_size"))["held"] or 0)


def file_weights(rows: Iterable[int]) -> dict[int, int]:
    """The host results among these that own file logs, and what those weigh in memory."""
    owners = list(rows)
    if not owners:
        return {}
    weights = (
        FileLog.objects.filter(host_result__in=owners)
        .order_by()
        .values_list("host_result")
        .annotate(Count("pk"), Sum("held_size"))
    )
    return {owner: size + count * FILE_ROW_BYTES for owner, count, size in weights}
