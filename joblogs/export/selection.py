"""What an export is about: jobs that `access` narrowed, and which steps and hosts of them."""

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
    """A host in a step is selected as a whole: by its number or address, outcome and text."""

    jobs: QuerySet[JobInstance]
    steps: QuerySet[StepInstance] | None = None
    """Of the jobs' steps these only; None: all."""
    hosts: frozenset[int] | None = None
    addresses: frozenset[Address] = frozenset()
    outcome: Outcome | None = None
    contains: Pattern | None = None
    """The text of its log holds this."""
    attempts: Attempts = Attempts()
    """The log as it stood after these attempts."""
    every_attempt: bool = False
    """Instead: each attempt for itself."""
    one_step: bool = False
    """Its caller knows that there is one step only."""

    @classmethod
    def of_job(cls, job: JobInstance) -> Selection:
        """All of a job that the caller may see."""
        return cls(jobs=JobInstance.objects.filter(pk=job.pk))

    @classmethod
    def of_step(
        cls, step: StepInstance, *, hosts: Collection[int] | None, attempts: Attempts
    ) -> Selection:
        """A step that the caller may see, or some of its hosts."""
        return cls(
            jobs=JobInstance.objects.filter(pk=step.job_id),
            steps=StepInstance.objects.filter(pk=step.pk),
            hosts=None if hosts is None else frozenset(hosts),
            attempts=attempts,
            one_step=True,
        )

    def with_every_attempt(self) -> Selection:
        """The same, each attempt for itself."""
        return replace(self, every_attempt=True)

    @property
    def names_hosts(self) -> bool:
        return self.hosts is not None or bool(self.addresses)

    @property
    def narrows_hosts(self) -> bool:
        """Whether a job or step is only there for the hosts in it that are selected."""
        return self.names_hosts or self.outcome is not None or self.contains is not None

    @property
    def condition(self) -> Q:
        """What the database can tell of the hosts; `names` tells the rest."""
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
        """Whether the host that has these results in a step is named, by number or address."""
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
