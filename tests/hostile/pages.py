"""Every page and download about what is stored."""

from __future__ import annotations

from django.contrib import admin
from django.test import Client
from django.urls import reverse

from joblogs.models import HostResult, JobInstance, StepInstance

OF_A_STEP = ("step", "step-hosts", "search", "step-export")
OF_A_HOST = ("log", "log-more", "log-download", "compare", "host-export")
EXPORTS = ("ndjson", "zip", "csv", "txt")


def addresses() -> list[str]:
    """Of all jobs, steps and hosts, and of the admin with its rows."""
    found = [reverse("staff:jobs")]
    found += [reverse("staff:jobs-export") + f"?format={kind}" for kind in EXPORTS]
    for job in JobInstance.objects.select_related("scope"):
        place = [job.scope.scope_type, job.scope.scope_id, job.job_instance_id]
        found.append(reverse("staff:job", args=place))
        found.append(reverse("staff:job-export", args=place) + "?format=csv")
        for step in StepInstance.objects.filter(job=job):
            place = [*place[:3], step.step_instance_id]
            found += [reverse(f"staff:{name}", args=place) for name in OF_A_STEP]
            for result in HostResult.objects.filter(step=step).order_by("pk")[:3]:
                own = [*place, result.host_id]
                found += [reverse(f"staff:{name}", args=own) for name in OF_A_HOST]
                found.append(reverse("staff:host", args=[result.host_id]))
    for model in admin.site._registry:
        if model._meta.app_label == "joblogs":
            base = f"admin:{model._meta.label_lower.replace('.', '_')}"
            found.append(reverse(f"{base}_changelist"))
            rows = model._default_manager.order_by("pk").values_list("pk", flat=True)[:3]
            found += [reverse(f"{base}_change", args=[key]) for key in rows]
    return list(dict.fromkeys(found))


def opened(client: Client) -> dict[str, bytes]:
    """All of them, as a browser gets them; what the server cannot answer raises here."""
    pages = {}
    for address in addresses():
        response = client.get(address)
        assert response.status_code in (200, 302, 404), (address, response.status_code)
        whole = response.streaming_content if response.streaming else [response.content]  # type: ignore[attr-defined]
        pages[address] = b"".join(whole)
    return pages
