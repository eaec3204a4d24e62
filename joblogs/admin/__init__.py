"""The admin: looks at history without editing it, and keeps scopes, apps and their grants."""

from django.contrib import admin

from . import history, login, redactions, removals, rights

__all__ = ["history", "login", "redactions", "removals", "rights"]

admin.site.login_form = login.Login
