"""How a text may end: with the first part of a secret, or of how a rule begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from .secret_expressions import begins_of, begins_with, compiled, parts_of
from .secret_forms import ESCAPES, FILLER, LOOK_BACK, Rule, any_of

_BEGUN_SIZE: Final = 100
_NEVER: Final = rb"[^\x00-\xff]"
_ESCAPE_BEGUN = rb"(?:\\{1,4}(?:[nrtbf]|[ux][0-9A-Fa-f]{0,4})?|%[0-9A-Fa-f]{0,2}|\x1b)"
"""An escape that may end a word, so that another one begins behind it."""
_ESCAPE_ONLY: Final = compiled(_ESCAPE_BEGUN + FILLER)
LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class State(NamedTuple):
    """What is remembered of the end of a text; that of a text that begins is `State()`."""

    pending: int = 0
    """Bytes at the end that may begin a secret, or go on with one: the next run must see them, and
    the one before."""
    rule: str = ""
    """The rule whose mask may go on behind what is pending."""
    prefix: bytes = b""
    """Or, and by far the most often: the end is no more than this part of how a rule begins. It is
    remembered itself, because it tells nothing, and the next run needs not see the text for it.
    While the mask of a private key goes on it is what its lines look like."""

    @property
    def size(self) -> int:
        """Bytes at the end that the next run begins with."""
        return self.pending or (0 if self.rule else len(self.prefix))


class Ends:
    """Some rules, ready to tell what the end of a text may begin."""

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
        """Whether the byte before a text decides about what the text begins with."""
        # Its first byte tells nearly always, and costs next to nothing.
        return bool(text) and text[0] in self._firsts and self._starts.match(text) is not None

    def state(self, text: bytes | bytearray, position: int = 0) -> State:
        """The state at the end of a text that holds no secret at or after a position."""
        position = max(position, len(text) - LOOK_BACK)
        view = view_of(text) if b"\x1b" in text else text
        # One search from the end on: to ask first whether a rule that meets newlines begins at all
        # takes nearly as long.
        found = self._unsettled.search(view, position)
        if found is None:
            return State()
        start = found.start()
        while start > position and view[start - 1] in b"\x1b":
            start -= 1  # of an escape sequence all must be seen
        begun = bytes(text[start:])
        if self._is_begun(begun) or (begun[0] not in LETTERS and self._is_begun(begun[1:])):
            return State(prefix=begun)
        if len(begun) <= _BEGUN_SIZE and _ESCAPE_ONLY.fullmatch(view, start):
            return State(prefix=begun)
        return State(len(begun))

    def _is_begun(self, end: bytes) -> bool:
        return end.lower() in self._begun or end in self._begun

    def cut(self, view: bytes | bytearray, position: int) -> int:
        """Where the first part of a secret begins that the text ends with, or where it ends."""
        found = self._cut.search(view, max(position, len(view) - LOOK_BACK))
        if found is None:
            return len(view)
        begins: int = max(found.start(n) for n in range(1, found.re.groups + 1))
        return begins


def view_of(text: bytes | bytearray) -> bytearray:
    """A text as rules see it: escape sequences are filler."""
    if b"\x1b" in text:
        return bytearray(ESCAPES.sub(lambda found: b"\x1b" * len(found[0]), text))
    return bytearray(text)


def _unfinished(rules: Sequence[Rule]) -> list[tuple[bytes, bytes]]:
    """Expressions of how rules begin, and of what may have come behind, rules like each other once.

    The fewer they are the sooner an automaton has seen all of its states.
    """
    like: dict[tuple[bytes, bool, bool], set[bytes]] = {}
    for rule in rules:
        like.setdefault((rule.body, rule.ignore_case, rule.apart), set()).update(rule.begins)
    return [
        (begins_with(literals, ignore_case, apart), body)
        for (body, ignore_case, apart), literals in like.items()
    ]


def _begun(rules: Sequence[Rule]) -> list[bytes]:
    """Expressions of parts of how rules begin."""
    like: dict[tuple[bool, bool], set[bytes]] = {}
    for rule in rules:
        like.setdefault((rule.ignore_case, rule.apart), set()).update(parts_of(rule))
    return [begins_with(parts, *kind) for kind, parts in like.items() if parts]
