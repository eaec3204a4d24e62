"""Models of the failures of steps, as hashes: those of each run, and those known in a series."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .access import Scope
from .jobs import StepInstance

KEY_BYTES = 16
"""Bytes of the hashes of series and of failures."""


class FailureRun(models.Model):
    """A failure with which one attempt of a step ended. Hashes and numbers only
    (`grouping.failure_keys`). A successful attempt has one row, with an empty key.

    `series` is the hash of the names of job and step: runs with equal names are compared.
    """

    scope = models.ForeignKey(Scope, models.DO_NOTHING, db_index=False)
    series = models.BinaryField(max_length=KEY_BYTES)
    key = models.BinaryField(max_length=KEY_BYTES)
    # Milliseconds since the epoch: when the step started.
    at = models.BigIntegerField()
    # No constraint: a program of an older release deletes steps without deleting these rows, which
    # are deleted later.
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
            # One row for each failure of an attempt; deletion of a step.
            models.UniqueConstraint(fields=["step", "attempt", "key"], name="failurerun_of_step"),
        ]
        indexes = [
            # The run before this one.
            models.Index(fields=["scope", "series", "-at"], name="failurerun_of_series"),
            # The other runs of a failure, when one of its runs is deleted.
            models.Index(fields=["scope", "series", "key", "at"], name="failurerun_of_key"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id}: {bytes(self.key).hex()}"


class FailureSeen(models.Model):
    """A failure known in a series of runs: when it first occurred, how often and on how many hosts.

    The figures of the last run that had it are kept separately: on the page of that run, only the
    other runs count as earlier occurrences.
    """

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
