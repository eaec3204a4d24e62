"""OpenAPI operation of batch_get_job_instance_ip_log, its extras included."""

from __future__ import annotations

from joblogs.api.log_options import CONTEXT_MAX
from joblogs.choices import FileMode, FileStatus
from joblogs.errors import (
    BadRequest,
    HostListInvalid,
    InvalidParameter,
    JobNotFound,
    PermissionDenied,
    ScopeNotFound,
)
from joblogs.query import HOSTS_MAX, State
from joblogs.search import PATTERN_MAX

from .answers import TRACED, enveloped, refusals
from .shapes import (
    ADDRESS,
    BOOLEAN,
    COUNT,
    ID,
    INTEGER,
    TEXT,
    Json,
    body,
    choices,
    described,
    listed,
    nullable,
    ref,
    scope_body,
    thing,
)

FORMS = (
    "Also as POST under `/api/{gateway}/{stage}/api/v3/`, `/{stage}/api/v3/`, each of them and "
    "`/api/v3/` with `system/` after it, `/api/job/v3/job-execute/`, `/esb/api/v3/`, "
    "`/api/c/compapi/v2/jobv3/` and `/api/c/compapi/jobv3/`; all with and without a trailing slash."
)
STEP_IDS: dict[str, Json] = {
    "job_instance_id": described(ID, "The job."),
    "step_instance_id": described(ID, "The step of the job."),
}
NAMED_HOST = thing(
    {},
    optional={
        "bk_cloud_id": described(COUNT, "Cloud area; required with an address."),
        "ip": ADDRESS,
        "ipv6": ADDRESS,
        "bk_host_id": described(ID, "With it the other fields are not read."),
    },
    text="A host by its id, else by cloud area and address.",
)
PAGING: dict[str, Json] = {
    "start": described(COUNT, "First host of a page; only without a list."),
    "length": {
        "type": "integer",
        "minimum": 1,
        "maximum": HOSTS_MAX,
        "description": "Hosts of a page; only without a list.",
    },
}
EXTRAS: dict[str, Json] = {
    "offset": described(COUNT, "First byte wanted of each script log."),
    "length_bytes": described(ID, "Bytes wanted of each script log."),
    "tail_bytes": described(ID, "The last bytes of each script log; not beside the two above."),
    "return_log_state": described(BOOLEAN, "Tell how complete each log is."),
    "execute_count": described(COUNT, "Only up to this attempt; the first is 0."),
    "batch": described(COUNT, "Only this rolling batch."),
    "grep": described(
        TEXT,
        "Only the lines that match; not beside a range.",
        minLength=1,
        maxLength=PATTERN_MAX,
    ),
    "grep_context": {
        "type": "integer",
        "minimum": 0,
        "maximum": CONTEXT_MAX,
        "description": "Lines to show around each match.",
    },
}
REQUEST = scope_body(
    STEP_IDS,
    {
        "host_id_list": listed(
            ID, "The hosts; with it `ip_list` is not looked at.", maxItems=HOSTS_MAX
        ),
        "ip_list": listed(NAMED_HOST, "Not recommended; use host_id_list.", maxItems=HOSTS_MAX),
        **PAGING,
        **EXTRAS,
    },
    text="Without a list every host of the step is answered for. Unknown fields are ignored.",
)

END = thing(
    {"bk_host_id": INTEGER, "bk_cloud_id": nullable(INTEGER), "ip": nullable(ADDRESS)},
    optional={"ipv6": ADDRESS},
    text="One end of a transfer.",
)
FILE_LOG = thing(
    {
        "mode": choices(FileMode, "Which way"),
        "src_ip": nullable(ref("TransferEnd"), "Null for a third-party source."),
        "src_path": TEXT,
        "status": choices(FileStatus, "Status"),
        "log_content": TEXT,
        "size": described(TEXT, "Like `9.0 Bytes`; `--` if not known."),
        "speed": described(TEXT, "Like `1,024 KB/s`; `--` if not known."),
        "process": described(TEXT, "Like `100%`; `--` if not known."),
    },
    optional={
        "dest_ip": described(nullable(ref("TransferEnd")), "Downloads only."),
        "dest_path": nullable(TEXT, "Downloads only."),
    },
    text="One file moved to or from a host.",
)
LOG_STATE = thing(
    {
        "state": described(TEXT, "How complete it is.", enum=[state.value for state in State]),
        "size": described(INTEGER, "Bytes that can be read."),
        "missing": described(INTEGER, "Bytes that are known to be missing."),
    }
)
HOST: dict[str, Json] = {
    "bk_host_id": INTEGER,
    "ip": nullable(ADDRESS, "Null for a host that has only IPv6."),
    "bk_cloud_id": INTEGER,
}
HOST_AGAIN: dict[str, Json] = {
    "host_id": described(INTEGER, "bk_host_id once more: some clients read only this."),
    "ipv6": nullable(ADDRESS),
}
STATED = {"log_state": described(ref("LogState"), "With return_log_state.")}
SCRIPT_ENTRY = thing(
    {**HOST, "log_content": described(TEXT, "What the host printed, byte for byte."), **HOST_AGAIN},
    optional={
        "log_attempt": described(INTEGER, "With a range or tail: the attempt of the text."),
        "log_batch": described(INTEGER, "With a range or tail: its last rolling batch."),
        "log_offset": described(INTEGER, "With a range or tail: where log_content starts."),
        "log_size": described(INTEGER, "With a range or tail: bytes of the whole log."),
        "log_matches": nullable(
            INTEGER, "With grep: matching lines; null if not searched in time."
        ),
        **STATED,
    },
)
FILE_ENTRY = thing({**HOST, "file_logs": listed(ref("FileLog")), **HOST_AGAIN}, optional=STATED)
LAST: dict[str, Json] = {
    "total": described(INTEGER, "With paging: hosts of the step."),
    "missing_hosts": listed(
        {"anyOf": [INTEGER, thing({"bk_cloud_id": INTEGER, "ip": TEXT})]},
        "With return_log_state: hosts that were named and are not in the step.",
    ),
}


def _data(log_type: Json, **entries: Json) -> Json:
    ids = {"job_instance_id": INTEGER, "step_instance_id": INTEGER}
    return thing({"log_type": log_type, **ids, **entries}, optional=LAST)


DATA: Json = {
    "oneOf": [
        _data(described({"const": 1}, "Scripts and SQL."), script_task_logs=listed(SCRIPT_ENTRY)),
        _data(described({"const": 2}, "Files."), file_task_logs=listed(FILE_ENTRY)),
        _data(described({"type": "null"}, "Approvals have no logs.")),
    ]
}
SCHEMAS: Json = {"TransferEnd": END, "FileLog": FILE_LOG, "LogState": LOG_STATE}
BATCH: Json = {
    "operationId": "batch_get_job_instance_ip_log",
    "tags": ["BlueKing"],
    "summary": "The logs of many hosts of a step",
    "description": f"At most {HOSTS_MAX} hosts. {FORMS}",
    "security": [{"app": []}, {"token": []}],
    "requestBody": body(REQUEST, host_id_list=[101, 102]),
    "responses": enveloped(
        DATA,
        BadRequest,
        InvalidParameter,
        ScopeNotFound,
        PermissionDenied,
        HostListInvalid,
        JobNotFound,
        headers=TRACED,
    )
    | refusals(reads_json=True),
}
