"""Runs of jobs and their steps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from joblogs.choices import LaunchMode, RunStatus, ScriptLanguage, StepType, TaskType

from .access import Scope
from .base import FastLoadModel, distinct_days


class Run(FastLoadModel):
    """What a job and a step have in common. Times are milliseconds since the epoch."""

    name = models.CharField(_("name"), max_length=512, blank=True)
    status = models.IntegerField(_("status"), choices=RunStatus.choices, default=RunStatus.RUNNING)
    # How often it was run again; with update_time and the status's rank it orders what producers
    # say about a row (docs/records.md, "Rows change forwards only").
    execute_count = models.IntegerField(_("execute count"), default=0)
    update_time = models.BigIntegerField(_("updated"), null=True, blank=True)
    create_time = models.BigIntegerField(_("created"))
    start_time = models.BigIntegerField(_("started"), null=True, blank=True)
    end_time = models.BigIntegerField(_("ended"), null=True, blank=True)
    total_time = models.BigIntegerField(_("duration"), null=True, blank=True)
    # UTC date of the JOB's create_time, on every row below it: the one partition key of log text.
    day = models.DateField(_("day"), editable=False)

    class Meta:
        abstract = True


class JobInstanceQuerySet(models.QuerySet["JobInstance"]):
    """QuerySet of jobs."""

    def held(self) -> JobInstanceQuerySet:
        """Those that are kept whatever their age (`maintenance.legal_hold`)."""
        return self.exclude(held_at=None)

    def days(self) -> Iterator[date]:
        """The days that have jobs, ascending."""
        return distinct_days(self)

    def not_held(self) -> JobInstanceQuerySet:
        """Those that may grow old."""
        return self.filter(held_at=None)


class JobInstance(Run):
    """One run of a job. A number is a job only within its scope."""

    scope = models.ForeignKey(
        Scope, models.PROTECT, related_name="jobs", verbose_name=_("scope"), db_index=False
    )
    job_instance_id = models.BigIntegerField(_("job instance id"))
    operator = models.CharField(_("operator"), max_length=256, blank=True, default="")
    source = models.CharField(_("source"), max_length=256, blank=True, default="")
    launch_mode = models.IntegerField(
        _("launch mode"), choices=LaunchMode.choices, default=LaunchMode.API
    )
    task_type = models.IntegerField(
        _("task type"), choices=TaskType.choices, default=TaskType.SCRIPT
    )
    held_at = models.DateTimeField(_("held since"), null=True, blank=True)
    held_by = models.CharField(_("held by"), max_length=256, blank=True, default="")
    expired_at = models.BigIntegerField(_("logs expired"), null=True, blank=True)
    expired_policy = models.CharField(_("policy"), max_length=256, blank=True, default="")

    objects = JobInstanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("job instance")
        verbose_name_plural = _("job instances")
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "job_instance_id"], name="jobinstance_scope_and_number"
            ),
        ]
        indexes = [
            # The jobs of a scope, newest first: get_job_instance_list and the jobs page.
            models.Index(fields=["scope", "-create_time", "-id"], name="jobinstance_of_scope"),
            # The jobs of several scopes, newest first: the jobs page.
            models.Index(fields=["-create_time", "-id"], name="jobinstance_newest"),
            # Those of a status, newest first: one that few jobs have is not looked for in all.
            models.Index(fields=["status", "-create_time", "-id"], name="jobinstance_of_status"),
            # Those of an operator in a scope, newest first: get_job_instance_list counts them.
            models.Index(
                fields=["scope", "operator", "-create_time", "-id"], name="jobinstance_of_operator"
            ),
            # A number without its scope: ingest asks which job a record means, admin search.
            models.Index(fields=["job_instance_id"], name="jobinstance_number"),
            # Retention, day by day; the admin's list, newest first.
            models.Index(fields=["day", "id"], name="jobinstance_day"),
            # The admin's filter: the few that are held, however old.
            models.Index(
                fields=["-day", "-id"],
                name="jobinstance_held",
                condition=models.Q(held_at__isnull=False),
            ),
            # Whose logs are due to go: what has expired is kept for longer, and not looked at.
            models.Index(
                fields=["scope", "day"],
                name="jobinstance_unexpired",
                condition=models.Q(expired_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.job_instance_id}"


class StepInstance(Run):
    """One step of a job. Its step_type never changes."""

    # Here and below nothing cascades in Python: `maintenance` deletes from the leaves up, in bulk,
    # and the database's own constraints hold whoever else tries.
    job = models.ForeignKey(
        JobInstance, models.DO_NOTHING, related_name="steps", verbose_name=_("job"), db_index=False
    )
    step_instance_id = models.BigIntegerField(_("step instance id"))
    step_type = models.IntegerField(_("step type"), choices=StepType.choices)
    position = models.IntegerField(_("position"), null=True, blank=True)
    # What a producer knows of the task: answered, never interpreted.
    script_language = models.IntegerField(
        _("script language"), null=True, blank=True, choices=ScriptLanguage.choices
    )
    account = models.CharField(_("account"), max_length=256, null=True, blank=True)  # noqa: DJ001 - null: not known
    timeout = models.IntegerField(_("timeout (s)"), null=True, blank=True)
    script_param = models.CharField(  # noqa: DJ001 - as above
        _("script parameters"), max_length=8192, null=True, blank=True
    )
    script_param_sensitive = models.BooleanField(
        _("script parameters are sensitive"), null=True, blank=True
    )
    # JSON of `records.FileSource`: as text it costs nothing where a step is read for its logs.
    file_sources = models.TextField(_("file sources"), null=True, blank=True)  # noqa: DJ001 - as above
    file_target_path = models.CharField(  # noqa: DJ001 - as above
        _("target path"), max_length=8192, null=True, blank=True
    )
    # The last number of a LogPack that was given out: none is given out twice.
    last_pack = models.IntegerField(default=0, db_default=0, editable=False)

    class Meta:
        verbose_name = _("step instance")
        verbose_name_plural = _("step instances")
        constraints = [
            models.UniqueConstraint(
                fields=["job", "step_instance_id"], name="stepinstance_job_and_number"
            ),
        ]
        indexes = [
            # Admin search by number.
            models.Index(fields=["step_instance_id"], name="stepinstance_number"),
        ]

    def __str__(self) -> str:
        return f"{self.name} · {self.step_instance_id}"

    @property
    def prints_output(self) -> bool:
        """Whether its hosts print something: what a file step has of them are file logs."""
        return self.step_type != StepType.FILE
