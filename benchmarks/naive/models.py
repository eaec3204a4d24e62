"""A row is a piece as it came, or a whole log."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Step(models.Model):
    job_instance_id = models.BigIntegerField(db_index=True)
    step_instance_id = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return str(self.step_instance_id)


class Grant(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    bk_scope_id = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.bk_scope_id


class LogRead(models.Model):
    at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    step = models.ForeignKey(Step, models.CASCADE)
    hosts = models.IntegerField()

    def __str__(self) -> str:
        return str(self.at)


class ScriptLog(models.Model):
    step = models.ForeignKey(Step, models.CASCADE, related_name="logs")
    bk_host_id = models.BigIntegerField()
    bk_cloud_id = models.BigIntegerField(default=0)
    ip = models.CharField(max_length=64)
    ipv6 = models.CharField(max_length=64, null=True)  # noqa: DJ001 - as ours
    offset = models.BigIntegerField()
    content = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["step", "bk_host_id", "offset"], name="naive_of_host")]

    def __str__(self) -> str:
        return f"{self.bk_host_id} @ {self.offset}"
