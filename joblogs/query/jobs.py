"""Look-up of jobs and steps among the jobs that `access` allows."""

from __future__ import annotations

from django.db.models import F, QuerySet

from joblogs.errors import JobNotFound, StepNotFound
from joblogs.models import JobInstance, StepInstance


def find_job(jobs: QuerySet[JobInstance], *, job_instance_id: int) -> JobInstance:
    """Return the job with this number. Raises JobNotFound if it is not among these jobs."""
    job = jobs.filter(job_instance_id=job_instance_id).select_related("scope").first()
    if job is None:
        raise JobNotFound
    return job


def list_jobs(
    jobs: QuerySet[JobInstance], *, start: int, length: int
) -> tuple[list[JobInstance], int]:
    """Return a page of these jobs, newest first, and their total number."""
    total = jobs.count()
    if start >= total:
        return [], total
    return page_of_jobs(jobs, start=start, length=length), total


def page_of_jobs(jobs: QuerySet[JobInstance], *, start: int, length: int) -> list[JobInstance]:
    """Return a page of these jobs, newest first."""
    page = jobs.select_related("scope").order_by("-create_time", "-pk")
    return list(page[start : start + length])


def steps_of(job: JobInstance) -> list[StepInstance]:
    """Return a job's steps by position; steps without a position come last, by number."""
    position = F("position").asc(nulls_last=True)
    return list(job.steps.order_by(position, "step_instance_id"))


def find_step(
    jobs: QuerySet[JobInstance], *, job_instance_id: int, step_instance_id: int
) -> StepInstance:
    """Return a step of one of these jobs. Raises JobNotFound if the job or the step is missing."""
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
    """Return a step of one of these jobs. Raises JobNotFound, or StepNotFound if only the step is
    missing."""
    job = find_job(jobs, job_instance_id=job_instance_id)
    step = job.steps.filter(step_instance_id=step_instance_id).first()
    if step is None:
        raise StepNotFound
    return step
