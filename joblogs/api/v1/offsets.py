"""Endpoint `/api/v1/…/offsets`: where each log of a step goes on, for producers after a break."""

from __future__ import annotations

import itertools

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import access, query
from joblogs.api.base import ApiView, caller_of
from joblogs.api.envelope import json_bytes
from joblogs.api.streaming import STREAMED, enveloped, listed


class Offsets(ApiView):
    """View of the expected offsets of a step's logs, streamed: a step may have very many."""

    def get(
        self, request: Request, scope_type: str, scope_id: str, job: int, step: int
    ) -> HttpResponseBase:
        writer = access.writer_for(caller_of(request))
        jobs = access.writable_jobs(writer, scope_type=scope_type, scope_id=scope_id)
        instance = query.find_step(jobs, job_instance_id=job, step_instance_id=step)
        offsets = query.expected_offsets(instance)
        entries = listed([json_bytes(entry)] for entry in offsets)
        data = itertools.chain([b'{"offsets":'], entries, [b"}"])
        body = enveloped(request._request, STREAMED, data)
        return StreamingHttpResponse(body, content_type="application/json")
