"""Endpoint get_step_instance_status: results of a step's hosts, grouped by status and tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Struct
from rest_framework.request import Request

from joblogs import query, slow_work
from joblogs.api.base import Operation, StepParams, StepView, read_entry
from joblogs.api.exchange import exchange_of, json_bytes, success_of
from joblogs.api.fields import (
    TEXT,
    Address,
    Parameter,
    Params,
    count_param,
    number_of,
    number_param,
    text_param,
)
from joblogs.api.parameters import optional_text
from joblogs.api.streaming import STREAMED, in_parts, listed, spliced
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import HostStatus, Role, StepType
from joblogs.errors import ParameterRefused, UnsupportedOperation
from joblogs.models import StepInstance
from joblogs.query import Attempts, ResultGroup, TargetResult
from joblogs.search import PATTERN_MAX, Budget, InvalidPattern, Pattern, Search

from .fields import Duration, HostStatusCode, Milliseconds, RunStatusCode, StepTypeCode, times
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
    """Parameters: a step, its attempts, filters of its hosts, and which groups list hosts."""

    execute_count: Annotated[int | None, count_param("As it stood at this attempt.")]
    batch: Annotated[
        int | None, count_param("This rolling batch; 0 all of them; absent the latest.")
    ]
    max_host_num_per_group: Annotated[int | None, count_param("Hosts listed of each group.")]
    keyword: Annotated[
        Pattern | None,
        Parameter(
            _keyword,
            TEXT | {"minLength": 1, "maxLength": PATTERN_MAX},
            "Only hosts whose script log has it.",
        ),
    ]
    search_ip: Annotated[str | None, text_param("Only hosts whose address has this part.")]
    status: Annotated[int | None, number_param("List the hosts of groups of this status only.")]
    tag: Annotated[str | None, text_param("List the hosts of groups of this tag only.")]

    def attempts(self, latest_batch: int) -> Attempts:
        """Return the attempts to read: no batch means the latest batch, 0 means all batches."""
        batch = latest_batch if self.batch is None else self.batch
        return Attempts(self.execute_count, batch or None)

    def lists(self, group: ResultGroup) -> bool:
        """Return whether the hosts of a group are listed, not only counted."""
        return self.status in (None, group.status) and self.tag in (None, group.tag)


class GroupedHost(Struct, kw_only=True):
    """Result of a step on a host of a group."""

    bk_host_id: int
    ip: Address | None
    ipv6: Address | None
    bk_agent_id: None = None
    bk_cloud_id: int
    bk_cloud_name: None = None
    status: HostStatusCode
    status_desc: str
    tag: str
    exit_code: int | None
    start_time: Milliseconds | None
    end_time: Milliseconds | None
    total_time: Duration | None


class HostGroup(Struct):
    """Hosts with the same status and tag."""

    result_type: Annotated[int, number_of(HostStatus, "Status of these hosts")]
    result_type_desc: str
    tag: str
    host_size: int
    host_result_list: list[GroupedHost]


class StepStatus(Struct, kw_only=True):
    """Step with its results in groups."""

    step_instance_id: int
    execute_count: int
    name: str
    type: StepTypeCode
    status: RunStatusCode
    create_time: Milliseconds
    start_time: Milliseconds | None
    end_time: Milliseconds | None
    total_time: Duration | None
    step_result_group_list: list[HostGroup]


class GetStepInstanceStatus(StepView[StepStatusParams]):
    """View of a step's results in groups, by GET."""

    http_method_names = ["get"]
    params_class = StepStatusParams
    errors = (*StepView.errors, ParameterRefused, UnsupportedOperation)
    operations = {
        "get": Operation(
            summary="How a step went on its hosts, in groups that ended alike",
            request=StepStatusParams,
            answer=StepStatus,
        )
    }

    def answer_step(
        self, request: Request, step: StepInstance, params: StepStatusParams
    ) -> HttpResponseBase:
        results, read = _results(request, step, params)
        status = StepStatus(
            step_instance_id=step.step_instance_id,
            execute_count=step.execute_count,
            name=step.name,
            type=step.step_type,
            status=step.status,
            **times(step),
            step_result_group_list=STREAMED,
        )
        language = exchange_of(request._request).language
        groups = (_group(group, params, language) for group in query.grouped(results))
        return in_parts(spliced(success_of(request._request, status), listed(groups)), read)


def _results(
    request: Request, step: StepInstance, params: StepStatusParams
) -> tuple[Iterable[TargetResult], ReadEntry | None]:
    """Return the results that match address and keyword, and the audit row of a search or None."""
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


def _group(group: ResultGroup, params: StepStatusParams, language: str) -> Iterator[bytes]:
    name = name_of(group.status, language=language)
    head = HostGroup(group.status, name, group.tag, len(group.results), STREAMED)
    shown = group.results[: params.max_host_num_per_group] if params.lists(group) else []
    return spliced(head, listed([json_bytes(_grouped_host(result, name))] for result in shown))


def _grouped_host(result: TargetResult, name: str) -> GroupedHost:
    return GroupedHost(
        bk_host_id=result.host_id,
        ip=result.ip,
        ipv6=result.ipv6,
        bk_cloud_id=result.bk_cloud_id,
        status=result.status,
        status_desc=name,
        tag=result.tag or "",
        exit_code=result.exit_code,
        start_time=result.start_time,
        end_time=result.end_time,
        total_time=result.total_time,
    )
