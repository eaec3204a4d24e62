"""Map of all hosts of a step as squares: one per host, or one for several if there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext

from joblogs.grouping.host_ranges import fold
from joblogs.pages.formats import number
from joblogs.pages.rendering import partial
from joblogs.query import StepHost
from joblogs.step_groups import Excerpt

from .groups import Group
from .host_table import ROWS

SQUARES_MAX = 3_000
NAMES_MAX = 100_000
"""Maximum characters of all names for one square per host."""
AGGREGATED = 1_000
MAPS = 8
"""Maps whose HTML a process caches, up to half a megabyte each, since steps are viewed again."""
WORDS_MAX = 110
"""Characters of a line that names a way to fail in the legend."""
NAMED = ("odd", "mute", "silent", "late", "run")
"""Colours whose hosts the legend names, if they are a few: who deviates, is silent or hangs."""
HOSTS_MAX, NAMES_SHOWN_MAX = 5, 48


class HostMap(NamedTuple):
    """Map of the hosts by name."""

    html: SafeString
    hosts: int
    """Hosts per square."""


class LegendEntry(NamedTuple):
    """Entry of the map's legend: the meaning of a colour."""

    colour: str
    hosts: int
    label: str
    """Label including the number of hosts."""
    group: str
    """Key of the first group with this colour."""


def host_map(hosts: Sequence[StepHost], groups: Sequence[Group], keep: str) -> HostMap:
    """Return the map of hosts, which come by name; `keep` is the query string of links to logs."""
    group_of = {host.bk_host_id: group for group in groups for host in group.hosts}
    end = f"/?{keep}" if keep else "/"
    each = 1
    squares = [
        (group_of[host.bk_host_id].colour, f"hosts/{host.bk_host_id}{end}", host.name)
        for host in hosts[: SQUARES_MAX + 1]
    ]
    if len(hosts) > SQUARES_MAX or sum(len(name) for _, _, name in squares) > NAMES_MAX:
        each = -(-len(hosts) // AGGREGATED)
        squares = [
            _square(place, hosts[place : place + each], group_of)
            for place in range(0, len(hosts), each)
        ]
    return HostMap(_html(tuple(squares)), each)


@lru_cache(MAPS)
def _html(squares: tuple[tuple[str, str, str], ...]) -> SafeString:
    """Return the HTML of squares, given by colour, address and title."""
    return partial("host_map.html", squares=squares)


def _square(
    place: int, hosts: Sequence[StepHost], group_of: dict[int, Group]
) -> tuple[str, str, str]:
    groups = [group_of[host.bk_host_id] for host in hosts]
    # The rarest of the worst outcomes: outliers must remain visible.
    worst = min(groups, key=attrgetter("worst_first"))
    labels = Counter(group.label for group in groups)
    parts = [counted(count, label) for label, count in labels.most_common()]
    results = pgettext("between clauses", ", ").join(parts)
    title = gettext("%(first)s to %(last)s: %(results)s") % {
        "first": hosts[0].name[:60],
        "last": hosts[-1].name[:60],
        "results": results,
    }
    # Links to the page of the host table with its first host.
    return worst.colour, f"?sort=name&page={place // ROWS + 1}#hosts", title


def legend(groups: Sequence[Group], read: Mapping[str, Excerpt]) -> list[LegendEntry]:
    """Return the legend of the colours, those with the most hosts first.

    Failures are labelled with what their hosts printed, or with a number if entries could not be
    distinguished otherwise; a few deviating, silent or hanging hosts are labelled by name.
    """
    hosts: dict[str, list[StepHost]] = {}
    labels: dict[str, list[str]] = {}
    first: dict[str, str] = {}
    for group in groups:
        first.setdefault(group.colour, group.key)
        hosts.setdefault(group.colour, []).extend(group.hosts)
        labels.setdefault(group.colour, []).append(_label(group))
    entries = [
        LegendEntry(colour, len(own), _together(colour, labels[colour]), first[colour])
        for colour, own in sorted(hosts.items(), key=lambda item: -len(item[1]))
    ]
    ways = {colour for colour, own in labels.items() if _is_way(colour) and len(own) == 1}
    return _distinguished(entries, ways, read, hosts)


def _is_way(colour: str) -> bool:
    """Return whether a colour stands for failures."""
    return colour.startswith("bad")


def _distinguished(
    entries: Sequence[LegendEntry],
    ways: Collection[str],
    read: Mapping[str, Excerpt],
    hosts: Mapping[str, Sequence[StepHost]],
) -> list[LegendEntry]:
    texts = Counter(entry.label for entry in entries)
    places = Counter[str]()
    names = {
        entry.colour: read[entry.group].names(WORDS_MAX) if entry.group in read else []
        for entry in entries
        if texts[entry.label] > 1 or entry.colour in ways
    }
    taken = Counter(name for own in names.values() for name in own)
    made = []
    for entry in entries:
        places[entry.label] += 1
        if (own := names.get(entry.colour)) is not None:
            name = next((one for one in own if taken[one] == 1), "")
            if not name:
                name = f"{places[entry.label]}." if texts[entry.label] > 1 else "".join(own[:1])
            entry = entry._replace(label=f"{entry.label} · {name}" if name else entry.label)
        label = counted(entry.hosts, entry.label)
        if entry.colour in NAMED and (who := _who(hosts[entry.colour])):
            label = f"{label}{pgettext('before a name', ': ')}{who}"
        made.append(entry._replace(label=label))
    return made


def _who(hosts: Sequence[StepHost]) -> str:
    """Return the names of a few hosts; empty if there are too many or the names are too long."""
    if len(hosts) > HOSTS_MAX:
        return ""
    names = ", ".join(fold(host.name for host in hosts))
    return names if len(names) <= NAMES_SHOWN_MAX else ""


def counted(hosts: int, what: str) -> str:
    """Return a text that says what happened on how many hosts."""
    return pgettext("hosts", "%(n)s %(what)s") % {"n": number(hosts), "what": what}


def _label(group: Group) -> str:
    if group.colour == "odd":
        return gettext("succeeded with different output")
    if group.colour == "mute":
        return gettext("succeeded, no output")
    if group.colour == "silent":
        return gettext("no output")
    if group.exit_code and not group.failed_by_exit_code:
        return f"{group.label} ({group.exit_code})"
    return group.label


def _together(colour: str, labels: list[str]) -> str:
    different = list(dict.fromkeys(labels))
    if len(different) > 2 or (_is_way(colour) and len(labels) > 1):
        return gettext("other failures")
    return " · ".join(different)
