"""What ran, and who read it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet
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
from joblogs.models import FileLog, Host, HostResult, JobInstance, LogRead, Scope, StepInstance
from joblogs.pages import exports, links

from .base import ReadOnlyModelAdmin, link, user_of
from .removals import Removing

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Exporting(ReadOnlyModelAdmin):
    """Rows whose logs may be taken along."""

    actions: Any = ("export_archive", "export_records")

    def selection(self, request: HttpRequest, rows: QuerySet[Any]) -> Selection:
        """What these rows mean."""
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
    search_help_text = _("job id, name or operator; the name of a host, its address or id")
    actions = (*Exporting.actions, "hold", "release", "remove")

    def selection(self, request: HttpRequest, rows: QuerySet[JobInstance]) -> Selection:
        return Selection(jobs=rows)

    def visible(self, user: User) -> QuerySet[JobInstance]:
        return access.visible_jobs(user)

    def matching(self, term: str, number: int | None, user: User) -> Q:
        scopes = list(access.visible_scopes(user))
        ran = HostResult.objects.filter(identity__in=_hosts(term, number, scopes))
        matches = Q(name__icontains=term) | Q(operator=term) | Q(pk__in=ran.jobs())
        if number is not None:
            matches |= Q(job_instance_id=number)
        # The scopes by value, too: else PostgreSQL walks the jobs of all scopes by day.
        return matches & Q(scope__in=[scope.pk for scope in scopes])

    def has_hold_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("joblogs.change_jobinstance")

    @admin.display(description=_("held by"), empty_value="–")
    def held(self, job: JobInstance) -> str | None:
        # No cross for a job that is not held: nothing is wrong with it.
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
    search_help_text = _("step id, job id or name")

    def selection(self, request: HttpRequest, rows: QuerySet[StepInstance]) -> Selection:
        return Selection(jobs=access.visible_jobs(user_of(request)), steps=rows)

    def visible(self, user: User) -> QuerySet[StepInstance]:
        steps = StepInstance.objects.select_related("job__scope")
        return steps if user.is_superuser else steps.filter(job__in=access.visible_jobs(user))

    def matching(self, term: str, number: int | None, user: User) -> Q:
        found = Q(name__icontains=term)
        if number is not None:
            found |= Q(step_instance_id=number) | Q(job__in=_jobs(number, user))
        return found

    @admin.display(description=_("page"))
    def page(self, step: StepInstance) -> SafeString:
        return link(links.of_step(step)["step"])


@admin.register(Host)
class HostAdmin(ReadOnlyModelAdmin):
    list_display = ("bk_host_id", "page", "name", "bk_cloud_id", "ip", "ipv6", "scope")
    list_select_related = ("scope",)
    # By an index, whatever other scopes hold.
    ordering = ("scope_id", "bk_host_id", "id")
    readonly_fields = ("page",)
    search_help_text = _("host id, name or address")

    def visible(self, user: User) -> QuerySet[Host]:
        return Host.objects.in_scopes(access.visible_scopes(user)).referenced()

    def matching(self, term: str, number: int | None, user: User) -> Q:
        return Q(pk__in=_hosts(term, number, access.visible_scopes(user)))

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
    search_help_text = _("host id, name or address; step id or job id")

    def visible(self, user: User) -> QuerySet[HostResult]:
        results = HostResult.objects.select_related("step__job__scope")
        return results if user.is_superuser else results.filter(step__in=_steps(user))

    def matching(self, term: str, number: int | None, user: User) -> Q:
        found = Q(identity__in=_hosts(term, number, access.visible_scopes(user)))
        return found | Q(step__in=_numbered(number, user)) if number is not None else found

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
    search_help_text = _("host id, name or address; step id or job id")

    def visible(self, user: User) -> QuerySet[FileLog]:
        files = FileLog.objects.select_related("step__job__scope", "host_result").defer("content")
        return files if user.is_superuser else files.filter(step__in=_steps(user))

    def matching(self, term: str, number: int | None, user: User) -> Q:
        ran = HostResult.objects.filter(
            identity__in=_hosts(term, number, access.visible_scopes(user))
        )
        found = Q(host_result__in=ran.values("pk"))
        return found | Q(step__in=_numbered(number, user)) if number is not None else found

    @admin.display(description=_("page"))
    def page(self, file: FileLog) -> SafeString:
        log = links.of_host(file.step, file.host_result.host_id)["log"]
        return link(f"{log}?attempt={file.execute_count}&file={file.pk}")


class ChannelFilter(admin.SimpleListFilter):
    """By what is known to be read through, not by what is in a table of any size."""

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
    search_help_text = _("user, app, job id or step id; or a date such as 2026-01-31 (UTC)")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Who reads what is not everybody's business.
        return request.user.has_perm("joblogs.view_logread")

    def visible(self, user: User) -> QuerySet[LogRead]:
        if user.is_superuser:
            return LogRead.objects.all()
        here = access.visible_scopes(user).filter(
            scope_type=OuterRef("scope_type"), scope_id=OuterRef("scope_id")
        )
        return LogRead.objects.filter(Exists(here))

    def matching(self, term: str, number: int | None, user: User) -> Q:
        if _DAY.fullmatch(term):
            return _within(term)
        found = Q(who=term) | Q(app_code=term)
        if number is not None:
            found |= Q(job_instance_id=number) | Q(step_instance_id=number)
        return found

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
    """The reads of a day in UTC; of one that no calendar has, none."""
    try:
        start = datetime.combine(date.fromisoformat(day), time.min, tzinfo=UTC)
        end = start + timedelta(days=1)
    except (ValueError, OverflowError):
        return Q(pk__in=[])
    return Q(at__gte=start, at__lt=end)


def _hosts(term: str, number: int | None, scopes: Iterable[Scope]) -> QuerySet[Host, Any]:
    """By the indexes of hosts: the table of their results has none for names and addresses."""
    numbers = [] if number is None else [number]
    return Host.objects.keys(term, scopes=scopes, bk_host_ids=numbers)


def _jobs(number: int, user: User) -> QuerySet[JobInstance]:
    return access.visible_jobs(user).filter(job_instance_id=number)


def _numbered(number: int, user: User) -> QuerySet[StepInstance]:
    return StepInstance.objects.filter(Q(step_instance_id=number) | Q(job__in=_jobs(number, user)))


def _steps(user: User) -> QuerySet[StepInstance]:
    return StepInstance.objects.filter(job__in=access.visible_jobs(user))
