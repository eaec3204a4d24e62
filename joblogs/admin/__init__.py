"""The admin: looks at history without editing it, and keeps scopes, apps and their grants."""

from django.contrib import admin

from . import access, login, redactions, removals, runs

__all__ = ["runs", "login", "redactions", "removals", "access"]

admin.site.login_form = login.Login
