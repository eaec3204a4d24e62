"""Splitting of a file or a request body into numbered lines, in bounded memory."""

from __future__ import annotations

import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, NamedTuple

from joblogs.record_json import LINE_MAX_BYTES
from joblogs.refusals import BodyTooLarge

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

READ_BYTES = 256 * 1024
ENCODINGS = ("", "gzip", "zstd")

# Normal logs compress 100:1; a higher ratio than this after 64 MB is a decompression bomb.
BOMB_AFTER_BYTES = 64 * 1024 * 1024
BOMB_RATIO = 1000

# No record is shorter, and no frame or member should hold less than one record. Beyond these
# numbers of invalid lines and tiny parts, the stream is an attack.
RECORD_MIN_BYTES = 40
STRAYS_MAX = 100_000
SMALL_PARTS_MAX = 1000

LONG_BYTES = 1024 * 1024
"""A longer line is kept on disk until it is complete, and then until no other long line is in
memory: with one per thread, in several copies, they would take too much memory."""
_one_at_a_time = threading.Lock()

BODY_WINDOW_LOG, FILE_WINDOW_LOG = 23, 27
"""Largest zstd windows: 8 MB in a body (RFC 9659), in a file the default of the zstd tool."""
FIRST_READ_BYTES = 4096

Read = Callable[[int], bytes]
"""Function like a binary file's `read`: at most this many bytes, b"" at the end."""


class StreamCut(Exception):
    """Error: the bytes ended too early, or are not in the declared encoding."""


class RecordLine(NamedTuple):
    """NamedTuple of a line, numbered from 1. `fault`: why it cannot be a record."""

    number: int
    data: bytes
    fault: str = ""

    def apart(self) -> Iterator[RecordLine]:
        """Yield the line itself; the same interface as that of `Block`."""
        yield self


class Block(NamedTuple):
    """NamedTuple of consecutive lines, with the number of the first: all of a record's length."""

    number: int
    lines: list[bytes]

    def apart(self) -> Iterator[RecordLine]:
        """Yield each line separately, without blank ones."""
        for number, line in enumerate(self.lines, self.number):
            if not line.isspace():
                yield RecordLine(number, line)


