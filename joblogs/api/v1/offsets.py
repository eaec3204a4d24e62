"""Endpoint `/api/v1/…/offsets`: the expected offset of each log, for producers that resume."""

from __future__ import annotations

from typing import Annotated

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import ApiView, Operation, caller_of
from joblogs.api.exchange import json_bytes, success_of
from joblogs.api.streaming import STREAMED, listed, spliced
from joblogs.errors import JobNotFound, PermissionDenied


class LogOffset(Struct, kw_only=True):
    """Expected offset of a log."""

    bk_host_id: int
    execute_count: int
    batch: int
    task_key: Annotated[str, Meta(description="File logs only.")] | UnsetType = UNSET
    expected_offset: int


class LogOffsets(Struct):
    """Expected offsets of the logs of a step."""

    offsets: list[LogOffset]


class Offsets(ApiView):
    """View of the expected offsets of a step's logs, streamed because there may be very many."""

    http_method_names = ["get"]
    errors = (PermissionDenied, JobNotFound)
    operations = {
        "get": Operation(
            id="expected_offsets",
            summary="Where each log of a step goes on",
            description="For a producer that lost its place; needs write.",
            tag="Records",
            answer=LogOffsets,
        )
    }

    def get(
        self, request: Request, scope_type: str, scope_id: str, job: int, step: int
    ) -> HttpResponseBase:
        writer = access.writer_for(caller_of(request))
        jobs = access.writable_jobs(writer, scope_type=scope_type, scope_id=scope_id)
        instance = query.find_step(jobs, job_instance_id=job, step_instance_id=step)
        offsets = query.expected_offsets(instance)
        entries = listed([json_bytes(LogOffset(**offset))] for offset in offsets)
        body = spliced(success_of(request._request, LogOffsets(STREAMED)), entries)
        return StreamingHttpResponse(body, content_type="application/json")
