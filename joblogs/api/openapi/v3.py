"""OpenAPI operations of version 3, but for the batch endpoint."""

from __future__ import annotations

from collections.abc import Mapping

from joblogs.api.v3.job_list import PAGE_DEFAULT, PAGE_MAX, SPAN_MAX_MS
from joblogs.choices import TaskType
from joblogs.errors import (
    BadRequest,
    InvalidParameter,
    InvalidParameters,
    JobNotFound,
    ParameterInvalid,
    ParameterRefused,
    PermissionDenied,
    ScopeNotFound,
    StepNotFound,
    StoreError,
    UnsupportedOperation,
)
from joblogs.search import PATTERN_MAX

from .answers import TRACED, enveloped, refusals
from .shapes import (
    ADDRESS,
    BOOLEAN,
    COUNT,
    ID,
    SCOPE_FIELDS,
    TEXT,
    Json,
    body,
    described,
    in_query,
    scope_body,
)
from .v3_answers import HOST_LOG, JOB_LIST, JOB_STATUS, STEP_DETAIL, STEP_STATUS
from .v3_batch_log import FORMS, STEP_IDS

FOR_EVERY = (BadRequest, InvalidParameter, ScopeNotFound, PermissionDenied, ParameterInvalid)
ALSO_POST = FORMS.replace("Also as POST", "Also as GET (query) and POST (JSON)")
ONLY_GET = FORMS.replace("Also as POST", "Also as GET")
NUMBER: Json = {"type": ["integer", "string"], "pattern": "^-?[0-9]{1,15}$"}

ONE_HOST: dict[str, Json] = {
    "bk_host_id": described(ID, "The host; `host_id` is read too."),
    "host_id": described(ID, "The host, as BlueKing's page calls it."),
    "bk_cloud_id": described(COUNT, "Without an id: the cloud area, with ip or ipv6."),
    "ip": ADDRESS,
    "ipv6": ADDRESS,
}
SPAN: dict[str, Json] = {
    "create_time_start": described(ID, "Created at or after; milliseconds."),
    "create_time_end": described(
        ID, f"Created at or before; at most {SPAN_MAX_MS // 86_400_000} days on."
    ),
}
FILTERS: dict[str, Json] = {
    "job_instance_id": described(ID, "Only this job; nothing else but the span is read."),
    "operator": described(TEXT, "Who started it, exactly."),
    "name": described(TEXT, "A part of its name."),
    "launch_mode": described(NUMBER, "How it was started."),
    "type": {
        "type": ["integer", "string"],
        "enum": [*TaskType.values, *map(str, TaskType.values)],
        "description": "Kind of job.",
    },
    "status": described(NUMBER, "Its status."),
    "ip": described(ADDRESS, "Of a host that took part."),
    "job_cron_id": described(NUMBER, "Its schedule; none is kept here, so no job matches."),
    "start": described(COUNT, "First job of the page."),
    "length": {
        "type": "integer",
        "minimum": 1,
        "maximum": PAGE_MAX,
        "default": PAGE_DEFAULT,
        "description": "Jobs of the page.",
    },
}
GROUP_FILTERS: dict[str, Json] = {
    "execute_count": described(COUNT, "As it stood at this attempt."),
    "batch": described(COUNT, "This rolling batch; 0 all of them; absent the latest."),
    "max_host_num_per_group": described(COUNT, "Hosts listed of each group."),
    "keyword": described(
        TEXT, "Only hosts whose script log has it.", minLength=1, maxLength=PATTERN_MAX
    ),
    "search_ip": described(TEXT, "Only hosts whose address has this part."),
    "status": described(NUMBER, "List the hosts of groups of this status only."),
    "tag": described(TEXT, "List the hosts of groups of this tag only."),
}


def _pair(
    name: str,
    summary: str,
    data: Json,
    errors: tuple[type[StoreError], ...],
    required: Mapping[str, Json],
    optional: Mapping[str, Json],
    *,
    post: bool = True,
) -> dict[str, Json]:
    """An endpoint by GET, and by POST if it has that."""
    shared = {
        "tags": ["BlueKing"],
        "summary": summary,
        "description": ALSO_POST if post else ONLY_GET,
        "security": [{"app": []}, {"token": []}],
    }
    answers = enveloped(data, *FOR_EVERY, *errors, headers=TRACED)
    fields = {**required, **SCOPE_FIELDS, **optional}
    operations = {
        "GET": shared
        | {
            "operationId": name,
            "parameters": in_query(fields, required=required),
            "responses": answers | refusals(),
        }
    }
    if post:
        more = {"bk_host_id": 101} if "bk_host_id" in optional else {}
        operations["POST"] = shared | {
            "operationId": f"{name}_post",
            "requestBody": body(scope_body(required, optional), **more),
            "responses": answers | refusals(reads_json=True),
        }
    return operations


OPERATIONS_V3: dict[str, dict[str, Json]] = {
    "get_job_instance_status": _pair(
        "get_job_instance_status",
        "How a job and its steps went",
        JOB_STATUS,
        (JobNotFound,),
        {"job_instance_id": STEP_IDS["job_instance_id"]},
        {"return_ip_result": described(BOOLEAN, "With the result on each host.")},
    ),
    "get_job_instance_list": _pair(
        "get_job_instance_list",
        "The jobs of a scope within a span of time",
        JOB_LIST,
        (InvalidParameters,),
        SPAN,
        FILTERS,
    ),
    "get_job_instance_ip_log": _pair(
        "get_job_instance_ip_log",
        "The log of one host of a step",
        HOST_LOG,
        (JobNotFound,),
        STEP_IDS,
        ONE_HOST,
    ),
    "get_step_instance_status": _pair(
        "get_step_instance_status",
        "How a step went on its hosts, in groups that ended alike",
        STEP_STATUS,
        (JobNotFound, StepNotFound, ParameterRefused, UnsupportedOperation),
        STEP_IDS,
        GROUP_FILTERS,
        post=False,
    ),
    "get_step_instance_detail": _pair(
        "get_step_instance_detail",
        "What is known of a step",
        STEP_DETAIL,
        (JobNotFound, StepNotFound),
        STEP_IDS,
        {},
        post=False,
    ),
}
