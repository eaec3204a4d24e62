"""Failures of steps as hashes: which have been seen, and with which of them each run ended."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .access import Scope
from .jobs import StepInstance

KEY_BYTES = 16


class FailureRun(models.Model):
    """A failure with which one attempt of a step ended; of one that ended well, a row without a
    key. Hashes and numbers only (`grouping.failure_keys`).

    `series` is the hash of the names of job and step: their runs are compared with each other.
    """

    scope = models.ForeignKey(Scope, models.DO_NOTHING, db_index=False)
    series = models.BinaryField(max_length=KEY_BYTES)
    key = models.BinaryField(max_length=KEY_BYTES)
    # Milliseconds since the epoch: when the step started.
    at = models.BigIntegerField()
    # An older program, which knows of no failures, deletes steps: what is left is forgotten later.
    step = models.ForeignKey(StepInstance, models.DO_NOTHING, db_index=False, db_constraint=False)
    attempt = models.IntegerField()
    status = models.IntegerField(null=True)
    exit_code = models.IntegerField(null=True)
    host_count = models.IntegerField()
    hosts = models.BinaryField(max_length=2048)

    class Meta:
        verbose_name = _("failure of a run")
        verbose_name_plural = _("failures of runs")
        constraints = [
            # Once for each job and attempt; what a step has when it goes.
            models.UniqueConstraint(fields=["step", "attempt", "key"], name="failurerun_of_step"),
        ]
        indexes = [
            # The run before this one.
            models.Index(fields=["scope", "series", "-at"], name="failurerun_of_series"),
            # What is left of a failure when one of its runs goes.
            models.Index(fields=["scope", "series", "key", "at"], name="failurerun_of_key"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id}: {bytes(self.key).hex()}"


class FailureSeen(models.Model):
    """A failure of a series of runs: since when it is known, how often it came and on how many
    hosts. Of the last run that had it its part is kept apart: there it was seen before only by the
    others."""

    scope = models.ForeignKey(Scope, models.DO_NOTHING, db_index=False)
    series = models.BinaryField(max_length=KEY_BYTES)
    key = models.BinaryField(max_length=KEY_BYTES)
    first_at = models.BigIntegerField()
    # Attempts and hosts before the last run.
    runs = models.IntegerField()
    hosts = models.BinaryField(max_length=2048)
    last_at = models.BigIntegerField()
    last_step_id = models.BigIntegerField()
    last_job_instance_id = models.BigIntegerField()
    last_runs = models.IntegerField()
    last_hosts = models.BinaryField(max_length=2048)

    class Meta:
        verbose_name = _("known failure")
        verbose_name_plural = _("known failures")
        constraints = [
            models.UniqueConstraint(fields=["scope", "series", "key"], name="failureseen_of_key"),
        ]

    def __str__(self) -> str:
        return bytes(self.key).hex()
