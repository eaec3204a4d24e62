"""Slots: values in four bytes. The first byte is the kind of the value, for numbers including the
magnitude; the other three are a hash or, for dates, times and percentages, the value.

Equality compares all four bytes, magnitude only the kind. The scale of numbers has steps of a
factor of 1.41 (`step_of`).
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from xxhash import xxh32_intdigest

from .cleaning import OWN_NAME

Array = npt.NDArray[Any]

TEXT, DATE, DATE_WITHOUT_YEAR, CLOCK, DAY, PERCENT, OWN, MANY = range(8)
"""Kinds other than numbers: TEXT (versions, ids and anything mixed), dates in units of 256 seconds
or days, CLOCK (times), PERCENT (hundredths), OWN (the host's own name, never a difference), and
MANY (more different values than are kept)."""
CLOCK_UNITS = 64
"""Units per second of the value of CLOCK."""
NUMBER, MEASURED = 16, 136
"""First kind of numbers and sizes, and first kind of durations (in seconds) and rates."""
STEPS = 120

VALUES_MAX = 32
"""Maximum different values that are distinguished in lines that occur often."""

_DIGEST = 0xFFFFFF
_PLAIN = re.compile(
    rb"[+-]?(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?: ?([A-Za-z\x80-\xff%]+)(/s(?:ec)?|ps)?)?"
)
_CHAIN = re.compile(rb"(\d+(?:\.\d+)?) ?([A-Za-z\x80-\xff]+)")
_DURATIONS: dict[bytes, float] = {
    **dict.fromkeys((b"s", b"sec", b"second", "秒".encode()), 1),
    **dict.fromkeys((b"ms", b"msec", "毫秒".encode()), 1e-3),
    **{b"us": 1e-6, b"ns": 1e-9},
    **dict.fromkeys((b"m", b"min", b"minute", "分".encode(), "分钟".encode()), 60),
    **dict.fromkeys((b"h", b"hr", b"hour", "小时".encode()), 3600),
    **dict.fromkeys((b"d", b"day", "天".encode()), 86_400),
    **{b"week": 604_800, b"month": 2_592_000, b"year": 31_536_000},
}
_SIZES = {b"k": 1e3, b"m": 1e6, b"g": 1e9, b"t": 1e12, b"p": 1e15}
_MONTHS = {
    name: number
    for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
_CLOCK_TIME = rb"(\d\d?):(\d\d)(?::(\d\d))?"
_ISO = re.compile(
    rb"(?:[A-Z][a-z]{2} )?((?:19|20)\d\d)(?:[-/.]|\xe5\xb9\xb4)(\d\d?)(?:[-/.]|\xe6\x9c\x88)(\d\d?)"
    rb"(?:[ T_,]*" + _CLOCK_TIME + rb")?"
)
_DAY_MONTH = re.compile(
    rb"(?:[A-Z][a-z]{2},? )?(\d\d?)[ /-]([A-Z][a-z]{2})[a-z]*[ /-](\d{4})"
    rb"(?:[ :,]+" + _CLOCK_TIME + rb")?"
)
_MONTH_DAY = re.compile(
    rb"(?:[A-Z][a-z]{2} +)?([A-Z][a-z]{2})[a-z]* +(\d\d?)"
    rb"(?:,? +" + _CLOCK_TIME + rb")?(?:.*? (\d{4}))?"
)
_FIRST_BYTES = b"0123456789+-ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""First bytes of all values other than texts and the host's own name."""
_STARTS_AS_CLOCK = re.compile(rb"(\d\d):(\d\d):(\d\d(?:\.\d{1,9})?)")


def step_of(amount: float) -> int:
    """Return the step of an amount: 0 for nothing, 1 for a thousandth; 20 more steps are times
    1,000."""
    return 0 if amount < 1e-9 else int(min(STEPS - 1, max(1, 21 + 6.667 * math.log10(amount))))


def _steps_of(amounts: Array) -> Array:
    """Return the steps of an array of whole numbers."""
    wide = np.maximum(amounts, 1).astype(float)
    found = np.minimum(STEPS - 1, 21 + 6.667 * np.log10(wide)).astype(np.uint32)
    return np.where(amounts == 0, np.uint32(0), found)


def is_whole_number(value: bytes) -> bool:
    """Return whether a value is a count; long numbers, and long ones with a leading zero, are
    names."""
    return value.isdigit() and len(value) < 11 and not (len(value) > 4 and value.startswith(b"0"))


def _digest_of_number(number: Any, size: Any) -> Any:
    """Return the hash of a whole number written with `size` digits, or of an array of them."""
    return ((number * 0x9E3779B1 + size * 0x85EBCA6B) >> 7) & _DIGEST


@lru_cache(4096)
def number_slot(number: int, size: int = 0) -> int:
    """Return the slot of a whole number that is a count."""
    return (NUMBER + step_of(number)) << 24 | int(_digest_of_number(number, size))


def slots_of(text: bytes, starts: Array, ends: Array) -> Array:
    """Return the slots of values in a text."""
    data = np.frombuffer(text, np.uint8)
    sizes = ends - starts
    digits = np.zeros(len(data) + 1, np.int32)
    np.cumsum((data >= ord("0")) & (data <= ord("9")), out=digits[1:])
    whole = (digits[ends] - digits[starts] == sizes) & (sizes < 11)
    whole[whole] = (sizes[whole] < 5) | (data[starts[whole]] != ord("0"))
    found = np.empty(len(starts), np.uint32)
    found[whole] = _whole_numbers(data, starts[whole], sizes[whole])
    others = np.flatnonzero(~whole)
    spans = zip(starts[others].tolist(), ends[others].tolist(), strict=True)
    found[others] = [slot(text[start:end]) for start, end in spans]
    return found


def _whole_numbers(data: Array, starts: Array, sizes: Array) -> Array:
    numbers = np.zeros(len(starts), np.int64)
    for place in range(int(sizes.max(initial=0))):
        more = np.flatnonzero(sizes > place)
        numbers[more] = numbers[more] * 10 + (data[starts[more] + place] - ord("0"))
    return number_slots(numbers, sizes)


def number_slots(numbers: Array, sizes: Array | int = 0) -> Array:
    """Return the slots of an array of whole numbers that are counts."""
    digests = _digest_of_number(numbers.astype(np.int64), sizes).astype(np.uint32)
    return (NUMBER + _steps_of(numbers)) << 24 | digests


@lru_cache(65_536)
def slot(value: bytes) -> int:
    """Return the slot of a value."""
    if value == OWN_NAME:
        return OWN << 24
    if is_whole_number(value):
        return number_slot(int(value), len(value))
    digest = xxh32_intdigest(value) & _DIGEST
    if value[:1] not in _FIRST_BYTES:
        return TEXT << 24 | digest
    moment = _moment(value)
    if moment is not None:
        return moment
    if clock := _STARTS_AS_CLOCK.match(value):
        seconds = int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
        return CLOCK << 24 | min(_DIGEST, int(seconds * CLOCK_UNITS))
    return _amount(value, digest)


def is_moment(value: bytes) -> bool:
    """Return whether a value differs anyway: a date, time, duration, rate or the host's own
    name."""
    kind = slot(value) >> 24
    return kind in (DATE, DATE_WITHOUT_YEAR, DAY, CLOCK, OWN) or kind >= MEASURED


def set_slot(slots: Sequence[int]) -> int:
    """Return the slot for the different slots of lines that occur often: the largest kind and a
    hash of all; MANY if they are too many."""
    if len(slots) > VALUES_MAX:
        return MANY << 24
    mixed = sum(one * 0x9E3779B1 >> 7 for one in slots) & _DIGEST
    return max(one >> 24 for one in slots) << 24 | mixed


def _moment(value: bytes) -> int | None:
    """Return the slot of a date; None if the value is not a date or an invalid one."""
    try:
        if len(value) > 7:
            if found := _ISO.match(value):
                seconds = _seconds(*found.groups())
                if found[4]:
                    return DATE << 24 | (seconds >> 8 & _DIGEST)
                return DAY << 24 | (seconds // 86_400 & _DIGEST)
            if (found := _DAY_MONTH.match(value)) and found[2] in _MONTHS:
                seconds = _seconds(found[3], _MONTHS[found[2]], found[1], *found.groups()[3:])
                return DATE << 24 | (seconds >> 8 & _DIGEST)
        if value[:1].isupper() and (found := _MONTH_DAY.match(value)) and found[1] in _MONTHS:
            year = found[6]
            seconds = _seconds(year or 1972, _MONTHS[found[1]], *found.groups()[1:5])
            return (DATE if year else DATE_WITHOUT_YEAR) << 24 | (seconds >> 8 & _DIGEST)
    except (ValueError, OverflowError):
        return None
    return None


def _seconds(
    year: bytes | int,
    month: bytes | int,
    day: bytes | None,
    hour: bytes | None = None,
    minute: bytes | None = None,
    second: bytes | None = None,
) -> int:
    days = datetime.date(int(year), int(month), int(day or 0)).toordinal()
    clock = int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    return (days - datetime.date(1970, 1, 1).toordinal()) * 86_400 + clock


def _amount(value: bytes, digest: int) -> int:
    """Return the slot of a number with a unit or of a series of durations; otherwise of a text."""
    if found := _PLAIN.fullmatch(value):
        whole, unit = found[1].replace(b",", b""), found[3] or b""
        if len(whole) < 11 and not (len(whole) > 4 and whole.startswith(b"0")):
            number = float(whole + (found[2] or b""))
            if unit == b"%":
                return PERCENT << 24 | min(int(number * 100), _DIGEST)
            low = unit.lower()
            time = _duration_unit(unit)
            is_measured = time is not None or found[4] or low.endswith(b"ps")
            if unit and time is None:
                number *= _SIZES.get(low[:1], 1)
            return (MEASURED if is_measured else NUMBER) + step_of(
                number * (1 if time is None else time)
            ) << 24 | digest
    # In most values, such as addresses and digests, the first letters are not a unit.
    first = _CHAIN.search(value) if len(value) > 1 and value[:1].isdigit() else None
    if first is not None and _duration_unit(first[2]) is not None:
        parts = _CHAIN.findall(value)
        units = [_duration_unit(unit) for _, unit in parts]
        if all(unit is not None for unit in units):
            seconds = sum(
                float(number) * (unit or 0) for (number, _), unit in zip(parts, units, strict=True)
            )
            return MEASURED + step_of(seconds) << 24 | digest
    return TEXT << 24 | digest


def _duration_unit(unit: bytes) -> float | None:
    """Return the seconds of a unit of time, None for any other unit; `M` is a size, `m` a
    minute."""
    if unit == b"M":
        return None
    if unit in _DURATIONS:
        return _DURATIONS[unit]
    low = unit.lower()
    return _DURATIONS.get(low[:-1] if low.endswith(b"s") and len(low) > 2 else low)
