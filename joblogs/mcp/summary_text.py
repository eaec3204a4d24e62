"""Summary of a step as text for an agent, limited in length for any step.

Headings of groups come first, those of the majority and of failures before the others. Lines of the
groups fill the rest: one of each group, then more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils.translation import gettext, ngettext

from joblogs.choices import HostStatus, RunStatus
from joblogs.grouping.host_ranges import cut_names

from .store_api import Json

LINE_CHARS, NAMES_CHARS, VALUE_CHARS = 160, 160, 60
ROUNDS = (1, 3, 6)
"""Lines of each group: one if it fits, then up to three, then up to six."""
GROUPS_MIN, LINES_SHARE = 5, 0.4
"""After GROUPS_MIN groups, headings leave this share of the text to lines."""
LEFT_OUT_CHARS = 120
"""Characters reserved for the sentence about omitted groups."""


@dataclass
class _Section:
    """A group: its heading, the caption of its lines, all its lines, and the lines shown."""

    heading: str
    caption: str
    lines: list[Json]
    shown: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join([self.heading, *([self.caption] if self.shown else []), *self.shown])

    def with_lines(self, most: int) -> _Section:
        """Return a copy that shows at most `most` lines, preferring lines that differ, in order."""
        ranked = sorted(self.lines, key=lambda line: not line["differs"])[:most]
        lines = [line for line in self.lines if line in ranked]
        return _Section(self.heading, self.caption, self.lines, [_line(line) for line in lines])


def summary_text(summary: Json, *, job: int, step: int, most: int) -> str:
    """Return the summary in at most `most` characters."""
    start = "\n".join(_start(summary, job, step))
    end = "\n".join(_end(summary))
    left = most - len(start) - len(end) - LEFT_OUT_CHARS
    groups = summary["groups"]
    sections: dict[int, _Section] = {}
    # The majority first: it must not be left out, because the other groups differ from it.
    for place in sorted(range(len(groups)), key=lambda place: not groups[place]["majority"]):
        section = _section(groups[place])
        kept_free = most * LINES_SHARE if len(sections) >= GROUPS_MIN else 0
        if left - len(section.text) - 2 < kept_free:
            break
        sections[place] = section
        left -= len(section.text) + 2
    for lines in ROUNDS:
        for place in sorted(sections):
            longer = sections[place].with_lines(lines)
            grown = len(longer.text) - len(sections[place].text)
            if grown <= left:
                sections[place], left = longer, left - grown
    hidden = [group for place, group in enumerate(groups) if place not in sections]
    left_out = _left_out(
        summary["left_out"]["groups"] + len(hidden),
        summary["left_out"]["hosts"] + sum(group["host_count"] for group in hidden),
    )
    texts = [sections[place].text for place in sorted(sections)]
    return "\n\n".join(filter(None, [start, *texts, left_out, end]))[:most]


def _start(summary: Json, job: int, step: int) -> list[str]:
    counts = summary["counts"]
    names = {"name": cut(summary["name"], 100), "step": step, "job": job}
    title = gettext("Step “%(name)s” (%(step)s) of job %(job)s: ") % names
    sentence = gettext(
        "%(hosts)s hosts: %(succeeded)s succeeded, %(failed)s failed, %(unfinished)s not ended."
    )
    lines = [title + status_text(RunStatus, summary["status"]), sentence % counts]
    if counts["no_output"]:
        names = {"n": counts["no_output"], "names": cut_names(summary["no_output"], NAMES_CHARS)}
        lines.append(gettext("Ended without output: %(n)s (%(names)s)") % names)
    if counts["other_output"]:
        text = gettext("Succeeded with other output than most: %(n)s")
        lines.append(text % {"n": counts["other_output"]})
    if counts["compared"] < counts["to_compare"]:
        text = gettext("Only %(compared)s of %(to_compare)s outputs are compared yet: ask again.")
        lines.append(text % counts)
    last = summary.get("since_last_run")
    if last is not None:
        text = gettext(
            "Last run: job %(job)s (%(time)s). Failures new since then: %(new)s; gone: %(gone)s."
        )
        values = {"new": len(last["new"]), "gone": len(last["recovered"])}
        lines.append(
            text % {"job": last["job_instance_id"], "time": moment(last["time"]), **values}
        )
    if summary["unfinished"]:
        text = gettext("Not ended: %(names)s")
        lines.append(text % {"names": cut_names(summary["unfinished"], NAMES_CHARS)})
    return lines


def _end(summary: Json) -> list[str]:
    slowest = ", ".join(
        f"{cut(host['host_name'], 40)} ({host['bk_host_id']}) {host['duration'] / 1000:.1f} s"
        for host in summary["slowest"]
    )
    return [gettext("Slowest: %(hosts)s") % {"hosts": slowest}] if slowest else []


def _left_out(groups: int, hosts: int) -> str:
    if not groups:
        return ""
    text = gettext("Left out for want of room: %(groups)s groups of %(hosts)s hosts.")
    return text % {"groups": groups, "hosts": hosts}


def _section(group: Json) -> _Section:
    values = {
        "key": group["key"],
        "n": group["host_count"],
        "names": cut_names(group["hosts"], NAMES_CHARS),
        "host": group["sample_host_id"],
    }
    hosts = ngettext(
        "Group %(key)s, %(n)s host: %(names)s (host %(host)s)",
        "Group %(key)s, %(n)s hosts: %(names)s (one is host %(host)s)",
        group["host_count"],
    )
    status, has_code = group["status"], group["exit_code"] is not None
    if status == HostStatus.EXIT_CODE_NOT_ZERO and has_code:
        status = HostStatus.FAILED  # the code says the rest
    outcome = [status_text(HostStatus, status)]
    if has_code:
        outcome.append(gettext("exit code %(code)s") % {"code": group["exit_code"]})
    if group["tag"]:
        outcome.append(gettext("tag %(tag)s") % {"tag": cut(group["tag"], 40)})
    lines = [f"{hosts % values}: " + ", ".join(outcome + _reasons(group))]
    lines += [_difference(one) for one in group["differences"]]
    return _Section("\n".join(lines), f"  {_caption(group.get('lines_are'))}:", group["lines"])


def _reasons(group: Json) -> list[str]:
    """Return phrases about the output of a group, how it differs, and earlier occurrences."""
    output = group.get("output")  # none of a step that transfers files
    if group["majority"]:
        return [gettext("the output of most")] if output else []
    apart = group["apart_by"]
    if apart == "variant":
        # The caption of the lines says more. That a failure has other lines is no news.
        apart = group.get("lines_are", apart) if group["succeeded"] else ""
    texts = _output(output), _apart(apart), _known(group.get("failure"))
    return [text for text in texts if text]


def _known(failure: Json | None) -> str:
    """Return a phrase on whether a failure occurred before."""
    if failure is None:
        return ""
    if not failure["seen_before"]:
        return gettext("a new failure")
    text = gettext("seen in %(n)s earlier runs since %(day)s")
    return text % {"n": failure["runs"], "day": moment(failure["first_time"] or 0)[:10]}


def _output(output: str | None) -> str:
    if output == "nothing":
        return gettext("no output")
    if output == "running":
        return gettext("not ended")
    return gettext("output not compared yet") if output == "unknown" else ""


def _apart(reason: str | None) -> str:
    if reason == "values":
        return gettext("a value is unlike that of others")
    if reason == "extra":
        return gettext("lines that few have")
    if reason == "missing":
        return gettext("lacks a line of most")
    if reason == "place":
        return gettext("has lines of its own")
    if reason == "ends":
        return gettext("stops where the others continue")
    return gettext("other lines than most") if reason in ("variant", "differs") else ""


def _caption(relation: str | None) -> str:
    if relation == "own":
        return gettext("Lines (>: no successful host printed them)")
    if relation == "missing":
        return gettext("Lines of others that it lacks")
    if relation == "first":
        return gettext("First lines")
    return gettext("Last lines") if relation in ("last", "ends", "same") else gettext("Lines")


def _difference(one: Json) -> str:
    own = ", ".join(cut(value["value"], VALUE_CHARS) for value in one["own"])
    text = f"  {cut(one['label'], VALUE_CHARS)} {own}"
    usual = one["usual"]
    if usual is not None:
        values = {"value": cut(usual["value"], VALUE_CHARS), "n": usual["hosts"]}
        return text + gettext(" (usual: %(value)s, on %(n)s hosts)") % values
    if one["low"] is not None:
        values = {name: cut(one[name] or "", VALUE_CHARS) for name in ("low", "high")}
        return text + gettext(" (usual: %(low)s to %(high)s)") % values
    return text


def _line(line: Json) -> str:
    mark = ">" if line["differs"] else " "
    return f"  {mark} {line['number']}: {cut(line['text'], LINE_CHARS)}"


def status_text(statuses: type[RunStatus] | type[HostStatus], number: int) -> str:
    """Return the label of a status; the number of an unknown one."""
    return str(statuses(number).label) if number in statuses.values else str(number)


def cut(text: str, most: int) -> str:
    """Return a text cut to at most `most` characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def moment(milliseconds: int) -> str:
    """Return a time in UTC as text."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
