"""The sisters of the batch endpoint: what clients poll before they ask for logs, and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from joblogs import access, database, query, slow_work
from joblogs.api import parameters
from joblogs.api.views import ApiView, caller_of, read_entry
from joblogs.audit import Channel, ReadEntry
from joblogs.choices import Role, StepType
from joblogs.errors import ParameterRefused, UnsupportedOperation
from joblogs.models import JobInstance, Scope, StepInstance
from joblogs.query import Address, StepHost, TargetResult
from joblogs.search import Budget, Search

from . import job_answers, step_answers
from .step_requests import HostLogRequest, JobRequest, ListRequest, StepRequest, StepStatusRequest

KEYWORD_BUDGET = Budget(seconds=20, size=1024**3)
"""What looking for a keyword may take: clients wait for 30 seconds."""


def readable_jobs(request: Request, given: Mapping[str, Any]) -> QuerySet[JobInstance]:
    """The jobs of the scope that a request names, if its caller may read them."""
    return access.jobs_in(_readable_scope(request, given))


def _readable_scope(request: Request, given: Mapping[str, Any]) -> Scope:
    kind, number = parameters.scope_named(given)
    return access.readable_scope(caller_of(request), scope_type=kind, scope_id=number)


class GetJobInstanceStatus(ApiView):
    """How a job and its steps went, and if asked how on each host."""

    @database.from_replica
    def get(self, request: Request) -> HttpResponseBase:
        given = parameters.parameters(request._request)
        jobs = readable_jobs(request, given)
        asked = JobRequest.read(given)
        job = query.find_job(jobs, job_instance_id=asked.job_instance_id)
        steps, with_hosts = query.steps_of(job), asked.return_ip_result
        return job_answers.job_status(request._request, job, steps, with_hosts=with_hosts)

    post = get


class GetJobInstanceList(ApiView):
    """The jobs of a scope within a span of time, newest first."""

    @database.from_replica
    def get(self, request: Request) -> HttpResponseBase:
        given = parameters.parameters(request._request)
        scope = _readable_scope(request, given)
        asked = ListRequest.read(given)
        found, total = query.list_jobs(scope, asked.wanted, start=asked.start, length=asked.length)
        return job_answers.job_list(request._request, found, total, asked)

    post = get


class GetJobInstanceIpLog(ApiView):
    """The log of one host of a step."""

    @database.from_replica
    def get(self, request: Request) -> HttpResponseBase:
        given = parameters.parameters(request._request)
        jobs = readable_jobs(request, given)
        asked = HostLogRequest.read(given)
        step = query.find_step(
            jobs,
            job_instance_id=asked.job_instance_id,
            step_instance_id=asked.step_instance_id,
        )
        host = _host_of(step, asked.host)
        read = read_entry(request, step, hosts=1, channel=Channel.IP_LOG)
        return job_answers.host_log(request._request, step, host, named=asked.host, read=read)

    post = get


def _host_of(step: StepInstance, named: int | Address) -> StepHost | None:
    """The host meant: of several that had an address in turn, the one that had it last."""
    hosts = query.hosts_named(step, [named])
    if isinstance(named, Address):
        hosts.sort(key=lambda host: named.address not in (host.ip, host.ipv6))
    return hosts[0] if hosts else None


class GetStepInstanceStatus(ApiView):
    """How a step went on its hosts, in groups of those that ended alike."""

    @database.from_replica
    def get(self, request: Request) -> HttpResponseBase:
        given = parameters.parameters(request._request)
        jobs = readable_jobs(request, given)
        asked = StepStatusRequest.read(given)
        step = query.find_step_of_job(
            jobs,
            job_instance_id=asked.job_instance_id,
            step_instance_id=asked.step_instance_id,
        )
        results, read, size = _results(request, step, asked)
        groups = query.grouped(results)
        return step_answers.step_status(
            request._request, step, groups, asked=asked, read=read, size=size
        )


def _results(
    request: Request, step: StepInstance, asked: StepStatusRequest
) -> tuple[Iterable[TargetResult], ReadEntry | None, int]:
    """The results that match address and keyword; what is recorded, if logs were looked through,
    and how many bytes of them."""
    if step.step_type == StepType.APPROVAL:
        raise UnsupportedOperation
    attempts = asked.attempts(query.latest_batch(step, execute_count=asked.execute_count))
    results = query.target_results(step, attempts)
    if asked.search_ip is not None:
        part = asked.search_ip.strip().lower()
        results = (r for r in results if part in (r.ip or "") or part in (r.ipv6 or ""))
    if asked.keyword is None:
        return results, None, 0
    chosen = {result.bk_host_id: result for result in results}
    hosts = [h for h in query.hosts_as(step, Role.TARGET, attempts) if h.bk_host_id in chosen]
    slow_work.begin(request._request)
    search = Search(step, hosts, asked.keyword, shown=0, budget=KEYWORD_BUDGET)
    found = {hits.host.bk_host_id for hits in search}
    if search.stopped:
        raise ParameterRefused(ParameterRefused.TOO_MUCH_TO_SEARCH)
    read = read_entry(request, step, hosts=len(hosts), channel=Channel.STEP_STATUS, search=True)
    matching = [result for host, result in chosen.items() if host in found]
    return matching, read, search.searched_bytes


class GetStepInstanceDetail(ApiView):
    """What is known of a step itself."""

    @database.from_replica
    def get(self, request: Request) -> HttpResponseBase:
        given = parameters.parameters(request._request)
        jobs = readable_jobs(request, given)
        asked = StepRequest.read(given)
        step = query.find_step_of_job(
            jobs,
            job_instance_id=asked.job_instance_id,
            step_instance_id=asked.step_instance_id,
        )
        return step_answers.step_detail(request._request, step)
