"""Logins that failed lately."""

from __future__ import annotations

from django.db import models


class FailedLogins(models.Model):
    """How often one name failed from one address within one span of minutes."""

    # SHA-256 of both: people type passwords where names belong.
    key = models.BinaryField(max_length=32, primary_key=True)
    span = models.BigIntegerField(db_index=True)  # also what is swept by
    failures = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.failures} in {self.span}"
