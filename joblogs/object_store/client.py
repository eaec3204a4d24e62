"""Client of an object store, using obstore: S3 and compatible services, Azure, GCS, or a folder.

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

from .faults import Fault, ObjectUnreachable, reason

T = TypeVar("T")
logger = logging.getLogger(__name__)

CONNECT_SECONDS = 3
SLOW_SECONDS = 1.0
"""After a read that failed after more than this, reads of that object fail at once for as long as
it took, and reads of all objects if the one before was another object: otherwise a caller that
reads many logs would wait for each."""
RETRIES = 2
COALESCED_BYTES = 1024 * 1024
"""Maximum gap between ranges that are fetched in one request: a gap costs less than a request."""
# A missing object is Python's FileNotFoundError; a folder may raise any other OSError too.
_FAILURES = (BaseError, OSError, ValueError)
_SWAPPED = (AlreadyExistsError, PreconditionError)


class Range(NamedTuple):
    """Bytes [start, stop) of an object."""

    start: int
    stop: int


class StoredContent(NamedTuple):
    """Content of an object, and its version."""

    data: bytes
    version: dict[str, str]


class Client:
    """Client for the objects below one URL. Safe to use from any thread."""

    def __init__(self, url: str, *, seconds: float, allow_http: bool = False) -> None:
        """`seconds`: time limit of a request; with its retries it takes at most twice as long."""
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
            limits = {"automatic_cleanup": True}
            _tried("", lambda: self._top.mkdir(mode=0o700, parents=True, exist_ok=True))
        elif url.startswith("s3"):
            # The server compares what arrives with its checksum.
            limits["config"] = {"aws_checksum_algorithm": "SHA256"}
        self._store = _tried("", lambda: from_url(url, **limits))
        self._paused_until = 0.0
        self._slow: dict[str, float] = {}
        self._last_slow: str | None = None

    def put(self, key: str, data: bytes) -> None:
        """Create an object, and read it back to verify it.

        An existing object with this key and these bytes counts as written, since the answer to an
        earlier attempt may have been lost. After this the caller may delete the data elsewhere.
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

    def swap(self, key: str, data: bytes, *, held: StoredContent | None) -> bool:
        """Replace the version `held` of an object, or create it; return False if another process
        has written it meanwhile."""
        try:
            _tried(key, lambda: self._swap(key, data, held))
        except _SWAPPED:
            return False
        self._sync(key)
        return True

    def get(self, key: str) -> bytes:
        """Return the bytes of an object."""
        return _tried(key, lambda: bytes(obstore.get(self._store, key).bytes()))

    def find(self, key: str) -> StoredContent | None:
        """Return an object with its version; None if it does not exist."""
        return _tried(key, lambda: self._find(key))

    def check(self, key: str, size: int) -> None:
        """Check that an object exists and has this size, without reading it. Raises
        ObjectUnreachable."""
        if _tried(key, lambda: obstore.head(self._store, key))["size"] != size:
            raise ObjectUnreachable(Fault.TORN, key)

    def read(self, key: str, ranges: Sequence[Range]) -> list[bytes]:
        """Return ranges of an object in the given order, fetched in as few requests as their gaps
        allow."""
        found: dict[Range, bytes] = {}
        for run in _runs(sorted(set(ranges))):
            start, stop = run[0].start, max(one.stop for one in run)
            # Not obstore's get_ranges, which kills the thread if an object is too short.
            data = self._range(key, start, stop)
            if len(data) != stop - start:
                raise ObjectUnreachable(Fault.TORN, key)
            found |= {one: data[one.start - start : one.stop - start] for one in run}
        return [found[one] for one in ranges]

    def delete(self, key: str) -> None:
        """Delete an object; one that does not exist counts as deleted."""
        if isinstance(self._store, LocalStore):
            _tried(key, lambda: self._delete_unfinished(key))
        try:
            _tried(key, lambda: obstore.delete(self._store, key))
        except ObjectUnreachable as error:
            if error.fault is not Fault.MISSING:
                raise

    def keys(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield key and size of every object below a prefix."""
        pages = iter(_tried(prefix, lambda: obstore.list(self._store, prefix)))
        while page := _tried(prefix, lambda: next(pages, None)):
            yield from ((str(one["path"]), int(one["size"])) for one in page)

    def _delete_unfinished(self, key: str) -> None:
        """Delete the file of a process that was killed while writing to a folder: obstore writes to
        KEY#1 first, and neither lists nor deletes it."""
        file = self._top / key
        for unfinished in file.parent.glob(f"{file.name}#*"):
            unfinished.unlink(missing_ok=True)

    def _make_folders(self, key: str) -> None:
        """Create the folders of an object, which other users cannot enter, with any umask."""
        folders = [one for one in (self._top / key).parents if one.is_relative_to(self._top)]
        for folder in reversed(folders):
            folder.mkdir(mode=0o700, exist_ok=True)

    def _create(self, key: str, data: bytes) -> None:
        if isinstance(self._store, LocalStore):
            self._make_folders(key)
        try:
            obstore.put(self._store, key, data, mode="create", use_multipart=False)
        except AlreadyExistsError:
            logger.info("%s is there already; it is compared", key)

    def _find(self, key: str) -> StoredContent | None:
        try:
            answer = obstore.get(self._store, key)
        except FileNotFoundError:
            return None
        version = {"e_tag": answer.meta["e_tag"], "version": answer.meta["version"]}
        return StoredContent(
            bytes(answer.bytes()), {name: value for name, value in version.items() if value}
        )

    def _swap(self, key: str, data: bytes, held: StoredContent | None) -> None:
        mode: Any = "create" if held is None else held.version
        if held is None or not isinstance(self._store, LocalStore):
            obstore.put(self._store, key, data, mode=mode, use_multipart=False)
            return
        # A folder has no conditional write.
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
        if began < max(self._paused_until, self._slow.get(key, began)):
            raise ObjectUnreachable(Fault.UNREACHABLE, key)
        try:
            # A range that starts beyond the end is refused; one that ends beyond it is shortened.
            data = _tried(
                key, lambda: bytes(obstore.get_range(self._store, key, start=start, end=stop))
            )
        except ObjectUnreachable:
            now = time.monotonic()
            if now - began > SLOW_SECONDS:
                self._pause(key, now, now + (now - began))
            raise
        self._last_slow = None
        return data

    def _pause(self, key: str, now: float, until: float) -> None:
        if self._last_slow not in (None, key):
            self._paused_until = until
        self._last_slow = key
        self._slow = {one: end for one, end in self._slow.items() if end > now} | {key: until}

    def _sync(self, key: str) -> None:
        """Flush an object in a folder to disk, so that it survives a loss of power."""
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
        logger.warning("object %s: %s (%s: %s)", key, fault, type(error).__name__, reason(error))
        raise ObjectUnreachable(fault, key) from None


def _runs(ranges: Sequence[Range]) -> Iterator[list[Range]]:
    """Yield the ascending ranges in runs with gaps of at most COALESCED_BYTES."""
    run: list[Range] = []
    stop = 0
    for one in ranges:
        if run and one.start - stop > COALESCED_BYTES:
            yield run
            run = []
        run.append(one)
        stop = max(stop, one.stop)
    if run:
        yield run
