"""Tables and patterns for skeletons: classes of bytes, calendar words, and what forms one slot."""

from __future__ import annotations

import re

import numpy as np

SLOT = 1
"""Byte that stands for a slot in a skeleton. Before slots are merged, 2 is the host's own name, 3 a
calendar word, and 4 a number with a unit of time in one word."""
CALENDAR, TIMED = 3, 4

DIGIT, ALPHA, HEX, VOWEL, FOLD, BLANK, UPPER = (1 << bit for bit in range(7))
CLASS = np.zeros(256, np.uint8)
for _bytes, _bit in (
    (b"0123456789", DIGIT | HEX),
    (b"abcdefABCDEF", HEX),
    (b"aeiouyAEIOUY", VOWEL),
    (b" \t\r", BLANK | FOLD),
    (b"-=*#_.~+|<>", FOLD),
    (bytes(range(65, 91)), ALPHA | UPPER),
    (bytes(range(97, 123)), ALPHA),
):
    CLASS[np.frombuffer(_bytes, np.uint8)] |= _bit

CALENDAR_WORDS = np.sort(
    np.array(
        [
            int.from_bytes(word, "big")
            for word in (
                b"Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec "
                b"UTC GMT CST EST EDT PST PDT CET JST IST BST"
            ).split()
        ],
        np.uint32,
    )
)
CALENDAR_NAMES = frozenset(
    b"Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April "
    b"June July August Sept September October November December".split()
)
TIME_LETTERS = np.frombuffer(b"smhd", np.uint8)
BEFORE_SIGN = np.frombuffer(b"\n \t(=[:_", np.uint8)

_HAN_TIME = (
    rb"(?:\xe5\xb9\xb4|\xe6\x9c\x88|\xe6\x97\xa5|\xe6\x97\xb6|\xe5\x88\x86(?:\xe9\x92\x9f)?"
    rb"|(?:\xe6\xaf\xab)?\xe7\xa7\x92|\xe5\xa4\xa9|\xe5\xb0\x8f\xe6\x97\xb6|\xe5\x91\xa8)"
)
"""年 月 日 时 分(钟) (毫)秒 天 小时 周"""
_TIME = (
    rb"(?:[mun]?s|msecs?|secs?|seconds?|min|mins|minutes?|hrs?|hours?|h|days?|d|weeks?|months?"
    rb"|years?|" + _HAN_TIME + rb")(?![A-Za-z])"
)
_SIZE = rb"(?:[kKMGTP]i?[Bb]?(?:it)?|[Bb]|[Bb]ytes?)(?:/s(?:ec)?|ps)?(?![A-Za-z])"
_JOINED = rb"(?:(?:[.,/_+-]|::?)[\x01\x04])*+"
_NUMBER = rb"[\x01\x04]" + _JOINED
_DATE = (
    rb"(?:,?[ /-]" + _NUMBER + rb")(?:[ ,:]{1,2}" + _NUMBER + rb")?"
    rb"(?: [AP]M)?(?: [+-]?\x01(?![.:,/ \x01]))?(?: \x03(?: \x01)?)?"
)
_DURATIONS = (
    _JOINED + rb"(?: ?" + _TIME + rb"|(?<=\x04))"
    rb"(?:(?:, ?| |)" + _NUMBER + rb"(?: ?" + _TIME + rb"|(?<=\x04)|(?<=:\x01)))*+"
)
_AMOUNT = _JOINED + rb"(?:%| [AP]M(?![A-Za-z])|(?: ?" + _SIZE + rb"){1,2}+(?: ?/s)?)?"
MERGED = re.compile(
    # Each begins with a single byte, so that the search skips everything but these four.
    b"|".join(
        (
            # Dates with a word, in any order, with time, AM or PM, zone and year.
            rb"\x03(?:,? (?:" + _NUMBER + rb" )?\x03)?" + _DATE,
            rb"\x01[/-]\x03" + _DATE,
            # Dates of numbers.
            rb"\x01(?:-\x01-|/\x01/|\.\x01\.)\x01[ T,]{1,2}" + _NUMBER + rb"(?: [AP]M)?(?: \x03)?",
            # An IPv4 address alone: a port after it is a separate slot.
            rb"\x01(?:\.\x01){3}(?![.\x01])",
            # Durations in a row: `12 days,  3:04`.
            rb"\x01" + _DURATIONS,
            rb"\x04" + _DURATIONS,
            # Numbers joined, with their unit.
            rb"\x01" + _AMOUNT,
            rb"\x04" + _AMOUNT,
            rb"\x02",
            rb"\x03",
        )
    )
)
