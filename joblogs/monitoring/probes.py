"""Probes: `/healthz`, whether to restart this process; `/readyz`, whether to send requests."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from joblogs.database import readiness
from joblogs.logtext import store


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """View that always responds: it checks nothing else, since a restart repairs no database."""
    return _answer("ok", status=200)


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """View that checks that the database responds and is migrated; else 503 and the reason.

    With READY_ASKS_TEXT it checks the servers of log text too.
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
