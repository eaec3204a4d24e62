"""Content of a notice, rendered when it is sent, with what its owner may read at that time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, pgettext

from joblogs import access, failures
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import StepType
from joblogs.errors import JobNotFound
from joblogs.grouping.host_ranges import fold_within
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.encodings import reading_encoding
from joblogs.logtext.terminal import last_seen
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.logtext.utf16_streams import without_utf16
from joblogs.models import HostResult, Notice, StepInstance
from joblogs.object_store import ObjectUnreachable
from joblogs.pages import links
from joblogs.pages.formats import host_status_label
from joblogs.pages.step.groups import Group, groups
from joblogs.pages.step.history import past_of
from joblogs.pages.step.summary import summary
from joblogs.query import Attempts
from joblogs.query.overview import Overview, overview
from joblogs.search import Pattern
from joblogs.search.blocks import Block, blocks
from joblogs.search.readings import Matches
from joblogs.step_groups import Excerpts, StepGroups, excerpts, step_groups

from . import reasons
from .matching import in_step, read
from .saved_searches import pattern_of
from .texts import Place

COMPARE_SECONDS = 2.0
GROUPS, LINES, MATCHES = 10, 6, 10
LINE_CHARS, NAMES_CHARS = 240, 300


class NotSent(Exception):
    """Error: a notice is not to be sent. `detail` is one of `reasons.DETAILS`."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True)
class Message:
    """A message to send, and the audit row of the read for it."""

    subject: str
    values: dict[str, Any]
    entry: ReadEntry
    size: int
    """Bytes of log text that were read for it, recorded before it is sent."""


def message_of(notice: Notice) -> Message:
    """Return the message of a notice, which was loaded with its search, owner and scope.

    Raise NotSent, or ObjectUnreachable if it cannot be decided now whether it is to be sent.
    """
    search = notice.search
    with translation.override(search.language):
        step = _step(notice)
        step_overview = overview(step, Attempts())
        all_groups = step_groups(step_overview, seconds=COMPARE_SECONDS)
        matches, size = _matches(step, step_overview, notice, pattern_of(search))
        shown = groups(all_groups, prints=step.prints_output)[:GROUPS]
        read = excerpts(all_groups, [group.values for group in shown], what_is_there=True)
        values = _values(notice, step) | {
            "sentence": _sentence(step, all_groups),
            "groups": _groups(step_overview, all_groups, shown, read),
            "groups_left_out": max(0, len(all_groups.groups) - len(shown)),
            "matches": matches,
        }
        subject = gettext("%(search)s: %(job)s") % {"search": search.name, "job": step.job.name}
    hosts = len(read.hosts | all_groups.read_hosts) or len(matches)
    return Message(
        subject,
        values,
        ReadEntry(
            who=search.owner_user.get_username(),
            app_code="",
            user_verified=True,
            channel=Channel.NOTICE,
            step=step,
            hosts=hosts,
            search=bool(search.pattern),
        ),
        size + read.size + all_groups.read_bytes,
    )


def _step(notice: Notice) -> StepInstance:
    """Return the step of a notice. Raise NotSent if its owner may not see it."""
    search = notice.search
    keys = StepInstance.objects.filter(pk=notice.step_id, job__scope=search.scope)
    numbers = keys.values_list("job__job_instance_id", "step_instance_id").first()
    if numbers is None:
        raise NotSent(reasons.REMOVED)
    try:
        step = access.visible_step(
            search.owner_user,
            scope_type=search.scope.scope_type,
            scope_id=search.scope.scope_id,
            job_instance_id=numbers[0],
            step_instance_id=numbers[1],
        )
    except JobNotFound:
        raise NotSent(reasons.REMOVED) from None
    if step.job.expired_at is not None:
        raise NotSent(reasons.EXPIRED)
    return step


def _values(notice: Notice, step: StepInstance) -> dict[str, Any]:
    job, search = step.job, notice.search
    created = notice.created_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {
        "id": str(notice.event_id),
        "type": "step.ended" if search.statuses or not search.pattern else "text.found",
        "time": created.replace("+00:00", "Z"),
        "search": {"id": search.pk, "name": search.name},
        "bk_scope_type": job.scope.scope_type,
        "bk_scope_id": job.scope.scope_id,
        "job_instance_id": job.job_instance_id,
        "job_name": job.name,
        "step_instance_id": step.step_instance_id,
        "step_name": step.name,
        "status": step.status,
        "address": f"{settings.PUBLIC_URL or ''}{links.of_step(step)['step']}",
    }


