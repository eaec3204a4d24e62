"""Signatures of logs: what a search over history asks before it reads any text."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SignedPart(models.Model):
    """Some of a step's hosts, whose logs have a signature: in `block`, at `slot`.

    The parts of a step follow each other by host; the last one's `last_host` is the largest number.
    A part of which no signature could be made has no slot; one without text no block. By day and
    without foreign keys, as LogChunk is.
    """

    pk = models.CompositePrimaryKey("day", "step_id", "first_host")
    day = models.DateField()
    step_id = models.BigIntegerField()
    first_host = models.BigIntegerField()
    last_host = models.BigIntegerField()
    # Bytes of text as of then.
    size = models.BigIntegerField()
    version = models.SmallIntegerField()
    block = models.BigIntegerField(null=True)
    slot = models.IntegerField(null=True)

    class Meta:
        verbose_name = _("signed part")
        verbose_name_plural = _("signed parts")
        indexes = [
            # The parts of a block: to write it anew without some of them.
            models.Index(fields=["day", "block"], name="signedpart_of_block"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id}: {self.first_host}–{self.last_host}"


class SignatureRow(models.Model):
    """Consecutive places of the signatures of a block, one beside the other (`signatures.Table`).

    Never text, and no text can be made of it. By day and without foreign keys, as LogChunk is.
    """

    pk = models.CompositePrimaryKey("day", "page", "block")
    day = models.DateField()
    page = models.IntegerField()
    block = models.BigIntegerField()
    # Places of a signature in the block as a power of two; bytes of each place.
    bits = models.SmallIntegerField()
    width = models.SmallIntegerField()
    data = models.BinaryField(max_length=2048)

    class Meta:
        verbose_name = _("row of signatures")
        verbose_name_plural = _("rows of signatures")

    def __str__(self) -> str:
        return f"{self.block} @ {self.page}"
