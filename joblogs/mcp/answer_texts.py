"""Responses of the API as text for an agent, each limited in length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext, ngettext

from joblogs.choices import RunStatus, StepType
from joblogs.grouping.host_ranges import cut_names

from .store_api import Json
from .summary_text import cut, moment, status_text

LINE_CHARS = 200


def bounded(parts: Iterable[str], most: int) -> str:
    """Join lines up to `most` characters, and add a note if there are more."""
    lines: list[str] = []
    left = most - 100
    for part in parts:
        left -= len(part) + 1
        if left < 0:
            lines.append(gettext("… cut here: narrow the question."))
            break
        lines.append(part)
    return "\n".join(lines)[:most]


def job_lines(answer: Json) -> Iterator[str]:
    """Yield lines for the jobs of a page of get_job_instance_list."""
    first, jobs = answer["start"], answer["data"]
    text = gettext("Jobs %(first)s to %(last)s of %(total)s, newest first:")
    values = {"first": min(first + 1, first + len(jobs)), "last": first + len(jobs)}
    yield text % (values | {"total": answer["total"]})
    for job in jobs:
        yield "{}  {}  {}  {}  {}".format(
            job["job_instance_id"],
            moment(job["create_time"]),
            status_text(RunStatus, job["status"]),
            cut(job["name"], LINE_CHARS),
            cut(job["operator"], 40),
        )


def step_lines(answer: Json) -> Iterator[str]:
    """Yield lines for the steps of a job, from get_job_instance_status."""
    job = answer["job_instance"]
    text = gettext("Job %(id)s “%(name)s”: %(status)s. Its steps:")
    status = status_text(RunStatus, job["status"])
    name = cut(job["name"], LINE_CHARS)
    yield text % {"id": job["job_instance_id"], "name": name, "status": status}
    for step in answer["step_instance_list"]:
        kind = step["type"]
        yield "{}  {}  {}  {}".format(
            step["step_instance_id"],
            StepType(kind).label if kind in StepType.values else kind,
            status_text(RunStatus, step["status"]),
            cut(step["name"], LINE_CHARS),
        )


def host_lines(answer: Json, start: int) -> Iterator[str]:
    """Yield lines for a page of the hosts of a group."""
    hosts = answer["hosts"]
    text = gettext("Hosts %(first)s to %(last)s of %(total)s:")
    values = {"first": min(start + 1, start + len(hosts)), "last": start + len(hosts)}
    yield text % (values | {"total": answer["total"]})
    for host in hosts:
        address = host["ip"] or host["ipv6"] or ""
        yield "  ".join([str(host["bk_host_id"]), cut(host["host_name"], 100), address]).rstrip()


def search_lines(answer: Json) -> Iterator[str]:
    """Yield lines for the hits of a search, by group."""
    text = gettext(
        "Matching lines: %(hits)s. Hosts that have them: %(hosts_with_hits)s of %(total)s."
    )
    yield text % answer
    if answer["stopped"]:
        yield gettext("The search took too long and is not complete.")
    if answer["next_start"] is not None:
        yield gettext("Search on with start=%(start)s.") % {"start": answer["next_start"]}
    if answer["hosts_beyond"]:
        text = gettext("%(n)s hosts are in groups that are not listed.")
        yield text % {"n": answer["hosts_beyond"]}
    for group in answer["groups"]:
        yield ""
        yield from _hit_lines(group)


def _hit_lines(group: Json) -> Iterator[str]:
    ids = [str(host["bk_host_id"]) for host in group["hosts"][:5]]
    names = {
        "n": group["total"],
        "names": cut_names(", ".join(group["folded"]), LINE_CHARS),
        "ids": ", ".join([*ids, "…"] if group["total"] > len(ids) else ids),
    }
    text = ngettext(
        "%(n)s host: %(names)s (host %(ids)s)",
        "%(n)s hosts: %(names)s (hosts %(ids)s)",
        group["total"],
    )
    file = f"  {cut(group['file'], LINE_CHARS)}" if group["file"] else ""
    hits = ngettext("%(n)s line each", "%(n)s lines each", group["hits"]) % {"n": group["hits"]}
    yield f"{text % names}: {hits}{file}"
    for line in group["lines"]:
        mark = ">" if line["matches"] else " "
        yield f"  {mark} {line['number']}: {cut(line['text'], LINE_CHARS)}"


def comparison_lines(answer: Json) -> Iterator[str]:
    """Yield lines for a comparison, each with a mark as in a diff."""
    left, right = answer["left"], answer["right"]
    if right is None:
        text = gettext("There is nothing to compare host %(host)s with: %(reason)s.")
        yield text % {"host": left["bk_host_id"], "reason": _reason(answer["reason"])}
        return
    yield f"- {_log_name(left)}"
    yield f"+ {_log_name(right)}{_of_group(answer['group_hosts'])}"
    yield (
        gettext(
            "Lines: %(same)s the same, %(similar)s similar but for times, numbers and the like, "
            "%(different)s different, %(left_only)s only in -, %(right_only)s only in +."
        )
        % answer
    )
    if left["is_cut"] or right["is_cut"]:
        yield gettext("Only a part of these large logs is compared.")
    for hunk in answer["hunks"]:
        yield "…"
        for row in hunk["rows"]:
            yield from _row_lines(row)


def _row_lines(row: Json) -> Iterator[str]:
    left, right = row["left"], row["right"]
    if row["kind"] in ("same", "similar"):
        yield f"  {left['number']}: {cut(left['text'], LINE_CHARS)}"
        return
    if left is not None:
        yield f"- {left['number']}: {cut(left['text'], LINE_CHARS)}"
    if right is not None:
        yield f"+ {right['number']}: {cut(right['text'], LINE_CHARS)}"
    for usual in row["usual"]:
        text = gettext("  usual here: %(value)s (%(hosts)s of %(of)s hosts)")
        yield text % (usual | {"value": cut(usual["value"], 100)})


def _log_name(log: Json) -> str:
    values = {
        "name": cut(log["name"], 100),
        "host": log["bk_host_id"],
        "attempt": log["execute_count"],
        "job": log["job_instance_id"],
        "step": log["step_instance_id"],
    }
    text = gettext("%(name)s (host %(host)s), attempt %(attempt)s, step %(step)s of job %(job)s")
    return text % values


def _of_group(hosts: int) -> str:
    if not hosts:
        return ""
    return ngettext(", like %(n)s host", ", like %(n)s hosts", hosts) % {"n": hosts}


def _reason(reason: str) -> str:
    if reason == "nobody":
        return gettext("no host of that name is in the step")
    if reason == "alone":
        return gettext("no other host printed the like")
    if reason == "no-group":
        return gettext("the hosts have not been compared yet")
    if reason == "first":
        return gettext("it is the first attempt")
    if reason == "no-earlier":
        return gettext("there is no earlier run")
    if reason == "files":
        return gettext("logs of files are not compared")
    return gettext("its text is deleted by the retention policy")
