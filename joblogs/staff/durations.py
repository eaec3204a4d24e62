"""How long something took, in words."""

from __future__ import annotations

from django.utils.translation import gettext


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
