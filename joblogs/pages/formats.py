"""Texts of numbers, durations, addresses and states."""

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
"""Texts of one function that are kept: a page has hundreds, most of them the same."""


def kept_by_language(text_of: Callable[[T], str]) -> Callable[[T], str]:
    """Decorator that keeps what a function of one value says in each language."""

    @functools.lru_cache(CACHED)
    def in_language(language: str | None, value: T) -> str:
        return text_of(value)

    @functools.wraps(text_of)
    def text(value: T) -> str:
        return in_language(get_language(), value)

    return text


@kept_by_language
def duration(milliseconds: int | None) -> str:
    """A length of time in the one or two units that matter."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1_000:
        return gettext("%(n)d ms") % {"n": milliseconds}
    seconds = milliseconds / 1_000
    if seconds < 10:
        return gettext("%(n).1f s") % {"n": seconds}
    if seconds < 60:
        return gettext("%(n)d s") % {"n": seconds}
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return gettext("%(m)d min %(s)d s") % {"m": minutes, "s": rest}
    hours, minutes = divmod(minutes, 60)
    return gettext("%(h)d h %(m)d min") % {"h": hours, "m": minutes}


def elapsed(since: int | None) -> str:
    """Time since a moment as hours, minutes and seconds, which a script counts on: 1:02:03."""
    if since is None:
        return "–"
    minutes, seconds = divmod(max(0, int(time.time() * 1000) - since) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def host_status_label(status: int, exit_code: int | None) -> str:
    """Status of a host in words; of an exit code that is not zero, the code: "exit code 2"."""
    if status == HostStatus.EXIT_CODE_NOT_ZERO and exit_code:
        return gettext("exit code %(code)s") % {"code": exit_code}
    if status in HostStatus.values:
        return str(HostStatus(status).label)
    return gettext("status %(code)s") % {"code": status}


@kept_by_language
def state_label(state: Completeness) -> str:
    """State of a log in words."""
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


@kept_by_language
def masked_label(places: int) -> str:
    """In how many places of a log secrets were masked; empty for none."""
    text = ngettext("%(n)s place masked", "%(n)s places masked", places)
    return text % {"n": number(places)} if places else ""


def address_label(bk_cloud_id: int, address: str | None) -> str:
    """Address of a host with its cloud area in front; a dash for one without an address."""
    return f"{bk_cloud_id}:{address}" if address else "–"


def number(value: int) -> str:
    """Count in groups of three digits: 12,345, in each language."""
    return f"{value:,}"


@kept_by_language
def size(number_of_bytes: int) -> str:
    """Bytes in the unit that fits."""
    return filesizeformat(number_of_bytes)
