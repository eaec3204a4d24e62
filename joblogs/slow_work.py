"""Limit on slow work: requests that hold a thread of this process for seconds.

Slow work is waiting for more of a log, searching with a time budget, and sending a response to a
slow client. Without a limit a dozen of them occupy all threads, and probes, producers and pages
have to wait. It is counted in each process, because threads are the scarce resource.
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
"""A response that takes longer to send is slow work."""
RETRY_SECONDS = 1
SMALL_BYTES = 256 * 1024
"""A streamed response up to this Content-Length fits into network buffers and is not slow."""


class Work(NamedTuple):
    """NamedTuple of the slow work of one thread."""

    thread: int
    caller: Hashable
    counts_from: float
    """Monotonic time from which the work counts."""


class Returns:
    """Callers that were refused and should retry later, kept for RETRY_SECONDS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[Hashable, float] = {}

    def note(self, key: Hashable) -> None:
        """Record that a caller should not retry before RETRY_SECONDS."""
        now = time.monotonic()
        with self._lock:
            # All wait equally long, so entries expire in the order of insertion.
            while self._until and next(iter(self._until.values())) <= now:
                del self._until[next(iter(self._until))]
            self._until.pop(key, None)
            self._until[key] = now + RETRY_SECONDS

    def check(self, key: Hashable) -> None:
        """Raise TooManyRequests if a caller retries too early."""
        with self._lock:
            early = self._until.get(key, 0) - time.monotonic()
        if early > 0:
            raise TooManyRequests(retry_after=math.ceil(early))


_lock = threading.Lock()
_running: dict[int, Work] = {}
"""Current slow work by thread. Work that a thread begins replaces its previous work."""
_ATTRIBUTE = "slow_work"


def _share(part: int) -> int:
    """Return 1/`part` of the threads, at least 1, so that a process with one thread can search."""
    return max(1, settings.SERVER_THREADS // part)


def may_begin(request: Any) -> bool:
    """Begin slow work for a Django request, unless it has begun; return False if there is too much.

    It ends when the response was sent, or earlier by `end`.
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
    """Begin slow work for a request. Raise TooManyRequests if there is too much."""
    if not may_begin(request):
        raise TooManyRequests(retry_after=RETRY_SECONDS)


def may_wait(request: Any) -> bool:
    """Begin slow work for waiting; return False in a process with a single thread."""
    return settings.SERVER_THREADS > 1 and may_begin(request)


def send(request: Any) -> Work:
    """Return the work of sending a response, to pass to `end` when it was sent.

    Without slow work of its own, a response counts once sending takes SENDING_SECONDS.
    """
    work: Work | None = getattr(request, _ATTRIBUTE, None)
    if work is None:
        counts_from = time.monotonic() + SENDING_SECONDS
        work = Work(threading.get_ident(), _caller(request), counts_from)
        with _lock:
            _running[work.thread] = work
    return work


def end(work: Work) -> None:
    """End slow work; do nothing if it has ended."""
    with _lock:
        if _running.get(work.thread) is work:
            del _running[work.thread]


def end_waiting(request: Any) -> None:
    """End the slow work of a request that has waited; sending the response counts anew."""
    work = getattr(request, _ATTRIBUTE, None)
    if work is not None:
        end(work)
    setattr(request, _ATTRIBUTE, None)


def _caller(request: Any) -> Hashable:
    """Return a key of the app or user, without a query: a user not loaded yet is None."""
    user = vars(request).get("user")
    if type(user) is Caller:
        return "app", user.app.pk
    return "person", getattr(getattr(request, "_cached_user", None), "pk", None)
