"""Output files that are written atomically, and signals that stop a command."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import stat
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import BinaryIO

OWNER_ONLY = 0o600


class Stopped(BaseException):
    """Signal that requested the end of this process."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


class Stopping:
    """Signal handler that defers the end to a safe point, but ends at once at a second signal.

    Ending in the middle of a statement would break the connection that records the read.
    """

    def __init__(self) -> None:
        self._requested: int | None = None
        self._at_once = False

    def ask(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal."""
        if self._at_once or self._requested is not None:
            raise Stopped(number)
        self._requested = number

    def check(self) -> None:
        """Raise Stopped if a signal was received."""
        if self._requested is not None:
            raise Stopped(self._requested)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Let a signal interrupt the block at once: it may wait for ever, such as on a pipe."""
        self._at_once = True
        try:
            self.check()
            yield
        finally:
            self._at_once = False


@contextlib.contextmanager
def stoppable() -> Iterator[Stopping]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise Stopped, so that unfinished work is undone."""
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping  # only the main thread receives signals
        return
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stopping.ask) for number in wanted}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_target(target: Path, *, force: bool) -> None:
    """Raise OSError if the target must not or cannot be written."""
    if not target.exists():
        if not target.parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "there is no such folder", str(target.parent))
    elif not target.is_file():
        raise OSError(errno.EINVAL, "it is not a file", str(target))
    elif not force:
        raise FileExistsError(errno.EEXIST, "it is there already; --force replaces it", str(target))


@contextlib.contextmanager
def whole_file(target: Path, *, force: bool, mode: int | None = None) -> Iterator[BinaryIO]:
    """Open a file to write that gets its name only when the block succeeds. Raise OSError.

    Its mode is `mode`, else that of the file that it replaces, else 0600, regardless of the umask.
    Until then it is a hidden `.part` file in the same folder, which `kill -9` leaves behind.
    """
    target = target.resolve()
    check_target(target, force=force)
    # 60 characters take less than the 255 bytes that a name may have.
    part = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}.part")
    if mode is None:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else OWNER_ONLY
    try:
        with open(part, "xb", opener=partial(os.open, mode=OWNER_ONLY)) as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a replacement, fails if a file with this name has appeared meanwhile.
        if force:
            os.replace(part, target)
        else:
            os.link(part, target)
    finally:
        part.unlink(missing_ok=True)
    number = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
