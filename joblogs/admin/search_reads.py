"""Admin of searches of history: who searched the logs of many jobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from joblogs import search_audit
from joblogs.audit import Channel
from joblogs.models import SearchRead

from .base import ReadOnlyModelAdmin


@admin.register(SearchRead)
class SearchReadAdmin(ReadOnlyModelAdmin):
    list_display = (
        *("at", "who", "user_verified", "app_code", "token", "through", "scopes"),
        *("since", "until", "steps", "read_steps", "found_steps", "size"),
    )
    list_filter = (("at", admin.DateFieldListFilter),)
    ordering = ("-at", "-id")
    search_help_text = _("user, app, or the id of a job or step (in the latest 10,000 searches)")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # It covers every scope.
        user = request.user
        return bool(user.is_active and user.is_superuser)

    def visible(self, user: User) -> QuerySet[SearchRead]:
        return SearchRead.objects.all()

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        names = [Q(who=term), Q(app_code=term)]
        return names if number is None else [*names, Q(pk__in=search_audit.searches_of(number))]

    @admin.display(description=_("channel"), ordering="channel")
    def through(self, read: SearchRead) -> str:
        known = dict(Channel.choices)
        return str(known.get(read.channel, read.channel))
