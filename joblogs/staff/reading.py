"""Answers that hold log text: recorded as reads once they have been sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse

from joblogs import audit
from joblogs.audit import Channel
from joblogs.models import StepInstance


class RecordedPage(audit.Told, HttpResponse):
    """A page with log text."""


class RecordedJson(audit.Told, JsonResponse):
    """Log text for a script of ours."""


class RecordedFile(audit.Told, StreamingHttpResponse):
    """A log as a file."""


def sent(
    request: HttpRequest, channel: Channel, step: StepInstance, *, hosts: int, size: int
) -> Callable[[], None]:
    """What to call when an answer has gone out: a person read `size` bytes of log text."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the frame lets nobody else in
    return partial(
        audit.record_read,
        who=user.get_username(),
        app_code="",
        channel=channel,
        step=step,
        host_count=hosts,
        size=size,
    )
