"""Endpoint `/api/v1/…/groups/KEY`: the hosts of one group of a step's summary, by page."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from django.http.response import HttpResponseBase
from msgspec import Struct
from rest_framework.request import Request

from joblogs import database
from joblogs.api import exchange
from joblogs.api.base import Operation, step_of_path
from joblogs.api.fields import Address, Parameter, count_param, read_query
from joblogs.errors import BadRequest, JobNotFound, PermissionDenied, ScopeNotFound
from joblogs.models import StepInstance
from joblogs.query import HOSTS_MAX, Attempts
from joblogs.query.overview import overview
from joblogs.step_groups import StepGroup, step_groups

from .fields import at_most
from .http_status import HttpStatusView


class GroupHostsParams(Struct, frozen=True):
    """Parameters of the query string: which page, and the attempts of the summary."""

    start: Annotated[int | None, count_param("The first host of the page.")]
    length: Annotated[
        int,
        Parameter(
            partial(at_most, HOSTS_MAX, HOSTS_MAX),
            {"type": "integer", "minimum": 1, "maximum": HOSTS_MAX, "default": HOSTS_MAX},
            "Hosts of the page.",
        ),
    ]
    execute_count: Annotated[int | None, count_param("As in the request of the summary.")]
    batch: Annotated[int | None, count_param("As in the request of the summary.")]


class GroupHost(Struct):
    """Host of a group."""

    bk_host_id: int
    host_name: str
    bk_cloud_id: int
    ip: Address | None
    ipv6: Address | None


class GroupHosts(Struct):
    """Page of the hosts of a group, by name."""

    total: int
    hosts: list[GroupHost]


class GroupHostsView(HttpStatusView):
    """View of the hosts of one group, by GET."""

    http_method_names = ["get"]
    errors = (BadRequest, ScopeNotFound, PermissionDenied, JobNotFound)
    operations = {
        "get": Operation(
            id="group_hosts",
            tag="Answers",
            summary="The hosts of one group of the summary",
            description="A key stays while the first host of the group does; one that no group has "
            "(any more) is a bad request: ask for the summary again.",
            request=GroupHostsParams,
            answer=GroupHosts,
        )
    }

    @database.from_replica
    def get(
        self, request: Request, scope_type: str, scope_id: str, job: str, step: str, group: str
    ) -> HttpResponseBase:
        params = read_query(GroupHostsParams, request._request)
        instance = step_of_path(request, scope_type, scope_id, job, step)
        chosen = find_group(instance, group, Attempts(params.execute_count, params.batch))
        start = params.start or 0
        hosts = [
            GroupHost(host.bk_host_id, host.name, host.bk_cloud_id, host.ip, host.ipv6)
            for host in chosen.hosts[start : start + params.length]
        ]
        return exchange.success(request._request, GroupHosts(len(chosen.hosts), hosts))


def find_group(step: StepInstance, key: str, attempts: Attempts) -> StepGroup:
    """Return the group with this key. Raise BadRequest if there is none (any more)."""
    groups = step_groups(overview(step, attempts)).groups
    chosen = next((group for group in groups if group.key == key), None)
    if chosen is None:
        raise BadRequest(BadRequest.FIELD, "group")
    return chosen
