"""What the sisters of the batch endpoint are asked for; `docs/api.md` has the rules.

An id that is missing or no id is 1241007 with its name, where the batch endpoint says 1240003 with
a sentence: so does the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joblogs.api import parameters
from joblogs.api.parameters import is_blank, optional_integer, optional_text
from joblogs.choices import TaskType
from joblogs.errors import BadRequest, InvalidParameters, ParameterInvalid, ParameterRefused
from joblogs.query import Address, Attempts, JobFilter, ResultGroup
from joblogs.search import PATTERN_MAX, InvalidPattern, Pattern

PAGE_DEFAULT, PAGE_MAX = 20, 1000
SPAN_MAX_MS = 30 * 24 * 3600 * 1000

Given = Mapping[str, Any]


def _required(given: Given, field: str) -> int:
    try:
        number = parameters.integer(given.get(field))
    except parameters.NotInteger:
        number = None
    if number is None or number < 1:
        raise ParameterInvalid(None, field)
    return number


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job, and whether how it went on each host is wanted too."""

    job_instance_id: int
    return_ip_result: bool

    @classmethod
    def read(cls, given: Given) -> JobRequest:
        job = _required(given, "job_instance_id")
        return cls(job, parameters.flag(given, "return_ip_result"))


@dataclass(frozen=True, slots=True)
class StepRequest:
    """A step of a job."""

    job_instance_id: int
    step_instance_id: int

    @classmethod
    def read(cls, given: Given) -> StepRequest:
        return cls(_required(given, "job_instance_id"), _required(given, "step_instance_id"))


@dataclass(frozen=True, slots=True)
class HostLogRequest:
    """The log of one host of a step."""

    job_instance_id: int
    step_instance_id: int
    host: int | Address

    @classmethod
    def read(cls, given: Given) -> HostLogRequest:
        step = StepRequest.read(given)
        return cls(step.job_instance_id, step.step_instance_id, _host(given))


def _host(given: Given) -> int | Address:
    """The host by `bk_host_id`, or `host_id` as the reference's page calls it; else by address."""
    number = given.get("host_id") if is_blank(given.get("bk_host_id")) else given["bk_host_id"]
    address = given.get("ipv6") if is_blank(given.get("ip")) else given["ip"]
    if is_blank(number) and (is_blank(given.get("bk_cloud_id")) or is_blank(address)):
        raise ParameterInvalid(None, "host_id/(bk_cloud_id+ip)")
    cloud = given.get("bk_cloud_id")
    return parameters.host_named({"bk_host_id": number, "bk_cloud_id": cloud, "ip": address})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStatusRequest:
    """How a step went: in which attempts, on which hosts, and of which groups they are listed."""

    job_instance_id: int
    step_instance_id: int
    execute_count: int | None
    batch: int | None
    most: int | None
    keyword: Pattern | None
    search_ip: str | None
    status: int | None
    tag: str | None

    @classmethod
    def read(cls, given: Given) -> StepStatusRequest:
        step = StepRequest.read(given)
        return cls(
            job_instance_id=step.job_instance_id,
            step_instance_id=step.step_instance_id,
            execute_count=optional_integer(given, "execute_count", least=0),
            batch=optional_integer(given, "batch", least=0),
            most=optional_integer(given, "max_host_num_per_group", least=0),
            keyword=_pattern(optional_text(given, "keyword")),
            search_ip=optional_text(given, "search_ip"),
            status=optional_integer(given, "status"),
            tag=optional_text(given, "tag"),
        )

    def attempts(self, latest_batch: int) -> Attempts:
        """The attempts looked at: no batch means the latest, batch 0 all of them."""
        batch = latest_batch if self.batch is None else self.batch
        return Attempts(self.execute_count, batch or None)

    def lists(self, group: ResultGroup) -> bool:
        """Whether the hosts of a group are listed, not only counted."""
        return self.status in (None, group.status) and self.tag in (None, group.tag)


def _pattern(keyword: str | None) -> Pattern | None:
    try:
        return None if keyword is None else Pattern.of(keyword, ignore_case=True)
    except InvalidPattern as error:
        raise ParameterRefused(ParameterRefused.KEYWORD, PATTERN_MAX) from error


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A page of the jobs that are meant."""

    wanted: JobFilter
    start: int
    length: int

    @classmethod
    def read(cls, given: Given) -> ListRequest:
        wanted = _job_filter(given)
        start = optional_integer(given, "start", least=0)
        length = optional_integer(given, "length", least=1)
        if length is not None and length > PAGE_MAX:
            raise BadRequest(BadRequest.FIELD, "length")
        return cls(wanted, start or 0, PAGE_DEFAULT if length is None else length)


def _job_filter(given: Given) -> JobFilter:
    since, until = _required(given, "create_time_start"), _required(given, "create_time_end")
    if until <= since:
        raise ParameterInvalid(None, "create_time_start|create_time_end")
    if until - since > SPAN_MAX_MS:
        raise InvalidParameters
    if not is_blank(given.get("job_instance_id")):
        return JobFilter(job_instance_id=_required(given, "job_instance_id"))
    task_type = optional_integer(given, "type")
    if task_type is not None and task_type not in TaskType.values:
        raise InvalidParameters
    ip = given.get("ip")
    return JobFilter(
        created_from=since,
        created_to=until,
        operator=optional_text(given, "operator"),
        name=optional_text(given, "name"),
        launch_mode=optional_integer(given, "launch_mode"),
        task_type=task_type,
        status=optional_integer(given, "status"),
        address=None if is_blank(ip) else parameters.address(ip),
        schedule=optional_integer(given, "job_cron_id"),
    )
