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


class SlowWork:
    """Registry of the slow work that runs now, by thread. Safe to use from any thread.

    A thread does one thing at a time, so what it begins is the end of what it did before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, Work] = {}

    def begin(self, caller: Hashable) -> Work | None:
        """What to `end`; None if the process or the caller has too much of it already."""
        work = Work(threading.get_ident(), caller, time.monotonic())
        most, of_caller = _share(2), _share(4)
        with self._lock:
            self._running.pop(work.thread, None)
            counted = [
                other.caller
                for other in self._running.values()
                if other.counts_from <= work.counts_from
            ]
            if len(counted) >= most or counted.count(caller) >= of_caller:
                return None
            self._running[work.thread] = work
        return work

    def send(self, caller: Hashable) -> Work:
        """The same for an answer of bounded size: never refused, counted once it takes long."""
        work = Work(threading.get_ident(), caller, time.monotonic() + SENDING_SECONDS)
        with self._lock:
            self._running[work.thread] = work
        return work

    def end(self, work: Work) -> None:
        """Let go; of what is over nothing happens."""
        with self._lock:
            if self._running.get(work.thread) is work:
                del self._running[work.thread]


class Returns:
    """Memory of who was told to come back later, and for what. Bounded by what a second holds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[Hashable, float] = {}

    def note(self, key: Hashable) -> None:
        """This caller was told to ask again for this after RETRY_SECONDS."""
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


_running = SlowWork()
end = _running.end
_ATTRIBUTE = "slow_work"


def _share(part: int) -> int:
    """That part of the threads; at least one, for a process with a single thread searches too."""
    return max(1, settings.SERVER_THREADS // part)


def may_begin(request: Any) -> bool:
    """Begin slow work for a Django request, unless it has begun or there is too much of it.

    It ends when the answer has been sent, if not before.
    """
    if _work_of(request) is None:
        setattr(request, _ATTRIBUTE, _running.begin(_caller(request)))
    return _work_of(request) is not None


def begin(request: Any) -> None:
    """The same. Raises TooManyRequests if there is too much of it."""
    if not may_begin(request):
        raise TooManyRequests(retry_after=RETRY_SECONDS)


def may_wait(request: Any) -> bool:
    """Begin to wait, which a process with a single thread never does."""
    return settings.SERVER_THREADS > 1 and may_begin(request)


def send(request: Any) -> Work:
    """The work that ends when a request's answer has been sent: to be given to `end` then."""
    return _work_of(request) or _running.send(_caller(request))


def end_waiting(request: Any) -> None:
    """A request has waited: what is sent next counts by itself."""
    work = _work_of(request)
    if work is not None:
        end(work)
    setattr(request, _ATTRIBUTE, None)


def _work_of(request: Any) -> Work | None:
    work: Work | None = getattr(request, _ATTRIBUTE, None)
    return work


def _caller(request: Any) -> Hashable:
    """An app, or a person. Nobody is looked up for it: who was not asked for is nobody."""
    user = vars(request).get("user")
    if type(user) is Caller:
        return "app", user.app.pk
    return "person", getattr(getattr(request, "_cached_user", None), "pk", None)
