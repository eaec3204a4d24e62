"""Vectorised processing of lines with simple escape codes, such as colours: the lines without them,
and the text around them. `signed_texts` uses regular expressions for all other codes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]

PARAMETERS_MAX = 32
_ESCAPE, _LINE_FEED = 0x1B, 0x0A
_PADDING = b"\n" * (PARAMETERS_MAX + 3)
_IS_CONTROL = np.array([byte < 32 and byte != 9 or byte == 127 for byte in range(256)])


class ColouredText(NamedTuple):
    """Text of lines, the starts and ends of its codes, and the text without them."""

    data: Bytes
    starts: Places
    ends: Places
    plain: Bytes

    def letters_of_codes(self, count: int) -> Iterator[bytes]:
        """Yield the letters of each code followed by the next `count` visible letters, one per
        line; only for codes with another code within these letters."""
        near = self.starts[1:] - self.ends[:-1] <= count
        starts, ends = self.starts[:-1][near], self.ends[:-1][near]
        lengths = self.ends - self.starts
        following = (self.ends - np.cumsum(lengths))[:-1][near]
        plain = np.concatenate([self.plain, np.full(count, _LINE_FEED, np.uint8)])
        for length in np.unique(ends - starts):
            own = ends - starts == length
            letters = plain[following[own, None] + np.arange(count)]
            letters[np.maximum.accumulate(_IS_CONTROL[letters], axis=1)] = _LINE_FEED
            codes = self.data[starts[own, None] + np.arange(1, length)]
            end = np.full((len(codes), 1), _LINE_FEED, np.uint8)
            yield np.hstack([codes, letters, end]).tobytes()


def coloured(lines: Iterable[bytes]) -> tuple[ColouredText, list[bytes]]:
    """Return a text of the lines that only have complete codes of the kinds ESC [ …, ESC (, ESC ),
    ESC = and ESC >, and the other lines."""
    lines = list(lines)
    text = b"\n".join(lines)
    data = np.frombuffer(text + _PADDING, np.uint8)
    starts = np.flatnonzero(data[: len(text)] == _ESCAPE)
    ends, is_whole = _ends(data, starts)
    if is_whole.all():
        return ColouredText(data, starts, ends, _without(data, starts, ends)[: -len(_PADDING)]), []
    line_ends = np.flatnonzero(data[: len(text)] == _LINE_FEED)
    others = set(np.searchsorted(line_ends, starts[~is_whole]).tolist())
    whole = [line for number, line in enumerate(lines) if number not in others]
    return coloured(whole)[0], [lines[number] for number in sorted(others)]


def _without(data: Bytes, starts: Places, ends: Places) -> Bytes:
    steps = np.zeros(len(data) + 1, np.int8)
    steps[starts] = 1
    steps[ends] -= 1
    inside: npt.NDArray[np.int8] = np.cumsum(steps[:-1], dtype=np.int8)
    plain: Bytes = data[inside == 0]
    return plain


def _ends(data: Bytes, starts: Places) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Return the ends of these codes, and which of them are complete."""
    second = data[starts + 1]
    ends = starts + 2
    is_sequence = second == ord("[")
    for _ in range(PARAMETERS_MAX):
        is_parameter = is_sequence & (data[ends] & 0xF0 == 0x30)
        if not is_parameter.any():
            break
        ends += is_parameter
    final = data[ends]
    is_set = (second == ord("(")) | (second == ord(")"))
    is_whole = (
        (is_sequence & (final >= 0x40) & (final <= 0x7E))
        | (is_set & (final >= 0x30) & (final <= 0x7E))
        | (second == ord("="))
        | (second == ord(">"))
    )
    ends += is_sequence | is_set
    return ends, is_whole
