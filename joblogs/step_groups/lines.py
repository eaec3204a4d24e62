"""Choice of the lines of a host's log that show what happened, and why its group is separate."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from joblogs import search
from joblogs.choices import HOST_SUCCEEDED
from joblogs.grouping.line_forms import TROUBLE, form_of
from joblogs.grouping.line_groups import Why
from joblogs.logtext.ansi import Mark
from joblogs.logtext.diff import common_lines
from joblogs.query import StepHost

from .groups import StepGroup, StepGroups
from .labels import character_at, cut_at_character
from .texts import HostText

LINES_SHOWN = 8
FIRST_OF_MANY = 3
"""If there are more lines than LINES_SHOWN: lines from the beginning; the others are from the
end."""
LAST_OF_MANY = 2
"""Lines from the end that are shown whatever the lines in between report."""
CROWD_LINES = 5
LINE_BYTES, BEFORE_BYTES = 400, 120
"""Bytes shown of a line, and bytes of these before a value far to the right."""
COMPARED_LINES = 2_000
"""Maximum lines that are aligned."""
_ERROR_NAME = re.compile(
    rb"(?:Caused by: )?(?:\w+(?:\.|::))*\w*(?:Exception|Error|Failure)\b(?: ?:|$)|\w+(?:\.\w+)+: "
)
"""Beginning of the line after a stack trace."""


class Relation(StrEnum):
    """Relation of the lines of an excerpt to the other hosts."""

    OWN = "own"
    """Lines that no successful host printed."""
    LAST = "last"
    """The last lines, and the first error line."""
    EXTRA = "extra"
    """Lines that few hosts have."""
    MISSING = "missing"
    """Lines of other hosts that the group lacks."""
    PLACE = "place"
    """The group's own lines after a line that most hosts have."""
    VALUES = "values"
    """Lines with the values in which the group differs."""
    DIFFERS = "differs"
    """Lines from the first difference to the crowd on."""
    ENDS = "ends"
    """The group's last lines, after which others continue."""
    SAME = "same"
    """The last lines: those that were read do not differ from the crowd's."""
    FIRST = "first"
    """The first lines of the crowd."""


class ShownLine(NamedTuple):
    """Line of an excerpt."""

    number: int
    data: bytes
    marks: tuple[Mark, ...] = ()
    differs: bool = False
    gap: bool = False
    """Whether lines between the previous line and this one are not shown."""
    cut: bool = False


@dataclass
class ChosenLines:
    """Lines of one host of a group, or of a host with which it is compared."""

    host: StepHost
    relation: Relation
    lines: list[ShownLine] = field(default_factory=list)
    others: StepHost | None = None
    """Host of the lines, if the group lacks them."""
    other_hosts: int = 0
    """Number of hosts that have the line which the group lacks."""
    after: ShownLine | None = None
    """Common line after which the group has its own lines."""
    instead: ShownLine | None = None
    """Line that the crowd has where the group's own lines begin."""

    @property
    def number(self) -> int:
        """Number of the line at which the log is opened; 0 for its beginning."""
        if self.relation in (Relation.FIRST, Relation.MISSING, Relation.SAME):
            return 0
        lines = [line for line in self.lines if line.differs] or self.lines
        return lines[0].number if lines else 0


