"""Endpoint `/api/v1/…/follow`: new text in the script logs of a step since a cursor.

A response never waits, and is limited in size. A client that polls with the cursor of the last
response gets every byte of every host once, in order, even with retries.
"""

from __future__ import annotations

import base64
import re
from typing import Annotated

import msgspec
from django.http.response import HttpResponseBase
from msgspec import UNSET, Meta, UnsetType
from rest_framework.request import Request

from joblogs import query
from joblogs.api import exchange, parameters
from joblogs.api.base import ApiView, Operation, read_entry, step_of_path
from joblogs.api.fields import ID, Parameter, Params, or_unset, read
from joblogs.audit import Channel
from joblogs.errors import (
    BadRequest,
    JobNotFound,
    OffsetBeyondLog,
    PermissionDenied,
    ScopeNotFound,
)
from joblogs.models import StepInstance
from joblogs.query import Attempts, Cursor, LogNews, State

from .group_hosts import find_group

BYTES_DEFAULT, BYTES_MAX = 1024 * 1024, 8 * 1024 * 1024
_KEY = re.compile("^[0-9a-f]{12}$")


def _numbers(params: Params, name: str) -> frozenset[int]:
    """Return a list of integers, empty if it is absent. Raise BadRequest."""
    try:
        numbers = {parameters.integer(value) for value in parameters.optional_list(params, name)}
    except parameters.NotInteger:
        raise BadRequest(BadRequest.FIELD, name) from None
    return frozenset(number for number in numbers if number is not None)


def _group(params: Params, name: str) -> str | None:
    """Return the key of a group, or None. Raise BadRequest, also if there is a list of hosts."""
    key = parameters.optional_text(params, name)
    if key is not None and (not _KEY.fullmatch(key) or _numbers(params, "host_id_list")):
        raise BadRequest(BadRequest.FIELD, name)
    return key


def _max_bytes(params: Params, name: str) -> int:
    value = parameters.optional_integer(params, name, least=1)
    return min(value or BYTES_DEFAULT, BYTES_MAX)


class FollowParams(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters: the caller's cursor, which hosts, and how much text at most."""

    cursor: Annotated[
        str | None,
        Parameter(
            parameters.optional_text,
            {"type": "string", "maxLength": query.CURSOR_MAX_BYTES},
            "The cursor of the last answer; without it everything is new.",
        ),
    ]
    host_id_list: Annotated[
        frozenset[int],
        Parameter(_numbers, {"type": "array", "items": ID}, "Only these hosts; empty: all."),
    ]
    status_list: Annotated[
        frozenset[int],
        Parameter(
            _numbers,
            {"type": "array", "items": {"type": "integer"}},
            "Only host results that have one of these statuses now; empty: all.",
        ),
    ]
    group: Annotated[
        str | None,
        Parameter(
            _group,
            {"type": "string", "pattern": _KEY.pattern},
            "Only the hosts of this group of the summary, as it is when this begins; not beside "
            "`host_id_list`.",
        ),
    ]
    max_bytes: Annotated[
        int,
        Parameter(
            _max_bytes,
            {"type": "integer", "minimum": 1, "default": BYTES_DEFAULT},
            f"Bytes of text in the answer, at most {BYTES_MAX}.",
        ),
    ]


class FollowedHost(msgspec.Struct, kw_only=True):
    """New text and current status of one attempt on one host."""

    bk_host_id: int
    bk_cloud_id: int
    ip: str | None
    ipv6: str | None
    host_name: str | None
    execute_count: int
    batch: int
    status: int
    exit_code: int | None
    tag: str | None
    state: Annotated[State, Meta(description="How complete the log is.")]
    offset: Annotated[int, Meta(description="Where in the log the text starts, in bytes.")]
    content: Annotated[str | UnsetType, Meta(description="The text, if it is UTF-8.")] = UNSET
    content_base64: Annotated[
        str | UnsetType, Meta(description="The bytes, if they are not UTF-8.")
    ] = UNSET

    @classmethod
    def of(cls, news: LogNews) -> FollowedHost:
        log = news.log
        try:
            text, binary = news.text.decode(), None
        except UnicodeDecodeError:
            text, binary = None, base64.b64encode(news.text).decode()
        return cls(
            bk_host_id=log.bk_host_id,
            bk_cloud_id=log.bk_cloud_id,
            ip=log.ip,
            ipv6=log.ipv6,
            host_name=log.host_name,
            execute_count=log.execute_count,
            batch=log.batch,
            status=log.status,
            exit_code=log.exit_code,
            tag=log.tag,
            state=news.state.state,
            offset=news.offset,
            content=or_unset(text),
            content_base64=or_unset(binary),
        )


class Followed(msgspec.Struct, kw_only=True):
    """New text and statuses of a step."""

    hosts: list[FollowedHost]
    cursor: Annotated[str, Meta(description="To be sent with the next request.")]
    more: Annotated[bool, Meta(description="There is more already: ask at once.")]
    finished: Annotated[bool, Meta(description="The step and its logs have ended.")]


class Follow(ApiView):
    """View of new text in a step's logs, by POST."""

    http_method_names = ["post"]
    errors = (
        BadRequest,
        ScopeNotFound,
        PermissionDenied,
        JobNotFound,
        OffsetBeyondLog,
    )
    operations = {
        "post": Operation(
            id="follow",
            tag="Raw log",
            summary="What is new in the script logs of a step",
            description="Text, statuses and attempts since a cursor, which the caller keeps and "
            "sends again. Never waits; logs take turns. Text that may still become part of a mask "
            "comes once that is settled. File logs are read by the other endpoints.",
            request=FollowParams,
            answer=Followed,
        )
    }

    # Never from a replica: it may lag behind another one that served the last request.
    def post(
        self, request: Request, scope_type: str, scope_id: str, job: str, step: str
    ) -> HttpResponseBase:
        params = read(FollowParams, parameters.parameters(request._request))
        instance = step_of_path(request, scope_type, scope_id, job, step)
        cursor = query.read_cursor(params.cursor, instance)
        _choose_group(cursor, instance, params.group)
        news = query.news_since(
            cursor,
            instance,
            hosts=params.host_id_list or cursor.hosts,
            statuses=params.status_list,
            max_bytes=params.max_bytes,
        )
        hosts = sum(bool(one.text) for one in news.logs)
        followed = Followed(
            hosts=[FollowedHost.of(one) for one in news.logs],
            cursor=cursor.signed(),
            more=news.more,
            finished=news.finished,
        )
        entry = read_entry(request, instance, hosts=hosts, channel=Channel.STEP_FOLLOW, poll=True)
        entry.end(news.size)
        return exchange.success(request._request, followed)


def _choose_group(cursor: Cursor, step: StepInstance, key: str | None) -> None:
    """Store the hosts of a group in the cursor, since groups may change between requests.

    Raise BadRequest if there is no such group.
    """
    if key is None:
        cursor.group, cursor.hosts = "", frozenset()
    elif key != cursor.group:
        group = find_group(step, key, Attempts())
        cursor.group, cursor.hosts = key, frozenset(host.bk_host_id for host in group.hosts)
