"""URLs of the pages that show log text, and the parameters that their links keep."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from django.urls import reverse

from joblogs.models import StepInstance


def of_step(step: StepInstance) -> dict[str, str]:
    """Return the URLs of a step's pages; `hosts` is a prefix, to be followed by a host id and a
    slash."""
    scope = step.job.scope
    place = [scope.scope_type, scope.scope_id, step.job.job_instance_id, step.step_instance_id]
    log = reverse("staff:log", args=[*place, 0])
    return {
        "step": reverse("staff:step", args=place),
        "search": reverse("staff:search", args=place),
        "hosts": log.removesuffix("0/"),
    }


def of_run(step: StepInstance, job_instance_id: int, step_instance_id: int) -> str:
    """Return the URL of a step of another job in the same scope."""
    scope = step.job.scope
    place = [scope.scope_type, scope.scope_id, job_instance_id, step_instance_id]
    return reverse("staff:step", args=place)


def of_host(step: StepInstance, bk_host_id: int) -> dict[str, str]:
    """Return the URLs of a host's pages in a step, and of the step's."""
    scope = step.job.scope
    place = [scope.scope_type, scope.scope_id, step.job.job_instance_id, step.step_instance_id]
    pages = {
        name.replace("-", "_"): reverse(f"staff:{name}", args=[*place, bk_host_id])
        for name in _OF_HOST
    }
    return of_step(step) | pages


_OF_HOST = ("log", "log-more", "log-download", "log-beside", "log-neighbour", "compare")


def with_changes(kept: Mapping[str, str], **changes: str | None) -> str:
    """Return a query string with some parameters changed; None removes one."""
    parameters = {**kept, **changes}
    return urlencode({name: value for name, value in parameters.items() if value is not None})
