"""Bytes of a file or a body, as numbered lines, in bounded memory."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from joblogs.errors import BodyTooLarge
from joblogs.records import LINE_MAX_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

READ_BYTES = 256 * 1024
ENCODINGS = ("", "gzip", "zstd")

# Honest logs compress 100:1; what expands further than this after 64 MB is a bomb.
BOMB_AFTER_BYTES = 64 * 1024 * 1024
BOMB_RATIO = 1000

Read = Callable[[int], bytes]
"""Like a binary file's `read`: at most so many bytes, b"" at the end."""


class StreamCut(Exception):
    """The bytes ended before they were whole, or are not what they were said to be."""


class Line(NamedTuple):
    """A line, numbered from 1. `fault` says why `data` cannot be a record."""

    number: int
    data: bytes
    fault: str = ""


TOO_LONG = "too_large"
CUT = "cut"


def numbered_lines(read: Read, *, encoding: str = "", max_bytes: int = 0) -> Iterator[Line]:
    """The lines of a stream, blank ones left out but counted.

    `encoding` is one of ENCODINGS, `max_bytes` limits the decoded bytes (0: no limit). A line over
    16 MB comes as TOO_LONG without its bytes. A stream that is cut ends with one CUT line. Raises
    BodyTooLarge past a limit.
    """
    number, rest, skipping = 0, b"", False
    chunks = _limited(read, encoding, max_bytes)
    while True:
        try:
            chunk = next(chunks, None)
        except StreamCut as error:
            yield Line(number + 1, str(error).encode(), CUT)
            return
        if chunk is None:
            break
        *lines, rest = (rest + chunk if rest else chunk).split(b"\n")
        for line in lines:
            number += 1
            if skipping:
                skipping = False
                yield Line(number, b"", TOO_LONG)
            elif len(line) > LINE_MAX_BYTES:
                yield Line(number, b"", TOO_LONG)
            elif line and not line.isspace():
                yield Line(number, line)
        if len(rest) > LINE_MAX_BYTES:
            rest, skipping = b"", True
    if skipping:
        yield Line(number + 1, b"", TOO_LONG)
    elif rest and not rest.isspace():
        yield Line(number + 1, rest)


def encoding_of(start: bytes) -> str:
    """How a file is packed, by its first four bytes: its name may say nothing (stdin) or lie."""
    if start.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if start == b"\x28\xb5\x2f\xfd" else ""


def _limited(read: Read, encoding: str, max_bytes: int) -> Iterator[bytes]:
    consumed = decoded = 0

    def counting(size: int) -> bytes:
        nonlocal consumed
        data = read(size)
        consumed += len(data)
        return data

    for chunk in _DECODERS[encoding](counting):
        decoded += len(chunk)
        if max_bytes and decoded > max_bytes:
            raise BodyTooLarge
        if decoded > BOMB_AFTER_BYTES and decoded > BOMB_RATIO * consumed:
            raise BodyTooLarge
        yield chunk


def _plain(read: Read) -> Iterator[bytes]:
    while chunk := read(READ_BYTES):
        yield chunk


def _gzip(read: Read) -> Iterator[bytes]:
    """Members one after another, as `cat a.gz b.gz` makes them; zeros behind them are padding."""
    first = True
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
                yield chunk
            if member.eof:
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


def _zstd(read: Read) -> Iterator[bytes]:
    """Frames one after another."""
    data = read(READ_BYTES)
    while data:
        frame = zstd.ZstdDecompressor()
        while not frame.eof:
            try:
                chunk = frame.decompress(data, READ_BYTES)
            except zstd.ZstdError as error:
                raise StreamCut(f"the zstd data is damaged: {error}") from None
            if chunk:
                yield chunk
            data = b""
            if frame.needs_input and not frame.eof:
                data = read(READ_BYTES)
                if not data:
                    raise StreamCut("the zstd data is cut")
        data = frame.unused_data or read(READ_BYTES)


_DECODERS = {"": _plain, "gzip": _gzip, "zstd": _zstd}
