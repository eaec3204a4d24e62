"""Models of the runs of jobs and of their steps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from joblogs.choices import LaunchMode, RunStatus, ScriptLanguage, StepType, TaskType

from .access import Scope
from .base import FastLoadModel, distinct_days


class Run(FastLoadModel):
    """Abstract model of a run: fields of jobs and steps. Times are milliseconds since the epoch."""

    name = models.CharField(_("name"), max_length=512, blank=True)
    status = models.IntegerField(_("status"), choices=RunStatus.choices, default=RunStatus.RUNNING)
    # How often it was run again. With update_time and the rank of the status it decides which of
    # two records is newer (docs/records.md, "Rows change forwards only").
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
        """Filter to jobs under legal hold, which retention skips (`maintenance.legal_hold`)."""
        return self.exclude(held_at=None)

    def days(self) -> Iterator[date]:
        """Yield the days that have jobs, ascending."""
        return distinct_days(self)

    def not_held(self) -> JobInstanceQuerySet:
        """Filter to jobs that retention may delete."""
        return self.filter(held_at=None)


class JobInstance(Run):
    """One run of a job. Its number is unique only within its scope."""

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
            # The jobs of a status, newest first: for a rare status not all jobs are scanned.
            models.Index(fields=["status", "-create_time", "-id"], name="jobinstance_of_status"),
            # The jobs of an operator in a scope, newest first: get_job_instance_list counts them.
            models.Index(
                fields=["scope", "operator", "-create_time", "-id"], name="jobinstance_of_operator"
            ),
            # A number without its scope: ingest looks up the job of a record; admin search.
            models.Index(fields=["job_instance_id"], name="jobinstance_number"),
            # Retention by day; the admin's list, newest first.
            models.Index(fields=["day", "id"], name="jobinstance_day"),
            # The admin's filter: the few held jobs, of any age.
            models.Index(
                fields=["-day", "-id"],
                name="jobinstance_held",
                condition=models.Q(held_at__isnull=False),
            ),
            # Jobs whose logs are due to expire; expired jobs are kept for longer and skipped.
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

    # From here down nothing cascades in Python: `maintenance` deletes in bulk, from the leaves up,
    # and constraints in the database refuse any other order.
    job = models.ForeignKey(
        JobInstance, models.DO_NOTHING, related_name="steps", verbose_name=_("job"), db_index=False
    )
    step_instance_id = models.BigIntegerField(_("step instance id"))
    step_type = models.IntegerField(_("step type"), choices=StepType.choices)
    position = models.IntegerField(_("position"), null=True, blank=True)
    # What the producer states about the task: returned by the API, never interpreted.
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
    # JSON of `records.FileSource`; as text it is not parsed where a step is loaded for its logs.
    file_sources = models.TextField(_("file sources"), null=True, blank=True)  # noqa: DJ001 - as above
    file_target_path = models.CharField(  # noqa: DJ001 - as above
        _("target path"), max_length=8192, null=True, blank=True
    )
    # The last LogPack number that was assigned: no number is assigned twice.
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
        """Whether hosts have output; those of a file step have file logs instead."""
        return self.step_type != StepType.FILE