def chosen_lines(
    step_groups: StepGroups,
    group: StepGroup,
    text: HostText,
    usual: HostText | None,
    alone: Container[int],
) -> ChosenLines:
    """Return the lines to show for a group.

    `usual` is the text of a host of the crowd, None for the crowd itself. `alone` are the hashes of
    lines that only one of the hosts read has.
    """
    if group.why is Why.VALUES:
        return ChosenLines(group.first, Relation.VALUES)
    if group.failed:
        return _failure(step_groups, group, text, usual)
    if usual is None or group.is_crowd:
        rows = [line.number for line in text.lines][:CROWD_LINES]
        return ChosenLines(group.first, Relation.FIRST, _shown(text, rows))
    if group.why is Why.EXTRA and (rows := _rows_with(text, group.lines)):
        beside = [
            line.number
            for line, digest in zip(text.lines, text.digests, strict=True)
            if digest in alone or digest in group.lines
        ]
        shown = beside if len(beside) <= LINES_SHOWN else rows
        excerpt = ChosenLines(group.first, Relation.EXTRA, _with_context(text, shown))
        excerpt.instead = _instead(text, usual, shown[0])
        return excerpt
    if group.why is Why.MISSING and (rows := _rows_with(usual, group.lines)):
        return _lacks(step_groups, group, usual, rows)
    if group.why is Why.PLACE and (rows := own_rows(text, set(usual.digests))):
        excerpt = ChosenLines(group.first, Relation.PLACE, _shown(text, rows[:FIRST_OF_MANY], rows))
        after = _rows_with(text, group.lines)
        excerpt.after = _shown(text, after[:1])[0] if after else None
        return excerpt
    return _variant(step_groups, group, text, usual)


def _failure(
    step_groups: StepGroups, group: StepGroup, text: HostText, usual: HostText | None
) -> ChosenLines:
    rows = [line.number for line in text.lines]
    own = own_rows(text, known_lines(step_groups, usual)) if step_groups.lines_of_successes else []
    if own:
        return ChosenLines(group.first, Relation.OWN, _with_context(text, _some(text, own)))
    last = rows[-LINES_SHOWN + FIRST_OF_MANY :]
    error = next((r for r in rows if search.tells_of_error(text.raw[r]) is not None), None)
    if error is None or error in last:
        marked = [error] if error is not None else []
        return ChosenLines(group.first, Relation.LAST, _shown(text, rows[-LINES_SHOWN:], marked))
    around = rows[max(0, rows.index(error) - 1) :][:FIRST_OF_MANY]
    chosen = sorted({*around, *last})
    return ChosenLines(group.first, Relation.LAST, _shown(text, chosen, [error]))


def _variant(
    step_groups: StepGroups, group: StepGroup, text: HostText, usual: HostText
) -> ChosenLines:
    """Return the first lines in which a group differs from the crowd."""
    pairs = _common_places(text, usual)
    alike, shared = {place for place, _ in pairs}, {place for _, place in pairs}
    rows = [line.number for line in text.lines]
    differing = [row for place, row in enumerate(rows[:COMPARED_LINES]) if place not in alike]
    lacking = [place for place in range(len(usual.lines[:COMPARED_LINES])) if place not in shared]
    if differing:
        relation = Relation.DIFFERS if lacking else Relation.EXTRA
        excerpt = ChosenLines(group.first, relation, _with_context(text, _some(text, differing)))
        excerpt.instead = _instead(text, usual, differing[0], or_next=bool(lacking))
        return excerpt
    if not lacking:
        return ChosenLines(group.first, Relation.SAME, _shown(text, rows[-2:]))
    if lacking[0] > max(shared, default=-1):
        return ChosenLines(group.first, Relation.ENDS, _shown(text, rows[-2:]))
    return _lacks(step_groups, group, usual, [usual.lines[place].number for place in lacking])


def _instead(
    text: HostText, usual: HostText, row: int, *, or_next: bool = False
) -> ShownLine | None:
    """Return the first line of the crowd in place of a line and the other own lines around it.

    If there is none, return the crowd's next line with `or_next` (its lines are in another order),
    otherwise None.
    """
    at = next(place for place, line in enumerate(text.lines) if line.number == row)
    if at >= COMPARED_LINES:
        return None
    pairs = _common_places(text, usual)
    first = max((theirs + 1 for ours, theirs in pairs if ours < at), default=0)
    end = len(usual.lines)
    if not or_next:
        end = min((theirs for ours, theirs in pairs if ours >= at), default=end)
    return shown_line(usual, usual.lines[first].number) if first < end else None


def _common_places(text: HostText, usual: HostText) -> list[tuple[int, int]]:
    """Return the places of the lines that two texts have in common."""
    ours = [line.skeleton for line in text.lines][:COMPARED_LINES]
    return common_lines(ours, [line.skeleton for line in usual.lines][:COMPARED_LINES])


