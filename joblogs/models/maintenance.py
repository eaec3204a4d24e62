"""When the store was last kept up."""

from __future__ import annotations

from django.db import models


class UpkeepRun(models.Model):
    """The last run of maintain_logs; the only row. A run that failed or was killed has no end."""

    started_at = models.DateTimeField()
    # Of the last run that came to its end, which need not be the one that started last.
    finished_at = models.DateTimeField(null=True)
    seconds = models.FloatField(default=0)
    did = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S}"
