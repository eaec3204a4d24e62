"""Selection of an export: jobs that `access` returned, and which of their steps and hosts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from joblogs.choices import Outcome
from joblogs.models import HostResult, JobInstance, StepInstance
from joblogs.models.hosts import fold_name
from joblogs.query import Address, Attempts
from joblogs.query.canonical_order import named, results_named, scopes_of
from joblogs.search import Pattern


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Selection of hosts in steps, each with all its logs, by id or address, outcome and text."""

    jobs: QuerySet[JobInstance]
    steps: QuerySet[StepInstance] | None = None
    """Only these steps of the jobs; None: all steps."""
    hosts: frozenset[int] | None = None
    addresses: frozenset[Address] = frozenset()
    outcome: Outcome | None = None
    contains: Pattern | None = None
    """Only hosts whose logs contain this."""
    attempts: Attempts = Attempts()
    """Export logs as of these attempts."""
    every_attempt: bool = False
    """Export each attempt separately instead."""
    one_step: bool = False
    """The caller knows that there is only one step."""

    @classmethod
    def of_job(cls, job: JobInstance) -> Selection:
        """Return the selection of a whole job. The caller has checked access to the job."""
        return cls(jobs=JobInstance.objects.filter(pk=job.pk))

    @classmethod
    def of_step(
        cls, step: StepInstance, *, hosts: Collection[int] | None, attempts: Attempts
    ) -> Selection:
        """Return the selection of a step, or of some of its hosts.

        The caller has checked access to the step.
        """
        return cls(
            jobs=JobInstance.objects.filter(pk=step.job_id),
            steps=StepInstance.objects.filter(pk=step.pk),
            hosts=None if hosts is None else frozenset(hosts),
            attempts=attempts,
            one_step=True,
        )

    def with_every_attempt(self) -> Selection:
        """Return a copy that exports each attempt separately."""
        return replace(self, every_attempt=True)

    @property
    def names_hosts(self) -> bool:
        return self.hosts is not None or bool(self.addresses)

    @property
    def narrows_hosts(self) -> bool:
        """Whether jobs and steps without any selected host are left out."""
        return self.names_hosts or self.outcome is not None or self.contains is not None

    @property
    def condition(self) -> Q:
        """The condition on hosts that the database evaluates; `names` evaluates the rest."""
        return named(self.hosts, self.addresses)

    def narrowed_jobs(self) -> QuerySet[JobInstance]:
        jobs = self.jobs.order_by()
        if self.steps is not None:
            jobs = jobs.filter(pk__in=self.steps.order_by().values("job"))
        if not self.condition:
            return jobs
        results = results_named(scopes_of(jobs), self.hosts, self.addresses)
        return jobs.filter(pk__in=results.jobs())

    def names(self, results: Sequence[HostResult]) -> bool:
        """Return whether the host with these results is selected by id or address."""
        if not self.names_hosts:
            return True
        if self.hosts is not None and results[0].host_id in self.hosts:
            return True
        had = {
            Address(result.bk_cloud_id, fold_name(name))
            for result in results
            for name in (result.ip, result.ipv6, result.host_name)
            if name is not None
        }
        return any(Address(cloud, fold_name(name)) in had for cloud, name in self.addresses)
