"""Hosts that printed the like in groups by values: those with a value that is an outlier in its
place.

A place is a line and a slot of it. What is usual there is read off all hosts: a value that nearly
all share, a few values, numbers that spread so far, dates that lie so close.
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
"""Of fewer hosts nothing says what is usual, but where all but one of a few have the same."""
FEW_COUNTED = 8
"""Of few hosts numbers below it are no news."""
STEADY, NEARLY = 0.9, 0.98
"""A value is steady if so many share it; of what is nearly of all, so many."""
LINE_SHARE = 0.5
"""Lines that fewer hosts have are not looked at."""
COMMON_SHARE, COMMON_VALUES = 0.05, 4
SAMPLE = 401
_DIGITS = 0xFFFFFF
_TWO, _FACTOR_OF_THREE = 23, 3
"""On the scale of `slots.step_of`."""


class Place(NamedTuple):
    """A slot: the key of its line, and which; with a line's first key 0 is how often it occurs."""

    line: int
    slot: int


class OutlierValues(NamedTuple):
    """Hosts with outliers, and in which places: those that tell the same hosts apart."""

    places: tuple[Place, ...]
    hosts: Array


def columns(table: Table, hosts: Array) -> Iterator[tuple[int, Array, Array]]:
    """The lines that most of these hosts have: key, places of the hosts, their slots as rows."""
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
    """Of hosts that printed the like the usual ones, and those with outliers, each by its
    rarest."""
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
    """The same of a few hosts: where all but one have the same text, or a number far from its."""
    for place, column in enumerate(values.T):
        different, counts = np.unique(column, return_counts=True)
        if len(different) != 2 or counts.min() != 1:
            continue
        usual, other = different[counts.argmax()], different[counts.argmin()]
        kinds = (int(usual) >> 24, int(other) >> 24)
        if kinds in ((TEXT, TEXT), (DAY, DAY)) or (
            all(NUMBER <= kind < MEASURED for kind in kinds)
            and max(kinds) >= NUMBER + step_of(FEW_COUNTED)
            and abs(kinds[0] - kinds[1]) >= _FACTOR_OF_THREE
        ):
            yield place, column == other


def _outlier_columns(values: Array, steady: float) -> Iterator[tuple[int, Array]]:
    """Of slots (hosts by places) the places with outliers, and on which hosts; a value is steady
    if such a share has it."""
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
    """Which values of a column are outliers; None: none can be."""
    kind, count = usual >> 24, len(column)
    if kind == CLOCK:
        return None
    if kind in (DATE, DATE_WITHOUT_YEAR):
        return _far_dates(column, kind)
    if shared >= (NEARLY if kind >= MEASURED else steady):
        return _other_than(column, usual)
    if kind == PERCENT:
        return _far_percents(column)
    if kind >= NUMBER:
        return _far_numbers(column, kind)
    if kind in (TEXT, DAY) and count >= 5 * HOSTS_MIN and (np.diff(sample) != 0).sum() < 8:
        return _other_than_common(column)
    return None


def _other_than(column: Array, usual: int) -> Array:
    """What is not the value that nearly all have; of durations and rates what is far from it."""
    outlier: Array = column != usual
    kind = usual >> 24
    if kind >= MEASURED:
        steps = (column >> 24).astype(int)
        outlier &= np.abs(steps - kind) > 1
        if kind - MEASURED <= _TWO:
            outlier &= steps > kind + 13
    return outlier


def _other_than_common(column: Array) -> Array | None:
    """What is none of the few values that nearly all have: a fleet that is half upgraded."""
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
    # Nothing is the end of a tail where others have next to nothing.
    least = steps[steps > 0].min(initial=STEPS)
    nothing = (steps == 0) & (least >= _TWO) & (low > max(_TWO, middle - 7))
    return above | below | nothing


def _spread(column: Array) -> tuple[float, float, float]:
    """The smallest, middle and largest value without the outermost twentieth at each end."""
    ordered = np.sort(column)
    cut = max(1, len(column) // 20)
    return ordered[cut], ordered[len(ordered) // 2], ordered[-1 - cut]
