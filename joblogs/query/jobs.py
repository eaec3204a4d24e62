"""Jobs and steps, among the jobs that `access` narrowed."""

from __future__ import annotations

from django.db.models import QuerySet

from joblogs.errors import JobNotFound
from joblogs.models import JobInstance, StepInstance


def find_step(
    jobs: QuerySet[JobInstance], *, job_instance_id: int, step_instance_id: int
) -> StepInstance:
    """A step of one of these jobs. Raises JobNotFound, for a missing step too (CONTRACT §5)."""
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
