"""Lists of big tables that are cheap to open, and rows that are looked at only."""

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
"""Rows that a list pages through; what lies further back is searched for."""
LATEST = 100_000
"""Rows that are looked through for what no index has."""
NAMED = 25_000
"""Rows that are looked through for a part of a name: that takes longer a row."""
NUMBER_DIGITS = 18


class KeyChangeList(ChangeList):
    """ChangeList of a table of any size, in the one order that an index has.

    Keys first, from the table alone, and of those of one page their rows: nothing is counted,
    sorted or joined that is not shown.
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
        # Now: the template would ask for them when no limit of time holds any more. By these keys
        # only: beside the thousand that a search found the planner may look for none of them.
        rows = self.apply_select_related(self.root_queryset)
        self.result_list = list(rows.filter(pk__in=page.object_list))


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

    sortable_by = ()
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("pk",)

    def visible(self, user: User) -> QuerySet[Any]:
        """The rows that a member of staff may see."""
        raise NotImplementedError

    def latest(self, rows: QuerySet[Any], user: User, *, length: int = LATEST) -> QuerySet[Any]:
        """The newest of these rows, of all at most so many: a list that is not searched shows
        these, and these are looked through for what has no index."""
        return rows

    def has_index(self, request: HttpRequest) -> bool:
        """Whether an index has what the filters of a list ask for, however old it is."""
        return False

    def matching(self, term: str, number: int | None, user: User) -> Iterable[Q]:
        """The rows that a search of this member of staff means, by one index each; `number` if it
        is one."""
        raise NotImplementedError

    def containing(self, term: str) -> Q | None:
        """Those that it means without an index: of the latest only."""
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
    """Name of a filter's parameter: a field, that of a pair, or the filter's own word."""
    if isinstance(offer, tuple):
        offer = offer[0]
    return str(getattr(offer, "parameter_name", offer))


def user_of(request: HttpRequest) -> User:
    """The member of staff that the admin let in."""
    assert isinstance(request.user, User)  # noqa: S101 - nobody else is let in
    return request.user


def newest_by_key(rows: QuerySet[Any], length: int = LATEST) -> QuerySet[Any]:
    """The rows of a table, narrowed to its newest so many by key."""
    last = rows.model._default_manager.aggregate(last=Max("pk"))["last"] or 0
    return rows.filter(pk__gt=last - length)


def link(address: str) -> SafeString:
    """A link to the page of a row."""
    return format_html('<a href="{}">{}</a>', address, _("page"))
