"""Sending of notices: one after the other for each saved search, several searches in parallel.

A notice is marked as sent only after the receiver accepted it: if the process is killed, it is sent
again with the same id. A failing receiver is retried at growing intervals; after a day the notice
is given up and the next one is sent.
"""

from __future__ import annotations

import datetime
import json
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from joblogs.models import Notice, NoticeChannel, NoticeState, SavedSearch
from joblogs.object_store import ObjectUnreachable

from . import mail, reasons, webhook
from .content import Message, NotSent, message_of
from .matching import match
from .saved_searches import may_ask, secret_of, switch_off
from .webhook import NotDelivered

logger = logging.getLogger(__name__)

AT_ONCE = 8
"""Most notices that are sent at the same time."""
LINE_LENGTH = 100
GIVE_UP_AFTER = datetime.timedelta(hours=24)
FIRST_WAIT, LONGEST_WAIT = datetime.timedelta(seconds=5), datetime.timedelta(minutes=10)
KEPT = datetime.timedelta(days=30)
"""How long ended notices are kept; they also prevent duplicates."""
FORGOTTEN_AT_ONCE = 1000


@dataclass(slots=True)
class Sent:
    """Counts of a run."""

    matched: int = 0
    sent: int = 0
    dropped: int = 0
    failed: int = 0
    dead: int = 0


