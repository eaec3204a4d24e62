"""OpenAPI operation of v4_batch_get_job_instance_execute_object_log."""

from __future__ import annotations

from joblogs.api.v4.object_log import HOST_OBJECT, OBJECTS_MAX
from joblogs.choices import FileMode, FileStatus
from joblogs.errors import (
    BadRequest,
    HostListInvalid,
    InvalidArgs,
    InvalidParameter,
    JobNotFound,
    ParameterInvalid,
    PermissionDenied,
    ScopeNotFound,
    StepNotFound,
    StoreError,
    Unavailable,
)

from .answers import METHOD_REFUSED, TRACED, answer, code_texts, refusal, refusals
from .shapes import (
    ADDRESS,
    ID,
    INTEGER,
    TEXT,
    Json,
    body,
    choices,
    described,
    listed,
    ref,
    scope_body,
    thing,
)
from .v3_batch_log import NAMED_HOST, STEP_IDS

JOB_IDS: dict[str, Json] = {"job_instance_id": INTEGER, "step_instance_id": INTEGER}
OBJECT = thing(
    {
        "type": described({"const": HOST_OBJECT}, "A host: there are no containers here."),
        "resource_id": TEXT,
        "host": thing(
            {"bk_host_id": INTEGER},
            optional={"bk_cloud_id": INTEGER, "ip": ADDRESS, "ipv6": ADDRESS},
        ),
    },
)
FILE = thing(
    {
        "mode": choices(FileMode, "Which way"),
        "src_path": TEXT,
        "status": choices(FileStatus, "Status"),
        "log_content": TEXT,
        "size": TEXT,
        "speed": TEXT,
        "process": TEXT,
    },
    optional={
        "src_execute_object": ref("ExecuteObject"),
        "dest_execute_object": ref("ExecuteObject"),
        "dest_path": TEXT,
    },
)
_EXECUTE_OBJECT = {"execute_object": ref("ExecuteObject")}
SCRIPTS = listed(thing({**_EXECUTE_OBJECT, "log_content": TEXT}))
FILES = listed(
    thing(
        _EXECUTE_OBJECT,
        optional={
            "download_log": listed(ref("ObjectFile")),
            "upload_log": listed(ref("ObjectFile")),
        },
    )
)


def _data(log_type: int, **entries: Json) -> Json:
    return thing({**JOB_IDS, "log_type": {"const": log_type}, **entries})


DATA: Json = {
    "oneOf": [
        _data(1, script_step_execute_object_logs=SCRIPTS),
        _data(2, file_step_execute_object_logs=FILES),
        described(thing(JOB_IDS) | {"not": {"required": ["log_type"]}}, "Approvals have no logs."),
    ]
}


def _error(word: str, *errors: type[StoreError]) -> Json:
    codes = sorted({str(error.code) for error in errors})
    detail = thing({"code": described(TEXT, code_texts(*errors), enum=codes), "message": TEXT})
    always = {"code": {"const": word}, "message": TEXT, "details": listed(detail)}
    more = {"data": ref("Permission")} if PermissionDenied in errors else {}
    return thing({"error": thing(always, optional=more), "job_request_id": TEXT})


_BAD = (BadRequest, InvalidParameter, ParameterInvalid, HostListInvalid)
SCHEMAS: Json = {"ExecuteObject": OBJECT, "ObjectFile": FILE}
V4: Json = {
    "operationId": "v4_batch_get_job_instance_execute_object_log",
    "tags": ["BlueKing"],
    "summary": "The logs of some hosts of a step, in version 4 of the API",
    "description": f"At most {OBJECTS_MAX} hosts; no key is null. The first list that is not empty "
    "counts. Also with `v4_` before the name, under `/api/{gateway}/{stage}/api/v4/` and "
    "`/{stage}/api/v4/`, each with `system/` after it, with and without a trailing slash.",
    "security": [{"app": []}],
    "requestBody": body(
        scope_body(
            STEP_IDS,
            {
                "host_id_list": listed(ID, maxItems=OBJECTS_MAX),
                "ip_list": listed(NAMED_HOST, maxItems=OBJECTS_MAX),
                "container_id_list": listed(
                    ID, "Containers are not kept here: no entries.", maxItems=OBJECTS_MAX
                ),
            },
        ),
        host_id_list=[101, 102],
    ),
    "responses": refusals(reads_json=True)
    | {
        "200": answer("Done.", thing({"data": DATA, "job_request_id": TEXT}), headers=TRACED),
        "400": answer(
            "A malformed request or a wrong parameter.",
            refusal(InvalidArgs),
            _error("INVALID_ARGUMENT", *_BAD),
            headers=TRACED,
        ),
        "403": answer(
            "The app may not read the scope.",
            _error("NO_PERMISSION", PermissionDenied),
            headers=TRACED,
        ),
        "404": answer(
            "No such scope, job or step.",
            _error("NOT_FOUND", ScopeNotFound, StepNotFound, JobNotFound),
            headers=TRACED,
        ),
        "405": METHOD_REFUSED
        | {"content": {"application/json": {"schema": _error("INVALID_ARGUMENT", BadRequest)}}},
        "500": answer("Try again later.", _error("INTERNAL", Unavailable), headers=TRACED),
    },
}
