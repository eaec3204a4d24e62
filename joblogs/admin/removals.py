"""Admin action that removes jobs, and admin of the records of removals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from joblogs.maintenance import removing
from joblogs.models import JobInstance, Removal

from .base import ReadOnlyModelAdmin, user_of

NAMED = 100
"""Most jobs whose names the confirmation page and the record list."""


class Removing(ReadOnlyModelAdmin):
    """Mixin of the jobs' admin: superusers may remove jobs, after a confirmation."""

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    @admin.action(description=_("Remove the selected jobs"), permissions=["remove"])
    def remove(self, request: HttpRequest, jobs: QuerySet[JobInstance]) -> TemplateResponse | None:
        chosen = jobs.order_by("pk").select_related("scope")
        some = list(chosen[: NAMED + 1])
        names = [(removing.name_of(job), job.name) for job in some[:NAMED]]
        names += [("…", "") for _job in some[NAMED:]]
        if request.POST.get("confirmed") != "yes":
            context = {
                **self.admin_site.each_context(request),
                "title": gettext("Remove the selected jobs"),
                "opts": self.opts,
                "names": names,
                "would": removing.remove(_by_key(jobs), by="", selection="", dry_run=True),
                "chosen": request.POST.getlist("_selected_action"),
                "across": request.POST.get("select_across", "0"),
            }
            return TemplateResponse(request, "admin/joblogs/remove_jobs.html", context)
        by, selection = user_of(request).get_username(), ", ".join(name for name, _title in names)
        done = removing.remove(_by_key(jobs), by=by, selection=selection)
        message = ngettext("%(n)d job was removed.", "%(n)d jobs were removed.", done.jobs)
        self.message_user(request, message % {"n": done.jobs}, messages.SUCCESS)
        if done.held:
            held = ngettext(
                "%(n)d held job was not removed.", "%(n)d held jobs were not removed.", done.held
            )
            self.message_user(request, held % {"n": done.held}, messages.WARNING)
        if done.left_in_objects:
            left = gettext(
                "Their text still lies in object storage: the next maintain_logs deletes it there."
            )
            self.message_user(request, left, messages.WARNING)
        return None


def _by_key(jobs: QuerySet[JobInstance]) -> Iterator[JobInstance]:
    """Yield jobs by ascending key, fetched in pages, because they are deleted meanwhile."""
    after = 0
    ordered = jobs.order_by("pk")
    while page := list(ordered.filter(pk__gt=after)[: removing.JOBS_AT_ONCE]):
        yield from page
        after = page[-1].pk


@admin.register(Removal)
class RemovalAdmin(ReadOnlyModelAdmin):
    list_display = (
        *("started_at", "by", "selection", "jobs", "results", "size", "held", "finished_at"),
    )
    list_filter = (("started_at", admin.DateFieldListFilter),)
    ordering = ("-started_at", "-id")
    search_help_text = _("user or part of the selection")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # It covers every scope.
        return request.user.has_perm("joblogs.view_removal")

    def visible(self, user: User) -> QuerySet[Removal]:
        return Removal.objects.all()

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        return [Q(by=term) | Q(selection__contains=term)]