@dataclass
class Sender:
    """Sender of due notices, which runs until nothing is due."""

    at_once: int = AT_ONCE
    is_stopped: Callable[[], bool] = lambda: False
    counts: Sent = field(default_factory=Sent)
    _lines: dict[int, deque[int]] = field(default_factory=dict)
    """Keys of pending notices of each search, in order."""
    _in_flight: dict[Future[None], Notice] = field(default_factory=dict)

    def run(self) -> Sent:
        """Run the saved searches over new text, and send due notices; failures are left to later
        runs.

        Raise errors of the database.
        """
        self._forget()
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="notices") as pool:
            while not self.is_stopped():
                rows = match()
                self.counts.matched += rows
                started = self._start(pool)
                if self._in_flight:
                    self._end(wait(self._in_flight, 1.0, FIRST_COMPLETED).done)
                elif not rows and not started:
                    break
            self._end(wait(self._in_flight).done)
        return self.counts

    def _start(self, pool: ThreadPoolExecutor) -> bool:
        """Send the next notice of each search that is not busy; return whether there was one."""
        busy = {notice.search_id for notice in self._in_flight.values()}
        started = False
        for search in self._due(busy):
            if len(self._in_flight) >= self.at_once:
                break
            line = self._lines.get(search.pk) or self._line(search)
            self._lines[search.pk] = line
            if line:
                started = True
                self._send(pool, search, line.popleft())
        return started

    def _due(self, busy: Iterable[int]) -> list[SavedSearch]:
        off = Notice.objects.filter(state=NoticeState.PENDING, search__active=False)
        self.counts.dropped += off.update(
            state=NoticeState.DROPPED, detail=reasons.OFF, ended_at=timezone.now()
        )
        pending = Notice.objects.filter(search=OuterRef("pk"), state=NoticeState.PENDING)
        searches = SavedSearch.objects.filter(Exists(pending), active=True).exclude(pk__in=busy)
        now = timezone.now()
        return [
            search
            for search in searches.select_related("owner", "scope").order_by("pk")
            if search.next_try_at is None or search.next_try_at <= now
        ]

    def _line(self, search: SavedSearch) -> deque[int]:
        pending = Notice.objects.filter(search=search, state=NoticeState.PENDING)
        return deque(pending.order_by("pk").values_list("pk", flat=True)[:LINE_LENGTH])

    def _send(self, pool: ThreadPoolExecutor, search: SavedSearch, pk: int) -> None:
        notice = Notice.objects.filter(pk=pk, state=NoticeState.PENDING).first()
        if notice is None:
            return  # its job was removed, or it was sent meanwhile
        notice.search = search
        deliver = self._prepared(notice)
        if deliver is None:
            return
        self._count(notice)
        self._in_flight[pool.submit(deliver)] = notice

    def _count(self, notice: Notice) -> None:
        notice.first_tried_at = notice.first_tried_at or timezone.now()
        notice.tries += 1
        notice.save(update_fields=["first_tried_at", "tries"])

    def _prepared(self, notice: Notice) -> Callable[[], None] | None:
        """Record the read and return a function that sends a notice; None if it is not sent now."""
        search = notice.search
        secret = secret_of(search)
        if not may_ask(search) or secret is None:
            self._lines.pop(search.pk, None)
            switch_off(search, reasons.NO_SECRET if secret is None else reasons.NO_ACCESS)
            return None
        try:
            message = message_of(notice)
        except NotSent as error:
            self._drop(notice, error.detail)
            return None
        except ObjectUnreachable:
            self._count(notice)
            self._failed(notice, "its text is out of reach")
            return None
        message.entry.end(message.size)
        return _delivery(notice, secret, message)

    def _drop(self, notice: Notice, detail: str) -> None:
        self.counts.dropped += 1
        self._finish(notice, NoticeState.DROPPED, detail)

    def _finish(self, notice: Notice, state: NoticeState, detail: str = "") -> None:
        notice.state, notice.detail, notice.ended_at = state, detail, timezone.now()
        notice.save(update_fields=["state", "detail", "ended_at"])

    def _end(self, done: Iterable[Future[None]]) -> None:
        for future in done:
            notice = self._in_flight.pop(future)
            error = future.exception()
            if error is None:
                self.counts.sent += 1
                self._finish(notice, NoticeState.SENT)
                if notice.search.next_try_at is not None:
                    SavedSearch.objects.filter(pk=notice.search_id).update(next_try_at=None)
            elif isinstance(error, NotDelivered):
                self._failed(notice, str(error))
            else:
                raise error

    def _failed(self, notice: Notice, detail: str) -> None:
        self._lines.pop(notice.search_id, None)
        now = timezone.now()
        if notice.first_tried_at is not None and now - notice.first_tried_at >= GIVE_UP_AFTER:
            self.counts.dead += 1
            self._finish(notice, NoticeState.DEAD, detail)
            logger.warning("notice %s was given up after a day: %s", notice.event_id, detail)
            SavedSearch.objects.filter(pk=notice.search_id).update(next_try_at=None)
            return
        self.counts.failed += 1
        notice.detail = detail
        notice.save(update_fields=["detail"])
        pause = min(FIRST_WAIT * 2 ** min(notice.tries - 1, 10), LONGEST_WAIT)
        SavedSearch.objects.filter(pk=notice.search_id).update(next_try_at=now + pause)

    def _forget(self) -> None:
        """Delete notices that ended more than KEPT ago, including those that were given up."""
        old = Notice.objects.exclude(state=NoticeState.PENDING)
        old = old.filter(ended_at__lt=timezone.now() - KEPT).order_by("ended_at")
        keys = list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
        Notice.objects.filter(pk__in=keys).delete()


def _delivery(notice: Notice, secret: bytes, message: Message) -> Callable[[], None]:
    search, event_id = notice.search, str(notice.event_id)
    channel, address = search.channel, search.target
    timestamp = int(timezone.now().timestamp())
    body = json.dumps(message.values, ensure_ascii=False).encode()

    def deliver() -> None:
        if channel not in settings.NOTICE_CHANNELS:
            raise NotDelivered("channel is off")
        match channel:
            case NoticeChannel.MAIL:
                values = message.values
                mail.send(address, event_id=event_id, subject=message.subject, values=values)
            case NoticeChannel.WEBHOOK:
                webhook.send(
                    address, secret=secret, event_id=event_id, timestamp=timestamp, body=body
                )
            case _:
                raise NotDelivered("channel is unknown")

    return deliver
