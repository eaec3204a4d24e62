"""Admin: read-only lists of history, and management of scopes, apps and their grants."""

from django.contrib import admin

from . import access, log_reads, login, notices, redactions, removals, runs, search_reads

__all__ = [
    "runs",
    "log_reads",
    "login",
    "notices",
    "redactions",
    "removals",
    "access",
    "search_reads",
]

admin.site.login_form = login.Login
