"""The lines of hits and the names of hosts as HTML. They are written here and not by a template,
which would take longer for them than it takes to find them."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from .hits import HitGroup, HitLine, HostWithHits

_GAP = '<div class="gap" aria-hidden="true">⋯</div>'
_CUT = '<span class="cut">…</span>'


def lines_html(group: HitGroup, hosts: str, keep: str) -> SafeString:
    """The lines of a group's sample; `hosts` is what the address of a host's log starts with and
    `keep` what it says besides."""
    host = f"{escape(hosts)}{group.hosts[0].bk_host_id}/" if group.hosts else ""
    html = "".join(_line(line, host, escape(keep)) for line in group.lines)
    return mark_safe(html)  # noqa: S308 - what is not ours is escaped; lines are by logtext.ansi


def host_names(group: HitGroup, hosts: str, keep: str) -> SafeString:
    """The hosts of a group as links to the first hit; of few with commas between them."""
    number = group.lines[0].number if group.lines else ""
    end = f"?line={number}{escape(keep)}#L{number}"
    if group.many:
        return host_links(group.hosts, hosts, end)
    html = (_link(host, hosts, end, f"<code>{escape(host.name)}</code>") for host in group.hosts)
    return mark_safe(", ".join(html))  # noqa: S308 - escaped above


def host_links(named: Iterable[HostWithHits], hosts: str, escaped_end: str = "") -> SafeString:
    """Hosts as links to their logs, a space behind each."""
    html = "".join(f"{_link(host, hosts, escaped_end, escape(host.name))} " for host in named)
    return mark_safe(html)  # noqa: S308 - escaped here and by who gives the end


def hits_per_host(label: str, count: int, is_outlier: bool) -> SafeString:
    """How often each host of a group printed it."""
    context = {"label": label, "count": count, "is_outlier": is_outlier}
    return render_to_string("joblogs/_hits_per_host.html", context)


def _link(host: HostWithHits, hosts: str, escaped_end: str, escaped_name: str) -> str:
    return f'<a href="{escape(hosts)}{host.bk_host_id}/{escaped_end}">{escaped_name}</a>'


def _line(line: HitLine, host: str, keep: str) -> str:
    number = line.number
    return (
        f"{_GAP if line.gap else ''}"
        f'<div class="ln{" match" if line.matches else ""}">'
        f'<a class="no" href="{host}?line={number}{keep}#L{number}">{number}</a>'
        f'<code dir="ltr">{_CUT if line.cut_before else ""}{line.html}'
        f"{_CUT if line.cut_after else ''}</code></div>"
    )
