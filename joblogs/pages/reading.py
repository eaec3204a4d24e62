"""Audit entries for people who read log text on the pages."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest

from joblogs.audit import Channel, ReadEntry
from joblogs.models import StepInstance
from joblogs.search_audit import SearchEntry


def read_entry(
    request: HttpRequest,
    step: StepInstance,
    *,
    channel: Channel,
    hosts: int = 0,
    search: bool = False,
    poll: bool = False,
) -> ReadEntry:
    """Return the audit entry for a read by the logged-in user."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - only staff users get here
    return ReadEntry(
        who=user.get_username(),
        app_code="",
        user_verified=True,
        channel=channel,
        step=step,
        hosts=hosts,
        search=search,
        poll=poll,
    )


def search_entry(request: HttpRequest, *, channel: Channel) -> SearchEntry:
    """Return the audit entry for a search over history by the logged-in user."""
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - only staff users get here
    return SearchEntry(who=user.get_username(), app_code="", user_verified=True, channel=channel)
