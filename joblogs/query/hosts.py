"""Hosts of a step: which there are, and the results that hold the log of each. The one place that
applies the rule of attempts (docs/api.md, Attempts)."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple, TypeVar

from django.db.models import BigIntegerField, Count, Q, QuerySet, Sum

from joblogs import database
from joblogs.choices import HostStatus, Role, StepType
from joblogs.errors import HostListInvalid
from joblogs.models import FileLog, HostResult, StepInstance

from .results import BRIEF_VALUES, VALUES, Result, read

HOSTS_MAX = 500
"""Hosts that one answer holds (the API specification)."""
FILE_ROW_BYTES = 1024
"""What a file log costs in memory besides its content."""


class Attempts(NamedTuple):
    """Some attempts of a step: those up to an execute count, those of a batch. None: all."""

    execute_count: int | None = None
    batch: int | None = None

    def include(self, result: Result | HostResult) -> bool:
        """Whether a host result is of one of these attempts."""
        top, batch = self
        return (top is None or result.execute_count <= top) and batch in (None, result.batch)


EVERY_ATTEMPT = Attempts()
AnyResult = TypeVar("AnyResult", Result, HostResult)


class StepHost:
    """Host of a step: its newest result, whose status and addresses are shown, and the results
    that hold its log, by batch and role."""

    def __init__(self, newest: Result | HostResult, results: Sequence[Result | HostResult]) -> None:
        self.newest, self.results = newest, results
        self.bk_host_id, self.bk_cloud_id = newest.host_id, newest.bk_cloud_id
        self.ip, self.ipv6, self.status = newest.ip, newest.ipv6, newest.status
        self.size = results[0].held_size if len(results) == 1 else _size(results)
        """Bytes of script log."""
        self.name = newest.display_name
        """What people call it."""
        self.place = 0
        """Among the hosts of its overview, in the order of their names."""

    @property
    def attempt(self) -> int:
        """The execute count as of which this is the log: a request of that count gets the same."""
        return max(result.execute_count for result in self.results)

    @property
    def batch(self) -> int:
        """The last rolling batch in it, 0 if it does not roll."""
        return max(result.batch for result in self.results)

    @property
    def masked(self) -> int:
        """Places in its script log where a secret was."""
        return sum(result.masked for result in self.results)

    @property
    def silent(self) -> bool:
        """It has ended, and not a byte of it ever arrived."""
        return self.newest.finished and not any(result.received_size for result in self.results)

    @property
    def digests(self) -> tuple[bytes, ...] | None:
        """Digests of its logs, which tell whether two hosts printed the same; None if one is not
        known yet."""
        printing = [result for result in self.results if result.held_size]
        known = [
            bytes(result.digest)
            for result in printing
            if result.digest and result.fingerprint_size == result.held_size
        ]
        return tuple(known) if len(known) == len(printing) else None


def _size(results: Sequence[Result | HostResult]) -> int:
    return sum(result.held_size for result in results)


def step_hosts(step: StepInstance, results: Iterable[Result]) -> list[StepHost]:
    """The hosts that have these results of a step, by ascending id."""
    results = list(results)
    with_files = owners_of_files(step, results)
    return [host_with(own, with_files) for own in by_host(results)]


def by_host(results: Iterable[AnyResult]) -> list[list[AnyResult]]:
    """The results of each host, by ascending id."""
    hosts: dict[int, list[AnyResult]] = defaultdict(list)
    for result in results:
        hosts[result.host_id].append(result)
    return [hosts[host] for host in sorted(hosts)]


def owners_of_files(
    step: StepInstance, results: Iterable[Result | HostResult]
) -> Collection[int] | None:
    """Those of these results for which `host_with` has to know that they own file logs; None if
    the step has none."""
    if step.step_type != StepType.FILE:
        return None
    return file_weights(r.pk for r in results if r.status == HostStatus.SUCCEEDED_LAST_TIME)


def host_with(results: Sequence[AnyResult], with_files: Collection[int] | None) -> StepHost:
    """The host that has these results in a step; `with_files` as `owners_of_files` gives it."""
    if len(results) == 1:
        return StepHost(results[0], results)
    # By batch and role, the newest attempt first.
    ordered = sorted(results, key=lambda result: (result.batch, result.role, -result.execute_count))
    return StepHost(
        newest_of(results),
        [
            _effective_attempt(list(attempts), with_files)
            for _, attempts in itertools.groupby(ordered, key=attrgetter("batch", "role"))
        ],
    )


def newest_of(results: Iterable[AnyResult]) -> AnyResult:
    """The newest attempt's result before earlier ones', before them the target's to a source's."""
    return max(results, key=lambda result: (-result.role, result.execute_count, result.batch))


def _effective_attempt(
    attempts: Sequence[AnyResult], with_files: Collection[int] | None
) -> AnyResult:
    """The result that holds the log of one host, role and batch (docs/api.md, Attempts).

    `attempts` come newest first. The newest counts, unless it was not executed again: then an
    earlier one does. `with_files` are those that own file logs, None for script steps.
    """
    for index, result in enumerate(attempts):
        earlier = attempts[index + 1 :]
        if not earlier:
            return result
        actual = result.actual_execute_count
        if actual is not None and actual < result.execute_count:
            older = [e for e in earlier if e.execute_count <= actual]
            return _effective_attempt(older, with_files) if older else result
        empty = result.pk not in with_files if with_files is not None else not result.held_size
        if result.status != HostStatus.SUCCEEDED_LAST_TIME or not empty:
            return result
    raise ValueError("a host has at least one attempt")


def file_bytes(rows: Iterable[int]) -> int:
    """Bytes of text in the file logs that these host results own."""
    logs = FileLog.objects.of_results(rows)
    return int(logs.aggregate(held=Sum("held_size"))["held"] or 0)


def file_weights(rows: Iterable[int]) -> dict[int, int]:
    """The host results among these that own file logs, and what those weigh in memory."""
    owners = list(rows)
    if not owners:
        return {}
    weights = (
        FileLog.objects.of_results(owners)
        .order_by()
        .values_list("host_result")
        .annotate(Count("pk"), Sum("held_size"))
    )
    return {owner: size + count * FILE_ROW_BYTES for owner, count, size in weights}


class Address(NamedTuple):
    """A host named by its cloud area and one of its addresses, as of the run."""

    bk_cloud_id: int
    address: str


class Page(NamedTuple):
    """Some of a step's hosts, by ascending bk_host_id."""

    start: int
    length: int


