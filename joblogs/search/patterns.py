"""Patterns to search for: text or regular expressions.

Expressions are RE2's: any of them takes time linear in the text, so none can block a process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import re2
from django.utils.translation import gettext, gettext_noop

from joblogs.signatures import is_ascii_only

PATTERN_MAX = 1024
EACH_LINE = b"(?m)"
"""Prefix of expressions: ^ and $ match the ends of a line, as in grep."""


ENDS_OF_TEXT = re.compile(r"\\[Az]|\(\?[a-zA-Z]*-[a-zA-Z]*m")
"""Parts of expressions that match the beginning or end of a text instead of a line."""
CODED_MAX = 200
"""Maximum characters of a text that is quickly found between terminal codes."""
BETWEEN = (
    r"(?:\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x00-\x1f\x7f]*(?:\x07|\x1b\\)"
    r"|\x1b[()][0-~]|\x1b[=>]|[\x00-\x07\x0e-\x1a\x7f])*"
)
"""Terminal codes that may be between the letters of a word."""


_REASONS = (
    gettext_noop("invalid escape sequence"),
    gettext_noop("invalid character class"),
    gettext_noop("invalid character class range"),
    gettext_noop("missing ]"),
    gettext_noop("missing )"),
    gettext_noop("unexpected )"),
    gettext_noop("no argument for repetition operator"),
    gettext_noop("invalid repetition size"),
    gettext_noop("bad repetition operator"),
    gettext_noop("invalid perl operator"),
    gettext_noop("invalid named capture group"),
)
"""What RE2 says of expressions, to be translated."""


class InvalidPattern(ValueError):
    """A pattern is invalid or too long. The message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Pattern to search for. A match never spans lines."""

    expression: Any
    is_ascii: bool = True
    coded: Any = None
    """The text with terminal codes allowed between its letters; None for an expression."""
    alphabet: frozenset[str] = frozenset()
    """Letters beyond ASCII that every match of a text contains, since they have no case."""
    signs: frozenset[bytes] = frozenset()
    """ASCII characters in lower case that every line with a match of a text contains. No blanks,
    since a terminal makes some; if case is ignored, no letter that equals one beyond ASCII."""
    is_of_lines: bool = True
    """Whether it matches a line within a text in the same way as alone."""
    in_utf16: bool = False
    """Whether all bytes are also searched as UTF-16: the reader chose this encoding."""

    @classmethod
    def of(
        cls, text: str, *, regex: bool = False, ignore_case: bool = False, in_utf16: bool = False
    ) -> Pattern:
        """Return the pattern for a literal text or a regular expression. Raises InvalidPattern."""
        if not text or len(text) > PATTERN_MAX:
            raise InvalidPattern(gettext("1 to %(n)s characters") % {"n": PATTERN_MAX})
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raise InvalidPattern(gettext("it holds half a character")) from None
        if b"\n" in raw:
            raise InvalidPattern(gettext("it holds a line break, and matches never span lines"))
        if regex:
            raw = EACH_LINE + raw
        options = re2.Options()
        options.literal = not regex
        options.case_sensitive = not ignore_case
        options.never_nl = True
        options.log_errors = False
        is_ascii = is_ascii_only(text, regex=regex)
        if is_ascii:
            # Bytes that are not UTF-8 are characters too, so `.` matches them.
            options.encoding = re2.Options.Encoding.LATIN1
        try:
            expression = re2.compile(raw, options)
            coded = None
            if not regex and len(text) <= CODED_MAX:
                options.literal = False
                coded = re2.compile(BETWEEN.join(map(re2.escape, text)).encode(), options)
        except re2.error as error:
            message = (error.args[0] if error.args else b"").replace(EACH_LINE, b"")
            reason, colon, part = message.decode(errors="replace").partition(": ")
            raise InvalidPattern(
                (gettext(reason) if reason in _REASONS else reason) + colon + part
            ) from None
        letters = () if regex else (one for one in text if not one.isascii())
        alphabet = frozenset(one for one in letters if one.lower() == one.upper())
        own = "" if regex else text
        signs = {one.lower().encode() for one in own if one.isascii() and one.isprintable()}
        signs -= {b" ", b"k", b"s"} if ignore_case else {b" "}
        return cls(
            expression,
            is_ascii,
            coded,
            alphabet,
            frozenset(signs),
            is_of_lines=not (regex and ENDS_OF_TEXT.search(text)),
            in_utf16=in_utf16,
        )

    def find(
        self, data: bytes, position: int = 0, *, coded: bool = False
    ) -> tuple[int, int] | None:
        """Return the next match at or after a position; `coded`: allow codes within a text."""
        expression = self.coded if coded and self.coded is not None else self.expression
        match = expression.search(data, position)
        return match.span() if match else None
