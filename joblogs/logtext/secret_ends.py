"""Ends of texts that may be the first part of a secret, or of the beginning of a rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from .secret_expressions import begins_of, begins_with, compiled, parts_of
from .secret_forms import ESCAPES, FILLER, LOOK_BACK, Rule, any_of

_BEGUN_SIZE: Final = 100
_NEVER: Final = rb"[^\x00-\xff]"
_ESCAPE_BEGUN = rb"(?:\\{1,4}(?:[nrtbf]|[ux][0-9A-Fa-f]{0,4})?|%[0-9A-Fa-f]{0,2}|\x1b)"
"""Escape that may end a word, so that another word begins after it."""
_ESCAPE_ONLY: Final = compiled(_ESCAPE_BEGUN + FILLER)
LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class ScanState(NamedTuple):
    """State at the end of a text; `State()` is that of an empty text."""

    pending: int = 0
    """Number of bytes at the end that may begin or continue a secret: the next run needs these, and
    the byte before them."""
    rule: str = ""
    """Name of the rule whose mask may continue after the pending bytes."""
    prefix: bytes = b""
    """By far the most common case: the end is just this part of a rule's beginning. It is stored
    itself, since it is not secret, so that the next run does not need the text. During the mask of
    a private key it has the state of the key's lines."""

    @property
    def size(self) -> int:
        """Number of bytes at the end with which the next run begins."""
        return self.pending or (0 if self.rule else len(self.prefix))


class Ends:
    """Compiled rules that determine what the end of a text may begin."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        parts = {part for rule in rules for part in parts_of(rule)}
        self._begun = parts | {part.lower() for part in parts}
        ends = [b"%s%s" % ends for ends in _unfinished(rules)]
        ends += [*_begun(rules), _ESCAPE_BEGUN]
        self._unsettled = compiled(any_of(ends) + FILLER + rb"\z", captures=False)
        self._cut = compiled(
            any_of(b"%s(%s)" % ends for ends in _unfinished(rules)) + FILLER + rb"\z"
        )
        apart = [rule for rule in rules if rule.apart]
        starts = [begins_of(rule, rule.begins) for rule in apart]
        partial = [begins_of(rule, parts_of(rule)) + rb"\z" for rule in apart]
        self._starts = compiled(any_of([*starts, *partial]) if apart else _NEVER)
        firsts = {begins[:1] for rule in apart for begins in rule.begins}
        self._firsts = frozenset(b"".join(first.lower() + first.upper() for first in firsts))

    def needs_context(self, text: bytes | bytearray) -> bool:
        """Return whether the beginning of a text can only be judged with the byte before it."""
        # The first byte nearly always decides, at almost no cost.
        return bool(text) and text[0] in self._firsts and self._starts.match(text) is not None

    def state(
        self, text: bytes | bytearray, position: int = 0, view: bytes | bytearray | None = None
    ) -> ScanState:
        """Return the state at the end of a text without secrets at or after a position.

        `view` is the view of the text, if there is one already.
        """
        position = max(position, len(text) - LOOK_BACK)
        if view is None:
            view = view_of(text) if b"\x1b" in text else text
        # One search from the end on: to ask first whether a rule that meets newlines begins at all
        # takes nearly as long.
        found = self._unsettled.search(view, position)
        if found is None:
            return ScanState()
        start = found.start()
        while start > position and view[start - 1] in b"\x1b":
            start -= 1  # an escape sequence must not be split
        begun = bytes(text[start:])
        if self._is_begun(begun) or (begun[0] not in LETTERS and self._is_begun(begun[1:])):
            return ScanState(prefix=begun)
        if len(begun) <= _BEGUN_SIZE and _ESCAPE_ONLY.fullmatch(view, start):
            return ScanState(prefix=begun)
        return ScanState(len(begun))

    def _is_begun(self, end: bytes) -> bool:
        return end.lower() in self._begun or end in self._begun

    def cut(self, view: bytes | bytearray, position: int) -> int:
        """Return the start of the first part of a secret at the end of the text; the end of the
        text if there is none."""
        found = self._cut.search(view, max(position, len(view) - LOOK_BACK))
        if found is None:
            return len(view)
        begins: int = max(found.start(n) for n in range(1, found.re.groups + 1))
        return begins


def view_of(text: bytes | bytearray) -> bytearray:
    """Return the view of a text for the rules, in which escape sequences are filler."""
    if b"\x1b" in text:
        return bytearray(ESCAPES.sub(lambda found: b"\x1b" * len(found[0]), text))
    return bytearray(text)


def _unfinished(rules: Sequence[Rule]) -> list[tuple[bytes, bytes]]:
    """Return pairs of expressions: the beginnings of rules, and what may follow so far.

    Similar rules are combined: with fewer expressions, an automaton learns its states faster.
    """
    like: dict[tuple[bytes, bool, bool], set[bytes]] = {}
    for rule in rules:
        like.setdefault((rule.body, rule.ignore_case, rule.apart), set()).update(rule.begins)
    return [
        (begins_with(literals, ignore_case, apart), body)
        for (body, ignore_case, apart), literals in like.items()
    ]


def _begun(rules: Sequence[Rule]) -> list[bytes]:
    """Return expressions for incomplete beginnings of rules."""
    like: dict[tuple[bool, bool], set[bytes]] = {}
    for rule in rules:
        like.setdefault((rule.ignore_case, rule.apart), set()).update(parts_of(rule))
    return [begins_with(parts, *kind) for kind, parts in like.items() if parts]
