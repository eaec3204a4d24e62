"""Secrets in what jobs print: found as the text arrives, masked byte by byte.

A mask replaces each byte by an asterisk and leaves newlines and zero bytes, so lengths, offsets,
lines and UTF-16 stay what they were. What is masked depends on the text alone, never on how it was
cut: read byte by byte, a text is masked as soon as a secret is one, and then for as long as its
class goes on; a masked byte is a border that no later secret crosses. So all that must be
remembered between two runs is whether a mask may go on and how many bytes at the end may begin a
secret.

Rules look at a view of the text, of the same length: escape sequences are filler there, which may
stand between any two bytes of a secret, and what is masked is line breaks.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from . import private_keys
from .pieces import Range, union
from .secret_expressions import (
    Cursor,
    Expression,
    Found,
    begins_of,
    begins_with,
    compiled,
    parts_of,
)
from .secret_forms import ESCAPES, FILLER, LOOK_BACK, Rule, any_of, filled, visible
from .secret_rules import RULES

__all__ = [
    "LOOK_BACK",
    "RULES",
    "Masks",
    "Rule",
    "Secrets",
    "State",
    "cover",
    "declared",
    "secrets_of",
]

RANGES_KEPT, RANGES_APART = 500, 1024 * 1024
"""So many masked ranges are kept as they are; further ones that are closer than that are one."""
RANGES_MAX = 2000
"""So many are kept of any log: rows are locked by the thousand, with their ranges."""

_BORDER, _STAR = b"\n", b"*"
"""What a masked byte looks like to the rules, and to readers."""
LEFT: Final = b"\0\r\n"
"""Bytes that a mask leaves as they are."""
_STARS = bytes(byte if byte in LEFT else ord(_STAR) for byte in range(256))
_BORDERS = bytes(byte if byte in LEFT else ord(_BORDER) for byte in range(256))
_BEGUN_SIZE = 100
_WIDE = b"16"
"""What is remembered of a mask in UTF-16."""
_ESCAPE_BEGUN = rb"(?:\\{1,4}(?:[nrtbf]|[ux][0-9A-Fa-f]{0,4})?|%[0-9A-Fa-f]{0,2}|\x1b)"
"""An escape that may end a word, so that another one begins behind it."""


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


@dataclass(slots=True)
class Masks:
    """What a run came to. Ranges count from the beginning of the text it was given."""

    ranges: list[Range] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    state: State = State()

    @property
    def places(self) -> int:
        """Secrets found; one that only goes on was counted before."""
        return sum(self.found.values())


class _Open(NamedTuple):
    """A mask that may go on where it stopped."""

    rule: Rule
    stop: int
    lines: private_keys.Lines = private_keys.Lines()
    wide: bool = False
    """It is UTF-16: zero bytes belong to it. In any other text they end it."""


class Secrets:
    """Some rules, ready to be used."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._named = {rule.name: rule for rule in reversed(self.rules)}
        kinds = ([r for r in rules if not r.own], [r for r in rules if r.own])
        self._expressions = [Expression(kind) for kind in kinds if kind]
        self._more = {
            (rule.name, wide): compiled(
                b"(?:%s%s)*" % (filler, visible(rule.more)), never_nl=rule.own
            )
            for rule in rules
            if rule.more
            for wide, filler in ((False, rb"\x1b*"), (True, FILLER))
        }
        again = [rule for rule in rules if rule.again]
        self._again = {rule.name: compiled(filled(rule.again)) for rule in again}
        self._going = {rule.name: compiled(filled(rule.going) + FILLER) for rule in again}
        self._compile_ends()

    def _compile_ends(self) -> None:
        """Make ready the expressions of how a text may end."""
        rules = self.rules
        parts = {part for rule in rules for part in parts_of(rule)}
        self._begun = parts | {part.lower() for part in parts}
        self._unsettled = compiled(any_of(self._ends(rules)) + FILLER + rb"\z")
        in_line = [rule for rule in rules if not rule.lines]
        self._unsettled_line = compiled(any_of(self._ends(in_line)) + FILLER + rb"\z")
        self._cut = compiled(
            any_of(b"%s(%s)" % ends for ends in _unfinished(rules)) + FILLER + rb"\z"
        )
        self._lines = [begins for rule in rules if rule.lines for begins in rule.begins]
        apart = [rule for rule in rules if rule.apart]
        starts = [begins_of(rule, rule.begins) for rule in apart]
        partial = [begins_of(rule, parts_of(rule)) + rb"\z" for rule in apart]
        self._starts = compiled(any_of([*starts, *partial]) if apart else rb"[^\x00-\xff]")
        firsts = {begins[:1] for rule in apart for begins in rule.begins}
        self._firsts = frozenset(b"".join(first.lower() + first.upper() for first in firsts))

    def _ends(self, rules: Sequence[Rule]) -> list[bytes]:
        partial = [b"%s%s" % ends for ends in _unfinished(rules)]
        return [*partial, *_begun(self.rules), _ESCAPE_BEGUN]

    def __bool__(self) -> bool:
        return bool(self.rules)

    def goes_on(self, rule: str) -> bool:
        """Whether a mask of a rule of this name may go on with what comes next."""
        return rule in self._named and _goes_on(self._named[rule])

    def absent(self, text: bytes | bytearray) -> bool:
        """Whether no secret is fulfilled within a text: one pass over it."""
        if b"\x1b" in text:
            text = ESCAPES.sub(b"\x1b", text)
        return not any(expression.search(text) for expression in self._expressions)

    def needs_context(self, text: bytes | bytearray) -> bool:
        """Whether the byte before a text decides about what the text begins with."""
        # Its first byte tells nearly always, and costs next to nothing.
        return bool(text) and text[0] in self._firsts and self._starts.match(text) is not None

    def state(self, text: bytes | bytearray, position: int = 0) -> State:
        """The state at the end of a text that holds no secret at or after a position."""
        position = max(position, len(text) - LOOK_BACK)
        lines = any(text.find(begins, position) >= 0 for begins in self._lines)
        if not lines and text.endswith(b"\n"):
            return State()
        view = _view(text) if b"\x1b" in text else text
        # Read from its end, a text without such a beginning is settled by its last newline.
        found = (self._unsettled if lines else self._unsettled_line).search(view, position)
        if found is None:
            return State()
        start = found.start()
        while start > position and view[start - 1] in b"\x1b":
            start -= 1  # of an escape sequence all must be seen
        begun = bytes(text[start:])
        if self._is_begun(begun) or (begun[0] not in _LETTERS and self._is_begun(begun[1:])):
            return State(prefix=begun)
        if len(begun) <= _BEGUN_SIZE and _ESCAPE_ONLY.fullmatch(view, start):
            return State(prefix=begun)
        return State(len(begun))

    def _is_begun(self, end: bytes) -> bool:
        return end.lower() in self._begun or end in self._begun

    def mask(
        self,
        text: bytearray,
        *,
        start: int = 0,
        rule: str = "",
        prefix: bytes = b"",
        masked: Iterable[Sequence[int]] = (),
    ) -> Masks:
        """Mask a text in place: what was pending, from `start` on, and what is new.

        Before it stands at most the one byte of context. `rule` and `prefix` are those of the
        state, `masked` are ranges of the text that are masked already.
        """
        view = _view(text)
        for begin, stop in masked:
            view[begin:stop] = view[begin:stop].replace(_STAR, _BORDER)
        run = _Run(text, view, start)
        goes_on = self._resumed(run, rule, prefix) if self.goes_on(rule) else None
        cursors = [Cursor(expression, view, run.position) for expression in self._expressions]
        while True:
            found = min((c.found for c in cursors if c.found), default=None)
            if goes_on and (piece := self._next(goes_on, view, found.end if found else None)):
                first = goes_on.rule.key and not goes_on.lines.number
                run.put(piece.start, piece.stop, goes_on.rule.name if first else "")
                goes_on = _Open(goes_on.rule, piece.stop, piece.lines)
            elif found is None:
                break
            else:
                goes_on = self._put(run, found)
            for cursor in cursors:
                cursor.advance(run.position)
        run.masks.state = self._end(goes_on, view) or self.state(view, run.position)
        return run.masks

    def _put(self, run: _Run, found: Found) -> _Open | None:
        """Mask a secret; what may go on behind it."""
        rule, start, stop = found.rule, found.start, found.stop
        if rule.key:
            run.position = found.end
            sign = bytes(run.view[found.begin : found.begin + 1]).strip(b"-P")
            return _Open(rule, found.end, private_keys.Lines(prefix=sign))
        while start < stop and run.view[start] in b"\0\x1b":
            start += 1
        if not run.text[start:stop].strip(b"*" + LEFT):
            # Whoever printed it has masked it already.
            run.cover(start, stop)
            return None
        wide = b"\0" in run.view[found.begin : found.end]
        ends = stop < found.end and not rule.again
        if rule.more and not ends:
            stop = self._more[rule.name, wide].match(run.view, stop).end()
        run.put(start, stop, rule.name)
        return _Open(rule, stop, wide=wide) if _goes_on(rule) and not ends else None

    def _resumed(self, run: _Run, name: str, prefix: bytes) -> _Open:
        rule, start = self._named[name], run.position
        stop, lines, wide = start, private_keys.Lines(), prefix == _WIDE
        if rule.key:
            lines = private_keys.Lines.unpacked(prefix)
            if lines.number:
                stop = private_keys.run(run.view, start)
                lines = private_keys.grown(lines, private_keys.size_of(run.view[start:stop]))
        elif rule.more:
            stop = self._more[name, wide].match(run.view, start).end()
        if start < stop:
            run.put(start, stop, "")
        return _Open(rule, stop, lines, wide)

    def _next(
        self, goes_on: _Open, view: bytearray, before: int | None
    ) -> private_keys.Piece | None:
        """How a mask goes on, if it does so before another secret is fulfilled."""
        rule, stop = goes_on.rule, goes_on.stop
        piece = None
        if rule.key:
            piece = private_keys.next_piece(view, stop, goes_on.lines)
        elif rule.again and (found := self._again[rule.name].match(view, stop)):
            begin, end = found.span(1)
            piece = private_keys.Piece(found.end(), begin, end, goes_on.lines)
        return piece if piece and (before is None or piece.end <= before) else None

    def _end(self, goes_on: _Open | None, view: bytearray) -> State | None:
        """The state of a text whose last mask may go on, None if it may not."""
        if goes_on is None:
            return None
        rule, rest = goes_on.rule, len(view) - goes_on.stop
        if rule.key:
            alive = private_keys.may_go_on(view, goes_on.stop, len(view), goes_on.lines)
            prefix = goes_on.lines.packed()
        elif rule.again:
            alive, prefix = bool(self._going[rule.name].fullmatch(view, goes_on.stop)), b""
        else:
            filler, prefix = (b"\0\x1b", _WIDE) if goes_on.wide else (b"\x1b", b"")
            alive = not view[goes_on.stop :].strip(filler) and rest <= LOOK_BACK
        return State(rest, rule.name, prefix) if alive else None

    def _is_key(self, rule: str) -> bool:
        return rule in self._named and self._named[rule].key

    def cut(self, text: bytearray, *, start: int = 0, rule: str = "") -> Masks:
        """Mask what may be the first part of a secret whose rest is never kept."""
        run = _Run(text, _view(text), start)
        found = self._cut.search(run.view, max(start, len(text) - LOOK_BACK))
        begins = len(text)
        if self._is_key(rule):
            line = bytes(text[start:])
            begins -= len(line) - len(line.rstrip(_KEY_BYTES))
        elif found is not None:
            begins = max(found.start(n) for n in range(1, found.re.groups + 1))
        if begins < len(text):
            run.put(begins, len(text), "cut")
        return run.masks


