"""Which jobs a person wants to see."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, cast

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from joblogs.choices import RunStatus
from joblogs.models import Host, HostResult, JobInstance, Scope

DAY_MILLISECONDS = 86_400_000


class ScopeField(django_filters.fields.ModelChoiceField):  # type: ignore[misc]
    """Form field of a scope, given as `biz:77`: addresses of pages hold no keys of the database."""

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


class JobFilterSet(django_filters.FilterSet):  # type: ignore[misc]
    """The filters of the jobs page. `scopes` are those that the reader may browse."""

    scope = ScopeFilter(
        label=_("scope"), queryset=Scope.objects.none(), empty_label=_("all scopes")
    )
    status = django_filters.ChoiceFilter(
        label=_("status"), choices=RunStatus.choices, empty_label=_("any status")
    )
    name = django_filters.CharFilter(label=_("job name"), lookup_expr="icontains")
    operator = django_filters.CharFilter(label=_("operator"))
    host = django_filters.CharFilter(label=_("host"), method="of_host")
    since = django_filters.DateFilter(label=_("from"), method="created_since")
    until = django_filters.DateFilter(label=_("to"), method="created_until")
    number = django_filters.NumberFilter(label=_("job id"), field_name="job_instance_id")

    class Meta:
        model = JobInstance
        fields: list[str] = []

    def __init__(self, *args: Any, scopes: QuerySet[Scope], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scopes = scopes
        self.filters["scope"].queryset = scopes.order_by("scope_type", "scope_id")
        self.filters["scope"].field.label_from_instance = lambda scope: scope.name or str(scope)
        for name in ("since", "until"):
            self.form.fields[name].widget = forms.DateInput({"type": "date"}, "%Y-%m-%d")
        self.form.fields["host"].widget.attrs["placeholder"] = _("address, name or id")
        self.form.fields["name"].widget.attrs |= {"data-key": "/", "data-key-label": _("job name")}
        self.form.fields["number"].widget.attrs["inputmode"] = "numeric"

    def of_host(self, jobs: QuerySet[JobInstance], _name: str, value: str) -> QuerySet[JobInstance]:
        """Jobs that ran on a host: by its id, or by its name or address as of the run."""
        value = value.strip()
        numbers = [int(value)] if value.isdecimal() and len(value) < 19 else []
        hosts = Host.objects.keys(value, scopes=self.scopes, bk_host_ids=numbers)
        return jobs.filter(pk__in=HostResult.objects.filter(identity__in=hosts).jobs())

    def created_since(
        self, jobs: QuerySet[JobInstance], _name: str, day: date
    ) -> QuerySet[JobInstance]:
        return created_since(jobs, day)

    def created_until(
        self, jobs: QuerySet[JobInstance], _name: str, day: date
    ) -> QuerySet[JobInstance]:
        return created_until(jobs, day)


def created_since(jobs: QuerySet[JobInstance], day: date) -> QuerySet[JobInstance]:
    """Jobs of this day (UTC) and later ones."""
    return jobs.filter(create_time__gte=_milliseconds(day))


def created_until(jobs: QuerySet[JobInstance], day: date) -> QuerySet[JobInstance]:
    """Jobs of this day (UTC) and earlier ones."""
    return jobs.filter(create_time__lt=_milliseconds(day) + DAY_MILLISECONDS)


def _milliseconds(day: date) -> int:
    return int(datetime.combine(day, time.min, tzinfo=UTC).timestamp() * 1000)
