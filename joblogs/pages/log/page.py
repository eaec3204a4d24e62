"""Page of one host's log: a window of its lines, and the download of the whole log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from joblogs import query, slow_work
from joblogs.audit import AuditedResponse, Channel
from joblogs.choices import StepType
from joblogs.models import StepInstance
from joblogs.object_store import ObjectUnreachable
from joblogs.pages import links
from joblogs.pages.reading import read_entry
from joblogs.pages.rendering import rendered
from joblogs.query import Text, Window, host_history

from .beside import beside_context
from .encoding import COOKIE, encoding_choices, reading_of, window_encoding
from .files import files_on_page
from .find import find, matching_lines, place_of, summary
from .follow import follow_query, masked_before, next_byte
from .host_log import HostLog, host_log
from .lines import lines_html
from .request import FoundPlace, LogRequest, find_place
from .window_lines import window_lines

BLOCK_BYTES = 1024 * 1024
NAME_MAX = 120
_UNSAFE = re.compile(r"[^\w.-]+")


def log_page(step: StepInstance, bk_host_id: int, request: HttpRequest) -> HttpResponseBase:
    """Return the page with a window of a host's log; if the log cannot be read now, the page
    without the text, and status 503."""
    try:
        return _log_page(step, bk_host_id, request)
    except ObjectUnreachable:
        response = _log_page(step, bk_host_id, request, is_unreachable=True)
        response.status_code = 503
        return response


def _log_page(
    step: StepInstance, bk_host_id: int, request: HttpRequest, *, is_unreachable: bool = False
) -> HttpResponse:
    log_request = LogRequest.read(request.GET)
    log = host_log(step, bk_host_id, log_request.attempts, file=log_request.file)
    log.is_unreachable = is_unreachable
    if log_request.searches:
        slow_work.begin(request)
    finding = None
    if log_request.pattern and log_request.finds:
        finding = find(log, log_request, log_request.pattern)
    found = place_of(finding, log) if finding is not None else None
    found = found or find_place(log_request.values, log.text, status=log.result.status)
    window = query.window_at(log.text, found.place)
    usual = request.COOKIES.get(COOKIE, "")
    encoding = window_encoding(log.text, window, log_request.encoding, usual)
    reading = reading_of(window, encoding, mixed=log_request.is_mixed)
    if finding is not None and log_request.only and log_request.pattern:
        lines = matching_lines(finding, log_request.pattern, log_request.encoding)
    else:
        lines = window_lines(log, window, log_request, encoding, target=found.line).lines
    context = _context(log, log_request, found, window) | {
        "lines": lines_html(lines, log_request.kept),
        "encodings": encoding_choices(reading, log_request.encoding),
        "reading": reading,
        "follow_query": follow_query(log, log_request, encoding),
        "beside": beside_context(links.of_host(log.step, bk_host_id), log_request),
        "finding": summary(finding, log_request) if finding is not None else None,
        "only": finding is not None and log_request.only,
    }
    html = rendered("joblogs/log.html", context, request)
    size = max(_size(window), finding.hits.searched if finding is not None else 0)
    read_entry(request, log.step, channel=Channel.PAGE, hosts=1, search=finding is not None).end(
        size
    )
    return HttpResponse(html)


def log_download(step: StepInstance, bk_host_id: int, request: HttpRequest) -> HttpResponseBase:
    """Return the response that downloads a log unchanged."""
    log_request = LogRequest.read(request.GET)
    log = host_log(step, bk_host_id, log_request.attempts, file=log_request.file)
    if log.text.size > slow_work.SMALL_BYTES:
        slow_work.begin(request)  # before the read is recorded
    taken = _Counted(log.text)
    answer = AuditedResponse(taken, content_type="application/octet-stream")
    answer["Content-Length"] = str(log.text.size)
    answer["Content-Disposition"] = content_disposition_header(True, _filename(log))
    read = read_entry(request, log.step, channel=Channel.DOWNLOAD, hosts=1)
    read.begin(log.text.size)
    answer.on_sent = lambda: read.end(taken.count)
    return answer


class _Counted:
    """Iterator over a text in blocks that counts the bytes it has yielded."""

    def __init__(self, text: Text) -> None:
        self.text, self.count = text, 0

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, self.text.size, BLOCK_BYTES):
            block = self.text.read(at, min(self.text.size, at + BLOCK_BYTES))
            # Counted before it is yielded: a client that disconnects midway has read part of it.
            self.count += len(block)
            yield block


def _size(window: Window) -> int:
    return sum(len(line.data) for line in window.lines)


def _filename(log: HostLog) -> str:
    parts = [str(log.step.job.job_instance_id), str(log.step.step_instance_id), log.name]
    if log.attempts.execute_count is not None:
        parts.append(f"attempt-{log.attempts.execute_count}")
    if log.attempts.batch is not None:
        parts.append(f"batch-{log.attempts.batch}")
    if log.file is not None:
        parts.append(
            (log.file.dest_path or log.file.src_path).replace("\\", "/").rpartition("/")[2]
        )
    # Names come from machines: drop paths, line breaks and characters that change the writing
    # direction.
    return _UNSAFE.sub("_", "-".join(parts))[:NAME_MAX] + ".log"


def _context(
    log: HostLog, log_request: LogRequest, found: FoundPlace, window: Window
) -> dict[str, Any]:
    counts, batches = host_history.attempts_of(log.results)
    shown = window.lines
    place = {"line": str(found.line)} if found.line else {"byte": str(window.start)}
    kept = log_request.in_page | place
    return {
        "files": files_on_page(log.files, log.file),
        "urls": links.of_host(log.step, log.result.host_id),
        "kept_fields": list(log_request.in_page.items()),
        "text_fields": list(log_request.parameters.items()),
        "place": list(
            (place | {k: v for k, v in log_request.in_page.items() if k != "encoding"}).items()
        ),
        "toggles": {
            "wrap": links.with_changes(kept, wrap="0" if log_request.wrap else "1"),
            "view": links.with_changes(kept, view=None if log_request.as_bytes else "bytes"),
        },
        "next_error": _next_error(found, window),
        "log": log,
        "step": log.step,
        "job": log.step.job,
        "result": log.result,
        "log_request": log_request,
        "kept": log_request.kept,
        "kept_text": urlencode(log_request.parameters),
        "kept_more": f"&{urlencode(log_request.parameters)}" if log_request.parameters else "",
        "found": found,
        "window": window,
        "first": shown[0] if shown else None,
        "last": shown[-1] if shown else None,
        "next": (after := next_byte(window, log_request)),
        "masked": masked_before(log, after),
        "counts": counts,
        "batches": batches,
        "chosen_count": log_request.attempts.execute_count
        if log_request.attempts.execute_count is not None
        else counts[-1],
        "is_file_step": log.step.step_type == StepType.FILE,
    }


def _next_error(found: FoundPlace, window: Window) -> int:
    """Return the byte from which the next error is searched for: after the requested line, or
    after this window."""
    for line in window.lines:
        if line.number == found.line:
            return line.stop + line.hidden
    return window.stop
