"""Groups by values among hosts with similar output: hosts with a value that is an outlier in its
place.

A place is a line and one of its slots. What is usual there is derived from all hosts: a value that
nearly all share, a few values, the spread of numbers, or the range of dates.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .features import SET
from .slots import (
    CLOCK,
    CLOCK_UNITS,
    DATE,
    DATE_WITHOUT_YEAR,
    DAY,
    MEASURED,
    NUMBER,
    OWN,
    PERCENT,
    STEPS,
    TEXT,
    step_of,
)
from .tables import Table

Array = npt.NDArray[Any]

HOSTS_MIN, FEW_HOSTS = 10, 5
"""For fewer hosts it is not known what is usual, unless all but one of at least FEW_HOSTS have the
same value."""
FEW_COUNTED = 8
"""For few hosts, differences between numbers below this are ignored, unless more than FEW_SAME
hosts are compared."""
FEW_SAME, FEW_SAME_COUNTED = 6, 3
"""With more than FEW_SAME hosts, a third of a common number of at least FEW_SAME_COUNTED is an
outlier, and so is any number that differs from a common one of at least FEW_COUNTED."""
FEW_FAR_STEPS, FEW_FAR_DAYS, FEW_RANGES = 10, 7, 3
"""For few hosts, a number is an outlier if it is at least this many steps above all others, a date
if it is this many days from all others, and both if this is FEW_RANGES times the others' range."""
STEADY, NEARLY = 0.9, 0.98
"""Shares of hosts: a value is steady if at least STEADY have it; NEARLY means nearly all."""
LINE_SHARE = 0.5
"""Lines on a smaller share of the hosts are ignored."""
COMMON_SHARE, COMMON_VALUES = 0.05, 4
SAMPLE = 401
_DIGITS = 0xFFFFFF
_MINUTE, _TEN_MINUTES = 60 * CLOCK_UNITS, 600 * CLOCK_UNITS
_TWO, _FACTOR_OF_THREE = 23, 3
"""Two, and a factor of three, on the scale of `slots.step_of`."""


class Place(NamedTuple):
    """Place of a value: the key of a line, and the index of a slot; for the first of equal lines,
    slot 0 is the number of occurrences."""

    line: int
    slot: int


class OutlierValues(NamedTuple):
    """Hosts with outliers, and the places in which exactly these hosts have them."""

    places: tuple[Place, ...]
    hosts: Array


def columns(table: Table, hosts: Array) -> Iterator[tuple[int, Array, Array]]:
    """Yield the lines that most of these hosts have: key, indexes of the hosts, slots as rows."""
    entries = table.entries(hosts)
    order = np.argsort(entries.words, kind="stable")
    words = entries.words[order]
    begins = np.flatnonzero(np.diff(words, prepend=words[:1] ^ 1))
    for start, stop in zip(begins, np.append(begins[1:], len(words)), strict=True):
        width = int(words[start] & 31)
        if width and stop - start >= max(min(HOSTS_MIN, len(hosts)), LINE_SHARE * len(hosts)):
            rows = order[start:stop]
            yield (
                int(words[start] >> 5),
                entries.hosts[rows],
                table.slots(entries.first_slots[rows], width),
            )


def by_values(table: Table, hosts: Array) -> tuple[Array, list[OutlierValues]]:
    """Return the usual ones of hosts with similar output, and those with outliers, each by its
    rarest outlier."""
    if len(hosts) < FEW_HOSTS:
        return hosts, []
    places: dict[bytes, list[Place]] = defaultdict(list)
    for line, owners, values in columns(table, hosts):
        is_set = line & SET == SET
        outliers = _outlier_columns if len(hosts) >= HOSTS_MIN else _outliers_of_few
        for slot, outlier in outliers(values, NEARLY if is_set else STEADY):
            among = np.zeros(len(hosts), bool)
            among[owners[outlier]] = True
            places[among.tobytes()].append(Place(line, slot))
    sets = [(np.frombuffer(raw, bool), tuple(own)) for raw, own in places.items()]
    sets.sort(key=lambda pair: (int(pair[0].sum()), pair[1]))
    taken = np.zeros(len(hosts), bool)
    made = []
    for among, own in sets:
        outlier = among & ~taken
        if outlier.any():
            made.append(OutlierValues(own, hosts[outlier]))
            taken |= outlier
    return hosts[~taken], made


def _outliers_of_few(values: Array, _: float) -> Iterator[tuple[int, Array]]:
    """Yield the places with an outlier among a few hosts, and the hosts: a text or number that
    differs from the value of all others, or a number or date far from all others."""
    for place, column in enumerate(values.T):
        others = column[column != OWN << 24]
        if len(others) < FEW_HOSTS:
            continue
        different, counts = np.unique(others, return_counts=True)
        if len(different) > 2:
            far = _far_of_few(different)
            yield from ((place, column == different[at]) for at in far if counts[at] == 1)
        elif len(different) == 2 and counts.min() == 1:
            usual, other = different[counts.argmax()], different[counts.argmin()]
            if _is_other(int(usual) >> 24, int(other) >> 24, len(others)):
                yield place, column == other


def _is_other(usual: int, other: int, hosts: int) -> bool:
    """Return whether the only different value among a few hosts is an outlier, by both kinds."""
    if (usual, other) in ((TEXT, TEXT), (DAY, DAY)):
        return True
    if not all(NUMBER <= kind < MEASURED for kind in (usual, other)):
        return False
    same = hosts > FEW_SAME
    if same and usual >= NUMBER + step_of(FEW_COUNTED):
        return True
    least = FEW_SAME_COUNTED if same and usual > other else FEW_COUNTED
    counted = max(usual, other) >= NUMBER + step_of(least)
    return counted and abs(usual - other) >= _FACTOR_OF_THREE


