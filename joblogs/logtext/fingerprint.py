"""Fingerprints of a text: which hosts printed the same, and which the same but for noise.

`digest` is the SHA-256 of the bytes. `shape` is the SHA-256 of the bytes with every span that
`masks` recognises replaced by one placeholder, so that 487 hosts that did the same are one
group. There is one placeholder for all kinds, because the kind may depend on the value (an
elapsed time grows into something that reads as a clock). `spans` says what was replaced, so
that a page can show it and compare the hidden values.

Of the hidden values some are worth comparing on all hosts: ids and addresses (a checksum, the
server that was asked), where times and process ids differ everywhere. `Fingerprint.value_hashes`
holds a short hash of each of the first of them.

Pure functions of the bytes: how the text was cut into pieces does not matter, and any bytes
will do. A line over 1 MiB is masked in segments of that size, to bound the memory.
"""

import hashlib
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import NamedTuple

from .lines import LineCutter, iter_blocks
from .noise import ANSI, RULES, VERSION, VIEWS, Kind, Rule, View

__all__ = [
    "OWN",
    "PLACEHOLDER",
    "VALUE_BYTES",
    "VERSION",
    "Fingerprint",
    "Kind",
    "Look",
    "Span",
    "digest",
    "looks",
    "masked",
    "shape",
    "spans",
    "value_spans",
]

PLACEHOLDER = b"\x00\x01"
"""Stands for a span. A NUL of the text is doubled, so that no text reads like a masked one."""
_PIECE = 256 * 1024  # what a processor's cache holds, with its views
_LONGEST_LINE = 1024 * 1024  # whole: a mask before a border of segments may move the border

_ANSI, _LETTER = re.compile(ANSI), re.compile(rb"[A-Za-z]")

VALUE_BYTES = 4
"""Of the hash of a value."""
OWN = bytes(VALUE_BYTES)
"""Stands for an address of the host itself: a value that is no difference."""
_TELLING_MAX, _TELLING_BYTES = 64, 64 * 1024
"""So many values, of so large a beginning of the text."""


class Span(NamedTuple):
    """`data[start:end]` is masked; `kind` says as what."""

    start: int
    end: int
    kind: Kind


class _Scan(NamedTuple):
    """The rules of one view and anchor as one expression, without and with their numbers."""

    rule: Rule
    plain: re.Pattern[bytes]
    numbered: re.Pattern[bytes]
    kinds: tuple[Kind, ...]


def _scan(rules: Sequence[Rule]) -> _Scan:
    anchor, written = rules[0].anchor, re.escape(rules[0].anchor).replace(rb"\-", b"-")
    # Written out, the anchor is a literal prefix: `re` searches it without trying to match.
    head = written + rb"(?<![0-9A-Za-z].{%d})" % len(anchor)
    tails = [rule.pattern.removeprefix(written) for rule in rules]
    return _Scan(
        rules[0],
        re.compile(head + b"(?:%b)" % b"|".join(tails)),
        re.compile(head + b"(?:%b)" % b"|".join(b"(?:%b)()" % tail for tail in tails)),
        tuple(rule.kind for rule in rules),
    )


def _grouped() -> tuple[_Scan, ...]:
    together: dict[tuple[View, bytes], list[Rule]] = {}
    for rule in RULES:
        together.setdefault((rule.view, rule.anchor), []).append(rule)
    return tuple(map(_scan, together.values()))


_SCANS = _grouped()


def _views(text: bytes) -> Iterator[tuple[_Scan, bytes]]:
    views = {name: text.translate(table) if table else text for name, table in VIEWS.items()}
    for scan in _SCANS:
        view = views[scan.rule.view]
        if scan.rule.gate is None or scan.rule.gate.search(view):
            yield scan, view


def _own_names(names: Sequence[bytes]) -> tuple[bytes, ...]:
    """Give what to look for: names as given, in upper and lower case, and before the first dot.

    Left out are names that are words rather than names of one machine.
    """
    own = set()
    for name in names:
        short = name.partition(b".")[0]
        for form in (name, short) if _LETTER.search(short) else (name,):
            if len(form) < 3 or form.isdigit() or b"\n" in form:
                continue
            if form.lower() != b"localhost":
                own |= {form, form.lower(), form.upper()}
    return tuple(sorted(own))


def _find_names(text: bytes, own: Sequence[bytes]) -> Iterator[tuple[int, int]]:
    for name in own:
        start = text.find(name)
        while start >= 0:
            end = start + len(name)
            if not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum()):
                yield start, end
            start = text.find(name, end)


