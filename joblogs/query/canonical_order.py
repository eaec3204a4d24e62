"""Rows below some jobs in canonical order, page by page (docs/records.md).

No statement stays open while its rows are used: on SQLite it would hold back every checkpoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from django.db.models import Q, QuerySet, Sum

from joblogs.models import FileLog, HostResult, JobInstance, Scope, StepInstance
from joblogs.models.hosts import HostResultQuerySet, fold_name

from .hosts import HOSTS_MAX, Address

JOBS, RESULTS = 500, 1000
"""Rows that one statement fetches."""


def jobs_in_order(jobs: QuerySet[JobInstance]) -> Iterator[list[JobInstance]]:
    """Yield pages of these jobs, ordered by scope (by code point) and job number."""
    jobs = jobs.order_by()
    scopes = Scope.objects.filter(pk__in=jobs.values("scope"))
    # Sorted here: a database's collation may order texts otherwise.
    for scope in sorted(scopes, key=lambda scope: (scope.scope_type, scope.scope_id)):
        own = jobs.filter(scope=scope).select_related("scope").order_by("job_instance_id")
        last = 0
        while page := list(own.filter(job_instance_id__gt=last)[:JOBS]):
            yield page
            last = page[-1].job_instance_id


def steps_in_order(
    jobs: Sequence[JobInstance], selected: QuerySet[StepInstance] | None
) -> Iterator[tuple[JobInstance, list[StepInstance]]]:
    """Yield each job with its steps by position and number, limited to `selected` if given.

    One statement fetches the steps of all the jobs.
    """
    steps = StepInstance.objects.all() if selected is None else selected
    by_job: dict[int, list[StepInstance]] = defaultdict(list)
    for step in steps.filter(job__in=jobs).order_by().select_related(None):
        by_job[step.job_id].append(step)
    for job in jobs:
        own = by_job.pop(job.pk, [])
        own.sort(key=lambda s: (s.position is None, s.position or 0, s.step_instance_id))
        for step in own:
            step.job = job
        yield job, own


def named(hosts: Collection[int] | None, addresses: Collection[Address]) -> Q:
    """Return the condition for host results by host id, or by the address or name at run time.

    It matches everything for `hosts=None` without addresses. It also matches everything for more
    than HOSTS_MAX hosts, since a statement's parameters are limited: the caller has to filter.
    """
    if hosts is None and not addresses:
        return Q()
    if hosts is not None and len(hosts) > HOSTS_MAX:
        return Q()
    condition = Q(host_id__in=hosts or ())
    for address in addresses:
        here = Q(ip=address.address) | Q(ipv6=address.address)
        here |= Q(identity__folded_name=fold_name(address.address))
        condition |= here & Q(bk_cloud_id=address.bk_cloud_id)
    return condition


def scopes_of(jobs: QuerySet[JobInstance]) -> list[Scope]:
    """Return the scopes of these jobs."""
    return list(Scope.objects.filter(pk__in=jobs.order_by().values("scope")))


def results_named(
    scopes: Collection[Scope], hosts: Collection[int] | None, addresses: Collection[Address]
) -> HostResultQuerySet:
    """Return the host results that `named` matches, found by host identity in these scopes.

    At least one host or address has to be given.
    """
    names = [address.address for address in addresses]
    results = HostResult.objects.on_hosts(*names, scopes=scopes, bk_host_ids=hosts or ())
    return results.filter(named(hosts, addresses))


def results_in_order(step: StepInstance, condition: Q) -> Iterator[list[HostResult]]:
    """Yield pages of all results of each host that has a result matching the condition.

    They are ordered by host, attempt and batch; one host's results are never split between pages.
    """
    results = HostResult.objects.for_step(step)
    if condition:
        results = results.filter(host_id__in=results.filter(condition).values("host_id"))
    order = results.order_by("host_id", "execute_count", "batch", "role")
    last = 0
    while True:
        page = list(order.filter(host_id__gt=last)[: RESULTS + 1])
        if len(page) > RESULTS:
            cut = page[-1].host_id
            whole = [result for result in page if result.host_id != cut]
            page = whole or list(order.filter(host_id=cut))
            last = page[-1].host_id
            yield page
            continue
        if page:
            yield page
        return


def held_bytes(
    jobs: QuerySet[JobInstance], steps: QuerySet[StepInstance] | None, condition: Q
) -> int:
    """Return the bytes of log text held for these jobs: of these steps (None: all of them), in
    host results that match the condition."""
    results = HostResult.objects.filter(condition, step__job__in=jobs.filter(expired_at=None))
    files = FileLog.objects.filter(step__job__in=jobs.filter(expired_at=None))
    if steps is not None:
        results, files = results.filter(step__in=steps), files.filter(step__in=steps)
    if condition:
        files = files.filter(host_result__in=results)
    sums = [rows.aggregate(size=Sum("held_size"))["size"] or 0 for rows in (results, files)]
    return sum(sums)
