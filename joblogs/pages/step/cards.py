"""Cards of a step page for its groups, failures first: which are open, which are one line each, and
which are on further pages. No failing group is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from joblogs.failures import Failures
from joblogs.grouping.host_ranges import fold
from joblogs.pages import links
from joblogs.pages.formats import number
from joblogs.step_groups import Excerpts

from .groups import Group, Kind
from .history import Past, past_of
from .reasons import CardLine, Sentence, caption, card_lines, details, reason

OPEN_FAILURES, FAILURES_ON_PAGE = 12, 200
"""Failing groups that are open (the largest), and failing groups on a page."""
OPEN_OTHERS, OTHERS_ON_PAGE = 20, 200
ONE_OFFS = 20
"""Single-host groups that succeeded are combined in one card if there are more than this."""
FOLDED_MAX, BRIEF_MAX = 600, 90
"""Characters of folded names in an open card, and in one line."""
INLINE_HOSTS = 2_000
"""Maximum hosts over all groups whose names are in the page itself, for copying."""


class Layout(NamedTuple):
    """Layout of a page: which groups it shows, and how."""

    open: list[Group]
    brief: list[Group]
    """Groups with one line each."""
    one_offs: list[Group]
    """Groups that are combined in one card."""
    order: list[Group]
    """Open and brief groups in the order of the page."""
    page: int
    failures: int
    """Number of failing groups on all pages."""
    hidden: int
    """Number of other groups that are not shown."""


def layout(groups: Sequence[Group], *, opened: str, page: int, each: bool) -> Layout:
    """Return the layout of a page of the groups. `opened` is the key of an additional open group;
    `each`: show single-host groups separately."""
    failing = [group for group in groups if group.failed]
    others = [group for group in groups if not group.failed]
    page = min(max(1, page), -(-len(failing) // FAILURES_ON_PAGE) or 1)
    first = (page - 1) * FAILURES_ON_PAGE
    shown = failing[first : first + FAILURES_ON_PAGE]
    open_groups = shown[:OPEN_FAILURES] if page == 1 else []
    one_offs = [group for group in others if _is_one_off(group)]
    if len(one_offs) <= ONE_OFFS:
        one_offs = []
    rest = [group for group in others if group not in one_offs] if one_offs else others
    apart = one_offs if each else []
    crowd = [group for group in rest if group.crowd]
    rest = [*(group for group in rest if not group.crowd), *apart]
    open_groups = [*open_groups, *[group for group in rest if group not in apart][:OPEN_OTHERS]]
    hidden = max(0, len(rest) - OTHERS_ON_PAGE)
    order = [*shown, *rest[:OTHERS_ON_PAGE], *crowd]
    open_keys = {group.key for group in (*open_groups, *crowd)} | {opened}
    return Layout(
        [group for group in order if group.key in open_keys],
        [group for group in order if group.key not in open_keys],
        [] if each else one_offs,
        order,
        page,
        len(failing),
        hidden,
    )


def _is_one_off(group: Group) -> bool:
    differs = group.kind is Kind.OK and group.values.other_output and group.known
    return differs and not group.crowd and len(group.hosts) == 1 and group.like is None


@dataclass
class Card:
    """Group as its template shows it."""

    key: str
    colour: str
    count: str
    names: str
    what: str
    is_open: bool
    failed: bool
    log: str
    """Address of the log of its first host, at the relevant line."""
    host: str
    open: str = ""
    """Address of the page on which a closed card is open."""
    first_line: SafeString | None = None
    compare: str = ""
    hosts: str = ""
    """Address of the table of its hosts."""
    copies: list[tuple[str, str]] = field(default_factory=list)
    """Labels and addresses of the lists of its hosts as text."""
    copied: str = ""
    """Names of its hosts, one per line, if they are few."""
    lines: list[CardLine] = field(default_factory=list)
    caption: str = ""
    details: list[Sentence] = field(default_factory=list)
    folded: str = ""
    """Label of its lines if they are only opened on request."""
    region: str = ""
    past: Past | None = None
    """History of its failure."""


class Places(NamedTuple):
    """What cards need for their links and texts."""

    kept: dict[str, str]
    """Query parameters of links within the page."""
    keep: str
    """Query string of links to logs."""
    identical: bool
    expired: bool
    known: Failures
    """Known history of the failures."""


def cards(shown: Layout, read: Excerpts, places: Places, *, crowd_hosts: int) -> list[Card]:
    """Return the cards in the order of the page."""
    open_keys = {group.key for group in shown.open}
    left = INLINE_HOSTS
    made = []
    for group in shown.order:
        card = _card(group, read, places, crowd_hosts, is_open=group.key in open_keys)
        if card.is_open and len(group.hosts) <= min(left, INLINE_HOSTS // 4):
            left -= len(group.hosts)
            card.copied = "".join(f"{host.name}\n" for host in group.hosts)
        made.append(card)
    return made


def _card(group: Group, read: Excerpts, places: Places, crowd_hosts: int, *, is_open: bool) -> Card:
    excerpt = read.by_key.get(group.key)
    at = excerpt.number if excerpt is not None and is_open else 0
    card = Card(
        key=group.key,
        colour=group.colour,
        count=number(len(group.hosts)),
        names=_names(group, FOLDED_MAX if is_open else BRIEF_MAX),
        what=_what(
            group,
            # Expired logs are not compared: only the outcome is known.
            ""
            if places.expired
            else reason(group, excerpt, crowd_hosts, identical=places.identical),
        ),
        is_open=is_open,
        failed=group.failed,
        log=_log(group.first.bk_host_id, places.keep, at),
        host=group.first.name,
        past=past_of(group.values, places.known),
    )
    if not places.identical:
        card.hosts = "?" + links.with_changes(places.kept, group=group.key, page=None, open=None)
    if not is_open:
        card.open = "?" + links.with_changes(places.kept, open=group.key)
        line = read.first_lines.get(group.key)
        card.first_line = card_lines(group.first, [line])[0] if line is not None else None
        return card
    if not group.crowd and not group.silent and group.first.newest.finished and not places.expired:
        end = f"?{places.keep}" if places.keep else ""
        card.compare = f"hosts/{group.first.bk_host_id}/compare/{end}"
    names = ("attempt", "batch", "alike")
    narrowed = {name: places.kept[name] for name in names if name in places.kept}
    card.copies = [
        (label, "hosts.txt?" + links.with_changes(narrowed, **{"as": name, "group": group.key}))
        for name, label in (
            ("names", gettext("names")),
            ("addresses", gettext("addresses")),
            ("ids", gettext("ids")),
        )
    ]
    if excerpt is not None:
        card.lines = [
            CardLine(line, _log(excerpt.host.bk_host_id, places.keep, line.number), html)
            for line, html in zip(
                excerpt.lines, card_lines(excerpt.host, excerpt.lines), strict=True
            )
        ]
        card.caption, card.details = caption(excerpt), details(group, excerpt)
        whose = excerpt.others or excerpt.host
        card.region = gettext("Excerpt of %(name)s") % {"name": whose.name}
        if group.crowd and not group.failed:
            card.folded = gettext("first lines (%(name)s)") % {"name": group.first.name}
    return card


def _log(host: int, keep: str, line: int) -> str:
    query = "&".join(filter(None, (keep, f"line={line}" if line else "")))
    return f"hosts/{host}/" + (f"?{query}" if query else "") + (f"#L{line}" if line else "")


def _names(group: Group, most: int) -> str:
    parts = fold(host.name for host in group.hosts)
    names: list[str] = []
    left = most
    for part in parts:
        left -= len(part)
        if left < 0 and names:
            break
        names.append(part if len(part) <= most else f"{part[:most]}…")
    shown = ", ".join(names)
    if len(parts) == len(names):
        return shown
    more = gettext("and %(n)s more") % {"n": number(len(parts) - len(names))}
    return f"{shown} {more}"


def _what(group: Group, why: str) -> str:
    parts = [group.label]
    if group.exit_code and not group.failed_by_exit_code:
        parts.append(gettext("exit code %(code)s") % {"code": group.exit_code})
    return " · ".join(filter(None, [*parts, group.tag, why]))


class OneOffs(NamedTuple):
    """Card for the single-host groups that are combined."""

    hosts: str
    names: list[tuple[str, str]]
    """Name of each host, and the address of its log."""
    more: str
    each: str
    anchors: list[str]
    """Keys of the groups to which the legend links."""


def one_offs(shown: Layout, places: Places, targets: Iterable[str]) -> OneOffs | None:
    """Return the card for the combined single-host groups; None if there are none."""
    if not shown.one_offs:
        return None
    count = len(shown.one_offs)
    hosts = [group.first for group in shown.one_offs[:OTHERS_ON_PAGE]]
    keys = {group.key for group in shown.one_offs}
    return OneOffs(
        ngettext("%(n)s host, each with other output", "%(n)s hosts, each with other output", count)
        % {"n": number(count)},
        [(host.name, _log(host.bk_host_id, places.keep, 0)) for host in hosts],
        gettext("and %(n)s more") % {"n": number(count - len(hosts))} if count > len(hosts) else "",
        "?" + links.with_changes(places.kept, each="1") + "#groups",
        [key for key in targets if key in keys],
    )


def further_pages(shown: Layout, kept: dict[str, str]) -> list[tuple[str, str]]:
    """Return labels and addresses of the other pages of failing groups."""
    made = []
    for page in range(1, -(-shown.failures // FAILURES_ON_PAGE) + 1):
        if page != shown.page:
            first = (page - 1) * FAILURES_ON_PAGE + 1
            last = min(page * FAILURES_ON_PAGE, shown.failures)
            label = gettext("failing groups %(first)s to %(last)s of %(all)s") % {
                "first": number(first),
                "last": number(last),
                "all": number(shown.failures),
            }
            ways = str(page) if page > 1 else None
            made.append((label, "?" + links.with_changes(kept, ways=ways, open=None) + "#groups"))
    return made


def context(
    shown: Layout, read: Excerpts, places: Places, *, crowd_hosts: int, targets: Iterable[str]
) -> dict[str, Any]:
    """Return the context for the template of the groups."""
    made = cards(shown, read, places, crowd_hosts=crowd_hosts)
    last = {group.key for group in shown.order if group.crowd and not group.failed}
    return {
        "cards": [card for card in made if card.key not in last],
        "crowd": [card for card in made if card.key in last],
        "one_offs": one_offs(shown, places, targets),
        "pages": further_pages(shown, places.kept),
        "hidden": ngettext(
            "%(n)s more group is not shown.", "%(n)s more groups are not shown.", shown.hidden
        )
        % {"n": number(shown.hidden)}
        if shown.hidden
        else "",
    }
