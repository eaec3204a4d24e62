"""What a rule for one kind of secret is, and the parts that expressions are made of.

A rule begins with a literal that is rare in logs and stays visible, so that a reader sees what
was masked. `then` says, in RE2's language, what must follow until it is a secret; its group, or
else all of it, is masked. From there on the mask goes on over bytes of the class `more`, however
the text arrives. `within` is the class of all bytes that `then` may meet: what makes an unfinished
end of a text a possible beginning of a secret.

Laws, tested: no rule needs more than LOOK_BACK bytes until it is fulfilled, and none looks at what
follows. Between any two bytes of a rule there may be escape sequences and NULs, so that coloured
text and UTF-16 are read like plain text: no rule says so itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

LOOK_BACK = 1000
"""As many bytes as a secret may have until it is known to be one."""

ESCAPES: Final = re.compile(
    rb"\x1b(?:\x00?\[(?:\x00?[0-?]){0,40}(?:\x00?[ -/]){0,4}(?:\x00?[@-~]|\x00?\Z)"
    rb"|\x00?[()*+](?:\x00?[0-9A-Za-z]|\x00?\Z)|\x00?\Z)"
)
"""Colours, erasing and character sets; the last one of a text may have come in part."""

FILLER: Final = b"[\\x00\\x1b]*"
"""What may stand anywhere: the zero bytes of UTF-16, and escape sequences, as a view shows them."""

_WORD_BEGINS: Final = re.compile(rb"\w")
_TOKENS: Final = re.compile(
    rb"(?P<open>\((?:\?(?:P?<\w+>|[imsU-]*[:)]))?)|(?P<keep>[)|]|[*+?]\??|\{[0-9,]+\}\??)"
    rb"|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"
    rb"|\\(?:x\{[^}]*\}|x[0-9A-Fa-f]{2}|[pP](?:\{[^}]*\}|.)|[0-7]{1,3}|.)|.",
    re.S,
)
_COUNTS: Final = re.compile(rb"\{([0-9]+),([0-9]+)\}(\??)")
_COUNTED: Final = 20
"""Repetitions from which on it does not matter how many they are at most."""


class Rule(NamedTuple):
    """One way to recognise a secret."""

    name: str
    begins: tuple[bytes, ...]
    then: bytes
    within: bytes
    more: bytes = b""
    example: str = ""
    """«…» marks what is masked."""
    other: str = ""
    """Looks similar and stays."""
    ignore_case: bool = False
    lines: bool = False
    """It may meet newlines."""
    unfinished: bytes = b""
    """What may have come behind its literal, where that is less than any bytes of `within`."""
    again: bytes = b""
    """What may follow a mask of the rule: its group is masked as well, as often as it comes."""
    going: bytes = b""
    """What may become `again`."""
    own: bool = False
    """It is an operator's."""
    anywhere: bool = False
    """It may begin within a word."""
    key: bool = False
    """It begins a private key: nothing of it is masked, but the lines that follow are."""
    assignment: bool = False
    """It is known by a name alone: the setting MASK_ASSIGNMENTS switches it off."""

    @property
    def body(self) -> bytes:
        """An expression of what may have come behind its literal."""
        if self.unfinished:
            return filled(self.unfinished)
        return b"(?:%s%s)*" % (FILLER, visible(self.within))

    @property
    def apart(self) -> bool:
        """Whether no letter stands before it: what begins as a word does."""
        return not self.anywhere and bool(_WORD_BEGINS.match(self.begins[0]))


def filled(expression: bytes) -> bytes:
    """An expression that meets the same bytes with filler between them, and as many as there are.

    Counting to 200 costs an automaton 200 states for each place where it may begin to count. Nobody
    has to: what is longer than LOOK_BACK is no secret.
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
    """A class of bytes without those that are filler."""
    return letters.replace(b"[^", b"[^\\x00\\x1b", 1) if letters.startswith(b"[^") else letters


def any_of(expressions: Iterable[bytes]) -> bytes:
    """An expression of alternatives."""
    return b"(?:%s)" % b"|".join(expressions)


def spelled(words: Iterable[str], other: bytes) -> bytes:
    """An expression of what is none of some words in lower case, met as soon as that is known.

    `other` is the negated class, without its brackets, of all that a word may go on with.
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
