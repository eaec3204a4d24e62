"""Models of log signatures, by which a search of history decides which text to read."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SignedPart(models.Model):
    """A range of a step's hosts whose logs share one signature: in `block`, at `slot`.

    The parts of a step follow each other by host; `last_host` of the last part is the largest
    number. A part without a signature has no slot; a part without text has no block. Partitioned by
    day and without foreign keys, like LogChunk.
    """

    pk = models.CompositePrimaryKey("day", "step_id", "first_host")
    day = models.DateField()
    step_id = models.BigIntegerField()
    first_host = models.BigIntegerField()
    last_host = models.BigIntegerField()
    # Bytes of text when it was signed.
    size = models.BigIntegerField()
    version = models.SmallIntegerField()
    block = models.BigIntegerField(null=True)
    slot = models.IntegerField(null=True)

    class Meta:
        verbose_name = _("signed part")
        verbose_name_plural = _("signed parts")
        indexes = [
            # The parts of a block: to rewrite it without some of them.
            models.Index(fields=["day", "block"], name="signedpart_of_block"),
        ]

    def __str__(self) -> str:
        return f"{self.step_id}: {self.first_host}–{self.last_host}"


class SignatureRow(models.Model):
    """Consecutive places of all signatures of a block, side by side (`signatures.Table`).

    It is not text, and text cannot be recovered from it. Partitioned by day and without foreign
    keys, like LogChunk.
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
