"""Many names in few words: shop-a-[001-080]."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

_NUMBER = re.compile(r"[0-9]+")
_OURS = re.compile(r"[\[\],]")
"""A name that holds one of these is left as it is: it would read like a folded one."""

_NUMBERS_MAX = 8
"""As many numbers of a name are looked at, from its end: all parts of an address and then some."""

Frame = tuple[str, str]
"""What a name says before and after one of its numbers."""


def fold(names: Iterable[str]) -> list[str]:
    """The names, each once, in parts that stand for as many of them as possible.

    `a-[08-10,12].example` stands for a-08, a-09, a-10 and a-12. Numbers between two of the same
    length have that length; between two of different lengths they have no leading zeros.
    """
    every = sorted(set(names))
    places = {name: list(_frames(name)) for name in every}
    common = Counter(frame for frames in places.values() for frame, _ in frames)
    parts: list[tuple[str, str]] = []  # with the first name, which gives the order
    numbers: dict[Frame, list[str]] = defaultdict(list)
    for name, frames in places.items():
        if not frames:
            parts.append((name, name))
            continue
        # Of several numbers the one that most names differ in; the last, if that says nothing.
        frame, number = frames[0]
        for other in frames[1:]:
            if common[other[0]] >= common[frame]:
                frame, number = other
        if common[frame] == 1:
            parts.append((name, name))
            continue
        numbers[frame].append(number)
    for (before, after), found in numbers.items():
        found.sort(key=lambda number: (int(number), len(number)))
        first = f"{before}{found[0]}{after}"
        folded = first if len(found) == 1 else f"{before}[{_ranges(found)}]{after}"
        parts.append((first, folded))
    return [part for _, part in sorted(parts)]


def _frames(name: str) -> Iterable[tuple[Frame, str]]:
    if _OURS.search(name):
        return
    for found in list(_NUMBER.finditer(name))[-_NUMBERS_MAX:]:
        yield (name[: found.start()], name[found.end() :]), found[0]


def _ranges(numbers: list[str]) -> str:
    """Ascending numbers as `1-3,5`."""
    runs: list[tuple[str, str]] = []
    for number in numbers:
        if runs and _continues(*runs[-1], number):
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return ",".join(first if first == last else f"{first}-{last}" for first, last in runs)


def _continues(first: str, last: str, number: str) -> bool:
    if int(number) != int(last) + 1:
        return False
    if len(number) == len(last):
        # From 9 on to 010: lengths differ already, so none of the run may have leading zeros.
        return len(first) == len(number) or not _padded(number)
    return len(number) == len(last) + 1 and not (_padded(first) or _padded(number))


def _padded(number: str) -> bool:
    return len(number) > 1 and number.startswith("0")