def _far_of_few(different: Array) -> list[int]:
    """Return the indexes of outliers, which are far from all others, among ascending values of a
    few hosts."""
    kinds = different >> 24
    if kinds[0] >= NUMBER and (kinds[0] >= MEASURED) == (kinds[-1] >= MEASURED):
        steps, far, low_too = kinds.astype(int), FEW_FAR_STEPS, False
        if steps[0] in (NUMBER, MEASURED):
            return []
    elif kinds[0] == kinds[-1] == DAY:
        steps, far, low_too = (different & _DIGITS).astype(int), FEW_FAR_DAYS, True
    else:
        return []
    found = []
    if steps[-1] - steps[-2] >= max(far, FEW_RANGES * (steps[-2] - steps[0])):
        found.append(-1)
    if low_too and steps[1] - steps[0] >= max(far, FEW_RANGES * (steps[-1] - steps[1])):
        found.append(0)
    return found


def _outlier_columns(values: Array, steady: float) -> Iterator[tuple[int, Array]]:
    """Yield the places with outliers in a matrix of slots (hosts by places), and the hosts; a value
    is steady if the share `steady` has it."""
    count = len(values)
    sample = np.sort(values[:: max(1, count // SAMPLE)], axis=0)
    usual = sample[len(sample) // 2]
    same = values == usual
    alike = same.sum(0)
    for place in np.flatnonzero((alike < count) & (usual != OWN << 24)):
        column = values[:, place]
        shared = int(alike[place]) / count
        outlier = _outliers(column, int(usual[place]), shared, sample[:, place], steady)
        if outlier is not None:
            outlier &= column != OWN << 24
            if 0 < outlier.sum() <= (1 - STEADY) * count:
                yield int(place), outlier


def _outliers(
    column: Array, usual: int, shared: float, sample: Array, steady: float
) -> Array | None:
    """Return which values of a column are outliers; None if it cannot have any."""
    kind, count = usual >> 24, len(column)
    if kind == CLOCK:
        return _far_clocks(column)
    if kind in (DATE, DATE_WITHOUT_YEAR):
        return _far_dates(column, kind)
    if shared >= (NEARLY if kind >= MEASURED else steady):
        return _other_than(column, usual)
    if kind == PERCENT:
        return _far_percents(column)
    if kind >= NUMBER:
        return _far_numbers(column, kind)
    if kind == DAY and (far := _far_days(column)).any():
        return far
    if kind in (TEXT, DAY) and count >= 5 * HOSTS_MIN and (np.diff(sample) != 0).sum() < 8:
        return _other_than_common(column)
    return None


def _other_than(column: Array, usual: int) -> Array:
    """Return which values differ from the usual one; for durations and rates, those far from it."""
    outlier: Array = column != usual
    kind = usual >> 24
    if kind >= MEASURED:
        steps = (column >> 24).astype(int)
        outlier &= np.abs(steps - kind) > 1
        if kind - MEASURED <= _TWO:
            outlier &= steps > kind + 13
    return outlier


def _other_than_common(column: Array) -> Array | None:
    """Return which values are none of the few that nearly all hosts have, as in a fleet that is
    half upgraded; None if there are no such values."""
    values, counts = np.unique(column, return_counts=True)
    common = counts >= COMMON_SHARE * len(column)
    if common.sum() > COMMON_VALUES or counts[common].sum() < NEARLY * len(column):
        return None
    return ~np.isin(column, values[common])


def _far_dates(column: Array, kind: int) -> Array:
    times = (column & _DIGITS).astype(float)
    low, middle, high = _spread(times)
    day = 86_400 / 256
    return (column >> 24 == kind) & (np.abs(times - middle) > max(day, 4 * (high - low)))


def _far_days(column: Array) -> Array:
    days = (column & _DIGITS).astype(float)
    low, middle, high = _spread(days)
    return (column >> 24 == DAY) & (np.abs(days - middle) > max(1, 4 * (high - low)))


def _far_clocks(column: Array) -> Array | None:
    """Return which times are outliers; None unless nearly all are below a minute, and are thus
    durations."""
    if (column >> 24 == CLOCK).mean() < NEARLY:
        return None
    times = column & _DIGITS
    _, _, high = _spread(times)
    return times >= _TEN_MINUTES if high < _MINUTE else None


def _far_percents(column: Array) -> Array | None:
    if (column >> 24 == PERCENT).mean() < NEARLY:
        return None
    values = (column & _DIGITS).astype(float)
    low, _, high = _spread(values)
    gap = 0.4 * (high - low)
    return (values - high > gap) & (values >= 9000) | (low - values > gap) & (values < 1000)


def _far_numbers(column: Array, kind: int) -> Array | None:
    steps = (column >> 24).astype(int) - (MEASURED if kind >= MEASURED else NUMBER)
    if ((column >> 24 >= NUMBER) & (steps >= 0) & (steps < STEPS)).mean() < NEARLY:
        return None
    low, middle, high = _spread(steps)
    above = steps > high + max(6.5, 2 * (high - middle))
    below = (steps > 0) & (steps < low - max(6.5, 3 * (middle - low)))
    # Zero is not an outlier if others are close to zero.
    least = steps[steps > 0].min(initial=STEPS)
    nothing = (steps == 0) & (least >= _TWO) & (low > max(_TWO, middle - 7))
    return above | below | nothing


def _spread(column: Array) -> tuple[float, float, float]:
    """Return the smallest, middle and largest value without a twentieth at each end."""
    ordered = np.sort(column)
    cut = max(1, len(column) // 20)
    return ordered[cut], ordered[len(ordered) // 2], ordered[-1 - cut]
