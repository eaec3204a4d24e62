"""Configuration of the Django app, and of the admin."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_dependencies
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _

from joblogs import checks


class LimitedAdminConfig(SimpleAdminConfig):
    """Configuration of the admin with this project's site.

    Model admins are loaded by the routes (`jobplatform/urls.py`) and by the check, not at start:
    most commands need neither, and would take a third longer to start.
    """

    default_site = "joblogs.pages.login_site.LimitedSite"

    def ready(self) -> None:
        register(check_dependencies, Tags.admin)
        register(checks.admin_as_loaded, Tags.admin)


class JoblogsConfig(AppConfig):
    name = "joblogs"
    verbose_name = _("job logs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the system checks, explicitly instead of by importing their module."""
        register(checks.retention_order, self.label)
        register(checks.write_transactions, self.label)
        register(checks.replica_engine, self.label)
        register(checks.record_limit, self.label)
        register(checks.debug_exposed, Tags.security)
        register(checks.plain_http, Tags.security, deploy=True)
        register(checks.any_host, Tags.security, deploy=True)
        register(checks.uncounted_proxies, Tags.security, deploy=True)
        register(checks.unverified_database, Tags.security, deploy=True)
