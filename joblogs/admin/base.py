"""Base classes of the admin: read-only model admins whose lists are cheap on large tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage, Paginator
from django.db.models import Max, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from joblogs.database import time_limited

if TYPE_CHECKING:
    # Generic for the type checker only.
    AnyAdmin = admin.ModelAdmin[Any]
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyAdmin, AnyInline = admin.ModelAdmin, admin.TabularInline

CAP = 1_000
"""Most rows of a list; older rows are found by a search."""
LATEST = 100_000
"""Newest rows that are scanned for conditions without an index."""
NAMED = 25_000
"""Newest rows that are scanned for part of a name, which takes longer for each row."""
NUMBER_DIGITS = 18


class KeyChangeList(ChangeList):
    """ChangeList of a table of any size, in the order of one index.

    It fetches keys from the table alone, then the rows of one page: rows that are not shown are
    neither counted, sorted nor joined.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(self.model_admin.get_ordering(request))

    def get_results(self, request: HttpRequest) -> None:
        keys = list(self.queryset.values_list("pk", flat=True)[:CAP])
        self.paginator = Paginator(keys, self.list_per_page)
        self.result_count = len(keys)
        self.show_full_result_count, self.full_result_count = False, None
        self.show_admin_actions, self.can_show_all = True, False
        self.multi_page = self.result_count > self.list_per_page
        try:
            page = self.paginator.page(self.page_num if self.multi_page else 1)
        except InvalidPage:
            raise IncorrectLookupParameters from None
        # Fetch the rows now: when the template does it, the time limit no longer applies. By
        # these keys only: with the thousand keys of a search too, the planner may use no index.
        rows = self.apply_select_related(self.root_queryset)
        self.result_list = list(rows.filter(pk__in=page.object_list))


class ClosedFirst(AnyAdmin):
    """Model admin that does not reveal to users without permission whether a row exists."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Django looks up the row first, and responds differently if there is none.
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)


class ReadOnlyModelAdmin(ClosedFirst):
    """Model admin without adding, changing or deleting."""

    sortable_by = ()
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("pk",)

    def visible(self, user: User) -> QuerySet[Any]:
        """Return the rows that a member of staff may see."""
        raise NotImplementedError

    def latest(self, rows: QuerySet[Any], user: User, *, length: int = LATEST) -> QuerySet[Any]:
        """Filter rows to the newest `length` or fewer; by default no row is excluded.

        A list without a search shows them, and conditions without an index apply to them only.
        """
        return rows

    def has_index(self, request: HttpRequest) -> bool:
        """Return whether an index serves the filters of a list, for rows of any age."""
        return False

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        """Return the conditions of a search, each served by one index.

        `number` is the term as an integer, or None.
        """
        raise NotImplementedError

    def containing(self, term: str) -> Q | None:
        """Return a condition of a search without an index, for the latest rows only, or None."""
        return None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        show = super().changelist_view
        return (show if request.method == "POST" else time_limited(show))(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.visible(user_of(request)).order_by(*self.get_ordering(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term, user = search_term.strip(), user_of(request)
        if not term:
            return queryset if self.has_index(request) else self.latest(queryset, user), False
        if "\0" in term:
            return queryset.none(), False
        number = int(term) if term.isascii() and term.isdecimal() else None
        if number is not None and len(term) > NUMBER_DIGITS:
            number = None
        branches = [queryset.filter(each) for each in self.matching(term, number, user)]
        if (named := self.containing(term)) is not None:
            branches.append(self.latest(queryset, user, length=NAMED).filter(named))
        keys = {key for rows in branches for key in rows.values_list("pk", flat=True)[:CAP]}
        return queryset.filter(pk__in=keys), False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return KeyChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allow only the fields of the filters: `?content__startswith=` would reveal a log."""
        offered = {_parameter(offer) for offer in self.get_list_filter(request)}
        return lookup.partition("__")[0] in offered and super().lookup_allowed(
            lookup, value, request
        )

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Like the pages: members of staff see the scopes of their groups.
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _parameter(offer: Any) -> str:
    """Return the parameter of an item of `list_filter`: a field, a pair or a filter class."""
    if isinstance(offer, tuple):
        offer = offer[0]
    return str(getattr(offer, "parameter_name", offer))


def user_of(request: HttpRequest) -> User:
    """Return the authenticated member of staff."""
    assert isinstance(request.user, User)  # noqa: S101 - nobody else is let in
    return request.user


def newest_by_key(rows: QuerySet[Any], length: int = LATEST) -> QuerySet[Any]:
    """Filter rows to the last `length` keys of their table."""
    last = rows.model._default_manager.aggregate(last=Max("pk"))["last"] or 0
    return rows.filter(pk__gt=last - length)


def link(address: str) -> SafeString:
    """Return a link to the page of a row."""
    return format_html('<a href="{}">{}</a>', address, _("page"))
