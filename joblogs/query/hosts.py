"""Hosts of a step, and the results that hold each host's log. The only place that applies the rule
of attempts (docs/api.md, Attempts)."""

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
"""Maximum hosts in one answer (the API specification)."""
FILE_ROW_BYTES = 1024
"""Memory taken by a file log besides its content."""


class Attempts(NamedTuple):
    """Selection of attempts of a step: up to an execute count, in one batch. None means all."""

    execute_count: int | None = None
    batch: int | None = None

    def include(self, result: Result | HostResult) -> bool:
        """Return whether a host result belongs to one of these attempts."""
        top, batch = self
        return (top is None or result.execute_count <= top) and batch in (None, result.batch)


EVERY_ATTEMPT = Attempts()
AnyResult = TypeVar("AnyResult", Result, HostResult)


class StepHost:
    """Host of a step: its newest result, which gives its status and addresses, and the results that
    hold its log, by batch and role."""

    def __init__(self, newest: Result | HostResult, results: Sequence[Result | HostResult]) -> None:
        self.newest, self.results = newest, results
        self.bk_host_id, self.bk_cloud_id = newest.host_id, newest.bk_cloud_id
        self.ip, self.ipv6, self.status = newest.ip, newest.ipv6, newest.status
        self.size = results[0].held_size if len(results) == 1 else _size(results)
        """Bytes of script log."""
        self.name = newest.display_name
        """Display name."""
        self.place = 0
        """Index among the hosts of its overview, in the order of their names."""

    @property
    def attempt(self) -> int:
        """Execute count of this log: a request for that count gets the same log."""
        return max(result.execute_count for result in self.results)

    @property
    def batch(self) -> int:
        """Last rolling batch of its results; 0 if the step does not roll."""
        return max(result.batch for result in self.results)

    @property
    def masked(self) -> int:
        """Number of places in its script log where a secret was masked."""
        return sum(result.masked for result in self.results)

    @property
    def silent(self) -> bool:
        """Whether it has finished, and no output of it ever arrived."""
        return self.newest.finished and not any(result.received_size for result in self.results)

    @property
    def digests(self) -> tuple[bytes, ...] | None:
        """Digests of its logs, equal for hosts with the same output; None if one of them is not
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
    """Return the hosts that these results of a step belong to, by ascending id."""
    results = list(results)
    with_files = owners_of_files(step, results)
    return [host_with(own, with_files) for own in by_host(results)]


def by_host(results: Iterable[AnyResult]) -> list[list[AnyResult]]:
    """Return the results grouped by host, by ascending host id."""
    hosts: dict[int, list[AnyResult]] = defaultdict(list)
    for result in results:
        hosts[result.host_id].append(result)
    return [hosts[host] for host in sorted(hosts)]


def owners_of_files(
    step: StepInstance, results: Iterable[Result | HostResult]
) -> Collection[int] | None:
    """Return the ids of the results with file logs, among those where `host_with` needs to know.

    None if the step is not a file step.
    """
    if step.step_type != StepType.FILE:
        return None
    return file_weights(r.pk for r in results if r.status == HostStatus.SUCCEEDED_LAST_TIME)


def host_with(results: Sequence[AnyResult], with_files: Collection[int] | None) -> StepHost:
    """Return the host with these results in a step; `with_files` comes from `owners_of_files`."""
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
    """Return the result of the newest attempt as a target; as a source if there is no other."""
    return max(results, key=lambda result: (-result.role, result.execute_count, result.batch))


def _effective_attempt(
    attempts: Sequence[AnyResult], with_files: Collection[int] | None
) -> AnyResult:
    """Return the result that holds the log of one host, role and batch (docs/api.md, Attempts).

    `attempts` come newest first. The newest is used, unless the host was not executed again in it:
    then an earlier one is. `with_files`: ids of results with file logs, None for a script step.
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
    """Return the bytes of text in the file logs of these host results."""
    logs = FileLog.objects.of_results(rows)
    return int(logs.aggregate(held=Sum("held_size"))["held"] or 0)


def file_weights(rows: Iterable[int]) -> dict[int, int]:
    """Return the memory, in bytes, that the file logs of each of these host results take.

    Host results without file logs are left out.
    """
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
    """Page of a step's hosts, by ascending bk_host_id."""

    start: int
    length: int


def hosts_named(
    step: StepInstance,
    names: Sequence[int | Address],
    attempts: Attempts = EVERY_ATTEMPT,
    *,
    brief: bool = False,
) -> list[StepHost]:
    """Return the named hosts of a step in the order of the names, each host once.

    An address stands for every host of the step that had it in any attempt; a name that is not in
    the step is ignored. `brief`: read only the columns that locate the text (BRIEF_VALUES).
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
    """Return a step's hosts (for a file step: its targets) by ascending id, and their total number.

    Without a page, return all of them. Raises HostListInvalid if they are more than HOSTS_MAX.
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
    """Return a step's hosts in one role, with what they logged in that role, by ascending id."""
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
    """Return for each address the ids of the hosts that had it in the step, ascending."""
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
