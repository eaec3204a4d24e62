"""Forms of lines: the look of a line independent of its words and values, in one byte.

In a list of files, packages or jobs, each host has its own lines, which are not deviations. A line
with another form among them is: a warning, a sentence, another column.
"""

from __future__ import annotations

import re
from functools import lru_cache

from xxhash import xxh32_intdigest

TROUBLE = 0x80
"""Bit for a line that reports trouble; the other bits are a hash of its look, and PROSE."""
PROSE = 0x40
REMEMBERED_BYTES = 512
"""Maximum size of skeletons whose forms are cached, to limit memory."""

_AS_LETTERS = bytes(
    ord("w") if bytes([byte]).isalpha() or byte >= 0x80 or byte == ord("_") else byte
    for byte in range(256)
)
# Both begin at the start of a run, otherwise a long line without a match would take hours.
_PATH = re.compile(rb"(?<![w\x01\x02.@~+-])[w\x01\x02.@~+-]*+/[w\x01\x02./@~+-]*+")
_NAME = re.compile(rb"(?<![\x01.@~+-])[\x01.@~+-]*+w[w\x01.@~+-]*+")
_ROW = re.compile(rb"([wp\x01])(?:[ ,]+\1)+")
_SENTENCE = re.compile(
    rb"(?<![\w./-])(?:is|are|was|were|has|have|had|been|not|no|will|cannot|the|this|of|to|as|by|on"
    rb"|for|with|from|than) [a-z]"
)
_TROUBLE = re.compile(
    rb"(?<![\w./=-])(?<!\x01 )(?:warn(?:ings?)?|err(?:ors?)?|fatal|critical|alert|emerg|panic"
    rb"|fail(?:s|ed|ures?)?|exceptions?|traceback|cannot|can't|could not|unable|denied|refused"
    rb"|rejected|forbidden|unauthorized|unreachable|unavailable|not found|no such|missing|invalid"
    rb"|mismatch(?:ed)?|corrupt(?:ed)?|damaged|degraded|expired|deprecated|vanished|killed"
    rb"|abort(?:ed|ing)?|timed out|timeout|retry(?:ing)?|overflow(?:ed)?|exhausted|exceeded|lost"
    rb"|orphan(?:ed|s)?|stale|defunct|kept back|dumped|skipped|unhealthy|conflicts?"
    rb")(?![\w./(-]|=\x01|: ?\x01\Z)"
    + "|警告|错误|失败|异常|拒绝|超时|不足|未|エラー|失敗|例外|오류|경고|실패".encode()
)


def form_of(skeleton: bytes) -> int:
    """Return the form of a line's skeleton."""
    return _form_of(skeleton) if len(skeleton) <= REMEMBERED_BYTES else _form(skeleton)


def _form(skeleton: bytes) -> int:
    small = _NAME.sub(b"w", _PATH.sub(b"p", skeleton.translate(_AS_LETTERS)))
    form = xxh32_intdigest(_ROW.sub(rb"\1", small)) & 0x3F
    if _SENTENCE.search(skeleton):
        form |= PROSE
    return form | TROUBLE if _TROUBLE.search(skeleton.lower()) else form


_form_of = lru_cache(16_384)(_form)
