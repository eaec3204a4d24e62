"""Texts of which a signature is made: a search finds the same in them as in a log.

Every match is completely within one of them. They are the readings of lines of `readings`, computed
together, with each line of a step only once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from joblogs.logtext.encodings import LATIN1, LEGACY, UTF8, is_in, recoded
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.logtext.utf16_streams import without_utf16
from joblogs.signatures import LONGEST_GRAM

from .blocks import blocks
from .coloured_lines import ColouredText, coloured
from .patterns import BETWEEN
from .terminal_readings import has_only_escapes, is_coded, redrawn_lines, without_codes

_CODE = BETWEEN.removesuffix("*")
_ONE = re.compile(_CODE.encode())
_RUN = re.compile(f"{_CODE}++".encode())
_RUN_AND_NEXT = re.compile(
    rf"({_CODE}++)(?=((?:[^\x00-\x08\x0a-\x1f\x7f]{_CODE}*+){{0,{LONGEST_GRAM - 1}}}+))".encode()
)
SEEN_BYTES = 64 * 1024 * 1024
"""Bytes of lines that are remembered, so that lines of many hosts are processed only once."""


class SignedTexts:
    """Texts of the logs of a part of a step."""

    def __init__(self) -> None:
        self._plain, self._recoded = _Lines(), _Lines()

    def of(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the texts of a log, given in parts, that are not in earlier logs."""
        for block in blocks(without_utf16(parts)):
            data = block.data
            lines = data.split(b"\n")
            yield from _as_read(self._plain.new(lines))
            with_utf8 = parts_as_utf8(data)
            if with_utf8 is not data:
                yield from _as_read(self._plain.new(with_utf8.split(b"\n")))
            if data.isascii() or is_in(data, UTF8):
                continue
            foreign = self._recoded.new(line for line in lines if not line.isascii())
            for name in (*LEGACY, LATIN1) if foreign else ():
                yield from _as_read(recoded(b"\n".join(foreign), name).split(b"\n"))


class _Lines:
    """Set of the lines that were processed."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()
        self._size = 0

    def new(self, lines: Iterable[bytes]) -> set[bytes]:
        """Return the lines that are new, and remember them."""
        new = set(lines) - self._seen
        self._size += sum(map(len, new))
        if self._size > SEEN_BYTES:
            self._seen, self._size = set(), 0
        else:
            self._seen |= new
        return new


def _as_read(lines: Collection[bytes]) -> Iterator[bytes]:
    """Yield lines unchanged, without codes, and as a terminal would show them; none for none."""
    if not lines:
        return
    text = b"\n".join(lines)
    yield text
    if is_coded(text):
        colours, others = _coloured(lines, text)
        yield colours.plain.tobytes()
        yield from colours.letters_of_codes(LONGEST_GRAM - 1)
        if others:
            yield from _of_any_codes(b"\n".join(others))
    for some in redrawn_lines(text):
        yield b"\n".join(row for row in some.rows if row is not None)


def _coloured(lines: Iterable[bytes], text: bytes) -> tuple[ColouredText, list[bytes]]:
    """Return a text of the lines with simple codes only, and the lines with other codes."""
    if has_only_escapes(text):
        return coloured(line for line in lines if b"\x1b" in line)
    coded = [line for line in lines if is_coded(line)]
    others = [line for line in coded if not has_only_escapes(line)]
    colours, more = coloured(line for line in coded if has_only_escapes(line))
    return colours, others + more


def _of_any_codes(text: bytes) -> Iterator[bytes]:
    plain = without_codes(text)
    yield plain
    without_runs = _RUN.sub(b"", text)
    if without_runs != plain:
        yield without_runs
    yield _letters_of_codes(text)


def _letters_of_codes(text: bytes) -> bytes:
    """Return the letters of codes with the letters after them, which a search finds even with
    another code in between."""
    lines = set()
    for run, following in set(_RUN_AND_NEXT.findall(text)):
        codes = _ONE.findall(run)
        letters = _RUN.sub(b"", following)
        # The end of a title is itself a code.
        if len(codes) > 1 or letters != following or codes[0].endswith(b"\x07"):
            lines |= {code[1:].rstrip(b"\x07") + letters for code in codes}
    return b"\n".join(lines)
