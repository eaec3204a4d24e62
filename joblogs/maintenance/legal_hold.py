"""Legal hold: keeps jobs independent of their age."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from joblogs.models import JobInstance


def hold(jobs: QuerySet[JobInstance], *, by: str) -> int:
    """Keep the logs and the rows of these jobs; return how many were not held before."""
    return jobs.filter(held_at=None).update(held_at=timezone.now(), held_by=by[:256])


def release(jobs: QuerySet[JobInstance]) -> int:
    """End the hold of these jobs, so that they may expire; return how many were held."""
    return jobs.exclude(held_at=None).update(held_at=None, held_by="")
