"""The admin: looks at history without editing it, and keeps scopes, apps and their grants."""

from django.contrib import admin

from . import access, log_reads, login, notices, redactions, removals, runs

__all__ = ["runs", "log_reads", "login", "notices", "redactions", "removals", "access"]

admin.site.login_form = login.Login
