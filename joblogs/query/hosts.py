"""Which hosts a step has: by name, page by page, in a role."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from django.db.models import BigIntegerField, Q, QuerySet

from joblogs import database
from joblogs.choices import Role, StepType
from joblogs.errors import HostListInvalid
from joblogs.models import HostResult, StepInstance

from .results import BRIEF_VALUES, VALUES, Result, read, read_brief
from .step_host import (
    EVERY_ATTEMPT,
    Attempts,
    StepHost,
    by_host,
    file_weights,
    host_with,
    owners_of_files,
    step_hosts,
)

HOSTS_MAX = 500
"""Hosts that one answer holds (the API specification)."""


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


class HostTexts(NamedTuple):
    """A target of a step with its log as readers see it; the logs of its several results, each as
    if it were the only one; bytes of all results."""

    host: StepHost
    others: list[StepHost]
    size: int


def every_text_of(step: StepInstance) -> list[HostTexts]:
    """The targets of a step by ascending id, with all of their logs."""
    results = list(read_brief(HostResult.objects.for_step(step).targets().order_by()))
    with_files = owners_of_files(step, results)
    sizes: Mapping[int, int] = {result.pk: result.held_size for result in results}
    if step.step_type == StepType.FILE:
        sizes = file_weights(sizes)
    texts = []
    for own in by_host(results):
        others = [StepHost(result, [result]) for result in own] if len(own) > 1 else []
        size = sum(sizes.get(result.pk, 0) for result in own)
        texts.append(HostTexts(host_with(own, with_files), others, size))
    return texts


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
