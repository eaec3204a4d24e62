"""The rows of the host table as HTML. They are written here and not by a template, which would
take a fifth of a step page's time for them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape

from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import localize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from joblogs.query import Completeness
from joblogs.query.overview import HostOverview

from .host_table import HostRow


def rows_html(rows: Sequence[HostRow], *, prints: bool, keep: str) -> SafeString:
    """The rows; `prints` says that the step prints something at all, `keep` is what links to the
    log of a host say besides."""
    end = escape(f"?{keep}") if keep else ""
    everywhere = escape(reverse("staff:host", args=[0]).removesuffix("0/"))
    everything = escape(gettext("history of this host"))
    words, sizes, codes = cache(_state), cache(_size), cache(_number)  # most hosts are alike
    exit_cell = f'<td class="r" data-label="{escape(gettext("exit"))}">'
    took_cell = f'<td class="r" data-label="{escape(gettext("duration"))}">'
    parts: list[str] = []
    for row in rows:
        host, number = row.host, row.host.bk_host_id
        newest = host.newest
        tag = f" {escape(newest.tag)}" if newest.tag else ""
        code = "–" if newest.exit_code is None else codes(newest.exit_code)
        parts += (
            f'<tr><th scope="row"><a href="hosts/{number}/{end}">{escape(host.name)}</a></th>',
            f'<td><a class="plain" href="{everywhere}{number}/" title="{everything}">',
            f"<code>{newest.bk_cloud_id}:{escape(host.address or '–')}</code></a></td>",
            f'<td><span class="pill k-{row.group.kind}">{escape(row.group.label)}</span>{tag}</td>',
            f"{exit_cell}{code}</td>{took_cell}{escape(row.took)}</td>",
        )
        if prints:
            state = escape(gettext("nothing received")) if host.silent else words(row.state)
            parts += (
                f'<td class="r">{sizes(host.size)}</td>',
                f'<td><span class="st-{row.state.state}">{state}</span>{_masked(host)}</td></tr>',
            )
        else:
            parts += (
                f'<td class="r">{_number(row.files_done)} / {_number(row.files)}</td>',
                f"<td>{_progress(row.percent)}</td></tr>",
            )
    return mark_safe("".join(parts))  # noqa: S308 - all that is not ours is escaped above


def _state(state: Completeness) -> str:
    return render_to_string("joblogs/_state.html", {"state": state})


def _size(size: int) -> str:
    return escape(filesizeformat(size))


def _number(number: int) -> str:
    return escape(str(localize(number)))


def _masked(host: HostOverview) -> str:
    count = host.masked
    if not count:
        return ""
    text = ngettext("%(n)s place masked", "%(n)s places masked", count)
    return f' <span class="pill late">{escape(text % {"n": localize(count)})}</span>'


def _progress(percent: int | None) -> str:
    if percent is None:
        return "–"
    shown = _number(percent)
    return f'<progress max="100" value="{percent}">{shown} %</progress> {shown} %'
