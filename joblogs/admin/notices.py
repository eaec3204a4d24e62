"""Admin of saved searches and of the notices about their matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from joblogs import access, notices
from joblogs.choices import RUN_UNFINISHED, RunStatus
from joblogs.models import Notice, NoticeChannel, NoticeState, SavedSearch, Scope, StepInstance
from joblogs.pages import links
from joblogs.search import InvalidPattern

from .base import ClosedFirst, ReadOnlyModelAdmin, link, user_of

if TYPE_CHECKING:
    SearchModelForm = forms.ModelForm[SavedSearch]
else:
    SearchModelForm = forms.ModelForm

ENDED = [(status.value, status.label) for status in RunStatus if status not in RUN_UNFINISHED]


class SavedSearchForm(SearchModelForm):
    """Form for a saved search, which must have a condition and a valid target."""

    statuses = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=ENDED,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=_("Step ended as"),
        help_text=_(
            "With a text: both must hold. None chosen: a notice is sent once the text comes in."
        ),
    )

    class Meta:
        model = SavedSearch
        fields = (
            *("name", "scope", "job_name", "pattern", "is_regex", "ignores_case", "statuses"),
            *("channel", "target", "language", "active"),
        )
        widgets = {
            name: forms.TextInput(attrs={"class": "vLargeTextField"})
            for name in ("job_name", "pattern", "target")
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not values.get("pattern") and not values.get("statuses"):
            raise forms.ValidationError(gettext("Enter a text, or choose how the step ended."))
        self._check("pattern", values)
        self._check("target", values)
        return values

    def _check(self, field: str, values: dict[str, Any]) -> None:
        try:
            if field == "pattern":
                notices.pattern_of(SavedSearch(**_question(values)))
            elif values.get("channel") == NoticeChannel.MAIL:
                notices.check_mailbox(values.get("target", ""))
            elif values.get("channel") == NoticeChannel.WEBHOOK:
                notices.check_address(values.get("target", ""))
        except notices.TargetRefused as error:
            self.add_error(field, gettext(str(error)))
        except InvalidPattern as error:
            self.add_error(field, str(error))


def _question(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values.get(name) or "" for name in ("pattern",)} | {
        name: bool(values.get(name)) for name in ("is_regex", "ignores_case")
    }


@admin.register(SavedSearch)
class SavedSearchAdmin(ClosedFirst):
    """Admin of saved searches: members of staff manage their own; superusers see all.

    The secret of a new search is shown once, in the response.
    """

    form = SavedSearchForm
    list_display = ("name", "scope", "asks", "owner", "channel", "state")
    list_select_related = ("scope", "owner")
    ordering = ("name", "id")
    actions = ("rotate", "switch_off")
    show_full_result_count = False

    def get_readonly_fields(
        self, request: HttpRequest, obj: SavedSearch | None = None
    ) -> tuple[str, ...]:
        return ("owner", "state", "created_at") if obj else ()

    def _is_staff(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_staff(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_staff(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._is_staff(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Only the owner may change a search: its notices are sent with the owner's rights.
        return self._is_staff(request) and (obj is None or obj.owner_id == request.user.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_staff(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedSearch]:
        user, searches = user_of(request), SavedSearch.objects.order_by(*self.ordering)
        return searches if user.is_superuser else searches.filter(owner=user)

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any]:
        if db_field.name == "scope":
            scopes: QuerySet[Scope] = access.visible_scopes(user_of(request))
            kwargs["queryset"] = scopes.order_by("scope_type", "scope_id")
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        assert field is not None  # noqa: S101 - Django's own type allows it for many-to-many
        return field

    def save_model(self, request: HttpRequest, obj: SavedSearch, form: Any, change: bool) -> None:
        if not change:
            obj.owner = user_of(request)
        if obj.active:
            obj.off_reason = ""
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: SavedSearch, post_url_continue: str | None = None
    ) -> HttpResponse:
        super().response_add(request, obj, post_url_continue)  # adds the success message
        return self._secrets_page(request, [obj])

    @admin.action(description=_("Rotate the secret (the current one stops working)"))
    def rotate(self, request: HttpRequest, searches: QuerySet[SavedSearch]) -> HttpResponse:
        return self._secrets_page(request, searches.filter(owner=user_of(request)))

    @admin.action(description=_("Switch off"))
    def switch_off(self, request: HttpRequest, searches: QuerySet[SavedSearch]) -> None:
        found = list(searches.filter(active=True))
        for search in found:
            notices.switch_off(search, "")
        text = ngettext("%(count)d search is off.", "%(count)d searches are off.", len(found))
        messages.success(request, text % {"count": len(found)})

    def _secrets_page(self, request: HttpRequest, searches: Iterable[SavedSearch]) -> HttpResponse:
        """Return a page with a new secret for each of these searches."""
        text = gettext("Secret of the search {} (shown only once): {}")
        secrets = [format_html(text, each.name, notices.new_secret(each)) for each in searches]
        context = self.admin_site.each_context(request) | {
            "title": gettext("Secrets of saved searches"),
            "secrets": secrets,
            "opts": self.opts,
            "back": reverse("admin:joblogs_savedsearch_changelist"),
            "back_text": gettext("All saved searches"),
        }
        return TemplateResponse(request, "admin/app_secrets.html", context)

    @admin.display(description=_("asks for"))
    def asks(self, search: SavedSearch) -> str:
        labels = dict(ENDED)
        ended = ", ".join(str(labels.get(status, status)) for status in search.statuses)
        return " · ".join(filter(None, (search.job_name, search.pattern, ended)))

    @admin.display(description=_("state"))
    def state(self, search: SavedSearch) -> str:
        if search.active:
            return gettext("on")
        reason = str(notices.OFF_REASONS.get(search.off_reason, ""))
        return f"{gettext('off')}: {reason}" if reason else gettext("off")


@admin.register(Notice)
class NoticeAdmin(ReadOnlyModelAdmin):
    """Admin of notices, which can be sent again."""

    list_display = (
        "created_at",
        "search",
        "state",
        "tries",
        "detail_label",
        "ended_at",
    )
    list_select_related = ("search",)
    list_filter = ("state",)
    ordering = ("-id",)
    fields = (
        *("event_id", "search", "page", "created_at", "state", "tries", "first_tried_at"),
        *("ended_at", "detail_label"),
    )
    readonly_fields = fields
    search_help_text = _("event")
    actions = ("send_again",)

    def visible(self, user: User) -> QuerySet[Notice]:
        rows = Notice.objects.all()
        return rows if user.is_superuser else rows.filter(search__owner=user)

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        digits = term.replace("-", "")
        is_id = len(digits) == 32 and all(one in "0123456789abcdefABCDEF" for one in digits)
        return [Q(event_id=digits)] if is_id else []

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, rows: QuerySet[Notice]) -> None:
        ended = rows.exclude(state=NoticeState.PENDING).filter(search__active=True)
        count = Notice.objects.filter(pk__in=list(ended.values_list("pk", flat=True))).update(
            state=NoticeState.PENDING, first_tried_at=None, ended_at=None, detail=""
        )
        text = ngettext("%(count)d notice will be sent.", "%(count)d notices will be sent.", count)
        messages.success(request, text % {"count": count})

    @admin.display(description=_("page"))
    def page(self, notice: Notice) -> str:
        steps = StepInstance.objects.filter(pk=notice.step_id, job__scope=notice.search.scope_id)
        for step in steps.select_related("job__scope"):
            return link(links.of_step(step)["step"])
        return "–"

    @admin.display(description=_("detail"))
    def detail_label(self, notice: Notice) -> str:
        return str(notices.DETAILS.get(notice.detail, notice.detail))
