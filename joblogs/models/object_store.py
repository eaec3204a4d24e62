"""Models of the objects in an object store: those that exist and those to be deleted.

These rows decide: an object is never deleted because a listing of the object store has it and
they do not.
"""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _


class StoreId(models.Model):
    """The random id of this store in its object store: one row, which is never exported."""

    value = models.CharField(max_length=32)
    # Random, and also written to the object store. Each run that writes or deletes there replaces
    # it, so that a copy of this row is soon out of date.
    token = models.CharField(max_length=32, default="", db_default="")
    # The token that is about to be written there, or empty.
    next_token = models.CharField(max_length=32, default="", db_default="")

    def __str__(self) -> str:
        return self.value

    @classmethod
    def of_this_store(cls) -> str:
        """Return the id; create it on first use."""
        return cls.row().value

    @classmethod
    def row(cls) -> StoreId:
        """Return the current row; create it on first use."""
        row = cls.objects.first()
        if row is None:
            # Another process may create it at the same time: the first one wins.
            made = StoreId(pk=1, value=secrets.token_hex(16))
            StoreId.objects.bulk_create([made], ignore_conflicts=True)
            row = cls.objects.get()
        return row

    @property
    def tokens(self) -> set[str]:
        """The tokens that the object store may have."""
        return {self.token, self.next_token or self.token}

    def intend_token(self, token: str) -> str | None:
        """Record the token that is about to be written, and return it.

        Return the token recorded earlier if it was never settled, or None if another process has
        changed the row meanwhile.
        """
        if self.next_token:
            return self.next_token
        rows = StoreId.objects.filter(pk=self.pk, token=self.token, next_token="")
        return token if rows.update(next_token=token) else None

    def settle_token(self, token: str) -> None:
        """Record that the intended token has been written."""
        rows = StoreId.objects.filter(pk=self.pk, next_token=token)
        rows.update(token=token, next_token="")


class StoredObjects(models.QuerySet["StoredObject"]):
    """QuerySet of objects."""

    def intents(self) -> StoredObjects:
        """Filter to objects that are being written and that nothing points to yet."""
        return self.filter(state=StoredObject.State.INTENT)

    def written(self) -> StoredObjects:
        """Filter to objects that packs point to."""
        return self.filter(state=StoredObject.State.WRITTEN)

    def with_dead_bytes(self) -> StoredObjects:
        """Filter to objects with bytes that no pack points to any more."""
        return self.written().filter(held_size__lt=models.F("size"))

    def take(self, pk: int, size: int, *, at_once: bool) -> None:
        """Count `size` bytes of an object as unused; with `at_once` it must be rewritten now."""
        left: dict[str, object] = {"held_size": Greatest(models.F("held_size") - size, 0)}
        self.filter(pk=pk).update(**left, **({"at_once": True} if at_once else {}))


class StoredObject(models.Model):
    """An object with packs of one scope and day, or one that is about to be written.

    It has no foreign keys, because it may outlive its packs until it is deleted.
    """

    class State(models.IntegerChoices):
        """Choices of an object's state. An intent is committed before the first byte is sent."""

        INTENT = 0, _("to be written")
        WRITTEN = 1, _("written")

    # STORE/DAY/SCOPE/random; nothing in it is derived from log text.
    key = models.CharField(max_length=160, unique=True)
    day = models.DateField()
    scope_id = models.BigIntegerField()
    size = models.BigIntegerField()
    # Bytes of the packs that point here; less than `size` once some of these were deleted.
    held_size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    state = models.SmallIntegerField(choices=State.choices, default=State.INTENT)
    # A part was redacted or removed: the rest is rewritten to a new object and this one is deleted.
    at_once = models.BooleanField(default=False)
    # Milliseconds since the epoch.
    created_at = models.BigIntegerField()

    objects = StoredObjects.as_manager()

    class Meta:
        indexes = [
            # Expiry of a whole day.
            models.Index(fields=["day", "state"], name="storedobject_day"),
        ]

    def __str__(self) -> str:
        return self.key


class ObjectToDelete(models.Model):
    """The key of an object to be deleted, inserted by the transaction that deleted its rows."""

    key = models.CharField(max_length=160, unique=True)
    size = models.BigIntegerField()
    # Earliest time of the deletion, in milliseconds since the epoch.
    due_at = models.BigIntegerField()
    # Time of a second deletion, in milliseconds since the epoch, or 0: the process that wrote the
    # object was killed, and its bytes may still arrive.
    again_at = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        indexes = [
            # Deletions that are due: maintain_logs.
            models.Index(fields=["due_at"], name="objecttodelete_due"),
        ]

    def __str__(self) -> str:
        return self.key
