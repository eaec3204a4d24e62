"""`/healthz` and `/readyz`: whether to restart this process, and whether to send it requests."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from joblogs.database import readiness
from joblogs.logtext import store


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. It looks at nothing else: a restart mends no database."""
    return _answer("ok", status=200)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The database answers and has this code's tables; else 503 with the reason in one line.

    With READY_ASKS_TEXT the servers of log text answer too.
    """
    table = store.PARTITIONS.table if settings.READY_ASKS_TEXT else None
    fault = readiness.fault(table)
    return (
        _answer("ready", status=200)
        if fault is None
        else _answer(f"not ready: {fault}", status=503)
    )


def _answer(line: str, *, status: int) -> HttpResponse:
    response = HttpResponse(f"{line}\n", status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
