"""Cache of object ranges on disk, up to a size.

It has log text in its stored form, so only the owner can read its folders and files. It is not
trusted: the reader compares the data with a checksum.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from .client import Range

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 24 * 3600
"""Time after its last read when an entry is deleted, so that text that was redacted or removed
elsewhere does not stay here for ever."""
SWEPT_SHARE = 16
"""The cache is swept when one part in SWEPT_SHARE of its size was added."""


class Cache:
    """Cache of object ranges in a folder. Safe to use from any thread and any process."""

    def __init__(self, folder: str, *, size: int) -> None:
        self._folder, self._size = Path(folder), size
        self._lock = threading.Lock()
        self._added = size  # sweep what earlier processes left first

    def get(self, key: str, part: Range) -> bytes | None:
        """Return a range of an object; None if it is not in the cache."""
        file = self._file(key, part)
        try:
            data = file.read_bytes()
            os.utime(file)
        except OSError:
            return None
        return data

    def put(self, key: str, part: Range, data: bytes) -> None:
        """Add a range of an object. Errors such as a full disk are logged, not raised."""
        if len(data) > self._size:
            return
        file = self._file(key, part)
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(file, data)
        except OSError as error:
            logger.warning("OBJECT_CACHE_DIR keeps nothing: %s", error.strerror)
            return
        with self._lock:
            self._added += len(data)
            is_due = self._added * SWEPT_SHARE >= self._size
            if is_due:
                self._added = 0
        if is_due:
            self.sweep()

    def forget(self, key: str) -> None:
        """Delete the cached ranges of an object."""
        shutil.rmtree(self._file(key, Range(0, 0)).parent, ignore_errors=True)

    def sweep(self) -> None:
        """Delete entries not read for LONGEST_SECONDS, and the least recently read ones beyond the
        size."""
        entries = []
        for folder in _entries(self._folder):
            for files in _entries(folder):
                for file in _entries(files):
                    with contextlib.suppress(OSError):  # another process may have deleted it
                        status = file.stat()
                        entries.append((status.st_mtime, status.st_size, file))
        left = sum(size for _, size, _ in entries)
        oldest = time.time() - LONGEST_SECONDS
        for read_at, size, file in sorted(entries):
            if left <= self._size and read_at > oldest:
                break
            with contextlib.suppress(OSError):
                file.unlink()
            left -= size
            with contextlib.suppress(OSError):  # unless it is not empty
                file.parent.rmdir()

    def _file(self, key: str, part: Range) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._folder / name[:2] / name[2:] / f"{part.start}-{part.stop}"


def _entries(folder: Path) -> list[Path]:
    """Return the entries of a folder; none if it was deleted or is not a folder."""
    try:
        return [folder / name for name in os.listdir(folder)]
    except OSError:
        return []


def _write(file: Path, data: bytes) -> None:
    """Write a file atomically, readable only by its owner. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=file.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.replace(name, file)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
