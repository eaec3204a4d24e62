"""Groups of search hits as their template shows them: links, numbers and plurals."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext, ngettext

from joblogs.pages.formats import number
from joblogs.search import FoundLine, HitGroup, HostWithHits, Pattern

from .hits import HitLine, hit_lines

Link = tuple[str, str]
"""Name of a host, and the address of its log."""


class ShownGroup(NamedTuple):
    """Group of hits, as its template shows it."""

    total: str
    folded: str
    """Folded host names; empty if the hosts are few enough to be listed."""
    hosts: list[Link]
    each: str
    lines: list[tuple[HitLine, str]]
    """Lines with their addresses."""
    hidden: str
    all_hosts: str
    more: str


def shown_group(
    group: HitGroup, pattern: Pattern, encoding: str, *, logs: str, keep: str
) -> ShownGroup:
    """Return a group for its template. `logs` is the prefix of the addresses of the hosts' logs,
    `keep` the query parameters of a log's address besides the line."""
    first = group.hosts[0].bk_host_id if group.hosts else ""
    end = _place(group.lines[0], keep) if group.lines else "/"
    folded = ", ".join(group.folded) + (" …" if group.more else "") if group.many else ""
    return ShownGroup(
        total=number(group.total),
        folded=folded,
        hosts=host_links(group.hosts, logs, end),
        each=_each(group),
        lines=[
            (line, f"{logs}{first}{_place(line, keep)}")
            for line in hit_lines(group.lines, pattern, encoding)
        ],
        hidden=_counted(
            ngettext("and %(n)s more line", "and %(n)s more lines", group.hidden), group.hidden
        ),
        all_hosts=_counted(gettext("All %(n)s hosts"), group.total),
        more=_counted(gettext("and %(n)s more"), group.more),
    )


def _place(line: HitLine | FoundLine, keep: str) -> str:
    """Return the end of a line's address: its number, or for a match far from the beginning of a
    line the byte at which the match is visible."""
    if line.offset is not None:
        return f"/?byte={line.offset}{keep}"
    return f"/?line={line.number}{keep}#L{line.number}"


def host_links(hosts: list[HostWithHits], logs: str, end: str = "/") -> list[Link]:
    """Return the names of hosts with the addresses of their logs."""
    return [(host.name, f"{logs}{host.bk_host_id}{end}") for host in hosts]


def _each(group: HitGroup) -> str:
    """Return what each host of a group printed, and how often."""
    lines = ngettext("%(n)s line each", "%(n)s lines each", group.count)
    parts = [group.label, lines % {"n": number(group.count)}]
    if group.is_outlier:
        parts.append(gettext("value differs from most hosts"))
    return " · ".join(part for part in parts if part)


def _counted(text: str, count: int) -> str:
    return text % {"n": number(count)} if count else ""
