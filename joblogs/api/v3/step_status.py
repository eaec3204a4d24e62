"""Endpoint get_step_instance_status: results of a step's hosts, grouped by status and tag."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import query, slow_work
from joblogs.api.base import StepParams, StepView, read_entry
from joblogs.api.envelope import exchange_of, json_bytes
from joblogs.api.fields import TEXT, Param, Params, count_param, number_param, text_param
from joblogs.api.parameters import optional_text
from joblogs.api.streaming import STREAMED, enveloped, in_parts, listed
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import Role, StepType
from joblogs.errors import ParameterRefused, UnsupportedOperation
from joblogs.models import StepInstance
from joblogs.query import Attempts, Result, ResultGroup
from joblogs.search import PATTERN_MAX, Budget, InvalidPattern, Pattern, Search

from .fields import times
from .status_names import name_of

KEYWORD_BUDGET = Budget(seconds=20, size=1024**3)
"""Limit of a keyword search: clients wait for 30 seconds."""


def _keyword(params: Params, field: str) -> Pattern | None:
    keyword = optional_text(params, field)
    try:
        return None if keyword is None else Pattern.of(keyword, ignore_case=True)
    except InvalidPattern as error:
        raise ParameterRefused(ParameterRefused.KEYWORD, PATTERN_MAX) from error


class StepStatusParams(StepParams, frozen=True, kw_only=True):
    """Parameters: a step, its attempts, filters of its hosts, and which groups list theirs."""

    execute_count: Annotated[int | None, count_param("As it stood at this attempt.")]
    batch: Annotated[
        int | None, count_param("This rolling batch; 0 all of them; absent the latest.")
    ]
    max_host_num_per_group: Annotated[int | None, count_param("Hosts listed of each group.")]
    keyword: Annotated[
        Pattern | None,
        Param(
            _keyword,
            TEXT | {"minLength": 1, "maxLength": PATTERN_MAX},
            "Only hosts whose script log has it.",
        ),
    ]
    search_ip: Annotated[str | None, text_param("Only hosts whose address has this part.")]
    status: Annotated[int | None, number_param("List the hosts of groups of this status only.")]
    tag: Annotated[str | None, text_param("List the hosts of groups of this tag only.")]

    def attempts(self, latest_batch: int) -> Attempts:
        """The attempts to read: no batch means the latest, batch 0 all of them."""
        batch = latest_batch if self.batch is None else self.batch
        return Attempts(self.execute_count, batch or None)

    def lists(self, group: ResultGroup) -> bool:
        """Whether the hosts of a group are listed, not only counted."""
        return self.status in (None, group.status) and self.tag in (None, group.tag)


class GetStepInstanceStatus(StepView[StepStatusParams]):
    """View of a step's results in groups, by GET."""

    http_method_names = ["get"]
    params_class = StepStatusParams

    def answer_step(
        self, request: Request, step: StepInstance, params: StepStatusParams
    ) -> HttpResponseBase:
        results, read = _results(request, step, params)
        groups = query.grouped(results)
        return _answer(request._request, step, groups, params=params, read=read)


def _results(
    request: Request, step: StepInstance, params: StepStatusParams
) -> tuple[Iterable[Result], ReadEntry | None]:
    """The results that match address and keyword; the audit row, if logs were searched."""
    if step.step_type == StepType.APPROVAL:
        raise UnsupportedOperation
    attempts = params.attempts(query.latest_batch(step, execute_count=params.execute_count))
    results = query.target_results(step, attempts)
    if params.search_ip is not None:
        part = params.search_ip.strip().lower()
        results = (r for r in results if part in (r.ip or "") or part in (r.ipv6 or ""))
    if params.keyword is None:
        return results, None
    by_host = {result.host_id: result for result in results}
    hosts = [h for h in query.hosts_as(step, Role.TARGET, attempts) if h.bk_host_id in by_host]
    slow_work.begin(request._request)
    search = Search(step, hosts, params.keyword, shown=0, budget=KEYWORD_BUDGET)
    matching = {hits.host.bk_host_id for hits in search}
    if search.stopped:
        raise ParameterRefused(ParameterRefused.TOO_MUCH_TO_SEARCH)
    read = read_entry(request, step, hosts=len(hosts), channel=Channel.STEP_STATUS, search=True)
    matches = [result for host, result in by_host.items() if host in matching]
    read.size = search.searched_bytes
    return matches, read


def _answer(
    request: HttpRequest,
    step: StepInstance,
    groups: Iterable[ResultGroup],
    *,
    params: StepStatusParams,
    read: ReadEntry | None,
) -> HttpResponseBase:
    head = {
        "step_instance_id": step.step_instance_id,
        "execute_count": step.execute_count,
        "name": step.name,
        "type": step.step_type,
        "status": step.status,
        **times(step),
    }
    name = functools.partial(name_of, language=exchange_of(request).language)

    def data() -> Iterator[bytes]:
        yield json_bytes(head)[:-1] + b',"step_result_group_list":'
        yield from listed(_group(group, params, name(group.status)) for group in groups)
        yield b"}"

    return in_parts(enveloped(request, STREAMED, data()), read)


def _group(group: ResultGroup, params: StepStatusParams, name: str) -> Iterator[bytes]:
    head = {
        "result_type": group.status,
        "result_type_desc": name,
        "tag": group.tag,
        "host_size": len(group.results),
    }
    shown = group.results[: params.max_host_num_per_group] if params.lists(group) else []
    yield json_bytes(head)[:-1] + b',"host_result_list":'
    yield from listed([json_bytes(_host_entry(result, name))] for result in shown)
    yield b"}"


def _host_entry(result: Result, name: str) -> dict[str, Any]:
    return {
        "bk_host_id": result.host_id,
        "ip": result.ip,
        "ipv6": result.ipv6,
        "bk_agent_id": None,
        "bk_cloud_id": result.bk_cloud_id,
        "bk_cloud_name": None,
        "status": result.status,
        "status_desc": name,
        "tag": result.tag or "",
        "exit_code": result.exit_code,
        "start_time": result.start_time,
        "end_time": result.end_time,
        "total_time": result.total_time,
    }
