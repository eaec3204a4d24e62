"""The lines with the values in which a few hosts differ from nearly all of their group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.safestring import SafeString

from joblogs.logtext import fingerprint
from joblogs.logtext.ansi import Painter
from joblogs.pages.log.lines import painted
from joblogs.query import StepHost

from .groups import Group
from .outliers import Outlier

PLACES_SHOWN = 3
VALUES_SHOWN = 4
VALUE_BYTES = 80


class Value(NamedTuple):
    """A value, and on how many hosts it is."""

    html: SafeString
    hosts: int


@dataclass(frozen=True)
class OutlierLine:
    """A line with a value that differs: the line's own value first, then those of others."""

    index: int
    at: int
    """Where in the line the value is."""
    values: list[Value]
    more: int
    """Further values that are not shown."""
    usual: Value | None


def hosts_to_read(group: Group) -> Iterator[StepHost]:
    """Whose logs hold the values that are shown."""
    if group.like is not None:
        yield group.like.first
        for outlier in group.outliers[:PLACES_SHOWN]:
            yield from (own[0] for own in outlier.values[:VALUES_SHOWN])


def outlier_lines(group: Group, texts: Mapping[int, bytes]) -> list[OutlierLine]:
    """The lines to show; `texts` are the beginnings of the logs of those hosts. None of a value
    that lies further down."""
    lines = (_line(group, outlier, texts) for outlier in group.outliers[:PLACES_SHOWN])
    return sorted((line for line in lines if line), key=lambda line: line.index)


def _line(group: Group, outlier: Outlier, texts: Mapping[int, bytes]) -> OutlierLine | None:
    host = group.first
    span = _span(host, outlier.place, texts)
    if span is None or group.like is None:
        return None
    data = texts[host.bk_host_id]
    begin = data.rfind(b"\n", 0, span.start) + 1
    own = next(hosts for hosts in outlier.values if host in hosts)
    others = [hosts for hosts in outlier.values if hosts is not own]
    values = [_value(hosts[0], outlier.place, texts, len(hosts)) for hosts in [own, *others]]
    shown = [value for value in values[:VALUES_SHOWN] if value]
    return OutlierLine(
        index=data.count(b"\n", 0, begin),
        at=span.start - begin,
        values=shown,
        more=len(values) - len(shown),
        usual=_value(group.like.first, outlier.place, texts, outlier.usual),
    )


def _value(host: StepHost, place: int, texts: Mapping[int, bytes], hosts: int) -> Value | None:
    span = _span(host, place, texts)
    if span is None:
        return None
    data = texts[host.bk_host_id][span.start : span.end]
    shown = painted(Painter(), data[:VALUE_BYTES])
    return Value(shown, hosts)


def _span(host: StepHost, place: int, texts: Mapping[int, bytes]) -> fingerprint.Span | None:
    data = texts.get(host.bk_host_id)
    if data is None or sum(bool(result.held_size) for result in host.results) != 1:
        return None  # of several logs in a row it is not known which holds it
    spans = fingerprint.value_spans(data, names=host.newest.own_names)
    return spans[place] if place < len(spans) else None
