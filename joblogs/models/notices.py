"""Models of saved searches, of new text that is not searched yet, and of notices about matches.

No row holds log text, only keys and offsets; the text of a notice is read when it is sent.
"""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .access import Scope


class NoticeChannel(TextChoices):
    """Choices of how a notice is sent."""

    WEBHOOK = "webhook", _("webhook")
    MAIL = "mail", _("mail")


class SavedSearch(models.Model):
    """Search of incoming logs on behalf of its owner, and where its notices are sent."""

    name = models.CharField(_("name"), max_length=128)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("owner"), related_name="+"
    )
    scope = models.ForeignKey(
        Scope, models.CASCADE, verbose_name=_("scope"), related_name="+", db_index=False
    )
    job_name = models.CharField(
        _("job name"),
        max_length=512,
        blank=True,
        default="",
        help_text=_("Leave empty for all jobs; * stands for any text."),
    )
    pattern = models.CharField(
        _("text"),
        max_length=1024,
        blank=True,
        default="",
        help_text=_("Text that the output holds."),
    )
    is_regex = models.BooleanField(_("regular expression"), default=False)
    ignores_case = models.BooleanField(_("ignore case"), default=False)
    # Final statuses of a step; if there is a text too, both must match.
    statuses = models.JSONField(_("statuses"), default=list, blank=True)
    channel = models.CharField(
        _("channel"),
        max_length=16,
        choices=NoticeChannel.choices,
        default=NoticeChannel.WEBHOOK,
    )
    target = models.CharField(
        _("target"), max_length=1024, help_text=_("Address of the webhook, or of a mailbox.")
    )
    language = models.CharField(
        _("language"), max_length=16, choices=settings.LANGUAGES, default="en"
    )
    active = models.BooleanField(_("active"), default=True)
    # Why it was switched off automatically: a word of `notices.reasons`; empty if a user did it.
    off_reason = models.CharField(max_length=32, blank=True, default="", editable=False)
    # The signing secret is derived from the nonce and SECRET_KEY; its hash shows whether SECRET_KEY
    # has changed.
    secret_nonce = models.BinaryField(max_length=32, default=bytes, editable=False)
    secret_sha256 = models.BinaryField(max_length=32, default=bytes, editable=False)
    # When a failing receiver may be tried again.
    next_try_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("saved search")
        verbose_name_plural = _("saved searches")
        indexes = [
            # Whether a scope has saved searches: queried by ingest.
            models.Index(
                fields=["scope"], name="savedsearch_active", condition=models.Q(active=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owner_user(self) -> User:
        """The owner, typed as a User."""
        assert isinstance(self.owner, User)  # noqa: S101 - the project has no other users
        return self.owner


class NoticeWork(models.Model):
    """What one transaction of ingest added, for saved searches to search.

    `numbers` holds 8 bytes for each number: for text, triples of host result, first and last
    offset; for steps that ended, their keys. A row is deleted once the notices about it are
    written.
    """

    step_id = models.BigIntegerField(null=True)
    numbers = models.BinaryField(default=bytes)

    def __str__(self) -> str:
        return f"step {self.step_id}"


class NoticeState(models.IntegerChoices):
    """Choices of the state of a notice."""

    PENDING = 0, _("waiting to be sent")
    SENT = 1, _("sent")
    DROPPED = 2, _("not sent")
    DEAD = 3, _("given up")


class Notice(models.Model):
    """A match of a saved search, to be sent: ids and offsets, never text."""

    # The same for every try, so that receivers can recognise duplicates.
    event_id = models.UUIDField(_("event"), default=uuid.uuid4, unique=True, editable=False)
    search = models.ForeignKey(
        SavedSearch,
        models.CASCADE,
        verbose_name=_("saved search"),
        related_name="notices",
        db_index=False,
    )
    step_id = models.BigIntegerField()
    attempt = models.IntegerField()
    # Host result, first and last offset of the text that matched.
    places = models.JSONField(default=list)
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    state = models.SmallIntegerField(
        _("state"), choices=NoticeState.choices, default=NoticeState.PENDING
    )
    tries = models.IntegerField(_("tries"), default=0)
    first_tried_at = models.DateTimeField(_("first tried"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    # Why it was not sent, or how the receiver responded: a status or the kind of an error.
    detail = models.CharField(_("detail"), max_length=128, blank=True, default="")

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["search", "step_id", "attempt"], name="notice_once_for_each_attempt"
            ),
        ]
        indexes = [
            # The next notices of each search.
            models.Index(
                fields=["search", "id"],
                name="notice_pending",
                condition=models.Q(state=NoticeState.PENDING),
            ),
            # Deletion of a step.
            models.Index(fields=["step_id"], name="notice_of_step"),
            # Notices that ended long ago; the list of notices that were given up.
            models.Index(fields=["state", "ended_at"], name="notice_ended"),
        ]

    def __str__(self) -> str:
        return str(self.event_id)