class _LongLine:
    """The received bytes of a long line, on disk; empty between long lines."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self.size = 0

    def add(self, data: bytes | bytearray) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - `drop` closes it
        self._file.write(data)
        self.size += len(data)

    def drop(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self.size = None, 0

    def end(self, number: int) -> Iterator[RecordLine]:
        """Yield the complete line, unless it is blank. No other long line is loaded meanwhile."""
        if self._file is None:
            return
        with _one_at_a_time:
            self._file.seek(0)
            line = RecordLine(number, self._file.read(self.size))
            self.drop()
            if not line.data.isspace():
                yield line
            del line


TOO_LONG = "too_large"
CUT = "cut"
TOO_MANY_STRAYS = b"too many lines are no records; the rest was not read"


def numbered_lines(
    read: Read, *, encoding: str = "", max_bytes: int = 0, window_log: int = FILE_WINDOW_LOG
) -> Iterator[RecordLine | Block]:
    """Yield the lines of a stream; those that may be records in blocks. Blank lines are counted
    only.

    `encoding` is one of ENCODINGS; `max_bytes` limits the decoded bytes (0: no limit). A line over
    16 MB is yielded as TOO_LONG without its bytes. A stream that is cut ends with one CUT line.
    Raise BodyTooLarge beyond a limit.
    """
    long = _LongLine()
    plain = iter(partial(read, READ_BYTES), b"")
    chunks = _unpacked(read, encoding, window_log) if encoding else plain
    try:
        yield from _cut_into_lines(chunks, long, max_bytes)
    finally:
        long.drop()


def _cut_into_lines(
    chunks: Iterator[bytes], long: _LongLine, max_bytes: int
) -> Iterator[RecordLine | Block]:
    # The incomplete line grows in place: 1 MB may arrive in parts of a few bytes.
    number, rest, skipping, strays, size = 0, bytearray(), False, 0, 0
    while True:
        try:
            chunk = next(chunks, None)
        except StreamCut as error:
            yield RecordLine(number + 1, str(error).encode(), CUT)
            return
        if chunk is None:
            break
        size += len(chunk)
        if max_bytes and size > max_bytes:
            raise BodyTooLarge
        *lines, tail = chunk.split(b"\n")
        if long.size:
            long.add(lines[0] if lines else tail)
            if long.size > LINE_MAX_BYTES:
                long.drop()
                skipping = True
            elif lines:
                number += 1
                yield from long.end(number)
                del lines[0]
            else:
                continue
        if skipping and not lines:
            continue
        if lines:
            if rest:
                lines[0] = bytes(rest) + lines[0]
            rest = bytearray()
        rest += tail
        sizes = list(map(len, lines))
        may_be_records = sizes and min(sizes) >= RECORD_MIN_BYTES and max(sizes) <= LINE_MAX_BYTES
        if may_be_records and not skipping:
            yield Block(number + 1, lines)
            number += len(lines)
        else:
            for number, line in enumerate(lines, number + 1):  # noqa: B020 - it goes on from there
                if not line and not skipping:
                    continue
                if skipping:
                    skipping = False
                    yield RecordLine(number, b"", TOO_LONG)
                elif len(line) > LINE_MAX_BYTES:
                    yield RecordLine(number, b"", TOO_LONG)
                elif not line.isspace():
                    strays += len(line) < RECORD_MIN_BYTES
                    if strays > STRAYS_MAX:
                        yield RecordLine(number, TOO_MANY_STRAYS, CUT)
                        return
                    yield RecordLine(number, line)
        if len(rest) > LONG_BYTES:
            long.add(rest)
            rest = bytearray()
    if skipping:
        yield RecordLine(number + 1, b"", TOO_LONG)
    elif long.size:
        yield from long.end(number + 1)
    elif rest and not rest.isspace():
        yield RecordLine(number + 1, bytes(rest))


def encoding_of(start: bytes) -> str:
    """Return the compression of a file by its first four bytes, since its name may be wrong."""
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if start == b"\x28\xb5\x2f\xfd" else ""


def _unpacked(read: Read, encoding: str, window_log: int) -> Iterator[bytes]:
    consumed = decoded = 0

    def counting(size: int) -> bytes:
        nonlocal consumed
        data = read(size)
        consumed += len(data)
        return data

    for chunk in _DECODERS[encoding](counting, window_log):
        decoded += len(chunk)
        if decoded > BOMB_AFTER_BYTES and decoded > BOMB_RATIO * consumed:
            raise BodyTooLarge
        yield chunk


class _Parts:
    """Counter of the members or frames of a stream, since many tiny ones take much time."""

    def __init__(self) -> None:
        self._size = self._number = 0

    def count(self, chunk: bytes) -> bytes:
        self._size += len(chunk)
        return chunk

    def end(self) -> None:
        """Count the end of a part. Raise StreamCut if there are too many tiny parts."""
        self._number += 1
        if self._number > SMALL_PARTS_MAX and self._size < self._number * RECORD_MIN_BYTES:
            raise StreamCut("the packed data is in parts of next to nothing")


def _gzip(read: Read, _window_log: int) -> Iterator[bytes]:
    """Yield the data of consecutive members, as from `cat a.gz b.gz`; final zeros are padding."""
    first, parts = True, _Parts()
    while data := read(READ_BYTES):
        data = data if first else data.lstrip(b"\0")
        first = False
        if not data:
            continue
        member = zlib.decompressobj(wbits=31)
        while True:
            try:
                chunk = member.decompress(data, READ_BYTES)
            except zlib.error as error:
                raise StreamCut(f"the gzip data is damaged: {error}") from None
            if chunk:
                yield parts.count(chunk)
            if member.eof:
                parts.end()
                data = member.unused_data.lstrip(b"\0")
                if not data:
                    break
                member = zlib.decompressobj(wbits=31)
                continue
            data = member.unconsumed_tail
            if not data and not chunk:
                data = read(READ_BYTES)
                if not data:
                    raise StreamCut("the gzip data is cut")


def _zstd(read: Read, window_log: int) -> Iterator[bytes]:
    """Yield the data of consecutive frames."""
    data, used, parts = read(READ_BYTES), 0, _Parts()
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: window_log}
    while data:
        frame = zstd.ZstdDecompressor(options=options)
        # Feed little at first, because a frame's unused data is copied for each small frame.
        data_in = data[used : used + FIRST_READ_BYTES]
        used += len(data_in)
        while not frame.eof:
            try:
                chunk = frame.decompress(data_in, READ_BYTES)
            except zstd.ZstdError as error:
                raise StreamCut(f"the zstd data cannot be read: {error}") from None
            if chunk:
                yield parts.count(chunk)
            data_in = b""
            if frame.needs_input and not frame.eof:
                if used == len(data):
                    data, used = read(READ_BYTES), 0
                data_in, used = data[used:], len(data)
                if not data_in:
                    raise StreamCut("the zstd data is cut")
        parts.end()
        used -= len(frame.unused_data)
        if used == len(data):
            data, used = read(READ_BYTES), 0


_DECODERS = {"gzip": _gzip, "zstd": _zstd}
