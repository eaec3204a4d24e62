"""Formatting of numbers, durations, addresses and states."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Hashable
from typing import TypeVar

from django.template.defaultfilters import filesizeformat
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_noop as _

from joblogs.choices import HostStatus
from joblogs.query import Completeness, State

T = TypeVar("T", bound=Hashable)
CACHED = 4_096
"""Texts cached for each function: a page has hundreds, most of them the same."""


def cached_by_language(text_of: Callable[[T], str]) -> Callable[[T], str]:
    """Decorator that caches the texts of a function of one value, by language."""

    @functools.lru_cache(CACHED)
    def in_language(language: str | None, value: T) -> str:
        return text_of(value)

    @functools.wraps(text_of)
    def text(value: T) -> str:
        return in_language(get_language(), value)

    return text


@cached_by_language
def duration(milliseconds: int | None) -> str:
    """Return a duration in its one or two largest units; a dash for None."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1_000:
        return gettext("%(n)d ms") % {"n": milliseconds}
    if milliseconds < 9_950:  # from there on it would be rounded to 10.0 s
        return gettext("%(n).1f s") % {"n": milliseconds / 1_000}
    minutes, rest = divmod(round(milliseconds / 1_000), 60)
    if minutes == 0:
        return gettext("%(n)d s") % {"n": rest}
    if minutes < 60:
        return gettext("%(m)d min %(s)d s") % {"m": minutes, "s": rest}
    hours, minutes = divmod(minutes, 60)
    return gettext("%(h)d h %(m)d min") % {"h": hours, "m": minutes}


def elapsed(since: int | None) -> str:
    """Return the time since a moment (in milliseconds) as 1:02:03; a script keeps counting."""
    if since is None:
        return "–"
    minutes, seconds = divmod(max(0, int(time.time() * 1000) - since) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def host_status_label(status: int, exit_code: int | None) -> str:
    """Return the label of a host's status; for a non-zero exit code, the code: "exit code 2"."""
    if status == HostStatus.EXIT_CODE_NOT_ZERO and exit_code:
        return gettext("exit code %(code)s") % {"code": exit_code}
    if status in HostStatus.values:
        return str(HostStatus(status).label)
    return gettext("status %(code)s") % {"code": status}


@cached_by_language
def state_label(state: Completeness) -> str:
    """Return the label of a log's state."""
    if state.missing:
        return gettext("incomplete: %(size)s missing") % {"size": filesizeformat(state.missing)}
    return gettext(_STATES[state.state])


_STATES = {
    State.COMPLETE: _("complete"),
    State.RECEIVING: _("still receiving"),
    State.INCOMPLETE: _("incomplete: does not match what was declared"),
    State.TRUNCATED: _("truncated: over the size limit"),
    State.EXPIRED: _("expired"),
    State.UNREACHABLE: _("cannot be read now"),
}


@cached_by_language
def masked_label(places: int) -> str:
    """Return the number of masked places of a log in words; empty for none."""
    text = ngettext("%(n)s place masked", "%(n)s places masked", places)
    return text % {"n": number(places)} if places else ""


def address_label(bk_cloud_id: int, address: str | None) -> str:
    """Return a host's address with its cloud area in front; a dash if it has no address."""
    return f"{bk_cloud_id}:{address}" if address else "–"


def number(value: int) -> str:
    """Return a count in groups of three digits: 12,345, the same in all languages."""
    return f"{value:,}"


@cached_by_language
def size(number_of_bytes: int) -> str:
    """Return a number of bytes in a suitable unit."""
    return filesizeformat(number_of_bytes)
