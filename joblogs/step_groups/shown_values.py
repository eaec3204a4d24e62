"""Values in which hosts differ, with their texts and labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .groups import StepGroup
from .lines import ShownLine, shown_line
from .texts import HostText
from .values import Value, ValueDifference, Variation, counted, label_of, value_of


class ShownDifference(NamedTuple):
    """Difference of a group in a value, with texts and label."""

    label: bytes
    own: list[Value]
    more: int
    usual: Value | None
    low: bytes | None
    high: bytes | None
    row: int | None
    at: int | None
    """Place of the value in the group's line `row`."""
    line: ShownLine | None
    counts_lines: bool


class ShownVariation(NamedTuple):
    """Variation of a value among the hosts of a group, with texts and label."""

    label: bytes
    number: int
    """Number of the line; 0 if it was not read."""
    values: list[Value]
    low: bytes | None
    high: bytes | None
    is_moment: bool


def without_repeats(variations: Iterable[ShownVariation]) -> list[ShownVariation]:
    """Return the first variation for each label, which may be on many lines, like a process id."""
    of_labels = {one.label or one.number: one for one in reversed(list(variations))}
    return list(of_labels.values())[::-1]


def shown_difference(
    one: ValueDifference, group: StepGroup, texts: Mapping[int, HostText]
) -> ShownDifference:
    text = texts.get(group.first.bk_host_id)
    usual = counted([one.usual], one.place, texts) if one.usual else []
    own = counted(one.own, one.place, texts, [value.text for value in usual])
    low, high = (
        value_of(texts.get(host.bk_host_id), one.place) if host else None
        for host in (one.low, one.high)
    )
    row = at = line = None
    if text is not None:
        found = text.values(one.place)
        wanted = {value.text for value in own}
        places = [(row, at) for row, at, value in found if value in wanted] or [
            (row, at) for row, at, _ in found
        ]
        if places:
            row, at = places[0]
            line = shown_line(text, row, [at])
        elif one.counts_lines and (rows := text.rows_of.get(one.place.line)):
            row = rows[0]
            line = shown_line(text, row)
    return ShownDifference(
        label_of(text, one.place),
        own,
        one.more,
        usual[0] if usual else None,
        low,
        high,
        row,
        at,
        line,
        one.counts_lines,
    )


def shown_variation(
    one: Variation, group: StepGroup, texts: Mapping[int, HostText]
) -> ShownVariation:
    low, high = (
        value_of(texts.get(host.bk_host_id), one.place) if host else None
        for host in (one.low, one.high)
    )
    text = texts.get(group.first.bk_host_id)
    label = label_of(text, one.place)
    found = text.values(one.place) if text is not None else []
    number = text.number(found[0][0]) if text is not None and found else 0
    values = counted(one.values, one.place, texts)
    return ShownVariation(label, number, values, low, high, one.is_moment)
