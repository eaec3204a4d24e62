"""What a card says: why its hosts are apart, and in which values they differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext

from joblogs.logtext.terminal_lines import LinePainter
from joblogs.pages.formats import number
from joblogs.pages.log.lines import painted
from joblogs.query import StepHost
from joblogs.step_groups import Excerpt, Relation, ShownDifference, ShownLine, ShownVariation
from joblogs.step_groups.values import Value

from .groups import Group

VARIATIONS_SHOWN = 8
"""Places in which the hosts of a group differ that are named."""


class CardLine(NamedTuple):
    """A line of an excerpt, where it is in its log, and its HTML."""

    line: ShownLine
    log: str
    html: SafeString


def card_lines(host: StepHost, lines: Sequence[ShownLine | bytes]) -> list[SafeString]:
    """HTML of lines, each as it was last seen."""
    return [
        painted(LinePainter(), line)
        if isinstance(line, bytes)
        else painted(LinePainter(), line.data, line.marks)
        for line in lines
    ]


def reason(group: Group, excerpt: Excerpt | None, crowd_hosts: int, *, identical: bool) -> str:
    """Why a group is apart, in a few words; empty where its outcome says it."""
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
    """What the lines of an excerpt are, where that is not plain."""
    if excerpt.relation is Relation.OWN:
        return gettext("Lines that no successful host printed")
    if excerpt.relation is Relation.LAST:
        return gettext("Last lines")
    if excerpt.relation is Relation.MISSING and excerpt.others is not None:
        return gettext("Missing here, printed by %(name)s") % {"name": excerpt.others.name}
    if excerpt.relation is Relation.ENDS:
        return gettext("Last lines")
    return ""


def details(group: Group, excerpt: Excerpt) -> list[SafeString]:
    """In which values a group differs from others, and its hosts among themselves."""
    made = [_difference(one) for one in excerpt.differences]
    if made and excerpt.more_differences:
        more = ngettext(
            "and %(n)s more value", "and %(n)s more values", excerpt.more_differences
        ) % {"n": number(excerpt.more_differences)}
        made.append(format_html("{}", more))
    if excerpt.relation is Relation.PLACE and excerpt.after is not None:
        after = painted(LinePainter(), excerpt.after.data)
        made.append(format_html(gettext("Lines of its own after {line}"), line=_code(after)))
    if excerpt.variations and len(group.hosts) > 1:
        parts = [_variation(one) for one in excerpt.variations[:VARIATIONS_SHOWN]]
        beyond = len(excerpt.variations) - len(parts) + excerpt.more_variations
        if beyond:
            more = ngettext("%(n)s more place", "%(n)s more places", beyond)
            parts.append(format_html("{}", more % {"n": number(beyond)}))
        made.append(
            format_html(
                gettext("They differ in: {places}"),
                places=format_html_join(
                    pgettext("between parts", "; "), "{}", ((part,) for part in parts)
                ),
            )
        )
    return made


def _difference(one: ShownDifference) -> SafeString:
    if one.counts_lines:
        return _line_counts(one)
    label = _label(one.label)
    own = _values(one.own, bold=True)
    if one.more:
        more = ngettext("%(n)s more value", "%(n)s more values", one.more) % {"n": number(one.more)}
        own = format_html("{}{}{}", own, pgettext("between clauses", ", "), more)
    if one.usual is not None:
        text = ngettext(
            "{label}{own}, where {n} host has {usual}",
            "{label}{own}, where {n} hosts have {usual}",
            one.usual.hosts,
        )
        return format_html(
            text, label=label, own=own, n=number(one.usual.hosts), usual=_value(one.usual.text)
        )
    if one.low is not None and one.high is not None and one.low != one.high:
        return format_html(
            gettext("{label}{own}; the others about {low} to {high}"),
            **{"label": label, "own": own, "low": _value(one.low), "high": _value(one.high)},
        )
    return format_html("{}{}", label, own)


def _line_counts(one: ShownDifference) -> SafeString:
    line = painted(LinePainter(), one.line.data) if one.line else ""
    own = ", ".join(value.text.decode() for value in one.own)
    usual = one.usual.text.decode() if one.usual else ""
    return format_html(
        gettext("{line} {own} times; elsewhere {usual} times"),
        **{"line": _code(line), "own": own, "usual": usual},
    )


def _variation(one: ShownVariation) -> SafeString:
    if one.is_moment:
        return format_html("{}", gettext("times"))
    label = _label(one.label)
    if not one.label and one.number:
        line = gettext("line %(n)s") % {"n": number(one.number)}
        label = format_html(pgettext("before a value", "{label} "), label=line)
    if one.values:
        return format_html("{}{}", label, _values(one.values))
    if one.low is not None and one.high is not None and one.low != one.high:
        text = gettext("{label}about {low} to {high}")
        return format_html(text, label=label, low=_value(one.low), high=_value(one.high))
    return format_html("{}{}", label, gettext("different on most"))


def _values(values: Iterable[Value], *, bold: bool = False) -> SafeString:
    found = list(values)
    if len(found) == 1:
        return _value(found[0].text, bold=bold)
    parts = []
    for value in found:
        text = ngettext("{value} on {n} host", "{value} on {n} hosts", value.hosts)
        shown = _value(value.text, bold=bold)
        parts.append((format_html(text, value=shown, n=number(value.hosts)),))
    return format_html_join(pgettext("between clauses", ", "), "{}", parts)


def _value(data: bytes, *, bold: bool = False) -> SafeString:
    html = painted(LinePainter(), data)
    return format_html("<b>{}</b>", _code(html)) if bold else _code(html)


def _label(data: bytes) -> SafeString:
    """What a value is called, and a blank."""
    if not data:
        return SafeString()
    called = _code(painted(LinePainter(), data))
    return format_html(pgettext("before a value", "{label} "), label=called)


def _code(html: SafeString | str) -> SafeString:
    return format_html('<code dir="ltr">{}</code>', html)
