"""Excerpts: lines of each group that show what happened on its hosts, and why it is separate.

Reading is bounded: both ends of one log per group, and of the logs of some hosts whose values are
shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from joblogs import search
from joblogs.grouping.line_groups import Why
from joblogs.query import Lost, StepHost

from .groups import Printed, StepGroup, StepGroups
from .labels import cut_at_character, first_words
from .lines import (
    LINE_BYTES,
    ChosenLines,
    Relation,
    ShownLine,
    chosen_lines,
    known_lines,
    own_rows,
    shown_line,
)
from .shown_values import (
    ShownDifference,
    ShownVariation,
    shown_difference,
    shown_variation,
    without_repeats,
)
from .texts import HostText, ends_of, texts_of
from .values import ValueDifference, Variation, unusual_values, value_differences, variations
from .words import (
    ShownLooseLine,
    VaryingWord,
    loose_lines,
    shown_loose_lines,
    varying_words,
)

VALUE_HOSTS_MAX = 60
"""Maximum further hosts whose logs are read for the values in which they differ."""


@dataclass
class Excerpt(ChosenLines):
    """Excerpt of a group: its lines, and the values in which it differs."""

    differences: list[ShownDifference] = field(default_factory=list)
    more_differences: int = 0
    variations: list[ShownVariation] = field(default_factory=list)
    """Values in which its hosts differ from one another."""
    more_variations: int = 0
    words: list[VaryingWord] = field(default_factory=list)
    """Words in which its hosts differ, if they failed."""
    loose_lines: list[ShownLooseLine] = field(default_factory=list)
    """Lines that only some of its hosts have, if it is the crowd."""

    def names(self, most: int) -> list[str]:
        """Return possible names of the group, the most telling first.

        They are the beginnings of its own lines, error lines first, without a value at the start,
        which is usually a date. For a heading (`Traceback …:`) it is the line after it. If it
        failed without lines of its own, its last line comes first: there it stopped.
        """
        own = [line for line in self.lines if line.differs] or self.lines
        errors = [
            place for place, line in enumerate(own) if search.tells_of_error(line.data) is not None
        ]
        places = [_end_of_heading(own, place) for place in errors]
        places += range(len(own))[:: -1 if self.relation is Relation.LAST else 1]
        names = (_without_first_value(own[place], most) for place in dict.fromkeys(places))
        return list(dict.fromkeys(filter(None, names)))


@dataclass
class Excerpts:
    """Excerpts by the keys of their groups, and the bytes read for them."""

    by_key: dict[str, Excerpt] = field(default_factory=dict)
    first_lines: dict[str, bytes] = field(default_factory=dict)
    """For groups with one line: the first error or other line that no success printed, otherwise
    the last line."""
    crowd: dict[int, int] = field(default_factory=dict)
    """Bytes read of the crowd, with which all groups are compared, by host."""
    texts: dict[str, dict[int, int]] = field(default_factory=dict)
    """Bytes read for each excerpt, by host."""
    ends: dict[str, dict[int, int]] = field(default_factory=dict)
    """Bytes read for each first line, by host."""
    lost: Lost | None = None
    """Hosts whose logs cannot be read now; None if that raises an error."""

    @property
    def hosts(self) -> set[int]:
        """Ids of the hosts whose logs were read."""
        return set().union(self.crowd, *self.texts.values(), *self.ends.values())

    @property
    def size(self) -> int:
        """Bytes of log text read; a text that several excerpts need is counted once."""
        texts = dict(self.crowd)
        for own in self.texts.values():
            texts |= own
        return sum(texts.values()) + sum(
            size for own in self.ends.values() for size in own.values()
        )

    def of(self, groups: Collection[str], brief: Collection[str]) -> Excerpts:
        """Return the excerpts of some groups and the first lines of others only."""
        return Excerpts(
            {key: one for key, one in self.by_key.items() if key in groups},
            {key: line for key, line in self.first_lines.items() if key in brief},
            self.crowd,
            {key: read for key, read in self.texts.items() if key in groups},
            {key: read for key, read in self.ends.items() if key in brief},
        )

    def with_those_of(self, others: Excerpts) -> Excerpts:
        """Return these excerpts, and the other ones for groups that have none here."""
        return Excerpts(
            others.by_key | self.by_key,
            others.first_lines | self.first_lines,
            others.crowd | self.crowd,
            others.texts | self.texts,
            others.ends | self.ends,
        )


def computed_excerpts(
    step_groups: StepGroups,
    groups: Sequence[StepGroup],
    brief: Sequence[StepGroup] = (),
    *,
    what_is_there: bool = False,
) -> Excerpts:
    """Return excerpts of `groups`, and one line for each group of `brief`.

    With `what_is_there`, groups whose logs cannot be read now have none; otherwise raises
    Unreadable.
    """
    shown = [group for group in groups if has_text(group)]
    listed = [group for group in brief if has_text(group)]
    found = Excerpts(lost=Lost() if what_is_there else None)
    if not shown and not listed:
        return found
    crowd = step_groups.crowd
    usual = crowd if crowd is not None and has_text(crowd) else None
    differences = {group.key: _differences(step_groups, group, usual) for group in shown}
    varying = {group.key: variations(step_groups, group) for group in shown if group.is_crowd}
    loose = {group.key: loose_lines(step_groups, group) for group in shown if group.is_crowd}
    needed = {group.key: [group.first] for group in shown}
    for group in shown:
        needed[group.key] += [group.like.first] if group.like else []
        needed[group.key] += [line.host for line in loose.get(group.key, ())]
    hosts = [host for own in needed.values() for host in own] + ([usual.first] if usual else [])
    hosts += _hosts([own for own, _ in differences.values()], [own for own, _ in varying.values()])
    texts = texts_of(step_groups.step, hosts, found.lost)
    if usual is not None:
        found.crowd = _read(texts, [usual.first])
    for key, first in needed.items():
        with_values = _hosts([differences[key][0]], [varying[key][0]] if key in varying else [])
        found.texts[key] = _read(texts, [*first, *with_values])
    on_hosts = Counter(digest for text in texts.values() for digest in text.counts)
    for group in shown:
        text = texts.get(group.first.bk_host_id)
        if text is None or not text.raw:
            continue
        usual_text = texts.get(usual.first.bk_host_id) if usual and usual is not group else None
        alone = {digest for digest in text.counts if on_hosts[digest] == 1}
        excerpt = Excerpt(**vars(chosen_lines(step_groups, group, text, usual_text, alone)))
        differing, excerpt.more_differences = differences[group.key]
        excerpt.differences = [shown_difference(one, group, texts) for one in differing]
        own, excerpt.more_variations = varying.get(group.key, ([], 0))
        excerpt.variations = without_repeats(shown_variation(one, group, texts) for one in own)
        excerpt.loose_lines = list(shown_loose_lines(loose.get(group.key, []), texts))
        if group.failed:
            excerpt.words = varying_words(step_groups, group)
        if group.why is Why.VALUES:
            excerpt.lines = _value_lines(text, excerpt.differences)
        found.by_key[group.key] = excerpt
    _brief(step_groups, listed, usual, texts, found)
    return found


def _end_of_heading(lines: Sequence[ShownLine], place: int) -> int:
    """Return the place of the line that a heading, which ends in a colon, leads to: the next one
    that is not indented further. For any other line, return its own place."""
    if not lines[place].data.rstrip().endswith(b":"):
        return place
    deep = _indent(lines[place].data)
    rest = range(place + 1, len(lines))
    return next((later for later in rest if _indent(lines[later].data) <= deep), place)


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))


def _without_first_value(line: ShownLine, most: int) -> str:
    first = [mark.end for mark in line.marks if mark.start <= 1][:1]
    return first_words(line.data[sum(first) :], most) or first_words(line.data, most)


def _read(texts: Mapping[int, HostText], hosts: Iterable[StepHost]) -> dict[int, int]:
    """Return the bytes read of these hosts' logs, by host."""
    ids = {host.bk_host_id for host in hosts}
    return {host: text.size for host, text in texts.items() if host in ids}


