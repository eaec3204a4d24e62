"""What the store knows about itself: when it was last kept up, what is due, and its own key."""

from __future__ import annotations

import secrets

from django.db import models


class ChangedStep(models.Model):
    """A step whose logs changed since maintenance looked at them: they grew, finished, were masked.

    Each transaction adds rows of its own, so that none waits for another; maintenance deletes the
    rows that it read before it looked. Plain values: a step may go before its rows do.
    """

    step_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"step {self.step_id}"


class MaintenanceRun(models.Model):
    """The last run of maintain_logs; the only row. A run that failed or was killed has no end."""

    started_at = models.DateTimeField()
    # Of the last run that came to its end, which need not be the one that started last.
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    did = models.JSONField(default=dict)
    # When one began that looked through all that is recent (`maintenance.runs.Sweep`).
    swept_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S}"


class StoreKey(models.Model):
    """The random key of this store's own digests; the only row. No export carries it."""

    key = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return "key of the store"

    @classmethod
    def of_this_store(cls) -> bytes:
        """The key, made when it is first needed."""
        held = cls.objects.first()
        if held is None:
            # Somebody else may make it at the same time: the first one counts.
            made = StoreKey(pk=1, key=secrets.token_bytes(32))
            StoreKey.objects.bulk_create([made], ignore_conflicts=True)
            held = cls.objects.get()
        return bytes(held.key)
