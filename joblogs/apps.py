"""The Django app."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_dependencies
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _

from joblogs import checks


class LimitedAdminConfig(SimpleAdminConfig):
    """The admin, with our own site in place of Django's.

    What it shows is loaded with the addresses (`jobplatform/urls.py`), and to be checked: most
    commands look at neither, and would start a third later.
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
        """Register the checks here, by name: importing a module must not do it in passing."""
        register(checks.retention_order, self.label)
        register(checks.write_transactions, self.label)
        register(checks.replica_engine, self.label)
        register(checks.record_limit, self.label)
        register(checks.debug_exposed, Tags.security)
        register(checks.plain_http, Tags.security, deploy=True)
        register(checks.any_host, Tags.security, deploy=True)
        register(checks.uncounted_proxies, Tags.security, deploy=True)
        register(checks.unverified_database, Tags.security, deploy=True)
