"""Writing a file that is there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import BinaryIO

OWNER_ONLY = 0o600
_NO_NAMELESS = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.EACCES}
"""How a file system says that it has no files without a name."""


class Stopped(BaseException):
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


class Stopping:
    """A wish to end, heard at the next good moment: not in the middle of a statement, which would
    break the connection that is needed to record what was read. A second wish is heard at once."""

    def __init__(self) -> None:
        self._requested: int | None = None
        self._at_once = False

    def ask(self, number: int, frame: FrameType | None = None) -> None:
        """Handle a signal."""
        if self._at_once or self._requested is not None:
            raise Stopped(number)
        self._requested = number

    def check(self) -> None:
        """Raises Stopped if it was asked for."""
        if self._requested is not None:
            raise Stopped(self._requested)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Where it may wait for ever, such as for a reader."""
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
    try:
        found = target.stat()
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise NotADirectoryError(
                errno.ENOTDIR, "there is no such folder", str(target.parent)
            ) from None
        return
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a file", str(target))
    if not force:
        raise FileExistsError(errno.EEXIST, "it is there already; --force replaces it", str(target))


@contextlib.contextmanager
def whole_file(target: Path, *, force: bool, mode: int | None = None) -> Iterator[BinaryIO]:
    """A file to write. It gets its name, next to nothing else, when the block has ended well.

    Its mode is `mode`, else that of the file that it replaces, else 0600, whatever the umask.

    Where the system can, it has no name at all until then, so that even a process that is killed
    leaves none. Raises OSError.
    """
    target = target.resolve()
    check_target(target, force=force)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.ExitStack() as stack:
            file, name = _begin(target, folder, stack)
            os.fchmod(file.fileno(), _mode_of(target) if mode is None else mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
            _name(file, name, target, folder, force=force)
        os.fsync(folder)
    finally:
        os.close(folder)


def _mode_of(target: Path) -> int:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return OWNER_ONLY


def _begin(target: Path, folder: int, stack: contextlib.ExitStack) -> tuple[BinaryIO, str | None]:
    """An open file, and the name that it has for now, if it needs one."""
    if hasattr(os, "O_TMPFILE"):
        try:
            number = os.open(".", os.O_TMPFILE | os.O_WRONLY, OWNER_ONLY, dir_fd=folder)
        except OSError as error:
            if error.errno not in _NO_NAMELESS:
                raise
        else:
            return stack.enter_context(os.fdopen(number, "wb")), None
    name = _free_name(target)
    number = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY, dir_fd=folder)
    stack.callback(_remove, name, folder)
    return stack.enter_context(os.fdopen(number, "wb")), name


def _free_name(target: Path) -> str:
    return f".{target.name[:200]}.{secrets.token_hex(4)}.part"


def _name(file: BinaryIO, name: str | None, target: Path, folder: int, *, force: bool) -> None:
    """Give the file its name, at once; another's file goes only by force."""
    if name is None and not force:
        _link(file, target.name, folder)
    elif name is None:
        name = _free_name(target)
        _link(file, name, folder)
        try:
            os.replace(name, target.name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            _remove(name, folder)
    elif force:
        os.replace(name, target.name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.link(name, target.name, src_dir_fd=folder, dst_dir_fd=folder)


def _link(file: BinaryIO, name: str, folder: int) -> None:
    # Through /proc: linking by number alone takes a privilege.
    os.link(f"/proc/self/fd/{file.fileno()}", name, src_dir_fd=folder, dst_dir_fd=folder)


def _remove(name: str, folder: int) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
