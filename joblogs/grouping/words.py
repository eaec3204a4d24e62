"""Words that vary: lines that are equal except for one or two words that differ between hosts.

A package, path, service or user without a digit is not a slot, so its line has a different skeleton
on each host. Words that vary are found in the text of some hosts: they are in a place in which no
value is on most hosts. Words that say what went wrong never vary: `refused` and `timeout` stay
different causes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from .cause_words import is_cause
from .features import digest_of
from .line_words import (
    ANY,
    LETTERS,
    POOL_VALUES,
    Places,
    Tokens,
    context_of,
    differ_in_cause,
    is_call,
    is_named,
    letters_of,
    parts_of,
    repeated_places,
    tokens_of,
)
from .slot_patterns import SLOT as SLOT_BYTE

WORDS_MAX = 64
"""Maximum words of a line that is compared by words."""
PAIRS_MAX = 100_000
"""Maximum pairs of words that are left out to find lines that differ in two."""
CONTEXT, LONG_CONTEXT, SUCCESS_CONTEXT = 8, 12, 3
"""Minimum letters that lines share if they are equal except for a word: by default, with weaker
evidence, and on hosts that succeeded."""
OWN_VALUES = 3
"""Minimum values if most hosts have their own; POOL_VALUES are needed if values are repeated."""
REASON_LETTERS, MOSTLY = 24, 0.8
"""If all hosts printed at least REASON_LETTERS of the same reason for their failure, another word
varies if at most the share MOSTLY has one value."""

PASSES = 4
SLOT = bytes([SLOT_BYTE])


@dataclass(frozen=True)
class Alike:
    """Lines that are equal except for words that vary."""

    before: bytes
    """Word before the first varying word; empty if there is none."""
    values: Mapping[int, bytes]
    """The first varying word by the hash of the line."""
    digest: int = 0
    """Hash of the common words, independent of the varying words, also in other steps."""


@dataclass
class _Line:
    """Line, or several equal ones in which each varying word is the token ANY."""

    tokens: Tokens
    hosts: set[int]
    words: dict[int, bytes]
    """The first varying word by the hash of the line; empty for a single line."""
    before: bytes = b""


class Sample(NamedTuple):
    """Log that was read, the number of hosts it stands for, and whether these failed."""

    skeletons: Iterable[bytes]
    hosts: int
    failed: bool


IsNoise = Callable[[int, int], bool]


def alike_lines(logs: Sequence[Sample], is_noise: IsNoise) -> list[Alike]:
    """Return lines of some logs that are equal except for words that vary.

    `is_noise` returns whether a slot of a line, given by its hash, differs on most hosts.
    """
    found: dict[bytes, set[int]] = defaultdict(set)
    for at, log in enumerate(logs):
        for skeleton in log.skeletons:
            found[skeleton].add(at)
    lines, calls = [], {}
    for skeleton, hosts in found.items():
        if is_call(skeleton):
            calls[digest_of(skeleton)] = b""
            continue
        tokens = tokens_of(skeleton)
        if len(tokens) <= WORDS_MAX:
            lines.append(_Line(tokens, hosts, {digest_of(skeleton): b""}))
    made = [
        Alike(line.before, line.words, digest_of(b" ".join(line.tokens)))
        for line in _Alike(logs, is_noise).joined(lines)
        if len(line.words) > 1
    ]
    return [*made, Alike(b"", calls)] if len(calls) > 1 else made


class _Alike:
    def __init__(self, logs: Sequence[Sample], is_noise: IsNoise) -> None:
        self.logs, self.is_noise = logs, is_noise
        self.names: set[bytes] = set()
        """Words that were found to vary."""
        self.known: frozenset[bytes] = frozenset()
        """`names` at the start of this pass."""
        self.reasons: list[dict[int, Tokens]] = []
        """For each log, the lines that no success printed, at the start of this pass."""

    def joined(self, lines: list[_Line]) -> list[_Line]:
        """Return the lines with equal ones joined, in several passes: each pass learns more words
        that are names."""
        for _ in range(PASSES):
            self.known = frozenset(self.names)
            self.reasons = self._reasons(lines)
            joined: list[_Line] = []
            apart: list[_Line] = []
            done: set[int] = set()
            for places, own in self._candidates(lines):
                left = [line for line in own if id(line) not in done]
                chosen = self._varying(left, places) or self._varying(self._failed(left), places)
                done |= set(map(id, chosen))
                if chosen and not self._shares_nothing(chosen, places):
                    joined.append(_joined(chosen, places))
                elif chosen:
                    apart += chosen
            if not joined:
                break
            lines = [line for line in lines if id(line) not in done] + joined + apart
        return lines

    def _failed(self, lines: Iterable[_Line]) -> list[_Line]:
        """Return the lines that no success printed."""
        return [line for line in lines if all(self.logs[at].failed for at in line.hosts)]

    def _reasons(self, lines: Sequence[_Line]) -> list[dict[int, Tokens]]:
        reasons: list[dict[int, Tokens]] = [{} for _ in self.logs]
        for line in self._failed(lines):
            for at in line.hosts:
                reasons[at][id(line)] = line.tokens
        return reasons

    def _share_reasons(self, lines: Sequence[_Line]) -> bool:
        """Return whether all hosts with one of these lines printed the same other lines about why
        they failed."""
        every = list(set().union(*(line.hosts for line in lines)))
        if not all(self.logs[at].failed for at in every):
            return False
        own = set(map(id, lines))
        shared = set.intersection(*(self.reasons[at].keys() - own for at in every))
        tokens = [self.reasons[every[0]][line] for line in shared]
        letters = sum(map(letters_of, tokens))
        return letters >= REASON_LETTERS and any(is_cause(token) for one in tokens for token in one)

    def _candidates(self, lines: Sequence[_Line]) -> list[tuple[Places, list[_Line]]]:
        """Return lines that are equal except for one or two words, or for one repeated word, the
        largest sets first."""
        buckets: dict[tuple[Places, Tokens], list[_Line]] = defaultdict(list)
        pairs = PAIRS_MAX
        for line in lines:
            size = len(line.tokens)
            left_out: list[Places] = list(combinations(range(size), 1))
            if pairs > 0:
                left_out += combinations(range(size), 2)
                pairs -= len(left_out)
            left_out += repeated_places(line.tokens)
            for places in left_out:
                rest = (token for at, token in enumerate(line.tokens) if at not in places)
                buckets[places, tuple(rest)].append(line)
        shared = [(places, own) for (places, _), own in buckets.items() if len(own) > 1]
        return sorted(shared, key=lambda pair: (-len(pair[1]), len(pair[0])))

    def _varying(self, lines: list[_Line], places: Places) -> list[_Line]:
        """Return those of these lines, equal except for the words in these places, whose words
        vary; none if the words do not vary."""
        causes = {at: differ_in_cause({line.tokens[at] for line in lines}) for at in places}
        own = [line for line in lines if not any(line.tokens[at] in causes[at] for at in places)]
        if len(own) < 2:
            return []
        context = context_of(own[0].tokens, places)
        same = self._share_reasons(own)
        usual = self._mostly_succeeded(own)
        names: set[bytes] = set()
        for at in places:
            hosts: dict[bytes, set[int]] = defaultdict(set)
            for line in own:
                hosts[self._value(line, at)] |= line.hosts
            if len(hosts) == 1 and ANY in hosts:
                continue
            parts = parts_of(value for value in hosts if value != ANY)
            if not (self._varies(hosts, parts, usual, context) or (same and self._differs(hosts))):
                return []
            if len(hosts) >= OWN_VALUES or is_named(hosts):
                names.update(*parts)
        if not self._shares_nothing(own, places):
            self.names |= names
        return own

    def _shares_nothing(self, lines: Sequence[_Line], places: Places) -> bool:
        """Return whether lines have too little in common besides the varying words, which are not
        known as names."""
        known = self.known
        if all(
            own and own <= known
            for at in places
            for own in parts_of({line.tokens[at] for line in lines} - {ANY})
        ):
            return False
        if self._share_reasons(lines):
            return False
        enough = SUCCESS_CONTEXT if self._mostly_succeeded(lines) else CONTEXT
        return context_of(lines[0].tokens, places) < enough

    def _mostly_succeeded(self, lines: Sequence[_Line]) -> bool:
        every = set().union(*(line.hosts for line in lines))
        succeeded = [at for at in every if not self.logs[at].failed]
        return 2 * self._size(succeeded) > self._size(every)

    def _varies(
        self,
        hosts: Mapping[bytes, set[int]],
        parts: Iterable[set[bytes]],
        usual: bool,
        context: int,
    ) -> bool:
        """Return whether the values in a place differ on most hosts; `usual`: most succeeded."""
        sizes = [self._size(own) for own in hosts.values()]
        if ANY in hosts:
            known = all(own <= self.names for own in parts)
            return (
                known or max(self._size(own) for value, own in hosts.items() if value != ANY) == 1
            )
        every, values = self._size(set().union(*hosts.values())), len(hosts)
        named = is_named(hosts)
        if max(sizes) > max(1 + named, every / 2):
            return False
        if all(own and own <= self.names for own in parts):
            return True
        if values >= OWN_VALUES and values * 2 > every:
            return True
        if usual:
            return values >= OWN_VALUES
        if context < LONG_CONTEXT:
            return False
        if values >= POOL_VALUES:
            return True
        return values * 2 >= every if named else values * 2 > every

    def _differs(self, hosts: Mapping[bytes, set[int]]) -> bool:
        """Return whether no value is on nearly all hosts."""
        sizes = [self._size(own) for own in hosts.values()]
        return max(sizes) <= max(1, MOSTLY * sum(sizes))

    def _value(self, line: _Line, at: int) -> bytes:
        """Return the word of a line in a place; ANY for a slot that differs on most hosts."""
        token = line.tokens[at]
        slots = token.count(SLOT)
        if not slots or LETTERS.search(token) or len(line.words) > 1:
            return token
        before = sum(one.count(SLOT) for one in line.tokens[:at])
        digest = next(iter(line.words))
        differs = all(self.is_noise(digest, before + slot) for slot in range(slots))
        return ANY if differs else token

    def _size(self, hosts: Iterable[int]) -> int:
        return sum(self.logs[at].hosts for at in hosts)


def _joined(lines: Sequence[_Line], places: Places) -> _Line:
    """Return lines that are equal except for the words in these places as one line."""
    tokens, first = lines[0].tokens, places[0]
    words = {
        digest: word or line.tokens[first] for line in lines for digest, word in line.words.items()
    }
    before = [line.before for line in lines if line.before]
    return _Line(
        tuple(ANY if at in places else token for at, token in enumerate(tokens)),
        set().union(*(line.hosts for line in lines)),
        words,
        before[0] if before else tokens[first - 1] if first else b"",
    )
