"""Jobs and steps, among the jobs that `access` narrowed."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, QuerySet

from joblogs import access
from joblogs.errors import JobNotFound, StepNotFound
from joblogs.models import Host, HostResult, JobInstance, Scope, StepInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs are meant. With a number, nothing else counts; None says nothing."""

    job_instance_id: int | None = None
    created_from: int | None = None
    created_to: int | None = None
    operator: str | None = None
    name: str | None = None
    launch_mode: int | None = None
    task_type: int | None = None
    status: int | None = None
    address: str | None = None
    schedule: int | None = None


def find_job(jobs: QuerySet[JobInstance], *, job_instance_id: int) -> JobInstance:
    """One of these jobs by its number. Raises JobNotFound."""
    job = jobs.filter(job_instance_id=job_instance_id).select_related("scope").first()
    if job is None:
        raise JobNotFound
    return job


def list_jobs(
    scope: Scope, filters: JobFilter, *, start: int, length: int
) -> tuple[list[JobInstance], int]:
    """Some of the jobs of a scope that are meant, newest first, and how many there are in all."""
    jobs = _matching(scope, filters)
    total = jobs.count()
    if start >= total:
        return [], total
    page = jobs.select_related("scope").order_by("-create_time", "-pk")
    return list(page[start : start + length]), total


def _matching(scope: Scope, filters: JobFilter) -> QuerySet[JobInstance]:
    jobs = access.jobs_in(scope)
    if filters.job_instance_id is not None:
        return jobs.filter(job_instance_id=filters.job_instance_id)
    if filters.schedule is not None or not _storable(
        filters.operator, filters.name, filters.address
    ):
        # No record says which schedule started a job, so none is known to be of this one.
        return jobs.none()
    conditions = {
        "create_time__gte": filters.created_from,
        "create_time__lte": filters.created_to,
        "operator": filters.operator,
        # Without case, as the reference's database compares.
        "name__icontains": filters.name,
        "launch_mode": filters.launch_mode,
        "task_type": filters.task_type,
        "status": filters.status,
    }
    jobs = jobs.filter(**{key: value for key, value in conditions.items() if value is not None})
    if filters.address is not None:
        hosts = Host.objects.keys(filters.address, scopes=[scope])
        jobs = jobs.filter(pk__in=HostResult.objects.filter(identity__in=hosts).jobs())
    return jobs


def _storable(*texts: str | None) -> bool:
    """Whether a column may hold these: no NUL, no half of a character."""
    joined = "".join(text for text in texts if text is not None)
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in joined)


def steps_of(job: JobInstance) -> list[StepInstance]:
    """A job's steps in their order; those without a position come last, by number."""
    position = F("position").asc(nulls_last=True)
    return list(job.steps.order_by(position, "step_instance_id"))


def find_step(
    jobs: QuerySet[JobInstance], *, job_instance_id: int, step_instance_id: int
) -> StepInstance:
    """A step of one of these jobs. Raises JobNotFound, for a missing step too."""
    step = (
        StepInstance.objects.filter(
            job__in=jobs,
            job__job_instance_id=job_instance_id,
            step_instance_id=step_instance_id,
        )
        .select_related("job__scope")
        .first()
    )
    if step is None:
        raise JobNotFound
    return step


def find_step_of_job(
    jobs: QuerySet[JobInstance], *, job_instance_id: int, step_instance_id: int
) -> StepInstance:
    """A step of one of these jobs. Raises JobNotFound, or StepNotFound if only the step is not."""
    job = find_job(jobs, job_instance_id=job_instance_id)
    step = job.steps.filter(step_instance_id=step_instance_id).first()
    if step is None:
        raise StepNotFound
    return step
