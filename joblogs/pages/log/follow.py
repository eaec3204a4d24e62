"""Following a log: new text of the log that a page shows, and notices of later attempts.

The text is pinned: a retry or the next rolling batch is another text, in which the page's byte
offset has no meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, JsonResponse

from joblogs import query
from joblogs.audit import Channel
from joblogs.logtext.encodings import UTF8
from joblogs.logtext.mask_ranges import RANGES_KEPT
from joblogs.models import HostResult, StepInstance
from joblogs.object_store import ObjectUnreachable
from joblogs.pages import links
from joblogs.pages.reading import read_entry
from joblogs.pages.rendering import rendered
from joblogs.query import Place, Result, Window

from .encoding import COOKIE, choice_of, window_encoding
from .host_log import HostLog, host_log
from .lines import lines_html
from .request import LogRequest, TextPin
from .seen import REST_BYTES
from .window_lines import window_lines

ROWS_MAX = 100
"""Maximum results of one host that a page follows: all of them are in the address."""


def follow_query(log: HostLog, log_request: LogRequest, encoding: str) -> str:
    """Return the query string that asks for more of the shown text, without the byte, which a
    script appends; empty if the log is not followed."""
    rows = tuple(row.pk for row in log.host.results)
    if not log.grows or len(rows) > ROWS_MAX:
        return ""
    pinned = {"shown": str(TextPin(log.result.pk, log.text.last_start, rows))}
    if log.file is not None:
        pinned["file"] = str(log.file.pk)
    if encoding != UTF8:
        pinned["read_as"] = choice_of(encoding)
    return f"{urlencode(log_request.in_page | pinned)}&"


def log_more(step: StepInstance, bk_host_id: int, request: HttpRequest) -> JsonResponse:
    """Return the lines that arrived from a byte on, and the updated head and notices of the page.

    The status is 503 if the log cannot be read now: the page stays as it is and asks again. Raises
    Http404 if the text that the page shows no longer exists.
    """
    try:
        return _log_more(step, bk_host_id, request)
    except ObjectUnreachable:
        return JsonResponse({"unreachable": True}, status=503)


def _log_more(step: StepInstance, bk_host_id: int, request: HttpRequest) -> JsonResponse:
    log_request = LogRequest.read(request.GET)
    if request.GET.get("shown") and log_request.pin is None:
        raise Http404
    pin = log_request.pin
    log = host_log(step, bk_host_id, log_request.attempts, file=log_request.file, pin=pin)
    start, size = log_request.values.get("byte") or 0, log.text.size
    # Text that arrived in an earlier part moved the rest: the page's offset is no longer valid.
    moved = log_request.pin is not None and log.text.last_start != log_request.pin.start
    window = Window([], size, size, size, log.text.newlines)
    if start < size and not moved:
        window = query.window_at(log.text, Place("byte", start))
    usual = request.COOKIES.get(COOKIE, "")
    encoding = window_encoding(log.text, window, log_request.encoding, usual)
    seen = window_lines(log, window, log_request, encoding, to_end=True)
    head = {"log": log, "result": log.result, "window": window}
    after = next_byte(window, log_request)
    answer = JsonResponse(
        {
            "html": lines_html(seen.lines, log_request.kept).strip(),
            "start": seen.start,
            "next": after,
            "size": window.size,
            "behind": not window.at_end,
            "grows": log.grows,
            "head": rendered("joblogs/_log_head.html", head, request).strip(),
            "notice": rendered(
                "joblogs/_log_notice.html", _notice(log, log_request, moved=moved), request
            ).strip(),
            "over": moved or log.expired is not None,
            "masked": masked_before(log, after),
            # What the page shows was masked meanwhile.
            "stale": log_request.values.get("masked") not in (None, masked_before(log, start)),
        }
    )
    shown = sum(len(line.data) for line in window.lines)
    read_entry(request, log.step, channel=Channel.FOLLOW, hosts=1, poll=True).end(shown)
    return answer


def masked_before(log: HostLog, byte: int) -> int:
    """Return how many bytes of the shown text are masked before a byte."""
    if log.file is not None:
        return _covered(log.file.redacted, byte)
    *earlier, last = (log.by_pk[row.pk] for row in log.host.results)
    masked = _covered(last.redacted, byte - log.text.last_start)
    return masked + sum(_covered(row.redacted, row.held_size) for row in earlier)


def _covered(ranges: Sequence[Sequence[int]] | None, byte: int) -> int:
    # Later ranges may be extended to new secrets, over text without any (mask_ranges).
    exact = (ranges or ())[: RANGES_KEPT - 1]
    return sum(min(stop, byte) - start for start, stop in exact if start < byte)


def next_byte(window: Window, log_request: LogRequest) -> int:
    """Return the byte at which following continues: a line without a newline is read again."""
    last = window.lines[-1] if window.lines else None
    if last is None or last.data.endswith(b"\n") or last.continued:
        return window.stop
    # A long line that redraws itself shows its end, which may still change.
    redrawn = last.hidden <= REST_BYTES and not log_request.as_bytes
    return last.offset if not last.hidden or redrawn else window.stop


def _notice(log: HostLog, log_request: LogRequest, *, moved: bool) -> dict[str, object]:
    shown = {(row.batch, row.role) for row in log.host.results}
    begun = _begun_since(log)
    unpinned = links.with_changes(log_request.parameters, attempt=None, batch=None, file=None)
    return {
        "log": log,
        "job": log.step.job,
        "moved": moved,
        "begun": begun,
        "is_attempt": begun is not None and (begun.batch, begun.role) in shown,
        "newest": unpinned,
        "same": links.with_changes(log_request.parameters),
    }


def _begun_since(log: HostLog) -> Result | HostResult | None:
    """Return the newest result that now holds the host's log and is later than what is shown."""
    shown = {(row.batch, row.role): row.execute_count for row in log.host.results}
    later = [
        row
        for row in log.latest.results
        if row.execute_count > shown.get((row.batch, row.role), row.execute_count)
        or row.batch > log.host.batch
    ]
    return max(later, key=lambda row: (row.execute_count, row.batch), default=None)
