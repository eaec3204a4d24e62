"""Endpoint batch_get_job_instance_ip_log: the logs of many hosts of a step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from django.http.response import HttpResponseBase
from msgspec import UNSET, Meta, Struct, UnsetType
from rest_framework.request import Request

from joblogs import access, database, query, slow_work
from joblogs.api import log_options
from joblogs.api.base import ApiView, Operation, StepParams, caller_of, read_entry
from joblogs.api.body import json_object
from joblogs.api.exchange import json_bytes, success_of
from joblogs.api.fields import (
    Address,
    ParameterGroup,
    job_id_param,
    nested,
    read,
    step_id_param,
)
from joblogs.api.log_options import LogOptions, LogState, MissingHost
from joblogs.api.parameters import scope_named
from joblogs.api.streaming import (
    BLOCK_BYTES,
    FILE_LOG,
    LOG_TYPE,
    SCRIPT_LOG,
    STREAMED,
    in_parts,
    listed,
    log_type,
    spliced,
    text_of,
)
from joblogs.audit import Channel, ReadEntry
from joblogs.errors import (
    BadRequest,
    HostListInvalid,
    InvalidParameter,
    JobNotFound,
    ParameterInvalid,
    PermissionDenied,
    ScopeNotFound,
    StoreError,
)
from joblogs.models import StepInstance
from joblogs.query import HOSTS_MAX, Attempts, Page, StepHost

from .fields import TransferLog
from .host_lists import HOST_LISTS, PAGE, NamedHosts, named_hosts, page_without_list


class BatchLogParams(StepParams, frozen=True, kw_only=True):
    """Parameters: a step, and some of its hosts, a page of them, or all."""

    job_instance_id: Annotated[int, job_id_param]
    step_instance_id: Annotated[int, step_id_param]
    named: Annotated[NamedHosts, ParameterGroup(named_hosts, HOST_LISTS)] = NamedHosts()
    page: Annotated[Page | None, ParameterGroup(page_without_list, PAGE)] = None
    options: Annotated[LogOptions, nested(LogOptions)] = LogOptions()


class HostScriptLog(Struct, kw_only=True):
    """Script log of a host. `host_id` repeats bk_host_id, since some clients read only this."""

    bk_host_id: int
    ip: Annotated[Address | None, Meta(description="Null for a host that has only IPv6.")]
    bk_cloud_id: int
    log_content: Annotated[str, Meta(description="What the host printed, byte for byte.")]
    host_id: int
    ipv6: Address | None
    log_offset: (
        Annotated[int, Meta(description="With a range or tail: where log_content starts.")]
        | UnsetType
    ) = UNSET
    log_size: (
        Annotated[int, Meta(description="With a range or tail: bytes of the whole log.")]
        | UnsetType
    ) = UNSET
    log_attempt: (
        Annotated[int, Meta(description="With a range or tail: the attempt of the text.")]
        | UnsetType
    ) = UNSET
    log_batch: (
        Annotated[int, Meta(description="With a range or tail: its last rolling batch.")]
        | UnsetType
    ) = UNSET
    log_matches: (
        Annotated[
            int | None,
            Meta(description="With grep: matching lines; null if not searched in time."),
        ]
        | UnsetType
    ) = UNSET
    log_state: LogState | UnsetType = UNSET


class HostFileLogs(Struct, kw_only=True):
    """File logs of a host. `log_state` comes with return_log_state."""

    bk_host_id: int
    ip: Address | None
    bk_cloud_id: int
    file_logs: list[TransferLog]
    host_id: int
    ipv6: Address | None
    log_state: LogState | UnsetType = UNSET


class BatchLogs(Struct, kw_only=True):
    """Logs of a step: of scripts or of files; an approval has none."""

    log_type: Annotated[int, LOG_TYPE] | None
    job_instance_id: int
    step_instance_id: int
    script_task_logs: list[HostScriptLog] | UnsetType = UNSET
    file_task_logs: list[HostFileLogs] | UnsetType = UNSET
    total: Annotated[int, Meta(description="With paging: hosts of the step.")] | UnsetType = UNSET
    missing_hosts: (
        Annotated[
            list[int | MissingHost],
            Meta(
                description="With return_log_state: hosts that were named and are not in the step."
            ),
        ]
        | UnsetType
    ) = UNSET


class BatchGetJobInstanceIpLog(ApiView):
    """View of the logs of many hosts, by POST."""

    http_method_names = ["post"]
    errors = (
        BadRequest,
        InvalidParameter,
        ScopeNotFound,
        PermissionDenied,
        ParameterInvalid,
        HostListInvalid,
        JobNotFound,
    )
    operations = {
        "post": Operation(
            summary="The logs of many hosts of a step",
            description=f"At most {HOSTS_MAX} hosts. Without a list every host of the step is "
            "answered for. Unknown fields are ignored.",
            request=BatchLogParams,
            example={"host_id_list": [101, 102]},
            answer=BatchLogs,
        )
    }

    @database.from_replica
    def post(self, request: Request) -> HttpResponseBase:
        body = json_object(request._request)
        scope_type, scope_id = scope_named(body)
        caller = caller_of(request)
        try:
            params = read(BatchLogParams, body)
        except StoreError:
            # If the scope is invalid too, its error is raised (docs/api.md, Error codes).
            access.readable_scope(caller, scope_type=scope_type, scope_id=scope_id)
            raise
        step = access.readable_step(
            caller,
            scope_type=scope_type,
            scope_id=scope_id,
            job_instance_id=params.job_instance_id,
            step_instance_id=params.step_instance_id,
        )
        options = params.options
        is_search = options.grep is not None
        if is_search:
            slow_work.begin(request._request)
        hosts, last = _find_hosts(step, params, options)
        read_log = read_entry(
            request, step, hosts=len(hosts), channel=Channel.BATCH, search=is_search
        )
        kind = log_type(step)
        logs = BatchLogs(
            log_type=kind,
            job_instance_id=step.job.job_instance_id,
            step_instance_id=step.step_instance_id,
            script_task_logs=STREAMED if kind == SCRIPT_LOG else UNSET,
            file_task_logs=STREAMED if kind == FILE_LOG else UNSET,
            **last,
        )
        entries = _scripts if kind == SCRIPT_LOG else _files
        values = [] if kind is None else [listed(entries(step, hosts, options, read_log))]
        planned = sum(host.size for host in hosts)
        return in_parts(
            spliced(success_of(request._request, logs), *values), read_log, planned=planned
        )


def _find_hosts(
    step: StepInstance, params: BatchLogParams, options: LogOptions
) -> tuple[list[StepHost], dict[str, Any]]:
    """Return the requested hosts, and the keys at the end of `data`.

    Raise HostListInvalid for an empty list: a caller that filtered its hosts down to none must not
    get all hosts.
    """
    attempts = Attempts(options.execute_count, options.batch)
    needs_text_only = options.grep is None and not options.return_log_state
    named, has_empty_list = params.named
    if has_empty_list:
        raise HostListInvalid
    if named is not None:
        hosts = query.hosts_named(step, named, attempts, brief=needs_text_only)
        if not options.return_log_state:
            return hosts, {}
        return hosts, {"missing_hosts": log_options.missing_hosts(step, named, hosts)}
    hosts, total = query.hosts_of(step, params.page, attempts)
    return hosts, {"total": total} if params.page else {}


def _scripts(
    step: StepInstance, hosts: list[StepHost], options: LogOptions, read_log: ReadEntry
) -> Iterator[Iterable[bytes]]:
    for host, text, keys, size in log_options.script_logs(step, hosts, options):
        read_log.size += size
        # A short log that is complete in memory is encoded at once.
        is_short = isinstance(text, list) and sum(map(len, text)) <= BLOCK_BYTES
        log = HostScriptLog(
            bk_host_id=host.bk_host_id,
            ip=host.ip,
            bk_cloud_id=host.bk_cloud_id,
            log_content=b"".join(text).decode(errors="replace") if is_short else STREAMED,
            host_id=host.bk_host_id,
            ipv6=host.ipv6,
            **keys,
        )
        yield [json_bytes(log)] if is_short else spliced(log, text_of(text))


def _files(
    step: StepInstance, hosts: list[StepHost], options: LogOptions, read_log: ReadEntry
) -> Iterator[Iterable[bytes]]:
    for host, logs in query.file_logs(step, hosts):
        read_log.size += logs.size
        state = log_options.file_state(step, logs.rows) if options.return_log_state else UNSET
        entry = HostFileLogs(
            bk_host_id=host.bk_host_id,
            ip=host.ip,
            bk_cloud_id=host.bk_cloud_id,
            file_logs=STREAMED,
            host_id=host.bk_host_id,
            ipv6=host.ipv6,
            log_state=state,
        )
        yield spliced(entry, listed([json_bytes(TransferLog.of(log))] for log in logs))
