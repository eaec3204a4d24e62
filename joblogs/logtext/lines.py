"""Splitting a text of bytes that arrives in pieces into lines.

A line ends at b"\\n" and nowhere else: b"\\r" belongs to the line. A last line without a
newline is a line; an empty text has none. The result depends on the bytes only, never on how
they were cut into pieces. Memory is bounded by one piece and `max_line_bytes`: a longer line
is split into several segments.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_LINE_BYTES = 64 * 1024


class TextLine(NamedTuple):
    """Line, or one segment of a line that is longer than the limit."""

    number: int
    """Number of the line in the text, from 1; all segments of a line share it."""
    offset: int
    """Offset of the first byte of `data` in the text."""
    data: bytes
    """Unchanged bytes, including the newline if there is one."""
    continued: bool
    """Whether earlier bytes of the same line precede this segment."""
    ends: bool
    """Whether no further bytes of the same line follow in this text."""

    @property
    def end(self) -> int:
        """Offset of the byte after this segment."""
        return self.offset + len(self.data)

    @property
    def text(self) -> bytes:
        """Bytes to display, without the newline or CRLF at the end."""
        return without_line_end(self.data)


def without_line_end(data: bytes) -> bytes:
    """Return the bytes of a line without the b"\\n" or b"\\r\\n" at its end."""
    if data.endswith(b"\r\n"):
        return data[:-2]
    return data[:-1] if data.endswith(b"\n") else data


class LineCutter:
    """Splitter of a text, pushed piece by piece, into blocks that can be processed separately.

    A block is a run of whole lines, or one segment of exactly `max_line_bytes` bytes of a
    longer line. The newline is not counted in the limit: a line of exactly `max_line_bytes`
    bytes and its newline stay together. How lines are grouped into blocks depends on the
    pieces; where lines and segments begin and end does not.
    """

    def __init__(self, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        if max_line_bytes < 1:
            raise ValueError(f"max_line_bytes must be at least 1, not {max_line_bytes}")
        self._limit = max_line_bytes
        self._held = bytearray()

    @property
    def rest(self) -> bytes:
        """Pushed bytes that are not in a block yet: the last block, if the text ends here."""
        return bytes(self._held)

    def push(self, piece: bytes) -> list[bytes]:
        """Add the next bytes, and return the blocks that are complete now."""
        self._held += piece
        # A tiny piece of a long line must not copy all held bytes: that would be quadratic.
        if len(self._held) <= self._limit and b"\n" not in piece:
            return []
        text = bytes(self._held)
        blocks = []
        start = at = 0  # text[start:at] is the block being built; a line or segment begins at `at`
        while len(text) - at > self._limit:
            newline = text.rfind(b"\n", at, at + self._limit + 1)
            if newline >= 0:
                at = newline + 1
                continue
            if at > start:
                blocks.append(text[start:at])
            blocks.append(text[at : at + self._limit])
            start = at = at + self._limit
        at = max(at, text.rfind(b"\n", at) + 1)
        if at > start:
            blocks.append(text[start:at])
        del self._held[:at]
        return blocks


def iter_blocks(
    pieces: Iterable[bytes], *, max_line_bytes: int = MAX_LINE_BYTES
) -> Iterator[bytes]:
    """Yield the text in the blocks of `LineCutter`, which are fast to search."""
    cutter = LineCutter(max_line_bytes)
    for piece in pieces:
        yield from cutter.push(piece)
    if rest := cutter.rest:
        yield rest


def iter_lines(
    pieces: Iterable[bytes],
    *,
    first_number: int = 1,
    first_offset: int = 0,
    continued: bool = False,
    max_line_bytes: int = MAX_LINE_BYTES,
) -> Iterator[TextLine]:
    """Yield the lines of a text, or of a part of it.

    For a part, `first_number` and `first_offset` are the place where it begins: the number is
    one more than the newlines before it. `continued` means that it begins inside a line;
    segments are then measured from there, so they equal those of the whole text only if the
    part begins at a line or at a segment. `ends` is true for the last segment, with or without
    a newline: only the caller knows whether more bytes may follow.
    """
    number, offset = first_number, first_offset
    waiting: TextLine | None = None  # a segment; whether its line continues is not known yet
    for block in iter_blocks(pieces, max_line_bytes=max_line_bytes):
        if waiting:
            yield waiting
            waiting = None
        at = 0
        while newline := block.find(b"\n", at) + 1:
            yield TextLine(number, offset, block[at:newline], continued, True)
            number, offset = number + 1, offset + newline - at
            at, continued = newline, False
        if at < len(block):
            waiting = TextLine(number, offset, block[at:], continued, False)
            offset, continued = offset + len(block) - at, True
    if waiting:
        yield waiting._replace(ends=True)
