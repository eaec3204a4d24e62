"""Admin of log reads: who read which logs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from joblogs import access, times
from joblogs.audit import Channel
from joblogs.models import LogRead

from .base import CAP, LATEST, ReadOnlyModelAdmin, link, newest_by_key

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ChannelFilter(admin.SimpleListFilter):
    """Filter by the known channels, without a query for the channels in the table."""

    title = _("channel")
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Channel.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogRead]) -> QuerySet[LogRead]:
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(channel=chosen)


@admin.register(LogRead)
class LogReadAdmin(ReadOnlyModelAdmin):
    list_display = (
        *(
            "at",
            "page",
            "who",
            "user_verified",
            "app_code",
            "token",
            "through",
            "scope_type",
            "scope_id",
        ),
        *("job_instance_id", "step_instance_id", "host_count", "size", "answers"),
    )
    list_filter = (("at", admin.DateFieldListFilter), ChannelFilter)
    ordering = ("-at", "-id")
    readonly_fields = ("page",)
    search_help_text = _(
        "user, app, job id or step id; or a day such as 2026-01-31 (UTC). "
        "Without a search: recent reads only."
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Not every member of staff may see who read which logs.
        return request.user.has_perm("joblogs.view_logread")

    def visible(self, user: User) -> QuerySet[LogRead]:
        if user.is_superuser:
            return LogRead.objects.all()
        return LogRead.objects.in_scopes(access.visible_scopes(user))

    def latest(self, rows: QuerySet[Any], user: User, *, length: int = LATEST) -> QuerySet[Any]:
        if user.is_superuser:
            return newest_by_key(rows, length)
        since = LogRead.objects.time_of_last(access.visible_scopes(user), length=CAP)
        return rows if since is None else rows.filter(at__gte=since)

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        if _DAY.fullmatch(term):
            return [_within(term)]
        numbers = [] if number is None else ["job_instance_id", "step_instance_id"]
        return [Q(who=term), Q(app_code=term), *(Q(**{name: number}) for name in numbers)]

    @admin.display(description=_("channel"), ordering="channel")
    def through(self, read: LogRead) -> str:
        known = dict(Channel.choices)
        return str(known.get(read.channel, read.channel))

    @admin.display(description=_("page"))
    def page(self, read: LogRead) -> SafeString:
        place = [read.scope_type, read.scope_id, read.job_instance_id]
        if read.step_instance_id is None:
            return link(reverse("staff:job", args=place))
        return link(reverse("staff:step", args=[*place, read.step_instance_id]))


def _within(day: str) -> Q:
    """Return a condition for the reads of a day in UTC; an invalid day matches nothing."""
    try:
        start = datetime.combine(times.day(day), time.min, tzinfo=UTC)
        end = start + timedelta(days=1)
    except (ValueError, OverflowError):
        return Q(pk__in=[])
    return Q(at__gte=start, at__lt=end)
