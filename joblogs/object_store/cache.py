"""Cache of object ranges on disk, up to a size.

It has log text in its stored form, so only the owner can read its folders and files. It is not
trusted: the reader compares the data with a checksum.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from .client import Range

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 24 * 3600
"""Time after its last read when an entry is deleted, so that text that was redacted or removed
elsewhere does not stay here for ever."""
SWEPT_SHARE = 16
"""The cache is swept when one part in SWEPT_SHARE of its size was added."""
SWEPT_SECONDS = 3600
"""The cache is also swept this often if it is only read, so that old entries are deleted."""
# Sweeping deletes nothing else: the folder may have other uses.
_FOLDERS = re.compile("[0-9a-f]{2}"), re.compile("[0-9a-f]{62}")
_FILE = re.compile("[0-9]+-[0-9]+|tmp[a-z0-9_]{8}")  # an entry, or a killed process's file


class Cache:
    """Cache of object ranges in a folder. Safe to use from any thread and any process."""

    def __init__(self, folder: str, *, size: int) -> None:
        self._folder, self._size = Path(folder), size
        self._lock = threading.Lock()
        self._added = size  # sweep what earlier processes left first
        self._swept_at = time.monotonic()

    def get(self, key: str, part: Range) -> bytes | None:
        """Return a range of an object; None if it is not in the cache."""
        file = self._file(key, part)
        try:
            with file.open("rb") as stream:
                data = stream.read(part.stop - part.start)
        except OSError:
            return None
        with contextlib.suppress(OSError):  # a read-only folder can still be used
            os.utime(file)
        self._sweep_if_due()
        return data

    def put(self, key: str, part: Range, data: bytes) -> None:
        """Add a range of an object. Errors such as a full disk are logged, not raised."""
        if len(data) > self._size:
            return
        file = self._file(key, part)
        try:
            for folder in (file.parents[1], file.parent):
                folder.mkdir(mode=0o700, exist_ok=True)
            _write(file, data)
        except OSError as error:
            logger.warning("OBJECT_CACHE_DIR keeps nothing: %s", error.strerror)
            return
        self._sweep_if_due(len(data))

    def forget(self, key: str) -> None:
        """Delete the cached ranges of an object. Errors are logged, not raised."""
        folder = self._file(key, Range(0, 0)).parent
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            logger.warning("OBJECT_CACHE_DIR: what it keeps of %s may not be deleted by us", key)

    def sweep(self) -> None:
        """Delete entries not read for LONGEST_SECONDS, and the least recently read ones beyond the
        size."""
        entries = []
        for file in _files(self._folder):
            with contextlib.suppress(OSError):  # another process may have deleted it
                status = file.lstat()
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

    def _sweep_if_due(self, added: int = 0) -> None:
        now = time.monotonic()
        with self._lock:
            self._added += added
            is_due = self._added * SWEPT_SHARE >= self._size or now > self._swept_at + SWEPT_SECONDS
            if is_due:
                self._added, self._swept_at = 0, now
        if is_due:
            self.sweep()

    def _file(self, key: str, part: Range) -> Path:
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._folder / name[:2] / name[2:] / f"{part.start}-{part.stop}"


def _files(top: Path) -> Iterator[Path]:
    """Yield the files of a cache, without other files in its folder."""
    for folder in _folders(top, _FOLDERS[0]):
        for files in _folders(folder, _FOLDERS[1]):
            yield from (Path(one) for one in _entries(files) if _FILE.fullmatch(one.name))


def _folders(top: Path, name: re.Pattern[str]) -> Iterator[Path]:
    # The targets of links are not ours.
    folders = (one for one in _entries(top) if one.is_dir(follow_symlinks=False))
    return (Path(one) for one in folders if name.fullmatch(one.name))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Return the entries of a folder; none if it was deleted or is not a folder."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
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
