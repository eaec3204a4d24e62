"""The text of lines of bytes in an encoding, where bytes of lines are those of letters. Pure.

Lines end at the byte of a newline. In UTF-16 that is half of it, or half of another letter: what a
line's text is depends on the lines beside it.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import NamedTuple

from .terminal import decoded


class Bytes(NamedTuple):
    """Bytes of a line, and where they stand in the log."""

    offset: int
    data: bytes


def line_texts(lines: Iterable[Bytes], encoding: str) -> list[str]:
    """The text of each line with its end, bytes that are no text as halves of characters."""
    if not encoding.startswith("utf-16"):
        return [decoded(data, encoding)[0] for _, data in lines]
    whole = _with_whole_newlines(list(lines), encoding)
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    texts, position = [], None
    for offset, data in whole:
        if offset != position:
            decoder.reset()
            skip = offset % 2
        else:
            skip = 0
        position = offset + len(data)
        texts.append(decoder.decode(data[skip:]))
    return texts


def _with_whole_newlines(lines: list[Bytes], encoding: str) -> list[Bytes]:
    """In little endian the zero of a newline begins the next line: put it where it belongs."""
    if encoding != "utf-16-le":
        return lines
    whole: list[Bytes] = []
    for index, (offset, data) in enumerate(lines):
        stop = offset + len(data)
        following = lines[index + 1] if index + 1 < len(lines) else None
        if following is not None and following.offset != stop:
            following = None
        if whole and whole[-1].offset + len(whole[-1].data) == offset + 1:
            offset, data = offset + 1, data[1:]
        if data.endswith(b"\n") and stop % 2 and (not following or following.data[:1] == b"\0"):
            data += b"\0"
        whole.append(Bytes(offset, data))
    return whole
