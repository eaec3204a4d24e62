"""Table of the hosts that failed in a job of several steps, by step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from joblogs.models import HostResult, StepInstance
from joblogs.pages import links
from joblogs.pages.formats import host_status_label, number
from joblogs.pages.rendering import partial
from joblogs.pages.step.groups import Kind, kind_of_status
from joblogs.query import job_list

HOSTS_MAX = 30


class Cell(NamedTuple):
    """Outcome of a host in a step, and the address of its log there."""

    kind: Kind
    label: str
    log: str


def failed_hosts(steps: Sequence[StepInstance]) -> SafeString | str:
    """Return the table of the hosts that failed in the most steps; empty for a job of one step or
    without failed hosts."""
    if len(steps) < 2:
        return ""
    results, total = job_list.failed_hosts(steps, limit=HOSTS_MAX)
    if not total:
        return ""
    by_host: dict[int, dict[int, HostResult]] = defaultdict(dict)
    for result in results:
        by_host[result.host_id][result.step_id] = result
    # Approvals and steps that have not begun would be columns of dashes.
    with_results = {result.step_id for result in results}
    steps = [step for step in steps if step.pk in with_results]
    logs = {step.pk: links.of_step(step)["hosts"] for step in steps}
    rows = []
    for own in by_host.values():
        name = next(iter(own.values())).display_name
        rows.append((name, [_cell(own.get(pk), hosts) for pk, hosts in logs.items()]))
    rows.sort(key=lambda row: (-sum(c is not None and c.kind == Kind.BAD for c in row[1]), row[0]))
    heads = [step.name or step.step_instance_id for step in steps]
    left = total - len(rows)
    more = ngettext("%(n)s more host failed.", "%(n)s more hosts failed.", left)
    more = more % {"n": number(left)} if left else ""
    return partial("failed_hosts.html", heads=heads, rows=rows, total=number(total), more=more)


def _cell(result: HostResult | None, hosts: str) -> Cell | None:
    if result is None:
        return None
    label = host_status_label(result.status, result.exit_code)
    return Cell(kind_of_status(result.status), label, f"{hosts}{result.host_id}/")
