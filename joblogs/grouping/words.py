"""Words that vary: lines that are alike but for a word or two that differ from host to host.

A package, a path, a service or a user without a digit is no slot, so its line has a skeleton of its
own on each host. Which words vary is seen in the text of some hosts: those in a place where no
value is that of most hosts. Words that tell what went wrong are never such: `refused` and `timeout`
stay two causes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from .cause_words import is_cause
from .features import digest_of
from .slot_patterns import SLOT as SLOT_BYTE

WORDS_MIN, WORDS_MAX = 2, 32
"""Of a line that is compared by words."""
PAIRS_MAX = 100_000
"""Pairs of words that are left out to find lines that differ in two."""
CONTEXT, LONG_CONTEXT, SUCCESS_CONTEXT = 8, 12, 3
"""Letters that lines share if they are alike but for a word; more where that tells less; fewer are
enough where hosts that succeeded print them."""
OWN_VALUES, POOL_VALUES = 3, 4
"""So many values if most hosts have one of their own; if they come back, more."""

PASSES = 4
SLOT = bytes([SLOT_BYTE])

_ANY = b"\x02 "
"""Stands for words that vary."""
_TOKEN = re.compile(rb'[\x80-\xff]+|"[^" ]*":|[^ \x80-\xff,;={}]+')
"""Words, names and values of JSON and of `name=value` apart."""
_LETTERS = re.compile(rb"[A-Za-z]|[\x80-\xff]{2}")
_NAME = re.compile(rb"[/\\.:@_'\"=-]|\x01")
_PART = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+|[\x80-\xff]+|\x01")
_CALL = re.compile(
    rb"at \S+ ?\([^()]*\)(?: .*)?|at \S+:\x01|File \S+, line \x01, in \S+|\.\.\. \x01 [a-z ]+"
)
"""Call of a stack trace: the lines around it say what went wrong."""

Tokens = tuple[bytes, ...]
Places = tuple[int, ...]


@dataclass(frozen=True)
class Alike:
    """Lines that are alike but for words that vary."""

    before: bytes
    """The word before the first of these; empty if there is none."""
    values: Mapping[int, bytes]
    """What stands there, by the hash of the line."""
    digest: int = 0
    """Hash of what they have in common: whatever the words are, in other steps too."""


@dataclass
class _Line:
    """A line, or lines that are alike: what of them varies is one token."""

    tokens: Tokens
    hosts: set[int]
    words: dict[int, bytes]
    """The first word that varies by the hash of the line; of a line alone it is empty."""
    before: bytes = b""


class Sample(NamedTuple):
    """A log that was read, for how many hosts it stands, and whether these failed."""

    skeletons: Iterable[bytes]
    hosts: int
    failed: bool


IsNoise = Callable[[int, int], bool]


def alike_lines(logs: Sequence[Sample], is_noise: IsNoise) -> list[Alike]:
    """Lines of some logs that are alike but for words that vary; `is_noise` says of a line, by its
    hash, whether a slot of it differs on most hosts."""
    found: dict[bytes, set[int]] = defaultdict(set)
    for at, log in enumerate(logs):
        for skeleton in log.skeletons:
            found[skeleton].add(at)
    lines, calls = [], {}
    for skeleton, hosts in found.items():
        if _CALL.fullmatch(skeleton):
            calls[digest_of(skeleton)] = b""
            continue
        tokens = tuple(_TOKEN.findall(skeleton))
        if len(tokens) == 1:
            tokens = tuple(skeleton.split(b"/"))
        if WORDS_MIN <= len(tokens) <= WORDS_MAX:
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
        """Those that were when this pass began."""

    def joined(self, lines: list[_Line]) -> list[_Line]:
        """The lines, those that are alike as one; again and again, for by then it is known which
        words are names."""
        for _ in range(PASSES):
            self.known = frozenset(self.names)
            joined: list[_Line] = []
            apart: list[_Line] = []
            done: set[int] = set()
            for places, own in self._candidates(lines):
                chosen = self._varying([line for line in own if id(line) not in done], places)
                done |= set(map(id, chosen))
                if chosen and not self._shares_nothing(chosen, places):
                    joined.append(_joined(chosen, places))
                elif chosen:
                    apart += chosen
            if not joined:
                break
            lines = [line for line in lines if id(line) not in done] + joined + apart
        return lines

    def _candidates(self, lines: Sequence[_Line]) -> list[tuple[Places, list[_Line]]]:
        """Lines that are the same but for one or two words, the most first."""
        buckets: dict[tuple[Places, Tokens], list[_Line]] = defaultdict(list)
        pairs = PAIRS_MAX
        for line in lines:
            size = len(line.tokens)
            left_out: list[Places] = list(combinations(range(size), 1))
            if pairs > 0:
                left_out += combinations(range(size), 2)
                pairs -= len(left_out)
            for places in left_out:
                rest = (token for at, token in enumerate(line.tokens) if at not in places)
                buckets[places, tuple(rest)].append(line)
        shared = [(places, own) for (places, _), own in buckets.items() if len(own) > 1]
        return sorted(shared, key=lambda pair: (-len(pair[1]), len(pair[0])))

    def _varying(self, lines: list[_Line], places: Places) -> list[_Line]:
        """Of lines that are the same but for the words in these places those in which they vary;
        none if they do not."""
        own = [line for line in lines if not any(is_cause(line.tokens[at]) for at in places)]
        if len(own) < 2:
            return []
        context = _context(own[0].tokens, places)
        usual = self._mostly_succeeded(own)
        names: set[bytes] = set()
        for at in places:
            hosts: dict[bytes, set[int]] = defaultdict(set)
            for line in own:
                hosts[self._value(line, at)] |= line.hosts
            if len(hosts) == 1 and _ANY in hosts:
                continue
            parts = _parts(value for value in hosts if value != _ANY)
            if not self._varies(hosts, parts, usual, context):
                return []
            if len(hosts) >= OWN_VALUES or all(map(_NAME.search, hosts)):
                names.update(*parts)
        if not self._shares_nothing(own, places):
            self.names |= names
        return own

    def _shares_nothing(self, lines: Sequence[_Line], places: Places) -> bool:
        """Whether lines have too little in common besides the words that vary, if these are not
        known as names."""
        known = self.known
        if all(own and own <= known for at in places for own in _parts_in(lines, at)):
            return False
        enough = SUCCESS_CONTEXT if self._mostly_succeeded(lines) else CONTEXT
        return _context(lines[0].tokens, places) < enough

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
        """Whether the values in a place are another on most hosts; `usual` if most succeeded."""
        sizes = [self._size(own) for own in hosts.values()]
        if _ANY in hosts:
            known = all(own <= self.names for own in parts)
            return (
                known or max(self._size(own) for value, own in hosts.items() if value != _ANY) == 1
            )
        every, values = self._size(set().union(*hosts.values())), len(hosts)
        named = all(map(_NAME.search, hosts))
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

    def _value(self, line: _Line, at: int) -> bytes:
        """What a line has in a place: a slot that differs on most hosts is any word."""
        token = line.tokens[at]
        slots = token.count(SLOT)
        if not slots or _LETTERS.search(token) or len(line.words) > 1:
            return token
        before = sum(one.count(SLOT) for one in line.tokens[:at])
        digest = next(iter(line.words))
        differs = all(self.is_noise(digest, before + slot) for slot in range(slots))
        return _ANY if differs else token

    def _size(self, hosts: Iterable[int]) -> int:
        return sum(self.logs[at].hosts for at in hosts)


def _parts(values: Iterable[bytes]) -> list[set[bytes]]:
    """Of each value the words that not all have."""
    words = [set(_PART.findall(value)) for value in values]
    shared = set.intersection(*words) if len(words) > 1 else set()
    return [own - shared for own in words]


def _parts_in(lines: Sequence[_Line], at: int) -> list[set[bytes]]:
    return _parts({line.tokens[at] for line in lines} - {_ANY})


def _context(tokens: Tokens, places: Places) -> int:
    """How many letters the words in other places have."""
    rest = b" ".join(token for at, token in enumerate(tokens) if at not in places and token != _ANY)
    return len(_LETTERS.findall(rest))


def _joined(lines: Sequence[_Line], places: Places) -> _Line:
    """Lines that are the same but for the words in these places as one."""
    tokens, first = lines[0].tokens, places[0]
    words = {
        digest: word or line.tokens[first] for line in lines for digest, word in line.words.items()
    }
    before = [line.before for line in lines if line.before]
    return _Line(
        tuple(_ANY if at in places else token for at, token in enumerate(tokens)),
        set().union(*(line.hosts for line in lines)),
        words,
        before[0] if before else tokens[first - 1] if first else b"",
    )
