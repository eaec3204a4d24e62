"""Admin of the runs of `redact_logs`: who masked secrets in stored logs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from joblogs.models import Redaction

from .base import ReadOnlyModelAdmin


@admin.register(Redaction)
class RedactionAdmin(ReadOnlyModelAdmin):
    list_display = (
        *("started_at", "by", "patterns", "selection", "looked", "logs", "places", "finished_at"),
    )
    list_filter = (("started_at", admin.DateFieldListFilter),)
    ordering = ("-started_at", "-id")
    search_help_text = _("user or pattern name")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # It covers every scope.
        return request.user.has_perm("joblogs.view_redaction")

    def visible(self, user: User) -> QuerySet[Redaction]:
        return Redaction.objects.all()

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        return [Q(by=term) | Q(patterns__contains=term)]
