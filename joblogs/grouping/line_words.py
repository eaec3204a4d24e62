"""Words of a line's skeleton, and what several lines have in common."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from os.path import commonprefix

from .cause_words import is_cause

ANY = b"\x02 "
"""Stands for words that vary."""
_TOKEN = re.compile(rb'[\x80-\xff]+|"[^" ]*":|[^ \x80-\xff,;={}]+')
"""Words, with the names and values of JSON and of `name=value` separate."""
LETTERS = re.compile(rb"[A-Za-z]|[\xc0-\xdf][\x80-\xbf]|[\x80-\xff]")
"""Letters; a Chinese character counts as three."""
_LONE = re.compile(
    rb"[A-Za-z\x80-\xff](?:[A-Za-z\x80-\xff-]*[A-Za-z\x80-\xff])?|[^A-Za-z\x80-\xff]+"
)
"""Pieces of a line of a single word."""
_BARE = re.compile(rb"[A-Za-z\x80-\xff](?:.*[A-Za-z\x80-\xff])?")
_BORDER = re.compile(rb"[^A-Za-z\x80-\xff]")
_NAME = re.compile(rb"[/\\.:@_'\"`=-]|\x01")
_PART = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+|[\x80-\xff]+|\x01")
_CALL = re.compile(
    rb"at \S+ ?\([^()]*\)(?: .*)?|at \S+:\x01|File \S+, line \x01, in .+|\.\.\. \x01 [a-z ]+"
    rb"|(?:created by )?(?=[\w./]+\.)\S+\([^()]*\)(?: in \S+ \x01)?|\S+\.(?:go|s):\x01 \x01"
    rb"|(?:from )?\S+:\x01:in [`'].+'|#\x01 \S+\(\x01\): .+|#\x01 (?:\x01 in )?\S+ \(.*"
    rb"|\x01: +\S+::\S+"
)
POOL_VALUES = 4
"""Minimum values that are not causes for all values in a place to be names."""
Tokens = tuple[bytes, ...]
Places = tuple[int, ...]


def tokens_of(skeleton: bytes) -> Tokens:
    """Return the words of a line; for a line of a single word, its pieces."""
    tokens = tuple(_TOKEN.findall(skeleton))
    if len(tokens) > 1:
        return tokens
    return tuple(skeleton.split(b"/") if b"/" in skeleton else _LONE.findall(skeleton))


def repeated_places(tokens: Tokens) -> list[Places]:
    """Return the places of each word that a line has three times or more: `cannot refresh "lxd":
    snap "lxd" has running apps (lxd)`."""
    places: dict[bytes, list[int]] = {}
    for at, token in enumerate(tokens):
        if word := _BARE.search(token):
            places.setdefault(word[0], []).append(at)
    return [tuple(own) for own in places.values() if len(own) > 2]


def is_call(skeleton: bytes) -> bool:
    """Return whether a line is a call in a stack trace; other lines say what went wrong."""
    return _CALL.fullmatch(skeleton) is not None


def letters_of(tokens: Iterable[bytes]) -> int:
    """Return the number of letters of these words."""
    return len(LETTERS.findall(b" ".join(tokens)))


def is_named(values: Iterable[bytes]) -> bool:
    """Return whether all of these words look like names of files, hosts or variables."""
    return all(map(_NAME.search, values))


def differ_in_cause(values: Collection[bytes]) -> set[bytes]:
    """Return the words in a place that say what went wrong, in the part in which they differ.

    Among many names, a word with the ending of a participle (`keepalived`) is a name.
    """
    shared = _ends_in_common(value for value in values if value != ANY)
    by_ending = sum(not is_cause(one) for one in values if one != ANY) < POOL_VALUES
    return {
        one
        for one in values
        if is_cause(one, by_ending=by_ending)
        and is_cause(_between(one, shared), by_ending=by_ending)
    }


def _ends_in_common(values: Iterable[bytes]) -> tuple[int, int]:
    """Return the sizes of the common beginning and end of all values, up to word borders."""
    words = list(values)
    begin, end = _shared(words), _shared([word[::-1] for word in words])
    return begin, end


def _shared(words: Sequence[bytes]) -> int:
    shared = (commonprefix(words) or b"") if len(words) > 1 else b""
    return max((found.end() for found in _BORDER.finditer(shared)), default=0)


def _between(word: bytes, ends: tuple[int, int]) -> bytes:
    begin, end = ends
    return word[begin : max(begin, len(word) - end)]


def parts_of(values: Iterable[bytes]) -> list[set[bytes]]:
    """Return for each value the parts that are not in all values."""
    words = [set(_PART.findall(value)) for value in values]
    shared = set.intersection(*words) if len(words) > 1 else set()
    return [own - shared for own in words]


def context_of(tokens: Tokens, places: Places) -> int:
    """Return the number of letters of the words in other places."""
    return letters_of(token for at, token in enumerate(tokens) if at not in places and token != ANY)
