"""Logins that failed lately."""

from __future__ import annotations

from django.db import models


class FailedLogins(models.Model):
    """How often one name failed from one address or browser, and when it may be tried again."""

    # SHA-256 of both: people type passwords where names belong.
    key = models.BinaryField(max_length=32, primary_key=True)
    failures = models.IntegerField(default=0)
    # Milliseconds since the epoch; also what is swept by.
    free_at = models.BigIntegerField(db_default=0, db_index=True)

    def __str__(self) -> str:
        return f"{self.failures} until {self.free_at}"
