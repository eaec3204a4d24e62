"""The endpoints. A view reads the request, asks `access`, asks `query` or `ingest`, and answers."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from joblogs import access, database, query, records, slow_work
from joblogs.access import Caller
from joblogs.audit import Channel, ReadEntry
from joblogs.errors import ApiNotFound, HostListInvalid, RecordsRefused, StoreError
from joblogs.ingest import Report, ingest
from joblogs.models import StepInstance
from joblogs.query import StepHost

from . import envelope, log_options, parameters, streaming
from .authentication import GatewayTokenAuthentication, HeaderAuthentication
from .body import json_object, record_lines
from .log_options import Extras
from .throttling import AppRate
from .v3 import batch_log


class _AlwaysJson(BaseContentNegotiation):
    """Neither `Accept` nor `?format=` changes what an answer is."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """An endpoint of ours: its callers prove who they are, its answers are envelopes."""

    content_negotiation_class = _AlwaysJson
    authentication_classes = (GatewayTokenAuthentication, HeaderAuthentication)
    permission_classes = (IsAuthenticated,)
    throttle_classes = (AppRate,)
    http_method_names = ["get", "post"]

    def get_exception_handler(self) -> Any:
        return envelope.handle_exception


def caller_of(request: Request) -> Caller:
    """Who calls, as `authentication` found."""
    caller: Caller = request.user  # type: ignore[assignment]
    return caller


class BatchGetJobInstanceIpLog(ApiView):
    """The logs of many hosts of a step, by host list (CONTRACT §3, §4)."""

    @database.from_replica
    def post(self, request: Request) -> HttpResponseBase:
        body = json_object(request._request)
        kind, number = parameters.scope_named(body)
        caller = caller_of(request)
        try:
            asked, more = parameters.LogRequest.read(body), Extras.read(body)
        except StoreError:
            # Of two mistakes the scope's is told (CONTRACT §5).
            access.readable_scope(caller, scope_type=kind, scope_id=number)
            raise
        step = access.readable_step(
            caller,
            scope_type=kind,
            scope_id=number,
            job_instance_id=asked.job_instance_id,
            step_instance_id=asked.step_instance_id,
        )
        if more.grep is not None:
            slow_work.begin(request._request)
        hosts, last = _hosts(step, asked, more)
        read = read_entry(
            request, step, hosts=len(hosts), channel=Channel.BATCH, search=more.grep is not None
        )
        return batch_log.answer(request._request, step, hosts, extras=more, last=last, read=read)


def _hosts(
    step: StepInstance, asked: parameters.LogRequest, more: Extras
) -> tuple[list[StepHost], dict[str, Any]]:
    """The hosts to answer for, and what `data` ends with. Raises HostListInvalid for a list that is
    given empty: a caller that filtered its hosts down to none must not get all."""
    if asked.names_nobody:
        raise HostListInvalid
    if asked.wanted is not None:
        hosts = query.hosts_named(step, asked.wanted, more.attempts, brief=more.is_text_only)
        missing = log_options.missing_hosts(step, asked.wanted, hosts) if more.state else None
        return hosts, {} if missing is None else {"missing_hosts": missing}
    hosts, total = query.hosts_of(step, asked.page, more.attempts)
    return hosts, {"total": total} if asked.page else {}


def read_entry(
    request: Request,
    step: StepInstance,
    *,
    channel: Channel,
    hosts: int = 0,
    search: bool = False,
    poll: bool = False,
) -> ReadEntry:
    """The audit row of a read by whoever calls."""
    caller = caller_of(request)
    return ReadEntry(
        who=caller.user,
        app_code=caller.app.app_code,
        user_verified=caller.user_verified,
        channel=channel,
        step=step,
        hosts=hosts,
        search=search,
        poll=poll,
    )


class Records(ApiView):
    """Records in (RECORDS, Over HTTP); and what this store reads."""

    def get(self, request: Request) -> HttpResponseBase:
        data = {"format": records.FORMAT, "versions": records.VERSIONS, "types": records.TYPES}
        return envelope.success(request._request, data)

    def post(self, request: Request) -> HttpResponseBase:
        writer = access.writer_for(caller_of(request))
        lines = record_lines(request._request, max_bytes=settings.RECORDS_MAX_BYTES)
        report = ingest(lines, writer=writer)
        return _reported(request._request, report)


def _reported(request: HttpRequest, report: Report) -> HttpResponseBase:
    data = streaming.report(report)
    if report.refused_total:
        return envelope.failure(request, RecordsRefused(None, report.refused_total), data=data)
    return envelope.success(request, data)


class Offsets(ApiView):
    """Where each log of a step goes on: what a producer asks after a break (RECORDS)."""

    def get(
        self, request: Request, scope_type: str, scope_id: str, job: int, step: int
    ) -> HttpResponseBase:
        writer = access.writer_for(caller_of(request))
        jobs = access.writable_jobs(writer, scope_type=scope_type, scope_id=scope_id)
        found = query.find_step(jobs, job_instance_id=job, step_instance_id=step)
        return streaming.offsets(request._request, query.expected_offsets(found))


@csrf_exempt
def not_found(request: HttpRequest) -> HttpResponseBase:
    """No such API under a form that clients use: the gateway's answer, before any credentials."""
    path = parameters.encoded_path(request)
    return envelope.failure(request, ApiNotFound(request.method or "", path))
