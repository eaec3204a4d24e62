"""Admin of jobs, steps, hosts, host results and file logs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from joblogs import access
from joblogs.audit import Channel
from joblogs.export import Format, Selection
from joblogs.maintenance import legal_hold
from joblogs.models import FileLog, Host, HostResult, JobInstance, StepInstance
from joblogs.pages import exports, links

from .base import CAP, LATEST, ReadOnlyModelAdmin, link, newest_by_key, user_of
from .lookups import (
    LATEST_JOBS,
    host_keys,
    jobs_on,
    latest_jobs,
    latest_of_steps,
    results_on,
    rows_of_day,
    rows_of_steps,
    visible_steps,
)
from .removals import Removing


class Exporting(ReadOnlyModelAdmin):
    """Mixin of model admins with actions that export the logs of the selected rows."""

    actions: Any = ("export_archive", "export_records")

    def selection(self, request: HttpRequest, rows: QuerySet[Any]) -> Selection:
        """Return the logs to export for these rows."""
        raise NotImplementedError

    @admin.action(description=_("Export selected logs (ZIP)"))
    def export_archive(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase:
        return self._export(request, rows, Format.ZIP)

    @admin.action(description=_("Export selected records (NDJSON)"))
    def export_records(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponseBase:
        return self._export(request, rows, Format.NDJSON)

    def _export(
        self, request: HttpRequest, rows: QuerySet[Any], format: Format
    ) -> HttpResponseBase:
        chosen = self.selection(request, rows)
        answer = exports.download(request, chosen, format, Channel.ADMIN_EXPORT)
        return answer or exports.nothing(request, request.path)


@admin.register(JobInstance)
class JobInstanceAdmin(Exporting, Removing):
    list_display = ("job_instance_id", "page", "name", "scope", "status", "operator", "day", "held")
    list_select_related = ("scope",)
    list_filter = ("status", "task_type", "launch_mode", ("held_at", admin.EmptyFieldListFilter))
    ordering = ("-day", "-id")
    readonly_fields = ("page",)
    search_help_text = _(
        "job id or day (2026-01-31, UTC); a host's name, address or id; "
        "a recent job's name or operator. Without a search: recent jobs only, and all held ones."
    )
    actions = (*Exporting.actions, "hold", "release", "remove")

    def selection(self, request: HttpRequest, rows: QuerySet[JobInstance]) -> Selection:
        return Selection(jobs=rows)

    def visible(self, user: User) -> QuerySet[JobInstance]:
        return access.visible_jobs(user)

    def latest(self, rows: QuerySet[Any], user: User, *, length: int = LATEST) -> QuerySet[Any]:
        if user.is_superuser:
            return newest_by_key(rows, length)
        return rows.filter(pk__in=latest_jobs(user, CAP))

    def has_index(self, request: HttpRequest) -> bool:
        return request.GET.get("held_at__isempty") == "0"

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        numbers = [] if number is None else [Q(job_instance_id=number)]
        ran = Q(pk__in=jobs_on(term, number, user))
        return [*numbers, *rows_of_day(term, "day"), ran]

    def containing(self, term: str) -> Q:
        return Q(name__icontains=term) | Q(operator=term)

    def has_hold_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("joblogs.change_jobinstance")

    @admin.display(description=_("held by"), empty_value="–")
    def held(self, job: JobInstance) -> str | None:
        # No cross for a job that is not held, which would look like an error.
        return None if job.held_at is None else job.held_by or gettext("held")

    @admin.display(description=_("page"))
    def page(self, job: JobInstance) -> SafeString:
        scope = job.scope
        return link(
            reverse("staff:job", args=[scope.scope_type, scope.scope_id, job.job_instance_id])
        )

    @admin.action(description=_("Hold (exempt from retention)"), permissions=["hold"])
    def hold(self, request: HttpRequest, jobs: QuerySet[JobInstance]) -> None:
        n = legal_hold.hold(jobs.order_by(), by=user_of(request).get_username())
        message = ngettext("%(n)d job is now held.", "%(n)d jobs are now held.", n) % {"n": n}
        self.message_user(request, message, messages.SUCCESS)

    @admin.action(description=_("Release hold"), permissions=["hold"])
    def release(self, request: HttpRequest, jobs: QuerySet[JobInstance]) -> None:
        n = legal_hold.release(jobs.order_by())
        message = ngettext("%(n)d job was released.", "%(n)d jobs were released.", n) % {"n": n}
        self.message_user(request, message, messages.SUCCESS)


@admin.register(StepInstance)
class StepInstanceAdmin(Exporting):
    list_display = ("step_instance_id", "page", "name", "job", "step_type", "status", "day")
    list_select_related = ("job__scope",)
    list_filter = ("step_type", "status")
    ordering = ("-id",)
    readonly_fields = ("page",)
    search_help_text = _(
        "step id, job id or day (2026-01-31, UTC); a recent step's name. "
        "Without a search: recent steps only."
    )

    def selection(self, request: HttpRequest, rows: QuerySet[StepInstance]) -> Selection:
        return Selection(jobs=access.visible_jobs(user_of(request)), steps=rows)

    def visible(self, user: User) -> QuerySet[StepInstance]:
        return visible_steps(user).select_related("job__scope")

    def latest(self, rows: QuerySet[Any], user: User, *, length: int = LATEST) -> QuerySet[Any]:
        if user.is_superuser:
            return newest_by_key(rows, length)
        return rows.filter(job__in=latest_jobs(user, LATEST_JOBS))

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        if number is None:
            return rows_of_day(term, "job__day")
        return [Q(step_instance_id=number), Q(job__job_instance_id=number)]

    def containing(self, term: str) -> Q:
        return Q(name__icontains=term)

    @admin.display(description=_("page"))
    def page(self, step: StepInstance) -> SafeString:
        return link(links.of_step(step)["step"])


@admin.register(Host)
class HostAdmin(ReadOnlyModelAdmin):
    list_display = ("bk_host_id", "page", "name", "bk_cloud_id", "ip", "ipv6", "scope")
    list_select_related = ("scope",)
    # The order of an index, so that large scopes do not slow down the list.
    ordering = ("scope_id", "bk_host_id", "id")
    readonly_fields = ("page",)
    search_help_text = _("host id, name or address")

    def visible(self, user: User) -> QuerySet[Host]:
        return Host.objects.in_scopes(access.visible_scopes(user)).referenced()

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        return [Q(pk__in=host_keys(term, number, user))]

    @admin.display(description=_("page"))
    def page(self, host: Host) -> SafeString:
        return link(reverse("staff:host", args=[host.bk_host_id]))


@admin.register(HostResult)
class HostResultAdmin(ReadOnlyModelAdmin):
    list_display = (
        *("host_id", "page", "host_name", "ip", "step", "execute_count", "batch", "role"),
        *("status", "exit_code", "held_size"),
    )
    list_select_related = ("step__job__scope",)
    list_filter = ("status", "role")
    ordering = ("-id",)
    exclude = ("identity",)
    readonly_fields = ("page",)
    search_help_text = _(
        "host id, name or address; step id, job id or day (2026-01-31, UTC). "
        "Without a search: recent rows only."
    )

    def visible(self, user: User) -> QuerySet[HostResult]:
        results = HostResult.objects.select_related("step__job__scope")
        if user.is_superuser:
            return results
        return results.filter(step__job__scope__in=access.visible_scope_ids(user))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return self.ordering if user_of(request).is_superuser else ("-step_id", *self.ordering)

    def latest(self, rows: QuerySet[Any], user: User, *, length: int = LATEST) -> QuerySet[Any]:
        return latest_of_steps(rows, user)

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        on_host = Q(identity__in=host_keys(term, number, user))
        return [on_host, *rows_of_steps(number, user), *rows_of_day(term, "step__job__day")]

    @admin.display(description=_("page"))
    def page(self, result: HostResult) -> SafeString:
        log = links.of_host(result.step, result.host_id)["log"]
        return link(f"{log}?attempt={result.execute_count}")


@admin.register(FileLog)
class FileLogAdmin(ReadOnlyModelAdmin):
    list_display = ("id", "page", "src_path", "dest_path", "mode", "status", "size", "step")
    list_select_related = ("step__job__scope", "host_result")
    list_filter = ("status", "mode")
    ordering = ("-id",)
    exclude = ("host_result",)
    readonly_fields = ("page",)
    search_help_text = _(
        "host id, name or address; step id, job id or day (2026-01-31, UTC). "
        "Without a search: recent rows only."
    )

    def visible(self, user: User) -> QuerySet[FileLog]:
        files = FileLog.objects.select_related("step__job__scope", "host_result").defer("content")
        if user.is_superuser:
            return files
        return files.filter(step__job__scope__in=access.visible_scope_ids(user))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return self.ordering if user_of(request).is_superuser else ("-step_id", *self.ordering)

    def latest(self, rows: QuerySet[Any], user: User, *, length: int = LATEST) -> QuerySet[Any]:
        return latest_of_steps(rows, user)

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        results = results_on(term, number, user).values_list("pk", flat=True)
        on_host = Q(host_result__in=list(results))
        return [on_host, *rows_of_steps(number, user), *rows_of_day(term, "step__job__day")]

    @admin.display(description=_("page"))
    def page(self, file: FileLog) -> SafeString:
        log = links.of_host(file.step, file.host_result.host_id)["log"]
        return link(f"{log}?attempt={file.execute_count}&file={file.pk}")
