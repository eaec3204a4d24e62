"""Exports from the pages and the admin: a file of exactly what they show."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from joblogs import export, slow_work
from joblogs.audit import AuditedResponse, Channel
from joblogs.export import Download, Format, Selection, Walk
from joblogs.filters import JobFilterSet
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.query import Attempts

from .log.host_log import host_log
from .log.request import LogRequest
from .reading import read_entry
from .step import page


def of_jobs(
    jobs: QuerySet[JobInstance], scopes: QuerySet[Scope], request: HttpRequest
) -> HttpResponseBase:
    """Export the jobs that the list shows; none if a filter is invalid."""
    wanted = JobFilterSet(request.GET, queryset=jobs, scopes=scopes)
    shown = wanted.qs if wanted.is_valid() else jobs.none()
    return _answer(request, Selection(jobs=shown))


def of_job(job: JobInstance, request: HttpRequest) -> HttpResponseBase:
    """Export all steps of a job."""
    return _answer(request, Selection.of_job(job), job.job_instance_id)


def of_step(step: StepInstance, request: HttpRequest) -> HttpResponseBase:
    """Export the hosts that a step's table shows, for the attempt and batch that it shows."""
    params, shown = page.hosts_shown(step, request)
    narrowed = any(params[name] for name in ("q", "outcome", "group"))
    hosts = [host.bk_host_id for host in shown] if narrowed else None
    attempts = Attempts(params["attempt"], params["batch"])
    return _answer(request, Selection.of_step(step, hosts=hosts, attempts=attempts), *_ids_of(step))


def of_host(step: StepInstance, bk_host_id: int, request: HttpRequest) -> HttpResponseBase:
    """Export the log of one host. Raises Http404 if it was not in the step."""
    attempts = LogRequest.read(request.GET).attempts
    log = host_log(step, bk_host_id, attempts)
    selection = Selection.of_step(step, hosts=[bk_host_id], attempts=attempts)
    return _answer(request, selection, *_ids_of(step), log.name)


def download(
    request: HttpRequest, selection: Selection, format: Format, channel: Channel, *name: object
) -> HttpResponseBase | None:
    """Return the response that downloads a selection; None if nothing is selected.

    A format of records includes every attempt, as an import needs; the other formats include only
    the selected attempts.
    """
    every = format.traits.holds_records
    chosen = selection.with_every_attempt() if every else selection
    walk = Walk(chosen, reading=partial(read_entry, request, channel=channel))
    slow_work.begin(request)
    made = Download(walk, format)
    if made.is_empty:
        return None
    answer = AuditedResponse(made, content_type=format.content_type)
    saved_as = export.download_name(format, *name)
    answer["Content-Disposition"] = content_disposition_header(True, saved_as)
    # Not buffered by a proxy: the file may be larger than its buffer.
    answer["X-Accel-Buffering"] = "no"
    return answer


def _answer(request: HttpRequest, selection: Selection, *name: object) -> HttpResponseBase:
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    format = Format.named(request.GET.get("format", "")) or next(iter(Format))
    answer = download(request, selection, format, Channel.PAGE_EXPORT, *name)
    if answer is None:
        return nothing(request, request.path.removesuffix("export"))
    return answer


def nothing(request: HttpRequest, back: str) -> HttpResponseBase:
    """Redirect to the page, with a message that there is nothing to export."""
    messages.warning(request, _("No matching logs to export."))
    kept = request.GET.copy()
    kept.pop("format", None)
    return HttpResponseRedirect(f"{back}?{kept.urlencode()}" if kept else back)


def _ids_of(step: StepInstance) -> tuple[int, int]:
    return step.job.job_instance_id, step.step_instance_id