def _masked(block: bytes, own: Sequence[bytes]) -> bytes:
    text = _ANSI.sub(b"", block) if b"\x1b" in block else block
    found = list(_find_names(text, own))
    for scan, view in _views(text):
        hits: Iterable[tuple[int, int]] = map(re.Match.span, scan.plain.finditer(view))
        if keep := scan.rule.only_if:
            hits = [(start, end) for start, end in hits if keep(text, start, end)]
        found.extend(hits)
    found.sort()
    parts, at = [], 0
    for start, end in found:
        if start >= at:
            parts.append(text[at:start])
        if end > at:
            at = end
    parts.append(text[at:])
    if b"\x00" in text:
        parts = [part.replace(b"\x00", b"\x00\x00") for part in parts]
    return PLACEHOLDER.join(parts)


def _masked_at(block: bytes, spans: Iterable[Span], at: int = 0, to: int | None = None) -> bytes:
    """What `_masked` gives of block[at:to], where the spans are known."""
    parts, kept = [], b""
    for start, end, kind in spans:
        kept += block[at:start]
        if kind != "ansi":
            parts.append(kept)
            kept = b""
        at = end
    parts.append(kept + block[at:to])
    if b"\x00" in block:
        parts = [part.replace(b"\x00", b"\x00\x00") for part in parts]
    return PLACEHOLDER.join(parts)


def _tells(block: bytes, span: Span) -> bool:
    if span.kind == "host":
        own = block[span.start : span.end]
        return b":" in own or own.replace(b".", b"").isdigit()
    return span.kind in ("hex", "address")


def _values(block: bytes, spans: Iterable[Span]) -> list[bytes]:
    """Hashes of the telling ones."""
    return [
        OWN
        if span.kind == "host"
        else hashlib.blake2b(block[span.start : span.end], digest_size=VALUE_BYTES).digest()
        for span in spans
        if _tells(block, span)
    ]


def _spans(block: bytes, own: Sequence[bytes]) -> list[Span]:
    codes = [found.span() for found in _ANSI.finditer(block)]
    text = _ANSI.sub(b"", block) if codes else block
    spans = _with_rules(text, [Span(*name, "host") for name in _find_names(text, own)])
    return _with_codes(spans, codes) if codes else spans


def _with_rules(text: bytes, found: list[Span]) -> list[Span]:
    """What was found already and what the rules find, ascending, not overlapping."""
    for scan, view in _views(text):
        keep = scan.rule.only_if
        for hit in scan.numbered.finditer(view):
            start, end = hit.span()
            if keep is None or keep(text, start, end):
                found.append(Span(start, end, scan.kinds[(hit.lastindex or 1) - 1]))
    # By start, the longest first: the longest of those that overlap gives the kind.
    found.sort(key=itemgetter(1), reverse=True)
    found.sort(key=itemgetter(0))
    merged: list[Span] = []
    covered = longest = 0
    for span in found:
        start, end, kind = span
        if start >= covered:
            merged.append(span)
            covered, longest = end, end - start
            continue
        last = merged[-1]
        if end - start > longest:
            longest = end - start
        else:
            kind = last.kind
        covered = max(covered, end)
        merged[-1] = Span(last.start, covered, kind)
    return merged


def _with_codes(spans: list[Span], codes: list[tuple[int, int]]) -> list[Span]:
    """Move spans of the text without escape sequences to where they are with them."""
    removed = list(accumulate((end - start for start, end in codes), initial=0))
    cuts = [start - before for (start, _), before in zip(codes, removed, strict=False)]

    def back(position: int) -> int:
        return position + removed[bisect_right(cuts, position)]

    moved = [Span(back(span.start), back(span.end - 1) + 1, span.kind) for span in spans]
    starts = [span.start for span in moved]
    outside = []
    for start, end in codes:
        before = bisect_right(starts, start) - 1
        if before < 0 or moved[before].end <= start:
            outside.append(Span(start, end, "ansi"))
    return sorted(moved + outside)


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _PIECE] for at in range(0, len(data), _PIECE))


def _blocks(data: bytes) -> Iterator[bytes]:
    return iter_blocks(_pieces(data), max_line_bytes=_LONGEST_LINE)


def digest(data: bytes) -> bytes:
    """Give the SHA-256 of the bytes."""
    return hashlib.sha256(data).digest()


def spans(data: bytes, *, names: Sequence[bytes] = ()) -> list[Span]:
    """Say what `shape` masks in a text: ascending, not overlapping.

    `names` are the names of the host that printed it, and its addresses.
    """
    own, offset, result = _own_names(names), 0, []
    for block in _blocks(data):
        for start, end, kind in _spans(block, own):
            result.append(Span(offset + start, offset + end, kind))
        offset += len(block)
    return result


def value_spans(data: bytes, *, names: Sequence[bytes] = ()) -> list[Span]:
    """Say where the values are that `Fingerprint.value_hashes` holds the hashes of, in their order.

    The beginning of a text gives the first of them.
    """
    if len(data) > _TELLING_BYTES:
        data = data[: data.rfind(b"\n", 0, _TELLING_BYTES) + 1]
    found = spans(data, names=names)
    return [span for span in found if _tells(data, span)][:_TELLING_MAX]


