"""Texts of durations and of the statuses of hosts."""

from __future__ import annotations

import functools

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

from joblogs.choices import HostStatus


def duration(milliseconds: int | None) -> str:
    """A length of time in the one or two units that matter."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1_000:
        return _translated(_("%(n)d ms")) % {"n": milliseconds}
    seconds = milliseconds / 1_000
    if seconds < 10:
        return _translated(_("%(n).1f s")) % {"n": seconds}
    if seconds < 60:
        return _translated(_("%(n)d s")) % {"n": seconds}
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return _translated(_("%(m)d min %(s)d s")) % {"m": minutes, "s": rest}
    hours, minutes = divmod(minutes, 60)
    return _translated(_("%(h)d h %(m)d min")) % {"h": hours, "m": minutes}


def host_status_label(status: int, exit_code: int | None) -> str:
    """Status of a host in words; of an exit code that is not zero, the code: "exit code 2"."""
    if status == HostStatus.EXIT_CODE_NOT_ZERO and exit_code:
        return gettext("exit code %(code)s") % {"code": exit_code}
    return str(HostStatus(status).label if status in HostStatus.values else status)


def _translated(text: str) -> str:
    return _in_language(get_language(), text)


@functools.cache
def _in_language(language: str | None, text: str) -> str:
    # Looking a text up takes longer than all else here, and a page has a hundred of these.
    return gettext(text)
