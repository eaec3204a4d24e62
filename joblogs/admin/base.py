"""Lists of big tables that are cheap to open, and rows that are looked at only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    # Generic for the type checker only.
    AnyAdmin = admin.ModelAdmin[Any]
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyAdmin, AnyInline = admin.ModelAdmin, admin.TabularInline

CAP = 1_000
"""Rows that a list pages through; what lies further back is searched for."""
NUMBER_DIGITS = 18


class CappedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no table: it looks whether there are as many rows as it pages through."""

    @cached_property
    def count(self) -> int:
        found = self.object_list
        if isinstance(found, QuerySet):
            return len(found.values_list("pk", flat=True)[:CAP])
        return len(found)


class ClosedFirst(AnyAdmin):
    """Whoever may not look learns not even whether a row exists."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django looks for the row first, and answers otherwise if there is none.
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)


class ReadOnlyModelAdmin(ClosedFirst):
    """Model admin of history: nobody adds, changes or deletes it here."""

    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("pk",)

    def visible(self, user: User) -> QuerySet[Any]:
        """The rows that a member of staff may see."""
        raise NotImplementedError

    def matching(self, term: str, number: int | None, user: User) -> Q:
        """The rows that a search of this member of staff means; `number` if it is one."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.visible(user_of(request)).order_by(*self.get_ordering(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if "\0" in term:
            return queryset.none(), False
        number = int(term) if term.isascii() and term.isdecimal() else None
        if number is not None and len(term) > NUMBER_DIGITS:
            number = None
        return queryset.filter(self.matching(term, number, user_of(request))), False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """By what the filters offer, and nothing else: `?content__startswith=` would read a log."""
        offered = {_parameter(offer) for offer in self.get_list_filter(request)}
        return lookup.partition("__")[0] in offered and super().lookup_allowed(
            lookup, value, request
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # As the pages: whoever is staff sees what is in the scopes of their groups.
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _parameter(offer: Any) -> str:
    """What a filter of a list is asked by: a field, that of a pair, or a filter's own word."""
    if isinstance(offer, tuple):
        offer = offer[0]
    return str(getattr(offer, "parameter_name", offer))


def user_of(request: HttpRequest) -> User:
    """The member of staff that the admin let in."""
    assert isinstance(request.user, User)  # noqa: S101 - nobody else is let in
    return request.user


def link(address: str) -> SafeString:
    """A link to the page of a row."""
    return format_html('<a href="{}">{}</a>', address, _("page"))
