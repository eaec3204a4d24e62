"""Client of an object store, by obstore: S3 and what speaks like it, Azure, GCS, a folder.

Every call takes a bounded time and returns its result or raises ObjectUnreachable.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotFoundError,
    PreconditionError,
)
from obstore.store import LocalStore, from_url

from .faults import Fault, ObjectUnreachable

T = TypeVar("T")
logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3
SLOW_SECONDS = 1.0
"""A read that failed after more than this is not tried again for as long as it took: what reads one
log after the other would wait for each."""
RETRIES = 2
COALESCED_BYTES = 1024 * 1024
"""Ranges that lie at most so far apart are one request: a gap costs less than another request."""
# A missing object is Python's FileNotFoundError; a folder may raise any other OSError too.
_FAILURES = (BaseError, OSError, ValueError)
_SWAPPED = (AlreadyExistsError, PreconditionError)


class Range(NamedTuple):
    """Bytes [start, stop) of an object."""

    start: int
    stop: int


class Found(NamedTuple):
    """What an object holds, and what tells this content from any later one."""

    data: bytes
    version: dict[str, str]


class Client:
    """Objects below one URL. Safe to use from any thread."""

    def __init__(self, url: str, *, seconds: float, allow_http: bool = False) -> None:
        """`seconds`: what a request may take; with its retries twice as long."""
        self._top = Path(url.removeprefix("file://"))  # of a folder
        limits: dict[str, Any] = {
            "retry_config": {
                "max_retries": RETRIES,
                "retry_timeout": timedelta(seconds=seconds),
                "backoff": {
                    "init_backoff": timedelta(milliseconds=100),
                    "max_backoff": timedelta(seconds=1),
                    "base": 2,
                },
            },
            "client_options": {
                "timeout": timedelta(seconds=seconds),
                "connect_timeout": timedelta(seconds=min(seconds, CONNECT_SECONDS)),
                "allow_http": allow_http,
            },
        }
        if url.startswith("file:"):
            limits = {"mkdir": True, "automatic_cleanup": True}
        elif url.startswith("s3"):
            # The server compares what arrives with its checksum.
            limits["config"] = {"aws_checksum_algorithm": "SHA256"}
        self._store = _tried("", lambda: from_url(url, **limits))
        self._rests_until = 0.0

    def put(self, key: str, data: bytes) -> None:
        """Write an object that is not there yet, and see that it is there.

        One of this key that holds these bytes counts as written: the answer to an earlier attempt
        may have been lost. It is read back and compared, so what is deleted elsewhere after this
        is here.
        """
        failure: ObjectUnreachable | None = None
        try:
            _tried(key, lambda: self._create(key, data))
        except ObjectUnreachable as error:
            failure = error
        try:
            there = self.get(key)
        except ObjectUnreachable as error:
            raise failure or error from error
        if hashlib.sha256(there).digest() != hashlib.sha256(data).digest():
            raise ObjectUnreachable(Fault.TORN, key)
        self._sync(key)

    def swap(self, key: str, data: bytes, *, held: Found | None) -> bool:
        """Write an object over what was found there, or over nothing: whether nobody else did."""
        try:
            _tried(key, lambda: self._swap(key, data, held))
        except _SWAPPED:
            return False
        self._sync(key)
        return True

    def get(self, key: str) -> bytes:
        """All of an object."""
        return _tried(key, lambda: bytes(obstore.get(self._store, key).bytes()))

    def find(self, key: str) -> Found | None:
        """All of an object, None if there is none."""
        return _tried(key, lambda: self._find(key))

    def check(self, key: str, size: int) -> None:
        """See that an object is there and has this size, without its bytes."""
        if _tried(key, lambda: obstore.head(self._store, key))["size"] != size:
            raise ObjectUnreachable(Fault.TORN, key)

    def read(self, key: str, ranges: Sequence[Range]) -> list[bytes]:
        """Ranges of an object, in their order: as few requests as their gaps allow."""
        found: dict[Range, bytes] = {}
        for run in _runs(sorted(set(ranges))):
            start, stop = run[0].start, max(one.stop for one in run)
            # obstore's own get_ranges cannot tell an object that is shorter: it ends the thread.
            data = self._range(key, start, stop)
            if len(data) != stop - start:
                raise ObjectUnreachable(Fault.TORN, key)
            found |= {one: data[one.start - start : one.stop - start] for one in run}
        return [found[one] for one in ranges]

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there counts as deleted."""
        try:
            _tried(key, lambda: obstore.delete(self._store, key))
        except ObjectUnreachable as error:
            if error.fault is not Fault.MISSING:
                raise

    def keys(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Key and size of every object below a prefix."""
        pages = iter(_tried(prefix, lambda: obstore.list(self._store, prefix)))
        while page := _tried(prefix, lambda: next(pages, None)):
            yield from ((str(one["path"]), int(one["size"])) for one in page)

    def _create(self, key: str, data: bytes) -> None:
        try:
            obstore.put(self._store, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            logger.info("%s is there already; it is compared", key)

    def _find(self, key: str) -> Found | None:
        try:
            answer = obstore.get(self._store, key)
        except FileNotFoundError:
            return None
        version = {"e_tag": answer.meta["e_tag"], "version": answer.meta["version"]}
        return Found(
            bytes(answer.bytes()), {name: value for name, value in version.items() if value}
        )

    def _swap(self, key: str, data: bytes, held: Found | None) -> None:
        mode: Any = "create" if held is None else held.version
        if held is None or not isinstance(self._store, LocalStore):
            obstore.put(self._store, key, data, mode=mode, use_multipart=False)
            return
        # A folder has no such request.
        folder = os.open(self._top, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if self._find(key) != held:
                raise PreconditionError(key)
            obstore.put(self._store, key, data, use_multipart=False)
        finally:
            os.close(folder)

    def _range(self, key: str, start: int, stop: int) -> bytes:
        began = time.monotonic()
        if began < self._rests_until:
            raise ObjectUnreachable(Fault.UNREACHABLE, key)
        try:
            # A range that begins behind the end is refused, one that ends behind it comes shorter.
            return _tried(
                key, lambda: bytes(obstore.get_range(self._store, key, start=start, end=stop))
            )
        except ObjectUnreachable:
            now = time.monotonic()
            if now - began > SLOW_SECONDS:
                self._rests_until = now + (now - began)
            raise

    def _sync(self, key: str) -> None:
        """What was written to a folder survives a loss of power, as what a service took does."""
        if not isinstance(self._store, LocalStore):
            return
        file = self._top / key
        folders = (folder for folder in file.parents if folder.is_relative_to(self._top))
        for path in (file, *folders):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _tried(key: str, work: Callable[[], T]) -> T:
    try:
        return work()
    except _SWAPPED:
        raise
    except _FAILURES as error:
        is_missing = isinstance(error, FileNotFoundError | NotFoundError)
        fault = Fault.MISSING if is_missing else Fault.UNREACHABLE
        # Its text may name the address, never a credential or text of a log; one line of it.
        line = str(error).partition("\n")[0][:300]
        logger.warning("object %s: %s (%s: %s)", key, fault, type(error).__name__, line)
        raise ObjectUnreachable(fault, key) from None


def _runs(ranges: Sequence[Range]) -> Iterator[list[Range]]:
    """Ranges that are near to one another; they come ascending."""
    run: list[Range] = []
    stop = 0
    for one in ranges:
        if run and one.start - stop > COALESCED_BYTES:
            yield run
            run = []
        run.append(one)
        stop = max(stop, one.stop) if len(run) > 1 else one.stop
    if run:
        yield run
