"""Texts of a card: why its hosts are a separate group, and in which values they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from string import Formatter
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext

from joblogs.logtext.terminal_lines import LinePainter
from joblogs.pages.formats import number
from joblogs.pages.log.lines import painted
from joblogs.query import StepHost
from joblogs.step_groups import (
    Excerpt,
    Relation,
    ShownDifference,
    ShownLine,
    ShownVariation,
    VaryingWord,
)
from joblogs.step_groups.values import Value

from .groups import Group

VARIATIONS_SHOWN = 3
"""Maximum places that are shown in which the hosts of a group differ."""


class CardLine(NamedTuple):
    """Line of an excerpt, its address in the log, and its HTML."""

    line: ShownLine
    log: str
    html: SafeString


class Piece(NamedTuple):
    """Piece of a sentence: text, or HTML of a piece of a log."""

    text: str
    is_code: bool = False
    is_bold: bool = False


Sentence = list[Piece]


def card_lines(host: StepHost, lines: Sequence[ShownLine | bytes]) -> list[SafeString]:
    """Return lines as HTML, each as a terminal last showed it."""
    return [
        painted(LinePainter(), line)
        if isinstance(line, bytes)
        else painted(LinePainter(), line.data, line.marks)
        for line in lines
    ]


def reason(group: Group, excerpt: Excerpt | None, crowd_hosts: int, *, identical: bool) -> str:
    """Return in a few words why a group is separate; empty if its outcome says so."""
    if not group.values.finished:
        return ""
    if not group.known:
        return gettext("not compared yet")
    if group.silent:
        return gettext("no output")
    if group.crowd and len(group.hosts) > 1:
        return gettext("all identical") if identical else gettext("all similar")
    if group.like is not None:
        return _same_but_values(group, len(group.like.hosts))
    if excerpt is None or group.failed or group.crowd:
        return ""
    if excerpt.relation is Relation.EXTRA:
        return gettext("prints lines that the largest group does not")
    if excerpt.relation is Relation.MISSING:
        text = ngettext(
            "lacks a line that %(n)s host prints",
            "lacks a line that %(n)s hosts print",
            excerpt.other_hosts,
        )
        return text % {"n": number(excerpt.other_hosts)}
    if excerpt.relation is Relation.PLACE:
        return gettext("has lines of its own")
    if excerpt.relation is Relation.DIFFERS:
        text = ngettext(
            "first differs from the largest group (%(n)s host) at line %(line)s",
            "first differs from the largest group (%(n)s hosts) at line %(line)s",
            crowd_hosts,
        )
        return text % {"n": number(crowd_hosts), "line": number(excerpt.number)}
    if excerpt.relation is Relation.ENDS:
        last = excerpt.lines[-1].number if excerpt.lines else 0
        text = gettext("stops after line %(line)s; the largest group continues")
        return text % {"line": number(last)}
    if identical:
        return gettext("differs only in values that change from run to run")
    return gettext("same output as the others") if not group.values.other_output else ""


def _same_but_values(group: Group, hosts: int) -> str:
    values = len(group.values.places)
    if values == 1:
        text = ngettext(
            "same output as %(n)s host except for one value",
            "same output as %(n)s hosts except for one value",
            hosts,
        )
    else:
        text = ngettext(
            "same output as %(n)s host except for %(values)s values",
            "same output as %(n)s hosts except for %(values)s values",
            hosts,
        )
    return text % {"n": number(hosts), "values": number(values)}


def caption(excerpt: Excerpt) -> str:
    """Return what the lines of an excerpt are; empty if that is obvious."""
    if excerpt.relation is Relation.OWN:
        return gettext("Lines that no successful host printed")
    if excerpt.relation is Relation.LAST:
        return gettext("Last lines")
    if excerpt.relation is Relation.MISSING and excerpt.others is not None:
        return gettext("Missing here, printed by %(name)s") % {"name": excerpt.others.name}
    if excerpt.relation is Relation.ENDS:
        return gettext("Last lines")
    return ""


def details(group: Group, excerpt: Excerpt) -> list[Sentence]:
    """Return sentences about the values in which a group differs from others, and its hosts from
    one another."""
    made = [_difference(one) for one in excerpt.differences]
    if made and excerpt.more_differences:
        more = ngettext(
            "and %(n)s more value", "and %(n)s more values", excerpt.more_differences
        ) % {"n": number(excerpt.more_differences)}
        made.append([Piece(more)])
    if excerpt.relation is Relation.PLACE and excerpt.after is not None:
        after = [_code(excerpt.after.data)]
        made.append(_sentence(gettext("Lines of its own after {line}"), line=after))
    if excerpt.instead is not None:
        instead = _code(excerpt.instead.data)
        text = gettext("The largest group has {line} there")
        if instead == next(_code(line.data) for line in excerpt.lines if line.differs):
            text = gettext("The largest group has the same text there in other bytes")
        made.append(_sentence(text, line=[instead]))
    made += [_word(one) for one in excerpt.words]
    if excerpt.variations and len(group.hosts) > 1:
        parts = [_variation(one) for one in _with_values(excerpt.variations)[:VARIATIONS_SHOWN]]
        beyond = len(excerpt.variations) - len(parts) + excerpt.more_variations
        if beyond:
            more = ngettext("and %(n)s more place", "and %(n)s more places", beyond)
            parts.append([Piece(more % {"n": number(beyond)})])
        places = _joined(pgettext("between parts", "; "), parts)
        made.append(_sentence(gettext("They differ in: {places}"), places=places))
    if excerpt.loose_lines:
        lines = [
            _sentence(
                ngettext("{value} on {n} host", "{value} on {n} hosts", one.hosts),
                value=[_code(one.line.data)],
                n=number(one.hosts),
            )
            for one in excerpt.loose_lines
        ]
        shown = _joined(pgettext("between parts", "; "), lines)
        made.append(_sentence(gettext("Lines that come and go: {lines}"), lines=shown))
    return made


def _word(one: VaryingWord) -> Sentence:
    """Return the sentence about a word in which the hosts of a failing group differ."""
    values = [
        [_code(value.text)]
        if value.hosts == 1
        else _sentence(
            ngettext("{value} on {n} host", "{value} on {n} hosts", value.hosts),
            value=[_code(value.text)],
            n=number(value.hosts),
        )
        for value in one.values
    ]
    if one.more:
        values.append([_more_values(one.more)])
    label = [_code(one.before)] if one.before else gettext("a word")
    text = gettext("{label} differs: {values}")
    return _sentence(text, label=label, values=_joined(_between_clauses(), values))


def _difference(one: ShownDifference) -> Sentence:
    if one.counts_lines:
        return _line_counts(one)
    label = _label(one.label)
    own = _values(one.own, bold=True)
    if one.more:
        own = _joined(_between_clauses(), [own, [_more_values(one.more)]])
    if one.usual is not None:
        text = ngettext(
            "{label}{own}, where {n} host has {usual}",
            "{label}{own}, where {n} hosts have {usual}",
            one.usual.hosts,
        )
        usual = [_code(one.usual.text)]
        return _sentence(text, label=label, own=own, n=number(one.usual.hosts), usual=usual)
    if one.low is not None and one.high is not None and one.low != one.high:
        text = gettext("{label}{own}; the others about {low} to {high}")
        return _sentence(text, label=label, own=own, low=[_code(one.low)], high=[_code(one.high)])
    return [*label, *own]


def _more_values(more: int) -> Piece:
    text = ngettext("%(n)s more value", "%(n)s more values", more)
    return Piece(text % {"n": number(more)})


def _line_counts(one: ShownDifference) -> Sentence:
    return _sentence(
        gettext("{line} {own} times; elsewhere {usual} times"),
        line=[_code(one.line.data if one.line else b"")],
        own=", ".join(value.text.decode() for value in one.own),
        usual=one.usual.text.decode() if one.usual else "",
    )


def _with_values(variations: Sequence[ShownVariation]) -> Sequence[ShownVariation]:
    """Return the variations with known values; all of them if none has any."""
    return [one for one in variations if one.values or one.low != one.high] or variations


def _variation(one: ShownVariation) -> Sentence:
    if one.is_moment:
        return [Piece(gettext("times"))]
    label = _label(one.label)
    if not one.label and one.number:
        line = gettext("line %(n)s") % {"n": number(one.number)}
        label = _sentence(pgettext("before a value", "{label} "), label=line)
    if one.values:
        return [*label, *_values(one.values)]
    if one.low is not None and one.high is not None and one.low != one.high:
        text = gettext("{label}about {low} to {high}")
        return _sentence(text, label=label, low=[_code(one.low)], high=[_code(one.high)])
    return [*label, Piece(gettext("different on most"))]


def _values(values: Iterable[Value], *, bold: bool = False) -> Sentence:
    found = list(values)
    if len(found) == 1:
        return [_code(found[0].text, bold=bold)]
    parts = [
        _sentence(
            ngettext("{value} on {n} host", "{value} on {n} hosts", value.hosts),
            value=[_code(value.text, bold=bold)],
            n=number(value.hosts),
        )
        for value in found
    ]
    return _joined(_between_clauses(), parts)


def _between_clauses() -> str:
    return pgettext("between clauses", ", ")


def _code(data: bytes, *, bold: bool = False) -> Piece:
    return Piece(painted(LinePainter(), data), is_code=True, is_bold=bold)


def _label(data: bytes) -> Sentence:
    """Return the label of a value, followed by a blank; empty if it has none."""
    if not data:
        return []
    return _sentence(pgettext("before a value", "{label} "), label=[_code(data)])


def _sentence(text: str, **values: str | Sentence) -> Sentence:
    """Return a translated text with its values filled in, each a text or a sentence."""
    made = []
    for words, name, _, _ in Formatter().parse(text):
        if words:
            made.append(Piece(words))
        if name:
            value = values[name]
            made += [Piece(value)] if isinstance(value, str) else value
    return made


def _joined(between: str, sentences: Iterable[Sentence]) -> Sentence:
    made: Sentence = []
    for sentence in sentences:
        made += [Piece(between), *sentence] if made else sentence
    return made
