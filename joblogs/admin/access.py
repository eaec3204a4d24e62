"""Scopes, the apps that call the API, and what these may do where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from joblogs import access
from joblogs.models import App, AppGrant, Scope

from .base import AnyInline, ClosedFirst, user_of


class SuperusersOnly:
    """Rights beyond one's own could be given here, so only those who have all may."""

    def _may(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff and user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request)


@admin.register(Scope)
class ScopeAdmin(SuperusersOnly, ClosedFirst):
    """Members of staff see theirs; who else may browse one is for superusers."""

    list_display = ("scope_type", "scope_id", "name", "retention_days", "history_days")
    list_filter = ("scope_type",)
    search_fields = ("=scope_id", "name")
    ordering = ("scope_type", "scope_id")
    filter_horizontal = ("groups",)
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its jobs would go with it: that is what retention is for

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scope]:
        return access.visible_scopes(user_of(request)).order_by(*self.ordering)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Scope | None = None
    ) -> tuple[str, ...]:
        # Records, grants and addresses name a scope by these.
        return ("scope_type", "scope_id") if obj else ()


class GrantInline(SuperusersOnly, AnyInline):
    model = AppGrant
    extra = 0
    autocomplete_fields = ("scope",)


@admin.register(App)
class AppAdmin(SuperusersOnly, ClosedFirst):
    """A new app's secret is shown once, in the answer itself: messages travel in a cookie."""

    list_display = ("app_code", "name", "active", "created_at")
    list_filter = ("active",)
    search_fields = ("app_code", "name")
    ordering = ("app_code",)
    inlines = (GrantInline,)
    actions = ("rotate",)
    readonly_fields = ("created_at",)

    def get_readonly_fields(self, request: HttpRequest, obj: App | None = None) -> tuple[str, ...]:
        return ("app_code", "created_at") if obj else ("created_at",)

    def response_add(
        self, request: HttpRequest, obj: App, post_url_continue: str | None = None
    ) -> HttpResponse:
        super().response_add(request, obj, post_url_continue)  # says that it was made
        return self._shown(request, [obj])

    @admin.action(description=_("Rotate the secret (the current one stops working)"))
    def rotate(self, request: HttpRequest, apps: QuerySet[App]) -> HttpResponse:
        return self._shown(request, apps)

    def _shown(self, request: HttpRequest, apps: Iterable[App]) -> HttpResponse:
        """A page with a new secret for each of these apps."""
        text = gettext("Secret of {} (shown only once): {}")
        secrets = [format_html(text, app.app_code, access.new_secret(app)) for app in apps]
        context = self.admin_site.each_context(request) | {
            "title": gettext("Secrets of apps"),
            "secrets": secrets,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/app_secrets.html", context)


@admin.register(AppGrant)
class AppGrantAdmin(SuperusersOnly, ClosedFirst):
    list_display = ("app", "where", "read", "write")
    list_select_related = ("app", "scope")
    list_filter = ("read", "write")
    search_fields = ("app__app_code", "=scope__scope_id")
    ordering = ("app__app_code", "id")
    autocomplete_fields = ("app", "scope")

    @admin.display(description=_("scope"))
    def where(self, grant: AppGrant) -> str:
        return str(grant.scope) if grant.scope else gettext("all scopes")