class _Run:
    """A text that is being masked: what it looks like to rules, and how far it is settled."""

    def __init__(self, text: bytearray, view: bytearray, position: int) -> None:
        self.text, self.view, self.position = text, view, position
        self.masks = Masks()

    def put(self, start: int, stop: int, name: str) -> None:
        """Mask bytes, and count a secret of this name."""
        self.text[start:stop] = self.text[start:stop].translate(_STARS)
        self.cover(start, stop)
        self.masks.ranges.append((start, stop))
        if name:
            self.masks.found[name] = self.masks.found.get(name, 0) + 1

    def cover(self, start: int, stop: int) -> None:
        """Hide bytes from the rules."""
        self.view[start:stop] = self.view[start:stop].translate(_BORDERS)
        self.position = stop


def _goes_on(rule: Rule) -> bool:
    return bool(rule.more or rule.again or rule.key)


def _view(text: bytes | bytearray) -> bytearray:
    """A text as rules see it: escape sequences are filler."""
    if b"\x1b" in text:
        return bytearray(ESCAPES.sub(lambda found: b"\x1b" * len(found[0]), text))
    return bytearray(text)


def cover(ranges: Iterable[Sequence[int]], more: Iterable[Range]) -> list[Range]:
    """Masked ranges and further ones, of which a log may have very many, as at most a few."""
    result: list[Range] = []
    for start, stop in union([*((start, stop) for start, stop in ranges), *more]):
        few = len(result) < RANGES_KEPT or start - result[-1][1] >= RANGES_APART
        if len(result) >= RANGES_MAX or not few:
            result[-1] = (result[-1][0], stop)
        else:
            result.append((start, stop))
    return result


def declared(ranges: Iterable[Range]) -> list[Range]:
    """Masked ranges as a record names them, the last of very many as one."""
    result = union(ranges)
    if len(result) > RANGES_MAX:
        result[RANGES_MAX - 1 :] = [(result[RANGES_MAX - 1][0], result[-1][1])]
    return result


@functools.lru_cache(maxsize=8)
def secrets_of(rules: tuple[Rule, ...]) -> Secrets:
    """These rules, made ready once."""
    return Secrets(rules)


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


_ESCAPE_ONLY: Final = compiled(_ESCAPE_BEGUN + FILLER)
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY_BYTES: Final = _LETTERS + b"0123456789+/="
