"""Filter of jobs by typed values. Parsing of text and errors are up to the caller: API, pages,
commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, cast

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from joblogs import times
from joblogs.choices import RunStatus
from joblogs.models import HostResult, JobInstance, Scope

DAY_MILLISECONDS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Criteria for jobs; None does not filter. Times are milliseconds since the epoch."""

    scope: Scope | None = None
    job_instance_id: int | None = None
    created_from: int | None = None
    created_to: int | None = None
    operator: str | None = None
    name: str | None = None
    """Part of the name, in any case."""
    launch_mode: int | None = None
    task_type: int | None = None
    status: int | None = None
    host: str | None = None
    """Name or address of a host at the time of the run; `host_id` matches as well."""
    host_id: int | None = None
    schedule: int | None = None
    """Records do not say which schedule started a job, so no job matches."""

    def narrow(
        self, jobs: QuerySet[JobInstance], scopes: Iterable[Scope] = ()
    ) -> QuerySet[JobInstance]:
        """Filter jobs by the criteria; a host is looked up in `scopes`."""
        if self.schedule is not None or not _storable(self.operator, self.name, self.host):
            return jobs.none()
        conditions = {
            "scope": self.scope,
            "job_instance_id": self.job_instance_id,
            "create_time__gte": self.created_from,
            "create_time__lte": self.created_to,
            "operator": self.operator,
            # Ignoring case, like the database of BlueKing JOB.
            "name__icontains": self.name,
            "launch_mode": self.launch_mode,
            "task_type": self.task_type,
            "status": self.status,
        }
        jobs = jobs.filter(**{key: value for key, value in conditions.items() if value is not None})
        if self.host is not None:
            ids = [] if self.host_id is None else [self.host_id]
            ran = HostResult.objects.on_hosts(self.host, scopes=scopes, bk_host_ids=ids)
            jobs = jobs.filter(pk__in=ran.jobs())
        return jobs


def first_moment(day: date | None) -> int | None:
    """Return the start of a day (UTC) in milliseconds since the epoch; None for None."""
    if day is None:
        return None
    return int(datetime.combine(day, time.min, tzinfo=UTC).timestamp() * 1000)


def last_moment(day: date | None) -> int | None:
    """Return the last millisecond of a day (UTC) since the epoch; None for None."""
    first = first_moment(day)
    return None if first is None else first + DAY_MILLISECONDS - 1


def _storable(*texts: str | None) -> bool:
    """Return whether a column can hold these texts: no NUL and no lone surrogate."""
    joined = "".join(text for text in texts if text is not None)
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in joined)


class ScopeField(django_filters.fields.ModelChoiceField):  # type: ignore[misc]
    """Form field of a scope such as `biz:77`: URLs of pages do not contain database keys."""

    def prepare_value(self, value: Any) -> Any:
        return str(value) if isinstance(value, Scope) else value

    def to_python(self, value: Any) -> Scope | None:
        if value in self.empty_values:
            return None
        kind, _colon, number = str(value).partition(":")
        found = self.queryset.filter(scope_type=kind, scope_id=number).first()
        if found is None:
            raise forms.ValidationError(
                self.error_messages["invalid_choice"], "invalid_choice", {"value": value}
            )
        return cast(Scope, found)


class ScopeFilter(django_filters.ModelChoiceFilter):  # type: ignore[misc]
    """Filter by a scope that the reader may browse."""

    field_class = ScopeField


class DayField(forms.DateField):
    """Form field of a day such as 2026-11-25."""

    widget = forms.DateInput({"type": "date"}, "%Y-%m-%d")
    input_formats: Any = ("%Y-%m-%d",)

    def strptime(self, value: str, format: str) -> date:
        return times.day(value)


class DayFilter(django_filters.DateFilter):  # type: ignore[misc]
    """Filter by a day."""

    field_class = DayField


class JobFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """FilterSet of the jobs page, which applies a JobFilter. `scopes` are those that the user may
    browse."""

    scope = ScopeFilter(
        label=_("scope"), queryset=Scope.objects.none(), empty_label=_("all scopes")
    )
    status = django_filters.ChoiceFilter(
        label=_("status"), choices=RunStatus.choices, empty_label=_("any status")
    )
    name = django_filters.CharFilter(label=_("job name"))
    operator = django_filters.CharFilter(label=_("operator"))
    host = django_filters.CharFilter(label=_("host"))
    since = DayFilter(label=_("from"))
    until = DayFilter(label=_("to"))
    number = django_filters.NumberFilter(label=_("job id"))

    class Meta:
        model = JobInstance
        fields: list[str] = []

    def __init__(self, *args: Any, scopes: QuerySet[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scopes = scopes
        self.filters["scope"].queryset = scopes.order_by("scope_type", "scope_id")
        self.filters["scope"].field.label_from_instance = lambda scope: scope.name or str(scope)
        self.form.fields["name"].widget.attrs |= {"data-key": "/", "data-key-label": _("job name")}
        self.form.fields["host"].widget.attrs["placeholder"] = _("address, name or id")
        self.form.fields["number"].widget.attrs["inputmode"] = "numeric"

    def filter_queryset(self, jobs: QuerySet[JobInstance]) -> QuerySet[JobInstance]:
        values = self.form.cleaned_data
        host = values["host"] or None
        matching = JobFilter(
            scope=values["scope"],
            job_instance_id=values["number"],
            created_from=first_moment(values["since"]),
            created_to=last_moment(values["until"]),
            operator=values["operator"] or None,
            name=values["name"] or None,
            status=values["status"] or None,
            host=host,
            host_id=int(host) if host and host.isdecimal() and len(host) < 19 else None,
        )
        return matching.narrow(jobs, self.scopes)
