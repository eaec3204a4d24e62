"""Admin of scopes, of the apps that call the API, and of their grants and tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from joblogs import access, app_tokens
from joblogs.app_tokens import RIGHTS, TokenRefused
from joblogs.models import App, AppGrant, AppToken, Scope

from .base import AnyInline, ClosedFirst, user_of


class SuperusersOnly:
    """Mixin of model admins for superusers only: anybody else could grant rights that they lack."""

    def _is_superuser(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_staff and user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_superuser(request)


@admin.register(Scope)
class ScopeAdmin(SuperusersOnly, ClosedFirst):
    """Admin of scopes: members of staff see those of their groups; only superusers change them."""

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
        return False  # its jobs would be deleted with it, which only retention does

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scope]:
        return access.visible_scopes(user_of(request)).order_by(*self.ordering)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Scope | None = None
    ) -> tuple[str, ...]:
        # Records, grants and URLs refer to a scope by these fields.
        return ("scope_type", "scope_id") if obj else ()


class GrantInline(SuperusersOnly, AnyInline):
    model = AppGrant
    extra = 0
    autocomplete_fields = ("scope",)


@admin.register(App)
class AppAdmin(SuperusersOnly, ClosedFirst):
    """Admin of apps. A new secret is shown once, in the response: messages may be in a cookie."""

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
        super().response_add(request, obj, post_url_continue)  # adds the success message
        return self._secrets_page(request, [obj])

    @admin.action(description=_("Rotate the secret (the current one stops working)"))
    def rotate(self, request: HttpRequest, apps: QuerySet[App]) -> HttpResponse:
        return self._secrets_page(request, apps)

    def _secrets_page(self, request: HttpRequest, apps: Iterable[App]) -> HttpResponse:
        """Return a page with a new secret for each of these apps."""
        text = gettext("Secret of {} (shown only once): {}")
        secrets = [format_html(text, app.app_code, access.new_secret(app)) for app in apps]
        context = self.admin_site.each_context(request) | {
            "title": gettext("Secrets of apps"),
            "secrets": secrets,
            "opts": self.opts,
            "back": reverse("admin:joblogs_app_changelist"),
            "back_text": gettext("All apps"),
        }
        return TemplateResponse(request, "admin/app_secrets.html", context)


@admin.register(AppGrant)
class AppGrantAdmin(SuperusersOnly, ClosedFirst):
    list_display = ("app", "where", "read", "write", "audit")
    list_select_related = ("app", "scope")
    list_filter = ("read", "write", "audit")
    search_fields = ("app__app_code", "=scope__scope_id")
    ordering = ("app__app_code", "id")
    autocomplete_fields = ("app", "scope")

    @admin.display(description=_("scope"))
    def where(self, grant: AppGrant) -> str:
        return str(grant.scope) if grant.scope else gettext("all scopes")


if TYPE_CHECKING:
    TokenModelForm = forms.ModelForm[AppToken]
else:
    TokenModelForm = forms.ModelForm


class TokenForm(TokenModelForm):
    """Form for a new token, which may not have rights that its app lacks."""

    class Meta:
        model = AppToken
        fields = ("app", "name", "scope", *RIGHTS, "expires_at")

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        named = frozenset(right for right in RIGHTS if values.get(right))
        if not named:
            raise forms.ValidationError(gettext("Choose at least one right."))
        if "app" in values and "name" in values:
            token = AppToken(app=values["app"], name=values["name"], scope=values.get("scope"))
            try:
                app_tokens.check(token, named=named)
            except TokenRefused as error:
                raise forms.ValidationError(str(error)) from error
        return values


@admin.register(AppToken)
class AppTokenAdmin(SuperusersOnly, ClosedFirst):
    """Admin of tokens. A new token is shown once, in the response, and can then only be revoked."""

    form = TokenForm
    list_display = ("app", "name", "where", *RIGHTS, "state", "expires_at", "created_at")
    list_display_links = ("name",)
    list_select_related = ("app", "scope")
    list_filter = RIGHTS
    search_fields = ("name", "app__app_code", "=scope__scope_id")
    ordering = ("app__app_code", "name", "id")
    autocomplete_fields = ("app", "scope")
    actions = ("revoke",)

    def get_readonly_fields(
        self, request: HttpRequest, obj: AppToken | None = None
    ) -> tuple[str, ...]:
        return (*TokenForm.Meta.fields, "created_at", "revoked_at") if obj else ()

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field: Any = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "expires_at":
            # Django labels the two inputs "Date:" and "Time:", but not for screen readers.
            for widget, part in zip(field.widget.widgets, (_("day"), _("time")), strict=True):
                widget.attrs["aria-label"] = format_lazy("{}: {}", field.label, part)
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def save_model(self, request: HttpRequest, obj: AppToken, form: Any, change: bool) -> None:
        obj.shown_once = app_tokens.save_new(obj)  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: AppToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        super().response_add(request, obj, post_url_continue)  # adds the success message
        text = gettext("Token {} of {} (shown only once): {}")
        token = obj.shown_once  # type: ignore[attr-defined]
        context = self.admin_site.each_context(request) | {
            "title": gettext("New token"),
            "secrets": [format_html(text, obj.name, obj.app.app_code, token)],
            "opts": self.opts,
            "back": reverse("admin:joblogs_apptoken_changelist"),
            "back_text": gettext("All tokens"),
        }
        return TemplateResponse(request, "admin/app_secrets.html", context)

    @admin.action(description=_("Revoke (they stop working at once)"))
    def revoke(self, request: HttpRequest, tokens: QuerySet[AppToken]) -> None:
        count = app_tokens.revoke_all(tokens)
        text = ngettext("%(count)d token is revoked.", "%(count)d tokens are revoked.", count)
        messages.success(request, text % {"count": count})

    @admin.display(description=_("scope"))
    def where(self, token: AppToken) -> str:
        return str(token.scope) if token.scope else gettext("all scopes of the app")

    @admin.display(description=_("state"))
    def state(self, token: AppToken) -> str:
        if token.revoked_at is not None:
            return gettext("revoked")
        return gettext("valid") if token.is_valid else gettext("expired")
