"""History of failures on a step page: new or seen before, and what changed since the last run."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, pgettext

from joblogs.failures import Failures, HostCount, LastRun, Recovered
from joblogs.models import StepInstance
from joblogs.pages import links
from joblogs.pages.formats import host_status_label, number
from joblogs.pages.log.host_log import moment
from joblogs.step_groups import StepGroup

RECOVERED_SHOWN = 5


class Past(NamedTuple):
    """History of a card's failure, in words."""

    text: str
    is_new: bool


class SinceLastRun(NamedTuple):
    """Changes since the last run of a step, and the address of that run."""

    label: str
    address: str
    changes: str


def past_of(group: StepGroup, known: Failures) -> Past | None:
    """Return the history of a failing group; None if its failure is not known."""
    if not group.failed or group.key not in known.keys:
        return None
    seen = known.of(group)
    if seen is None:
        return Past(pgettext("failure", "new"), is_new=True)
    runs = ngettext("%(n)s run", "%(n)s runs", seen.runs) % {"n": number(seen.runs)}
    text = gettext("seen before: first %(date)s, %(runs)s, %(hosts)s") % {
        "date": day_label(seen.first_at),
        "runs": runs,
        "hosts": _hosts(seen.hosts),
    }
    return Past(text, is_new=False)


def since_last_run(step: StepInstance, known: Failures) -> SinceLastRun | None:
    """Return the changes since the last run of a step; None if no last run is known, or if nothing
    failed in either."""
    last = known.last_run
    if last is None or not (known.keys or last.recovered):
        return None
    return SinceLastRun(
        gettext("Since the last run (%(date)s)") % {"date": day_label(last.at)},
        links.of_run(step, last.job_instance_id, last.step_instance_id),
        pgettext("between clauses", ", ").join(_changes(last)),
    )


def day_label(at: int) -> str:
    """Return the day of a time (in milliseconds) in words, with the year if it is not this one."""
    day = moment(at)
    if not isinstance(day, datetime):
        return str(day)
    if day.year == timezone.localtime().year:
        return date_format(day, pgettext("day and month, as Django formats dates", "j F"))
    return date_format(day, pgettext("day, month and year, as Django formats dates", "j F Y"))


def _hosts(hosts: HostCount) -> str:
    count = hosts.number
    if hosts.exact:
        return ngettext("%(n)s host", "%(n)s hosts", count) % {"n": number(count)}
    return gettext("about %(n)s hosts") % {"n": number(round(count, -2))}


def _changes(last: LastRun) -> list[str]:
    new = len(last.new)
    changes = []
    if new:
        text = ngettext("%(n)s failure is new", "%(n)s failures are new", new)
        changes.append(text % {"n": number(new)})
    if last.recovered:
        shown = [_recovered(one) for one in last.recovered[:RECOVERED_SHOWN]]
        more = len(last.recovered) - len(shown)
        if more:
            text = ngettext("%(n)s more failure", "%(n)s more failures", more)
            shown.append(text % {"n": number(more)})
        listed = pgettext("between parts", "; ").join(shown)
        changes.append(gettext("no longer failing: %(failures)s") % {"failures": listed})
    return changes or [gettext("the same failures")]


def _recovered(one: Recovered) -> str:
    hosts = ngettext("%(n)s host", "%(n)s hosts", one.host_count)
    label = host_status_label(one.status, one.exit_code)
    return gettext("%(outcome)s (%(hosts)s)") % {
        "outcome": label,
        "hosts": hosts % {"n": number(one.host_count)},
    }
