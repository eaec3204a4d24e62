"""Tables about objects in an object store: what lies there, and what is to go from there.

Their rows are the truth: nothing in the object store is deleted because a listing knows it and
they do not.
"""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _


class StoreId(models.Model):
    """The random id of this store in its object store; the only row. No export carries it."""

    value = models.CharField(max_length=32)
    # Random; written to the object store too, and another one with each run that writes or deletes
    # there: what a copy of this row says is soon something that was.
    token = models.CharField(max_length=32, default="", db_default="")
    # The token that is about to be written there; empty if none is.
    next_token = models.CharField(max_length=32, default="", db_default="")

    def __str__(self) -> str:
        return self.value

    @classmethod
    def of_this_store(cls) -> str:
        """The id, made when it is first needed."""
        return cls.row().value

    @classmethod
    def row(cls) -> StoreId:
        """The row as it is now, made when it is first needed."""
        row = cls.objects.first()
        if row is None:
            # Somebody else may make it at the same time: the first one counts.
            made = StoreId(pk=1, value=secrets.token_hex(16))
            StoreId.objects.bulk_create([made], ignore_conflicts=True)
            row = cls.objects.get()
        return row

    @property
    def tokens(self) -> set[str]:
        """The tokens of which one is in the object store."""
        return {self.token, self.next_token or self.token}

    def intend_token(self, token: str) -> str | None:
        """Write down which token is going to be written: this one, or one that was intended
        already. None if another process changed the row meanwhile."""
        if self.next_token:
            return self.next_token
        rows = StoreId.objects.filter(pk=self.pk, token=self.token, next_token="")
        return token if rows.update(next_token=token) else None

    def settle_token(self, token: str) -> None:
        """Write down that the one that was intended has been written."""
        rows = StoreId.objects.filter(pk=self.pk, next_token=token)
        rows.update(token=token, next_token="")


class StoredObjects(models.QuerySet["StoredObject"]):
    """QuerySet of objects."""

    def intents(self) -> StoredObjects:
        """Those that were to be written and that nothing points to yet."""
        return self.filter(state=StoredObject.State.INTENT)

    def written(self) -> StoredObjects:
        """Those that packs point to."""
        return self.filter(state=StoredObject.State.WRITTEN)

    def with_dead_bytes(self) -> StoredObjects:
        """Those that hold bytes which no pack points to any more."""
        return self.written().filter(held_size__lt=models.F("size"))

    def take(self, pk: int, size: int, *, at_once: bool) -> None:
        """Count `size` bytes of one as no longer pointed to; `at_once`: they have to go now."""
        left: dict[str, object] = {"held_size": Greatest(models.F("held_size") - size, 0)}
        self.filter(pk=pk).update(**left, **({"at_once": True} if at_once else {}))


class StoredObject(models.Model):
    """An object that holds packs of one scope and day, or that is about to be written.

    Plain values, no foreign keys: it outlives what it was made of until it is deleted.
    """

    class State(models.IntegerChoices):
        """How far it is. An intent is committed before the first byte is sent."""

        INTENT = 0, _("to be written")
        WRITTEN = 1, _("written")

    # STORE/DAY/SCOPE/random: nothing of it is made of text.
    key = models.CharField(max_length=160, unique=True)
    day = models.DateField()
    scope_id = models.BigIntegerField()
    size = models.BigIntegerField()
    # Bytes of packs that point here; less than `size` once some have gone.
    held_size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    state = models.SmallIntegerField(choices=State.choices, default=State.INTENT)
    # What went from it was redacted or removed: the rest is written anew and it is deleted now.
    at_once = models.BooleanField(default=False)
    # Milliseconds since the epoch.
    created_at = models.BigIntegerField()

    objects = StoredObjects.as_manager()

    class Meta:
        indexes = [
            # expiry of a whole day: its objects
            models.Index(fields=["day", "state"], name="storedobject_day"),
        ]

    def __str__(self) -> str:
        return self.key


class ObjectToDelete(models.Model):
    """The key of an object that is to be deleted, written by the transaction that took its rows."""

    key = models.CharField(max_length=160, unique=True)
    size = models.BigIntegerField()
    # Milliseconds since the epoch: not before.
    due_at = models.BigIntegerField()
    # The same: it is deleted once more then, as who wrote it was killed and it may arrive late; 0
    # if it is not.
    again_at = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        indexes = [
            # maintain_logs: what is due
            models.Index(fields=["due_at"], name="objecttodelete_due"),
        ]

    def __str__(self) -> str:
        return self.key
