"""Values in which hosts differ: a group from others, and the hosts of a group from one another.

Features alone show which values differ; the values themselves are read from the logs of a few
hosts, which are returned by `hosts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from joblogs.grouping.slots import CLOCK, DATE, DATE_WITHOUT_YEAR, DAY, MANY, NUMBER, OWN
from joblogs.grouping.value_groups import HOSTS_MIN, STEADY, Place, columns
from joblogs.query import StepHost

from .groups import StepGroup, StepGroups
from .labels import cut_at_character, label
from .texts import HostText

Array = npt.NDArray[Any]

PLACES_SHOWN = 3
VALUES_SHOWN = 4
VARIATIONS_READ = 24
VALUE_BYTES = 80
_MOMENTS = (DATE, DATE_WITHOUT_YEAR, CLOCK, DAY)


class Value(NamedTuple):
    """Value, and the number of hosts that have it."""

    text: bytes
    hosts: int


class Among(NamedTuple):
    """Host that has a value, and the number of hosts that have it."""

    host: StepHost
    hosts: int


@dataclass
class ValueDifference:
    """Difference in a place between a group's values and those of the hosts it is compared with."""

    place: Place
    own: list[Among]
    more: int
    """Number of further values of the group."""
    usual: Among | None
    """Value that nearly all other hosts have."""
    low: StepHost | None = None
    high: StepHost | None = None
    """If there is no usual value: other hosts with about the smallest and the largest value."""

    def hosts(self) -> Iterator[StepHost]:
        """Yield the hosts whose logs have the values."""
        yield from (among.host for among in self.own)
        if self.usual:
            yield self.usual.host
        yield from filter(None, (self.low, self.high))

    @property
    def counts_lines(self) -> bool:
        """Whether the value is the number of times that the line occurs."""
        return self.place.slot == 0 and self.place.line & 3 == 0


@dataclass
class Variation:
    """Variation in a place among the hosts of one group."""

    place: Place
    values: list[Among] = field(default_factory=list)
    """All values, if they are few."""
    low: StepHost | None = None
    high: StepHost | None = None
    """For many numbers: hosts with about the smallest and the largest one."""
    is_moment: bool = False
    """Whether the values are dates or times, which differ anyway."""

    def hosts(self) -> Iterator[StepHost]:
        """Yield the hosts whose logs have the values."""
        yield from (among.host for among in self.values)
        yield from filter(None, (self.low, self.high))


def value_differences(
    step_groups: StepGroups, group: StepGroup
) -> tuple[list[ValueDifference], int]:
    """Return the differences of a group from the group that it is like, values before counts of
    lines, and the number of further ones."""
    if group.like is None:
        return [], 0
    found = [_difference(step_groups, group.rows, group.like.rows, place) for place in group.places]
    known = [difference for difference in found if difference is not None]
    known.sort(key=lambda difference: difference.counts_lines)
    shown = known[:PLACES_SHOWN]
    return shown, len(group.places) - len(shown)


