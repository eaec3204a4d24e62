"""Output files that are there whole or not at all, and signals that end a command."""

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
    """Handler of signals that defers the end to a safe point, and ends at once at a second signal.

    In the middle of a statement the end would break the connection that records what was read.
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
        """Raises Stopped if a signal came."""
        if self._requested is not None:
            raise Stopped(self._requested)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Let a signal interrupt the block at once: it may wait for ever, such as for a reader."""
        self._at_once = True
        try:
            self.check()
            yield
        finally:
            self._at_once = False


@contextlib.contextmanager
def stoppable() -> Iterator[Stopping]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise Stopped, so that what was begun is taken back."""
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping  # signals are none of its business
        return
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, stopping.ask) for number in wanted}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_target(target: Path, *, force: bool) -> None:
    """Raises OSError if a file of this name may not be written."""
    if not target.exists():
        if not target.parent.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "there is no such folder", str(target.parent))
    elif not target.is_file():
        raise OSError(errno.EINVAL, "it is not a file", str(target))
    elif not force:
        raise FileExistsError(errno.EEXIST, "it is there already; --force replaces it", str(target))


@contextlib.contextmanager
def whole_file(target: Path, *, force: bool, mode: int | None = None) -> Iterator[BinaryIO]:
    """File to write. It gets its name, next to nothing else, when the block has ended well.

    Its mode is `mode`, else that of the file that it replaces, else 0600, whatever the umask. Until
    then it is a hidden `.part` file in the same folder, which `kill -9` leaves. Raises OSError.
    """
    target = target.resolve()
    check_target(target, force=force)
    # 60 characters are below the 255 bytes that a name may have.
    part = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}.part")
    if mode is None:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else OWNER_ONLY
    try:
        with open(part, "xb", opener=partial(os.open, mode=OWNER_ONLY)) as file:
            os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a replacement, fails where a file of this name appeared meanwhile.
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