def _sentence(step: StepInstance, step_groups: StepGroups) -> str:
    verdict = summary(step, groups(step_groups, prints=step.prints_output), step_groups)
    stop = pgettext("end of a sentence", ".")
    first = pgettext("between clauses", ", ").join(part.text for part in verdict.parts) + stop
    return (" " if stop.isascii() else "").join([first, *verdict.more])


def _groups(
    overview: Overview, step_groups: StepGroups, shown: Sequence[Group], read: Excerpts
) -> list[dict[str, Any]]:
    known = failures.known_failures(overview, step_groups)
    made_of: list[dict[str, Any]] = []
    for group in shown:
        past = past_of(group.values, known)
        excerpt = read.by_key.get(group.key)
        made_of.append(
            {
                "hosts": fold_within((host.name for host in group.hosts), NAMES_CHARS),
                "host_count": len(group.hosts),
                "status": group.status,
                "status_name": host_status_label(group.status, group.exit_code),
                "exit_code": group.exit_code,
                "failed": group.failed,
                "history": past.text if past is not None else None,
                "excerpt": [_text(line.data) for line in excerpt.lines[:LINES]] if excerpt else [],
            }
        )
    return made_of


def _matches(
    step: StepInstance, overview: Overview, notice: Notice, pattern: Pattern | None
) -> tuple[list[dict[str, Any]], int]:
    """Return the first matching line of each place as it is now, and the bytes that were read.

    Raise NotSent if no line matches any more, ObjectUnreachable if that cannot be decided now.
    """
    if pattern is None:
        return [], 0
    # Places are unknown for file logs, and for logs that were out of reach during the search.
    places = [Place(*each) for each in notice.places] or in_step(step, pattern)
    if places is None:
        raise NotSent(reasons.NOT_THERE)
    names = {result.pk: host.name for host in overview.hosts for result in host.results}
    results = HostResult.objects.in_bulk([place.result for place in places])
    matches: list[dict[str, Any]] = []
    size = 0
    out_of_reach: ObjectUnreachable | None = None
    for place in places[:MATCHES]:
        if place.result not in results:
            continue
        search = _PlaceSearch(step, place, results[place.result])
        line = None
        try:
            line = search.first_line(pattern)
        except ObjectUnreachable as error:
            out_of_reach = error
        size += search.size
        if line is not None:
            matches.append({"host": names.get(place.result, ""), "line": _text(line)})
    if not matches and out_of_reach is not None:
        raise out_of_reach
    if not matches and step.step_type != StepType.FILE:
        raise NotSent(reasons.NOT_THERE)
    return matches, size


class _PlaceSearch:
    """Search of a place in a log, part by part; `size`: bytes that were read."""

    def __init__(self, step: StepInstance, place: Place, result: HostResult) -> None:
        self._step, self._place, self._result = step, place, result
        self.size = 0

    def first_line(self, pattern: Pattern) -> bytes | None:
        """Return the first matching line, or the text around the match in a long line.

        None if there is no match or the log is damaged. Bytes that may become part of a mask are
        left out. Raise ObjectUnreachable.
        """
        result = self._result
        settled = result.held_size - (0 if result.finished else result.unsettled_size)
        last = b""
        try:
            for block in self._blocks(settled):
                match = Matches(pattern, block.data).after(0)
                if match is not None:
                    start = max(0, match.at - LINE_CHARS // 2)
                    return match.line[start : start + 4 * LINE_CHARS]
                last = block.data.rpartition(b"\n")[2]
            if settled < min(self._place.stop, result.held_size):
                for block in self._blocks(result.held_size):
                    if Matches(pattern, block.data).after(0) is not None:
                        return last[: 4 * LINE_CHARS]
        except ObjectUnreachable:
            raise
        except Unreadable:
            return None
        return None

    def _blocks(self, stop: int) -> Iterator[Block]:
        """Return the blocks of text up to this byte of the log."""
        return blocks(without_utf16(self._parts(stop)))

    def _parts(self, stop: int) -> Iterator[bytes]:
        if self._place.start < stop:
            for part in read(self._step.day, self._place, stop):
                self.size += len(part)
                yield part


def _text(data: bytes) -> str:
    """Return a line as a terminal shows it in the end, cut to LINE_CHARS."""
    data = parts_as_utf8(data[: 4 * LINE_CHARS])
    text = " ".join(last_seen(data, reading_encoding(data)))
    text = text.encode(errors="replace").decode()
    return text if len(text) <= LINE_CHARS else text[: LINE_CHARS - 1] + "…"
