"""Models of the store's own state: the last maintenance run, the steps due, and the store's key."""

from __future__ import annotations

import secrets

from django.db import models


class ChangedStep(models.Model):
    """A step whose logs grew, finished or were masked since maintenance processed it.

    Each transaction inserts its own rows, so that none waits for another; maintenance deletes the
    rows that it read before it started. No foreign key: a step may be deleted before these rows.
    """

    step_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"step {self.step_id}"


class MaintenanceRun(models.Model):
    """The last run of `maintain_logs`; there is one row."""

    started_at = models.DateTimeField()
    # End of the last run that finished, which need not be the run that started last: a run that
    # failed or was killed has no end.
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    did = models.JSONField(default=dict)
    # Start of the last run that processed everything recent (`maintenance.runs.Sweep`).
    swept_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S}"


class StoreKey(models.Model):
    """The random key of this store's digests; there is one row, which is never exported."""

    key = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return "key of the store"

    @classmethod
    def of_this_store(cls) -> bytes:
        """Return the key; create it on first use."""
        held = cls.objects.first()
        if held is None:
            # Another process may create it at the same time: the first one wins.
            made = StoreKey(pk=1, key=secrets.token_bytes(32))
            StoreKey.objects.bulk_create([made], ignore_conflicts=True)
            held = cls.objects.get()
        return bytes(held.key)