def hosts_named(
    step: StepInstance,
    names: Sequence[int | Address],
    attempts: Attempts = EVERY_ATTEMPT,
    *,
    brief: bool = False,
) -> list[StepHost]:
    """The hosts of a step that are named, in that order, each once.

    An address names every host of the step that had it in any attempt; what is not in the step
    names none. `brief`: of their results only that is read which locates the text.
    """
    ids = [name for name in names if isinstance(name, int)]
    if len(ids) < len(names):
        ids_of = holders(step, {name for name in names if isinstance(name, Address)})
        ids = list(
            itertools.chain.from_iterable(
                [name] if isinstance(name, int) else ids_of.get(name, []) for name in names
            )
        )
    hosts = {host.bk_host_id: host for host in _with_ids(step, set(ids), attempts, brief=brief)}
    return [hosts[host] for host in dict.fromkeys(ids) if host in hosts]


def hosts_of(
    step: StepInstance, page: Page | None = None, attempts: Attempts = EVERY_ATTEMPT
) -> tuple[list[StepHost], int]:
    """A step's hosts (a file step: its targets) by ascending id, and how many there are in all.

    Without a page all of them, if they are at most HOSTS_MAX; else HostListInvalid.
    """
    results = HostResult.objects.for_step(step)
    if step.step_type == StepType.FILE:
        results = results.targets()
    numbers = results.order_by("host_id").values_list("host_id", flat=True).distinct()
    total = numbers.count()
    if page is None and total > HOSTS_MAX:
        raise HostListInvalid(HostListInvalid.TOO_MANY_IN_STEP, total, HOSTS_MAX)
    if page is not None:
        numbers = numbers[page.start : page.start + page.length]
    return _with_ids(step, list(numbers) if total else [], attempts), total


def hosts_as(step: StepInstance, role: Role, attempts: Attempts = EVERY_ATTEMPT) -> list[StepHost]:
    """The hosts that a step has in one role, with what they logged in it, by ascending id."""
    rows = HostResult.objects.for_step(step).in_role(role).of_attempts(*attempts)
    return step_hosts(step, read(rows.order_by()))


def _with_ids(
    step: StepInstance, ids: Collection[int], attempts: Attempts, *, brief: bool = False
) -> list[StepHost]:
    if not ids:
        return []
    if attempts == EVERY_ATTEMPT:
        rows_of = _brief_rows_of if brief else _rows_of
        rows = rows_of(step=step.pk, hosts=ids)
        return step_hosts(step, itertools.starmap(Result, rows))
    results = HostResult.objects.for_step(step).filter(database.InArray("host_id", ids))
    return step_hosts(step, read(results.of_attempts(*attempts)))


def _named() -> QuerySet[HostResult]:
    named = database.InArray("host_id", database.ArrayParam("hosts", BigIntegerField()))
    return HostResult.objects.filter(named, step_id=database.Param("step", BigIntegerField()))


_rows_of = database.CompiledQuery(lambda: _named().values_list(*VALUES))
_brief_rows_of = database.CompiledQuery(lambda: _named().values_list(*BRIEF_VALUES))


def holders(step: StepInstance, names: set[Address]) -> dict[Address, list[int]]:
    """The hosts that had each address in the step, by ascending id."""
    addresses = {name.address for name in names}
    rows = (
        HostResult.objects.for_step(step)
        .filter(Q(ip__in=addresses) | Q(ipv6__in=addresses))
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
