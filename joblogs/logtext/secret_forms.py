"""Rules for kinds of secrets, and the parts of which their expressions are made.

A rule begins with a literal that is rare in logs and stays visible, so that a reader sees what was
masked. `then` is an RE2 expression for the text that has to follow for it to be a secret; its
group, or else all of it, is masked. The mask continues over bytes of the class `more`, however the
text arrives. `within` is the class of all bytes that `then` may match: it decides whether the end
of a text may be the beginning of a secret.

Tested laws: no rule needs more than LOOK_BACK bytes to be complete, and none depends on the text
after it. Between any two bytes of a rule there may be escape sequences and NULs, so that coloured
text and UTF-16 are treated like plain text; rules do not have to provide for this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

LOOK_BACK = 1000
"""Maximum bytes of a secret until it is recognised."""

ESCAPES: Final = re.compile(
    rb"\x1b(?:\x00?\[(?:\x00?[0-?]){0,40}(?:\x00?[ -/]){0,4}(?:\x00?[@-~]|\x00?\Z)"
    rb"|\x00?[()*+](?:\x00?[0-9A-Za-z]|\x00?\Z)|\x00?\Z)"
)
"""Colours, erasing and character sets; the last one of a text may be incomplete."""

FILLER: Final = b"[\\x00\\x1b]*"
"""Bytes that may be anywhere: the zero bytes of UTF-16, and escape sequences as in a view."""

_WORD_BEGINS: Final = re.compile(rb"\w")
_TOKENS: Final = re.compile(
    rb"(?P<open>\((?:\?(?:P?<\w+>|[imsU-]*[:)]))?)|(?P<keep>[)|]|[*+?]\??|\{[0-9,]+\}\??)"
    rb"|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"
    rb"|\\(?:x\{[^}]*\}|x[0-9A-Fa-f]{2}|[pP](?:\{[^}]*\}|.)|[0-7]{1,3}|.)|.",
    re.S,
)
_COUNTS: Final = re.compile(rb"\{([0-9]+),([0-9]+)\}(\??)")
_COUNTED: Final = 20
"""Maximum repetitions from which on a limit is ignored."""


class Rule(NamedTuple):
    """Rule to recognise a kind of secret."""

    name: str
    begins: tuple[bytes, ...]
    then: bytes
    within: bytes
    more: bytes = b""
    example: str = ""
    """Example, in which «…» is masked."""
    other: str = ""
    """Similar text that is not masked."""
    ignore_case: bool = False
    lines: bool = False
    """Whether it may span lines."""
    unfinished: bytes = b""
    """Expression for what may follow its literal so far, if narrower than bytes of `within`."""
    again: bytes = b""
    """Expression for what may follow a mask of the rule: its group is masked too, repeatedly."""
    going: bytes = b""
    """Expression for what may become `again`."""
    own: bool = False
    """Whether it is a rule of the operator."""
    anywhere: bool = False
    """Whether it may begin within a word."""
    key: bool = False
    """Whether it begins a private key: it is not masked itself, but the lines after it are."""
    assignment: bool = False
    """Whether only a name identifies it: the setting MASK_ASSIGNMENTS can switch it off."""

    @property
    def body(self) -> bytes:
        """Expression for what may follow its literal so far."""
        if self.unfinished:
            return filled(self.unfinished)
        return b"(?:%s%s)*" % (FILLER, visible(self.within))

    @property
    def apart(self) -> bool:
        """Whether there must be no letter before it, since it begins like a word."""
        return not self.anywhere and bool(_WORD_BEGINS.match(self.begins[0]))


def filled(expression: bytes) -> bytes:
    """Return an expression that allows filler between the bytes, and any number of repetitions.

    Counting to 200 costs an automaton 200 states for each possible start. It is not needed, since a
    match longer than LOOK_BACK is not a secret.
    """
    return _TOKENS.sub(_with_filler, expression)


def _with_filler(found: re.Match[bytes]) -> bytes:
    token = found[0]
    if not found.lastgroup:
        return b"(?:%s%s)" % (FILLER, visible(token))
    counts = _COUNTS.fullmatch(token)
    if counts and int(counts[2]) >= _COUNTED:
        return {b"0": b"*", b"1": b"+"}.get(counts[1], b"{%s,}" % counts[1]) + counts[3]
    return token


def visible(letters: bytes) -> bytes:
    """Return a class of bytes without filler."""
    return letters.replace(b"[^", b"[^\\x00\\x1b", 1) if letters.startswith(b"[^") else letters


def any_of(expressions: Iterable[bytes]) -> bytes:
    """Return an expression for one of several alternatives."""
    return b"(?:%s)" % b"|".join(expressions)


def spelled(words: Iterable[str], other: bytes) -> bytes:
    """Return an expression that matches as soon as a text is known to be none of these words, which
    are in lower case.

    `other` is the negated class, without brackets, of the bytes that may continue a word.
    """
    words = sorted(set(words))
    firsts = sorted({word[:1] for word in words if word})
    branches = []
    for first in firsts:
        rest = spelled([word[1:] for word in words if word[:1] == first], other)
        letter = first.encode()
        either = b"[%s%s]" % (letter, letter.upper()) if letter.isalpha() else re.escape(letter)
        branches.append(either + rest)
    taken = b"".join(_in_class(first.encode()) for first in firsts)
    return any_of([*branches, b"[%s%s]" % (other, taken)])


def _in_class(letter: bytes) -> bytes:
    return letter + letter.upper() if letter.isalpha() else b"\\" + letter
