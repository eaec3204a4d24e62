"""Models of the audit log: who read, searched, masked or removed logs."""

from __future__ import annotations

import functools
import operator
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from .access import Scope


class Redaction(models.Model):
    """A run of `redact_logs`, which masks secrets in stored logs. The secrets are not recorded."""

    started_at = models.DateTimeField(_("time"))
    # None while it runs, and for ever if it was interrupted: what it did by then is counted.
    finished_at = models.DateTimeField(_("finished"), null=True)
    by = models.CharField(_("user"), max_length=256)
    patterns = models.TextField(_("patterns"))
    selection = models.TextField(_("selection"))
    looked = models.BigIntegerField(_("logs checked"), default=0)
    logs = models.BigIntegerField(_("logs masked"), default=0)
    places = models.BigIntegerField(_("places masked"), default=0)
    found = models.JSONField(_("places by pattern"), default=dict)

    class Meta:
        verbose_name = _("redaction")
        verbose_name_plural = _("redactions")

    def __str__(self) -> str:
        return f"{self.by} · {self.patterns}"


class Removal(models.Model):
    """A run of `remove_jobs` or of the admin's action, without foreign keys to what it removed."""

    started_at = models.DateTimeField(_("time"))
    # None while it runs, and for ever if it was interrupted: what it did by then is counted.
    finished_at = models.DateTimeField(_("finished"), null=True)
    by = models.CharField(_("user"), max_length=256)
    selection = models.TextField(_("selection"))
    jobs = models.BigIntegerField(_("jobs removed"), default=0)
    results = models.BigIntegerField(_("host results removed"), default=0)
    size = models.BigIntegerField(_("bytes of text removed"), default=0)
    held = models.BigIntegerField(_("held jobs kept"), default=0)

    class Meta:
        verbose_name = _("removal")
        verbose_name_plural = _("removals")

    def __str__(self) -> str:
        return f"{self.by} · {self.selection}"


class LogReadQuerySet(models.QuerySet["LogRead"]):
    """QuerySet of log reads."""

    def in_scopes(self, scopes: Iterable[Scope]) -> LogReadQuerySet:
        """Filter to reads of logs of these scopes."""
        ids: dict[str, list[str]] = defaultdict(list)
        for scope in scopes:
            ids[scope.scope_type].append(scope.scope_id)
        places = (models.Q(scope_type=kind, scope_id__in=ids[kind]) for kind in sorted(ids))
        return self.filter(functools.reduce(operator.or_, places, models.Q(pk__in=[])))

    def time_of_last(self, scopes: Iterable[Scope], *, length: int) -> datetime | None:
        """Return the time of the `length`-th newest read of a scope: the newest such time.

        None if none of these scopes has `length` reads.
        """
        of_scope = self.filter(
            scope_type=models.OuterRef("scope_type"), scope_id=models.OuterRef("scope_id")
        ).order_by("-at", "-pk")
        last = models.Subquery(of_scope.values("at")[length - 1 : length])
        times = Scope.objects.filter(pk__in=[scope.pk for scope in scopes]).annotate(time=last)
        since: datetime | None = times.aggregate(newest=models.Max("time"))["newest"]
        return since


class LogRead(models.Model):
    """A read of log text. It has no foreign keys, because it outlives the logs it describes."""

    at = models.DateTimeField(_("time"))
    who = models.CharField(_("user"), max_length=256)
    # The app that called the API; empty for a user of the pages.
    app_code = models.CharField(_("app"), max_length=64, blank=True, default="")
    # The name of the app's token that was used; empty if it was the app's secret.
    token = models.CharField(_("token"), max_length=64, blank=True, default="", db_default="")
    # True for a login, a gateway's token or a management command. False: only the app says so.
    user_verified = models.BooleanField(_("user verified"), default=False, db_default=False)
    channel = models.CharField(_("channel"), max_length=64)
    scope_type = models.CharField(_("scope type"), max_length=16)
    scope_id = models.CharField(_("scope id"), max_length=64)
    job_instance_id = models.BigIntegerField(_("job instance id"))
    step_instance_id = models.BigIntegerField(_("step instance id"), null=True)
    host_count = models.IntegerField(_("hosts"))
    size = models.BigIntegerField(_("bytes"))
    # The polls of one minute share a row: `size` is their sum, `host_count` that of one response.
    answers = models.IntegerField(_("responses"), default=1, db_default=1)
    poll_key = models.BinaryField(max_length=32, null=True, editable=False)

    objects = LogReadQuerySet.as_manager()

    class Meta:
        verbose_name = _("log read")
        verbose_name_plural = _("log reads")
        indexes = [
            # Who read this job?
            models.Index(fields=["job_instance_id"], name="logread_job"),
            # Deletion by age.
            models.Index(fields=["at"], name="logread_at"),
            # Who read this step? Searches in the admin use this index and the two below.
            models.Index(fields=["step_instance_id"], name="logread_step"),
            # Newest first, because a user or an app can have any number of reads. Without the order
            # the planner may expect many rows of a user who has none, and scan all reads by time.
            models.Index(fields=["who", "-at", "-id"], name="logread_of_user"),
            models.Index(fields=["app_code", "-at", "-id"], name="logread_of_app"),
            # The newest reads of some scopes: the admin's list for their staff.
            models.Index(fields=["scope_type", "scope_id", "-at", "-id"], name="logread_of_scope"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["poll_key"],
                condition=models.Q(poll_key__isnull=False),
                name="logread_one_row_of_polls",
            )
        ]

    def __str__(self) -> str:
        return f"{self.who} · {self.channel} · {self.job_instance_id}"


class SearchRead(models.Model):
    """A search of the logs of many jobs. Like a LogRead it has no foreign keys.

    The search text is stored only as a keyed digest. Each step whose text was shown also has a
    LogRead.
    """

    at = models.DateTimeField(_("time"))
    who = models.CharField(_("user"), max_length=256)
    app_code = models.CharField(_("app"), max_length=64, blank=True, default="")
    token = models.CharField(_("token"), max_length=64, blank=True, default="")
    user_verified = models.BooleanField(_("user verified"), default=False)
    channel = models.CharField(_("channel"), max_length=64)
    # Such as "biz:2"; for a reader of all scopes, the scopes that had steps in the period.
    scopes = models.TextField(_("scopes"))
    since = models.DateField(_("from"))
    until = models.DateField(_("to"))
    question = models.BinaryField(_("digest of the question"), max_length=32)
    steps = models.BigIntegerField(_("steps searched"))
    read_steps = models.BigIntegerField(_("steps read"))
    found_steps = models.BigIntegerField(_("steps with hits"))
    size = models.BigIntegerField(_("bytes"))
    # The steps searched, compressed (`search_audit`).
    searched = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("search of history")
        verbose_name_plural = _("searches of history")
        indexes = [
            # Deletion by age, and searches since a job ran.
            models.Index(fields=["at"], name="searchread_at"),
        ]

    def __str__(self) -> str:
        return f"{self.who} · {self.channel} · {self.scopes}"
