"""Folding of many host names: shop-a-[001-080]."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

_NUMBER = re.compile(r"[0-9]+")
_ONE_NUMBER = re.compile(r"([^0-9\[\],]*+)([0-9]++)([^0-9\[\],]*+)")
"""Form of most names."""
_OURS = re.compile(r"[\[\],]")
"""A name with one of these is not folded, since it looks like a folded one."""

_NUMBERS_MAX = 8
"""Maximum numbers of a name that are tried, from its end: more than an address has."""

KEPT = 32
"""Folded lists of names that a process caches, since those of a step are needed repeatedly."""

Affixes = tuple[str, str]
"""Parts of a name before and after one of its numbers."""


def fold(names: Iterable[str]) -> list[str]:
    """Return the names, each once, in parts that stand for as many names as possible.

    `a-[08-10,12].example` stands for a-08, a-09, a-10 and a-12. Numbers between two of the same
    length have that length; between two of different lengths they have no leading zeros.
    """
    return list(_folded(tuple(dict.fromkeys(names))))


@lru_cache(KEPT)
def _folded(names: tuple[str, ...]) -> list[str]:
    parts: list[tuple[str, str]] = []  # with the first name, which gives the order
    numbers: dict[Affixes, list[str]] = defaultdict(list)
    several: list[list[tuple[Affixes, str]]] = []
    for name in names:  # mostly in order already, which sorting is quick with
        if one := _ONE_NUMBER.fullmatch(name):
            before, number, after = one.groups()
            numbers[before, after].append(number)
        elif readings := list(_readings(name)):
            several.append(readings)
        else:
            parts.append((name, name))
    common = Counter(affixes for readings in several for affixes, _ in readings)
    common.update({affixes: len(values) for affixes, values in numbers.items()})
    for readings in several:
        # Of several numbers, the one in which most names differ, or the last one.
        affixes, number = readings[0]
        for other in readings[1:]:
            if common[other[0]] >= common[affixes]:
                affixes, number = other
        numbers[affixes].append(number)
    for (before, after), values in numbers.items():
        if len(set(map(len, values))) == 1:
            values.sort()
        else:
            values.sort(key=lambda number: (int(number), len(number)))
        first = f"{before}{values[0]}{after}"
        folded = first if len(values) == 1 else f"{before}[{_ranges(values)}]{after}"
        parts.append((first, folded))
    return [part for _, part in sorted(parts)]


def fold_within(names: Iterable[str], most: int) -> str:
    """Return the folded names as a text of at most `most` characters, cut between two names."""
    return cut_names(", ".join(fold(names)), most)


def cut_names(names: str, most: int) -> str:
    """Return folded names in at most `most` characters, cut between two names."""
    if len(names) <= most:
        return names
    start = names[: most - 1]
    return start[: start.rfind(",") + 1] + "…"


def _readings(name: str) -> Iterable[tuple[Affixes, str]]:
    if _OURS.search(name):
        return
    for match in list(_NUMBER.finditer(name))[-_NUMBERS_MAX:]:
        yield (name[: match.start()], name[match.end() :]), match[0]


def _ranges(numbers: list[str]) -> str:
    """Return ascending numbers as `1-3,5`."""
    runs: list[tuple[str, str]] = []
    first = last = numbers[0]
    value = int(last)
    for number in numbers[1:]:
        before, value = value, int(number)
        if value != before + 1 or not _is_written_on(first, last, number):
            runs.append((first, last))
            first = number
        last = number
    runs.append((first, last))
    return ",".join(first if first == last else f"{first}-{last}" for first, last in runs)


def _is_written_on(first: str, last: str, number: str) -> bool:
    """Return whether the next number is formatted like the run before it."""
    if len(number) == len(last):
        # If the lengths in the run differ, as in 9 to 10, no number may have leading zeros.
        return len(first) == len(number) or not _padded(number)
    return len(number) == len(last) + 1 and not (_padded(first) or _padded(number))


def _padded(number: str) -> bool:
    return len(number) > 1 and number.startswith("0")
