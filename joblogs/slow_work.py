"""Bound on slow work: requests that hold a thread of this process for seconds.

Waiting for more of a log, searching with a budget, and sending an answer that the reader takes
slowly. Without a bound a dozen of them hold every thread, and probes, producers and pages queue
behind. Counted in each process by itself, because threads are what is scarce.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Hashable
from typing import Any, NamedTuple

from django.conf import settings

from .access import Caller
from .refusals import TooManyRequests

SENDING_SECONDS = 5.0
"""An answer that has been sending for longer is slow work."""
RETRY_SECONDS = 1
SMALL_BYTES = 256 * 1024
"""A streamed answer that says it is not longer waits in the buffers of the network."""


class Work(NamedTuple):
    """Slow work of one thread."""

    thread: int
    caller: Hashable
    counts_from: float
    """Monotonic time; what is younger does not count yet."""


class Returns:
    """Callers that were refused for now, and for what. Bounded by what a second holds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[Hashable, float] = {}

    def note(self, key: Hashable) -> None:
        """Remember that this caller was to try this again after RETRY_SECONDS."""
        now = time.monotonic()
        with self._lock:
            # All wait equally long, so those whose time has come stand at the front.
            while self._until and next(iter(self._until.values())) <= now:
                del self._until[next(iter(self._until))]
            self._until.pop(key, None)
            self._until[key] = now + RETRY_SECONDS

    def check(self, key: Hashable) -> None:
        """Raises TooManyRequests for one that is back before its time."""
        with self._lock:
            early = self._until.get(key, 0) - time.monotonic()
        if early > 0:
            raise TooManyRequests(retry_after=math.ceil(early))


_lock = threading.Lock()
_running: dict[int, Work] = {}
"""The slow work that runs now, by thread: what one begins is the end of what it did before."""
_ATTRIBUTE = "slow_work"


def _share(part: int) -> int:
    """That part of the threads; at least one, for a process with a single thread searches too."""
    return max(1, settings.SERVER_THREADS // part)


def may_begin(request: Any) -> bool:
    """Begin slow work for a Django request, unless it has begun or there is too much of it.

    It ends when the answer has been sent, if not before.
    """
    if getattr(request, _ATTRIBUTE, None) is not None:
        return True
    work = Work(threading.get_ident(), _caller(request), time.monotonic())
    with _lock:
        _running.pop(work.thread, None)
        others = [o.caller for o in _running.values() if o.counts_from <= work.counts_from]
        if len(others) >= _share(2) or others.count(work.caller) >= _share(4):
            return False
        _running[work.thread] = work
    setattr(request, _ATTRIBUTE, work)
    return True


def begin(request: Any) -> None:
    """The same. Raises TooManyRequests if there is too much of it."""
    if not may_begin(request):
        raise TooManyRequests(retry_after=RETRY_SECONDS)


def may_wait(request: Any) -> bool:
    """Begin to wait, which a process with a single thread never does."""
    return settings.SERVER_THREADS > 1 and may_begin(request)


def send(request: Any) -> Work:
    """The work that ends when a request's answer has been sent: to be given to `end` then.

    An answer of bounded size is never refused, and counts once it takes long.
    """
    work: Work | None = getattr(request, _ATTRIBUTE, None)
    if work is None:
        counts_from = time.monotonic() + SENDING_SECONDS
        work = Work(threading.get_ident(), _caller(request), counts_from)
        with _lock:
            _running[work.thread] = work
    return work


def end(work: Work) -> None:
    """End a piece of work; nothing happens if it is over."""
    with _lock:
        if _running.get(work.thread) is work:
            del _running[work.thread]


def end_waiting(request: Any) -> None:
    """A request has waited: what is sent next counts by itself."""
    work = getattr(request, _ATTRIBUTE, None)
    if work is not None:
        end(work)
    setattr(request, _ATTRIBUTE, None)


def _caller(request: Any) -> Hashable:
    """An app, or a person. It looks nobody up: who is not known yet is nobody."""
    user = vars(request).get("user")
    if type(user) is Caller:
        return "app", user.app.pk
    return "person", getattr(getattr(request, "_cached_user", None), "pk", None)