def known_lines(step_groups: StepGroups, usual: HostText | None) -> set[int]:
    """Return the hashes of the lines that a success printed, including those of `usual`, since
    features do not have all lines of a long log."""
    if usual is None or usual.host.newest.status not in HOST_SUCCEEDED:
        return step_groups.lines_of_successes
    return step_groups.lines_of_successes | set(usual.digests)


def own_rows(text: HostText, known: set[int]) -> list[int]:
    pairs = zip(text.lines, text.digests, strict=True)
    return [line.number for line, digest in pairs if digest not in known]


def _rows_with(text: HostText, lines: Sequence[int]) -> list[int]:
    pairs = zip(text.lines, text.digests, strict=True)
    return [line.number for line, digest in pairs if digest in lines]


def _lacks(
    step_groups: StepGroups, group: StepGroup, usual: HostText, rows: Sequence[int]
) -> ChosenLines:
    """Return the lines of other hosts that a group lacks."""
    excerpt = ChosenLines(group.first, Relation.MISSING, _shown(usual, rows[:LINES_SHOWN], rows))
    excerpt.others = usual.host
    missing = next(
        digest
        for line, digest in zip(usual.lines, usual.digests, strict=True)
        if line.number == rows[0]
    )
    for other in step_groups.groups:
        entries = step_groups.table.entries(other.rows)
        excerpt.other_hosts += len(set(entries.hosts[entries.digests == missing].tolist()))
    return excerpt


def _some(text: HostText, rows: list[int]) -> list[int]:
    """Return all lines if they are few, otherwise the first ones, error lines and the last ones."""
    if len(rows) <= LINES_SHOWN:
        return rows
    first, last = rows[:FIRST_OF_MANY], rows[-LAST_OF_MANY:]
    middle = rows[FIRST_OF_MANY:-LAST_OF_MANY]
    named = {row for row in middle if _names_error(text.raw[row])}
    troubled = {line.number for line in text.lines if form_of(line.skeleton) & TROUBLE}
    # The most telling first; of lines that tell of no trouble the last ones.
    chosen = [row for row in middle if row in named]
    chosen += [row for row in middle if row in troubled and row not in named]
    chosen += [row for row in reversed(middle) if row not in named and row not in troubled]
    left = LINES_SHOWN - FIRST_OF_MANY - LAST_OF_MANY
    return [*first, *sorted(chosen[:left]), *last]


def _names_error(line: bytes) -> bool:
    return _ERROR_NAME.match(line) is not None or search.tells_of_error(line) is not None


def _with_context(text: HostText, rows: Sequence[int]) -> list[ShownLine]:
    """Return these lines, and the line before the first one."""
    before = [line.number for line in text.lines if line.number < rows[0]][-1:]
    return _shown(text, [*before, *rows], rows)


def _shown(text: HostText, rows: Sequence[int], differing: Sequence[int] = ()) -> list[ShownLine]:
    every = [line.number for line in text.lines]
    made = []
    for place, row in enumerate(rows):
        gap = place > 0 and row in every and every.index(row) != every.index(rows[place - 1]) + 1
        made.append(shown_line(text, row)._replace(differs=row in differing, gap=gap))
    return made


def shown_line(text: HostText, row: int, named: Sequence[int] = ()) -> ShownLine:
    """Return a line with its slots marked; those that begin at `named` are marked as values.

    Of a long line, only the part around the first of these is returned.
    """
    raw, spans = text.raw[row].removesuffix(b"\r"), text.slots(row)
    redrawn = raw.rfind(b"\r") + 1
    begin = redrawn
    at = min(named, default=redrawn)
    if at - redrawn > LINE_BYTES // 2:
        begin = character_at(raw, at - BEFORE_BYTES)
    end = begin + len(cut_at_character(raw[begin:], LINE_BYTES))
    marks = tuple(
        Mark(start - begin, min(stop, end) - begin, "value" if start in named else "masked")
        for start, stop in spans
        if begin <= start < min(stop, end)
    )
    return ShownLine(text.number(row), raw[begin:end], marks, cut=len(raw) > end)
