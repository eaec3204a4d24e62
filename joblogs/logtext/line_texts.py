"""Decoding of lines of bytes. Pure.

Lines end at the byte of a newline. In UTF-16 this is only half a character, of a newline or of
another one, so the text of a line depends on its neighbours.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from .encodings import line_encoding
from .terminal import decoded
from .utf16_parts import EncodedPart, utf16_parts


class Bytes(NamedTuple):
    """Bytes of a line, and their offset in the log."""

    offset: int
    data: bytes


class LineText(NamedTuple):
    """Decoded text of a line with its line end, and the encodings in which it was decoded. Invalid
    bytes are lone surrogates, as `surrogateescape` makes them."""

    text: str
    encodings: tuple[str, ...]


def line_texts(lines: Iterable[Bytes], encoding: str, *, mixed: bool = False) -> list[LineText]:
    """Return the text of each line.

    `mixed`: decode single lines that are clearly in another encoding, and parts that are in UTF-16,
    in theirs.
    """
    texts: list[LineText] = []
    for some in _contiguous(lines):
        if encoding.startswith("utf-16"):
            texts += _utf16_texts(some, encoding)
        elif mixed:
            data = b"".join(line.data for line in some)
            texts += _texts(some, data, utf16_parts(data), encoding)
        else:
            texts += [LineText(decoded(line.data, encoding)[0], (encoding,)) for line in some]
    return texts


def _utf16_texts(lines: list[Bytes], encoding: str) -> Iterator[LineText]:
    offset, first = lines[0]
    if offset % 2:
        lines = [Bytes(offset + 1, first[1:]), *lines[1:]]  # the rest of the previous character
    data = b"".join(line.data for line in lines)
    if len(data) % 2 and data.endswith(b"\n") and encoding == "utf-16-le":
        data += b"\0"
    return _texts(lines, data, [EncodedPart(0, len(data), encoding)], encoding)


def _contiguous(lines: Iterable[Bytes]) -> Iterator[list[Bytes]]:
    some: list[Bytes] = []
    for line in lines:
        if some and some[-1].offset + len(some[-1].data) != line.offset:
            yield some
            some = []
        some.append(line)
    if some:
        yield some


def _texts(
    lines: Sequence[Bytes], data: bytes, parts: Sequence[EncodedPart], encoding: str
) -> Iterator[LineText]:
    reader = _Reader(data, parts, encoding)
    at = 0
    for _, line in lines:
        stop = at + len(line)
        yield reader.read(_with_whole_newline(data, parts, stop))
        at = stop


def _with_whole_newline(data: bytes, parts: Iterable[EncodedPart], end: int) -> int:
    """Return the end of a line: in little endian, including the zero byte after its newline."""
    for part in parts:
        if part.start < end < part.end and part.encoding == "utf-16-le":
            is_halved = (end - part.start) % 2 and data[end - 1 : end + 1] == b"\n\0"
            return end + 1 if is_halved else end
    return end


class _Reader:
    """Decoder of bytes in sequence, some parts of which are in UTF-16."""

    def __init__(self, data: bytes, parts: Sequence[EncodedPart], encoding: str) -> None:
        self._data, self._parts, self._encoding = data, parts, encoding
        self._at = 0
        self._decoders = {
            part: codecs.getincrementaldecoder(part.encoding)(errors="replace") for part in parts
        }

    def read(self, stop: int) -> LineText:
        """Return the text from the current position up to a byte."""
        places = {self._at, stop}
        for part in self._parts:
            places |= {place for place in part[:2] if self._at < place < stop}
        pieces: list[str] = []
        names: dict[str, None] = {}
        for start, end in pairwise(sorted(places)):
            piece = self._data[start:end]
            within = next((one for one in self._parts if one.start <= start < one.end), None)
            if within is not None:
                pieces.append(self._decoders[within].decode(piece))
                names[within.encoding] = None
            else:
                name = line_encoding(piece, self._encoding)
                pieces.append(decoded(piece, name)[0])
                names[name] = None
        self._at = stop
        return LineText("".join(pieces), tuple(names))
