"""Forms of lines: what a line looks like whatever its words and values are, in one byte.

In a list of files, of packages or of jobs each host has lines of its own, and nobody deviates by
one of them. A line of another form among them does: a warning, a sentence, another column.
"""

from __future__ import annotations

import re
from functools import lru_cache

from xxhash import xxh32_intdigest

TROUBLE = 0x80
"""Set where a line reports trouble; the other bits are a hash of what it looks like."""
PROSE = 0x40
REMEMBERED_BYTES = 512
"""Of longer skeletons the form is computed each time: a process would keep them all."""

_AS_LETTERS = bytes(
    ord("w") if bytes([byte]).isalpha() or byte >= 0x80 or byte == ord("_") else byte
    for byte in range(256)
)
# Both begin where a run does, else a long line without what ends it would take hours.
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
    """Form of a line's skeleton."""
    return _form_of(skeleton) if len(skeleton) <= REMEMBERED_BYTES else _form(skeleton)


def _form(skeleton: bytes) -> int:
    small = _NAME.sub(b"w", _PATH.sub(b"p", skeleton.translate(_AS_LETTERS)))
    form = xxh32_intdigest(_ROW.sub(rb"\1", small)) & 0x3F
    if _SENTENCE.search(skeleton):
        form |= PROSE
    return form | TROUBLE if _TROUBLE.search(skeleton.lower()) else form


_form_of = lru_cache(16_384)(_form)
