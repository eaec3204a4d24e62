"""The lines of hits as HTML. They are written here and not by a template, which would take longer
for them than it takes to find them."""

from __future__ import annotations

from html import escape

from django.utils.safestring import SafeString, mark_safe

from .hits import HitGroup, HitLine

_GAP = '<div class="gap" aria-hidden="true">⋯</div>'
_CUT = '<span class="cut">…</span>'


def drawn(group: HitGroup, hosts: str, keep: str) -> SafeString:
    """The lines of a group's sample; `hosts` is what the address of a host's log starts with and
    `keep` what it says besides."""
    host = f"{escape(hosts)}{group.hosts[0].bk_host_id}/" if group.hosts else ""
    html = "".join(_line(line, host, escape(keep)) for line in group.lines)
    return mark_safe(html)  # noqa: S308 - what is not ours is escaped; lines are by content.ansi


def _line(line: HitLine, host: str, keep: str) -> str:
    number = line.number
    return (
        f"{_GAP if line.gap else ''}"
        f'<div class="ln{" match" if line.matches else ""}">'
        f'<a class="no" href="{host}?line={number}{keep}#L{number}">{number}</a>'
        f'<code dir="ltr">{_CUT if line.cut_before else ""}{line.html}'
        f"{_CUT if line.cut_after else ''}</code></div>"
    )
