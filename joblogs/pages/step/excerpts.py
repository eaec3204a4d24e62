"""Of each group of hosts the lines that tell it from the crowd. What is read is bounded: the first
64 KiB of one host per group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from django.utils.safestring import SafeString

from joblogs import query
from joblogs.logtext import fingerprint
from joblogs.logtext.ansi import Mark, Painter
from joblogs.logtext.diff import common_lines
from joblogs.models import StepInstance
from joblogs.pages.log.lines import painted
from joblogs.query import Range, StepHost

from .groups import Group
from .outlier_lines import OutlierLine, hosts_to_read, outlier_lines

READ_BYTES = 64 * 1024
GROUPS_MAX = 40
EXTRA_MAX = 40
"""Hosts that are read besides, for the values in which they differ."""
LINES_READ = 2_000
"""More lines than this are not compared: 64 KiB may be as many newlines."""
LINES_SHOWN = 5
LINE_BYTES, BEFORE_BYTES = 400, 120
"""Of a line, and of it what is shown before a value far to the right."""


class SampleLine(NamedTuple):
    """A line of a sample."""

    number: int
    html: SafeString
    differs: bool
    gap: bool
    """Lines between the one before and this one are not shown."""
    cut: bool
    outlier: OutlierLine | None = None


@dataclass
class Sample:
    """Lines of one host of a group."""

    host: StepHost
    lines: list[SampleLine] = field(default_factory=list)
    relation: str = "alone"
    """To the crowd: `differs`, `ends` before it, `same` as far as was read, `alone`: no crowd;
    `values`: only in values that the masks hide."""
    number: int = 0
    """The line from which it differs, or after which it ends."""


class Samples(NamedTuple):
    """Samples by the keys of their groups, and how much was read for them."""

    by_key: dict[str, Sample]
    hosts: int
    size: int


@dataclass
class _Text:
    host: StepHost
    lines: list[bytes]
    whole: bool
    data: bytes

    @cached_property
    def masked(self) -> list[bytes]:
        """Its lines as they are compared; a group that nothing is compared with needs none."""
        masked = fingerprint.masked(self.data, names=self.host.newest.own_names)
        return masked.removesuffix(b"\n").split(b"\n")[:LINES_READ]


def samples(step: StepInstance, groups: Sequence[Group], crowd: Group | None) -> Samples:
    """Samples of these groups, compared with a host of the crowd."""
    readable = [group for group in groups if not group.crowd and _has_text(group)][:GROUPS_MAX]
    readable += [group for group in groups if group.crowd and _has_text(group)]
    chosen_hosts = [group.first for group in readable]
    if crowd is not None and _has_text(crowd):
        chosen_hosts.append(crowd.first)
    chosen_hosts += [host for group in readable for host in hosts_to_read(group)][:EXTRA_MAX]
    read = list({host.bk_host_id: host for host in chosen_hosts}.values())
    parts = query.script_range(step, read, Range(0, READ_BYTES))
    texts: dict[int, _Text] = {}
    size = 0
    for host, (_, _, stream) in zip(read, parts, strict=True):
        data = b"".join(stream)
        size += len(data)
        texts[host.bk_host_id] = _text(host, data)
    usual = texts.get(crowd.first.bk_host_id) if crowd is not None else None
    beginnings = {host: text.data for host, text in texts.items()}
    made = {
        group.key: _outlier_sample(
            group, texts[group.first.bk_host_id], outlier_lines(group, beginnings)
        )
        if group.outliers
        else _sample(group, texts[group.first.bk_host_id], None if group.crowd else usual)
        for group in readable
        if texts[group.first.bk_host_id].lines
    }
    return Samples(made, len(read) if size else 0, size)


def _has_text(group: Group) -> bool:
    return group.first.newest.finished and group.first.size > 0


def _text(host: StepHost, data: bytes) -> _Text:
    whole = host.size <= len(data)
    if not whole:
        data = data[: data.rfind(b"\n") + 1] or data
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    return _Text(host, lines[:LINES_READ], whole and len(lines) <= LINES_READ, data)


def _outlier_sample(group: Group, text: _Text, differing: Sequence[OutlierLine]) -> Sample:
    made = Sample(group.first, relation="values", number=differing[0].index + 1 if differing else 0)
    for line in differing:
        if line.index < len(text.lines):
            (shown,) = _shown(group.first, text, [line.index], frozenset([line.index]), line.at)
            made.lines.append(shown._replace(outlier=line))
    return made


def _sample(group: Group, text: _Text, usual: _Text | None) -> Sample:
    made = Sample(group.first)
    count = len(text.lines)
    if usual is None:
        chosen = range(min(count, LINES_SHOWN))
        if not group.crowd and text.whole:
            chosen = range(max(0, count - LINES_SHOWN), count)
        made.lines = _shown(group.first, text, list(chosen), frozenset())
        return made
    alike = {index for index, _ in common_lines(text.masked, usual.masked)}
    differing = [index for index in range(count) if index not in alike][:LINES_SHOWN]
    if differing:
        made.relation, made.number = "differs", differing[0] + 1
        shown = [differing[0] - 1, *differing] if differing[0] else differing
        made.lines = _shown(group.first, text, shown, frozenset(differing))
        return made
    made.relation = "ends" if text.whole and count < len(usual.lines) else "same"
    made.number = count
    made.lines = _shown(group.first, text, list(range(max(0, count - 2), count)), frozenset())
    return made


def _shown(
    host: StepHost,
    text: _Text,
    chosen: Sequence[int],
    differing: frozenset[int],
    value_at: int | None = None,
) -> list[SampleLine]:
    made = []
    for place, index in enumerate(chosen):
        line = text.lines[index].removesuffix(b"\r")
        start = max(0, (value_at or 0) - BEFORE_BYTES) if (value_at or 0) > LINE_BYTES // 2 else 0
        data = line[start : start + LINE_BYTES]
        marks = [
            Mark(span.start, span.end, "value" if span.start + start == value_at else "masked")
            for span in fingerprint.spans(data, names=host.newest.own_names)
            if span.kind != "ansi"
        ]
        gap = place > 0 and index != chosen[place - 1] + 1
        html = painted(Painter(), data, marks)
        cut = len(line) > start + LINE_BYTES
        made.append(SampleLine(index + 1, html, index in differing, gap, cut))
    return made