def masked(data: bytes, *, names: Sequence[bytes] = ()) -> bytes:
    """Give the text with PLACEHOLDER for each span, and without escape sequences.

    Equal for two texts exactly where their shapes are equal; lines stay lines.
    """
    own = _own_names(names)
    return b"".join(_masked(block, own) for block in _blocks(data))


def shape(data: bytes, *, names: Sequence[bytes] = ()) -> bytes:
    """Give the SHA-256 of the masked text."""
    fingerprint = Fingerprint(names=names)
    for piece in _pieces(data):
        fingerprint.update(piece)
    return fingerprint.shape()


class Look(NamedTuple):
    """A few lines as they are compared: masked, and the hashes of their telling values."""

    masked: bytes
    values: tuple[bytes, ...]


def looks(texts: Iterable[tuple[bytes, Sequence[bytes]]]) -> list[Look]:
    """Look at some lines of many hosts, each with its host's names, together: to begin costs more
    than a line does. None is longer than what `Fingerprint` takes values of."""
    named_texts = [(text, _own_names(names)) for text, names in texts]
    plain = iter(_looks_together([one for one in named_texts if b"\x1b" not in one[0]]))
    return [
        _look(text, _spans(text, own), 0, len(text)) if b"\x1b" in text else next(plain)
        for text, own in named_texts
    ]


def _looks_together(named_texts: Sequence[tuple[bytes, Sequence[bytes]]]) -> list[Look]:
    # No rule looks across a newline, so that the lines of one host do not change another's.
    ended = [text if text.endswith(b"\n") else text + b"\n" for text, _ in named_texts]
    starts = list(accumulate(map(len, ended), initial=0))
    names = [
        Span(start + at, start + end, "host")
        for (text, own), start in zip(named_texts, starts, strict=False)
        for at, end in _find_names(text, own)
    ]
    block = b"".join(ended)
    spans = _with_rules(block, names)
    cuts = [bisect_left(spans, start, key=itemgetter(0)) for start in starts]
    return [
        _look(block, spans[first:last], start, start + len(text))
        for (text, _), start, (first, last) in zip(
            named_texts, starts, pairwise(cuts), strict=False
        )
    ]


def _look(block: bytes, spans: Sequence[Span], start: int, end: int) -> Look:
    values = _values(block, spans)[:_TELLING_MAX]
    return Look(_masked_at(block, spans, start, end), tuple(values))


class Fingerprint:
    """Digest, shape and telling values of a text that comes in pieces; all may be asked for at
    any time."""

    def __init__(self, *, names: Sequence[bytes] = ()) -> None:
        self.size = 0
        self._own = _own_names(names)
        self._digest = hashlib.sha256()
        self._shape = hashlib.sha256()
        self._cutter = LineCutter(_LONGEST_LINE)
        self._values: list[bytes] = []
        self._masked_size = 0

    def update(self, piece: bytes) -> None:
        """Take the next bytes of the text."""
        self.size += len(piece)
        self._digest.update(piece)
        for block in (b for part in _pieces(piece) for b in self._cutter.push(part)):
            masked, values = self._look_at(block)
            self._shape.update(masked)
            self._values += values
            self._masked_size += len(block)

    def digest(self) -> bytes:
        """Give the `digest` of the text so far."""
        return self._digest.digest()

    def shape(self) -> bytes:
        """Give the `shape` of the text so far."""
        so_far = self._shape.copy()
        so_far.update(self._look_at(self._cutter.rest)[0])
        return so_far.digest()

    def value_hashes(self) -> bytes:
        """Give the hashes of the first telling values so far, VALUE_BYTES each."""
        return b"".join(self.values())

    def values(self) -> tuple[bytes, ...]:
        """The same, one by one."""
        values = self._values + self._look_at(self._cutter.rest)[1]
        return tuple(values[:_TELLING_MAX])

    def _look_at(self, block: bytes) -> tuple[bytes, list[bytes]]:
        """A block masked, and the hashes of its telling values."""
        if not block:
            return b"", []
        remaining = _TELLING_BYTES - self._masked_size
        if remaining <= 0 or len(self._values) >= _TELLING_MAX:
            return _masked(block, self._own), []
        # Lines are masked each alone: those beyond the beginning are spared the slower way.
        cut = len(block) if len(block) <= remaining else block.rfind(b"\n", 0, remaining) + 1
        head, rest = block[:cut], block[cut:]
        found = _spans(head, self._own)
        masked = _masked_at(head, found) + (_masked(rest, self._own) if rest else b"")
        return masked, _values(head, found)