def unusual_values(
    step_groups: StepGroups, group: StepGroup, crowd: StepGroup
) -> tuple[list[ValueDifference], int]:
    """Return the differences of a group's first host from values that are steady in the crowd, and
    the number of further ones. For a group that differs by lines, nothing else reports these."""
    if len(crowd.rows) < HOSTS_MIN or not len(group.rows):
        return [], 0
    first = step_groups.table.entries(group.rows[:1])
    slots_of = dict(zip(first.keys.tolist(), first.first_slots.tolist(), strict=True))
    found = []
    for line, _, values in columns(step_groups.table, crowd.rows):
        if line not in slots_of or line & 3:
            continue
        own = step_groups.table.slots(np.array([slots_of[line]]), values.shape[1])[0]
        sample = np.sort(values, axis=0)[len(values) // 2]
        steady = (values == sample).mean(0) >= STEADY
        kinds = sample >> 24
        differs = steady & (own != sample) & ~np.isin(kinds, (*_MOMENTS, OWN, MANY))
        found += [Place(line, int(slot)) for slot in np.flatnonzero(differs) if slot]
    made_of = (
        _difference(step_groups, group.rows[:1], crowd.rows, place)
        for place in found[:PLACES_SHOWN]
    )
    shown = [difference for difference in made_of if difference is not None]
    return shown, len(found) - len(shown)


def variations(step_groups: StepGroups, group: StepGroup) -> tuple[list[Variation], int]:
    """Return the variations among the hosts of a group, and the number of further ones.

    Those with few values are first, then numbers with the widest range first, then values that
    differ on most hosts, and times are last.
    """
    found: list[tuple[tuple[int, int], Variation]] = []
    for line, owners, values in _lines(step_groups, group.rows):
        for slot in range(values.shape[1]):
            column = values[:, slot]
            different, index, counts = np.unique(column, return_index=True, return_counts=True)
            kinds = different >> 24
            if len(different) < 2 or (kinds == OWN).any() or (line & 3 == 0 and slot == 0):
                continue
            one = Variation(Place(line, slot))
            rows = group.rows[owners[index]]
            if np.isin(kinds, _MOMENTS).any():
                one.is_moment = True
            elif len(different) <= VALUES_SHOWN and line & 3 != 3:
                order = np.argsort(-counts, kind="stable")
                one.values = [Among(step_groups.hosts[rows[at]], int(counts[at])) for at in order]
            elif (kinds >= NUMBER).all() and kinds.max() > kinds.min() and line & 3 != 3:
                one.low = step_groups.hosts[rows[kinds.argmin()]]
                one.high = step_groups.hosts[rows[kinds.argmax()]]
            apart = int(kinds.max()) - int(kinds.min())
            rank = (0, len(different)) if one.values else (1, -apart) if one.low else (2, 0)
            found.append((rank, one))
    found.sort(key=lambda pair: pair[0])
    moments = [one for _, one in found if one.is_moment]
    others = [one for _, one in found if not one.is_moment]
    return others[:VARIATIONS_READ] + moments[:1], len(others[VARIATIONS_READ:])


def _lines(step_groups: StepGroups, rows: Array) -> Iterator[tuple[int, Array, Array]]:
    if len(rows) >= HOSTS_MIN:
        yield from columns(step_groups.table, rows)
        return
    entries = step_groups.table.entries(rows)
    for word in dict.fromkeys(entries.words.tolist()):
        at = np.flatnonzero(entries.words == word)
        if word & 31 and len(at) > 1:
            yield (
                word >> 5,
                entries.hosts[at],
                step_groups.table.slots(entries.first_slots[at], word & 31),
            )


def _difference(
    step_groups: StepGroups, rows: Array, others: Array, place: Place
) -> ValueDifference | None:
    own, usual = _column(step_groups, rows, place), _column(step_groups, others, place)
    if own is None or usual is None:
        return None
    among, different = _among(step_groups, *own, most=VALUES_SHOWN)
    (common,), _ = _among(step_groups, *usual, most=1)
    difference = ValueDifference(place, among, different - len(among), None)
    if common.hosts >= STEADY * len(usual[0]):
        difference.usual = common
    else:
        kinds = usual[0] >> 24
        difference.low = step_groups.hosts[usual[1][int(kinds.argmin())]]
        difference.high = step_groups.hosts[usual[1][int(kinds.argmax())]]
    return difference


def _column(step_groups: StepGroups, rows: Array, place: Place) -> tuple[Array, Array] | None:
    """Return the values of hosts in a place, and the rows of these hosts; None without values."""
    entries = step_groups.table.entries(rows)
    has = (entries.keys == place.line) & (entries.widths > place.slot)
    if not has.any():
        return None
    values = step_groups.table.slots(entries.first_slots[has] + place.slot, 1)[:, 0]
    return values, rows[entries.hosts[has]]


def _among(
    step_groups: StepGroups, values: Array, rows: Array, *, most: int
) -> tuple[list[Among], int]:
    """Return a host for each of the `most` commonest values, and the number of all values."""
    _, index, counts = np.unique(values, return_index=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return [Among(step_groups.hosts[rows[index[at]]], int(counts[at])) for at in order], len(counts)


def value_of(text: HostText | None, place: Place, besides: Iterable[bytes] = ()) -> bytes | None:
    """Return the value of a host in a place; for lines that occur often, one not in `besides` if
    possible. None if it was not read."""
    if text is None:
        return None
    if place.slot == 0 and place.line & 3 == 0:
        return b"%d" % text.occurrences(place)
    usual = set(besides)
    values = [value for _, _, value in text.values(place)]
    return next((value for value in values if value not in usual), values[0] if values else None)


def counted(
    among: Sequence[Among],
    place: Place,
    texts: Mapping[int, HostText],
    besides: Iterable[bytes] = (),
) -> list[Value]:
    """Return the values of these hosts as printed, with the numbers of hosts."""
    found = []
    for host, hosts in among:
        value = value_of(texts.get(host.bk_host_id), place, besides)
        if value is not None:
            found.append(Value(cut_at_character(value, VALUE_BYTES), hosts))
    return found


def label_of(text: HostText | None, place: Place) -> bytes:
    """Return the label of the value in a place; empty if it was not read."""
    found = text.values(place) if text is not None else []
    if not found or text is None:
        return b""
    row, start, _ = found[0]
    return label(text.raw[row].removesuffix(b"\r"), text.slots(row), start)
