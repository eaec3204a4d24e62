"""Masking of secrets in the output of jobs, as the text arrives.

A mask replaces each byte by an asterisk and leaves newlines and zero bytes, so lengths, offsets,
lines and UTF-16 do not change. What is masked depends only on the text, never on how it was cut:
read byte by byte, a text is masked as soon as a secret is complete, and then as long as bytes of
its class follow; a masked byte is a border that no later secret crosses. Between two runs, it is
therefore enough to know whether a mask may continue, and how many bytes at the end may begin a
secret.

Rules are applied to a view of the text, of the same length: in it, escape sequences are filler,
which may be between any two bytes of a secret, and masked bytes are line breaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from . import private_keys
from .pieces import Range
from .secret_ends import LETTERS, Ends, ScanState, view_of
from .secret_expressions import Cursor, Expression, FoundSecret, compiled
from .secret_forms import ESCAPES, FILLER, LOOK_BACK, Rule, filled, visible
from .secret_rules import RULES

__all__ = [
    "LOOK_BACK",
    "RULES",
    "Masks",
    "Rule",
    "Secrets",
    "ScanState",
    "secrets_of",
]

_BORDER, _STAR = b"\n", b"*"
"""A masked byte in the view of the rules, and in the text."""
LEFT: Final = b"\0\r\n"
"""Bytes that a mask does not change."""
_STARS = bytes(byte if byte in LEFT else ord(_STAR) for byte in range(256))
_BORDERS = bytes(byte if byte in LEFT else ord(_BORDER) for byte in range(256))
_WIDE = b"16"
"""Prefix in the state for a mask in UTF-16."""


@dataclass(slots=True)
class Masks:
    """Result of a run. Ranges are relative to the beginning of the given text."""

    ranges: list[Range] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)
    state: ScanState = ScanState()

    @property
    def places(self) -> int:
        """Number of secrets found, without one that was continued."""
        return sum(self.found.values())


class _Open(NamedTuple):
    """Mask that may continue at its end."""

    rule: Rule
    stop: int
    lines: private_keys.Lines = private_keys.Lines()
    wide: bool = False
    """Whether it is UTF-16, in which zero bytes belong to it; in other text they end it."""


class Secrets:
    """Compiled rules, which find and mask secrets."""

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
        ends = Ends(rules)
        self.state, self.needs_context, self._cut = ends.state, ends.needs_context, ends.cut

    def goes_on(self, rule: str) -> bool:
        """Return whether a mask of the rule with this name may continue."""
        return rule in self._named and _goes_on(self._named[rule])

    def absent(self, text: bytes | bytearray) -> bool:
        """Return whether a text has no complete secret, in one pass over it."""
        if b"\x1b" in text:
            text = ESCAPES.sub(b"\x1b", text)
        return not any(expression.search(text) for expression in self._expressions)

    def mask(
        self,
        text: bytearray,
        *,
        start: int = 0,
        rule: str = "",
        prefix: bytes = b"",
        masked: Iterable[Sequence[int]] = (),
    ) -> Masks:
        """Mask a text in place, from `start` on: first the pending bytes, then the new ones.

        Before `start` there is at most one byte of context. `rule` and `prefix` are those of the
        state; `masked` are ranges of the text that are already masked.
        """
        view = view_of(text)
        for begin, stop in masked:
            view[begin:stop] = view[begin:stop].replace(_STAR, _BORDER)
        run = _Run(text, view, start)
        goes_on = self._resumed(run, rule, prefix) if self.goes_on(rule) else None
        begin = _begin(run)
        cursors = [Cursor(expression, view, begin) for expression in self._expressions]
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
        run.masks.state = self._end(goes_on, view) or self.state(text, _begin(run), view)
        return run.masks

    def _put(self, run: _Run, found: FoundSecret) -> _Open | None:
        """Mask a secret; return the mask if it may continue."""
        rule, start, stop = found.rule, found.start, found.stop
        if rule.key:
            run.position = found.end
            sign = bytes(run.view[found.begin : found.begin + 1]).strip(b"-P")
            return _Open(rule, found.end, private_keys.Lines(prefix=sign))
        while start < stop and run.view[start] in b"\0\x1b":
            start += 1
        if not run.text[start:stop].strip(b"*" + LEFT):
            # Its producer has already masked it.
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
        """Return the continuation of a mask, if it comes before another secret is complete."""
        rule, stop = goes_on.rule, goes_on.stop
        piece = None
        if rule.key:
            piece = private_keys.next_piece(view, stop, goes_on.lines)
        elif rule.again and (found := self._again[rule.name].match(view, stop)):
            begin, end = found.span(1)
            piece = private_keys.Piece(found.end(), begin, end, goes_on.lines)
        return piece if piece and (before is None or piece.end <= before) else None

    def _end(self, goes_on: _Open | None, view: bytearray) -> ScanState | None:
        """Return the state of a text whose last mask may continue; None if it may not."""
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
        return ScanState(rest, rule.name, prefix) if alive else None

    def _is_key(self, rule: str) -> bool:
        return rule in self._named and self._named[rule].key

    def cut(self, text: bytearray, *, start: int = 0, rule: str = "") -> Masks:
        """Mask what may be the first part of a secret whose rest will not be stored."""
        run = _Run(text, view_of(text), start)
        begins = len(text)
        if self._is_key(rule):
            line = bytes(text[start:])
            begins -= len(line) - len(line.rstrip(_KEY_BYTES))
        else:
            begins = self._cut(run.view, start)
        if begins < len(text):
            run.put(begins, len(text), "cut")
        return run.masks


_KEY_BYTES: Final = LETTERS + b"0123456789+/="


class _Run:
    """Text that is being masked, its view for the rules, and the position up to which it is
    settled."""

    def __init__(self, text: bytearray, view: bytearray, position: int) -> None:
        self.text, self.view, self.position = text, view, position
        self.masks = Masks()

    def put(self, start: int, stop: int, name: str) -> None:
        """Mask bytes, and count a secret with this name, if any."""
        self.text[start:stop] = self.text[start:stop].translate(_STARS)
        self.cover(start, stop)
        self.masks.ranges.append((start, stop))
        if name:
            self.masks.found[name] = self.masks.found.get(name, 0) + 1

    def cover(self, start: int, stop: int) -> None:
        """Hide bytes from the rules."""
        self.view[start:stop] = self.view[start:stop].translate(_BORDERS)
        self.position = stop


def _begin(run: _Run) -> int:
    """Where rules begin: they meet the digit or "_" that stands before a secret like a word."""
    before = run.view[max(0, run.position - 1) : run.position]
    return run.position - (before.isdigit() or before == b"_")


def _goes_on(rule: Rule) -> bool:
    return bool(rule.more or rule.again or rule.key)


_READY_MAX: Final = 8
_ready: dict[int, Secrets] = {}
"""Compiled rules by the identity of their rules, which they keep alive: hashing hundreds of rules
takes longer than searching a text for them."""


def secrets_of(rules: tuple[Rule, ...]) -> Secrets:
    """Return these rules compiled, from a cache."""
    if (secrets := _ready.get(id(rules))) is None:
        if len(_ready) >= _READY_MAX:
            _ready.clear()
        secrets = _ready[id(rules)] = Secrets(rules)
    return secrets