def _brief(
    step_groups: StepGroups,
    groups: Sequence[StepGroup],
    usual: StepGroup | None,
    texts: Mapping[int, HostText],
    found: Excerpts,
) -> None:
    """Add one line for each of these groups."""
    ends = ends_of(step_groups.step, [group.first for group in groups], found.lost)
    known = known_lines(step_groups, texts.get(usual.first.bk_host_id) if usual else None)
    for group in groups:
        text = ends.get(group.first.bk_host_id)
        if text is None:
            continue
        rows = own_rows(text, known) if step_groups.lines_of_successes else []
        errors = [row for row in rows if search.tells_of_error(text.raw[row]) is not None]
        last = [line.number for line in text.lines][-1:]
        for row in (errors or rows or last)[:1]:
            found.first_lines[group.key] = cut_at_character(text.raw[row], LINE_BYTES)
        found.ends[group.key] = _read(ends, [group.first])


def has_text(group: StepGroup) -> bool:
    """Return whether a group has output to show."""
    return group.finished and group.printed is not Printed.NOTHING and group.first.size > 0


def _differences(
    step_groups: StepGroups, group: StepGroup, usual: StepGroup | None
) -> tuple[list[ValueDifference], int]:
    if group.like is not None:
        return value_differences(step_groups, group)
    if usual is None or group is usual or group.failed:
        return [], 0
    return unusual_values(step_groups, group, usual)


def _hosts(
    differences: Iterable[Sequence[ValueDifference]], varying: Iterable[Sequence[Variation]]
) -> list[StepHost]:
    """Return the hosts whose values are shown, at most VALUE_HOSTS_MAX."""
    hosts = [host for own in varying for one in own for host in one.hosts()]
    hosts += [host for own in differences for one in own for host in one.hosts()]
    return list({host.bk_host_id: host for host in hosts}.values())[:VALUE_HOSTS_MAX]


def _value_lines(text: HostText, differences: Sequence[ShownDifference]) -> list[ShownLine]:
    """Return the lines with the values in which a group differs, with the values marked."""
    named: dict[int, list[int]] = defaultdict(list)
    for one in differences:
        if one.row is not None:
            named[one.row] += [one.at] if one.at is not None else []
    return [shown_line(text, row, named[row])._replace(differs=True) for row in sorted(named)]
