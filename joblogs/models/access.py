"""Models of access: scopes, apps that call the API, their grants and tokens; failed logins."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from joblogs.choices import ScopeType

from .base import FastLoadModel


class Scope(FastLoadModel):
    """A business or business set. Access is granted by scope, and job numbers are unique in one."""

    scope_type = models.CharField(_("scope type"), max_length=16, choices=ScopeType.choices)
    scope_id = models.CharField(_("scope id"), max_length=64)
    name = models.CharField(_("name"), max_length=512, blank=True, default="")
    # Update time of the job record that named the scope, or the job's create time (milliseconds
    # since the epoch): the later name wins, in whichever order the records arrive.
    named_at = models.BigIntegerField(default=0, editable=False)
    groups = models.ManyToManyField(
        Group,
        verbose_name=_("groups"),
        blank=True,
        related_name="scopes",
        help_text=_("Staff groups that can browse it."),
    )
    retention_days = models.PositiveIntegerField(
        _("log retention"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(365_000)],
        help_text=_("In days. Leave empty to use the setting."),
    )
    history_days = models.PositiveIntegerField(
        _("history retention"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(365_000)],
        help_text=_("In days. Leave empty to use the setting."),
    )
    object_days = models.PositiveIntegerField(
        _("days until object storage"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(365_000)],
        help_text=_("In days; 0 keeps logs in the database. Leave empty to use the setting."),
    )

    class Meta:
        verbose_name = _("scope")
        verbose_name_plural = _("scopes")
        constraints = [
            models.UniqueConstraint(fields=["scope_type", "scope_id"], name="scope_type_and_id"),
        ]

    def __str__(self) -> str:
        return f"{self.scope_type}:{self.scope_id}"


class App(FastLoadModel):
    """A client application that calls the API."""

    app_code = models.CharField(_("app code"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=256, blank=True, default="")
    # SHA-256 of 32 random bytes that this store generated: not a password, so no password hasher.
    secret_sha256 = models.BinaryField(max_length=32, editable=False)
    active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Requests of the minute numbered `rate_minute` (since the epoch), counted only with RATE_LIMIT.
    rate_minute = models.BigIntegerField(default=0, editable=False)
    rate_used = models.IntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("app")
        verbose_name_plural = _("apps")

    def __str__(self) -> str:
        return self.app_code


class AppGrant(models.Model):
    """Rights of an app in one scope, or in all scopes."""

    app = models.ForeignKey(App, models.CASCADE, related_name="grants", verbose_name=_("app"))
    scope = models.ForeignKey(
        Scope,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="grants",
        verbose_name=_("scope"),
        help_text=_("Leave empty for all scopes, including future ones."),
    )
    read = models.BooleanField(_("read"), default=True)
    write = models.BooleanField(_("write"), default=False)
    audit = models.BooleanField(
        _("audit"),
        default=False,
        db_default=False,
        help_text=_("May read who read which logs."),
    )

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.UniqueConstraint(
                fields=["app", "scope"],
                condition=models.Q(scope__isnull=False),
                name="appgrant_app_and_scope",
            ),
            models.UniqueConstraint(
                fields=["app"], condition=models.Q(scope__isnull=True), name="appgrant_all_scopes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.app_id} → {self.scope_id or '*'}"


class AppToken(models.Model):
    """Bearer token of an app, for clients that cannot send its code and secret.

    It never has more rights than the app.
    """

    app = models.ForeignKey(App, models.CASCADE, related_name="tokens", verbose_name=_("app"))
    name = models.CharField(
        _("name"), max_length=64, help_text=_("Log reads with this token show it.")
    )
    # SHA-256 of a prefix and 32 random bytes that this store generated.
    digest = models.BinaryField(max_length=32, editable=False)
    scope = models.ForeignKey(
        Scope,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="tokens",
        verbose_name=_("scope"),
        help_text=_("Leave empty for all scopes of the app."),
    )
    read = models.BooleanField(_("read"), default=True, db_default=True)
    write = models.BooleanField(_("write"), default=False, db_default=False)
    audit = models.BooleanField(_("audit"), default=False, db_default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="apptoken_digest"),
            models.UniqueConstraint(
                fields=["app", "name"],
                condition=models.Q(revoked_at__isnull=True),
                name="apptoken_app_and_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_valid(self) -> bool:
        """Whether the token is neither revoked nor expired."""
        expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.revoked_at is None and not expired


class FailedLogins(models.Model):
    """Failed logins of one name from one address or browser, and when it may be tried again."""

    # SHA-256 of name and address or browser: people type passwords where names belong.
    key = models.BinaryField(max_length=32, primary_key=True)
    failures = models.IntegerField(default=0)
    # Milliseconds since the epoch. Rows are deleted long after it.
    free_at = models.BigIntegerField(db_default=0, db_index=True)

    def __str__(self) -> str:
        return f"{self.failures} until {self.free_at}"
