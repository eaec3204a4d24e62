"""OpenAPI operations of version 1: records, offsets, raw logs, exports, this document."""

from __future__ import annotations

from joblogs import records
from joblogs.api.v1.host_log import WAIT_MAX_SECONDS
from joblogs.choices import ScopeType
from joblogs.errors import (
    ApiNotFound,
    BadRequest,
    InvalidArgs,
    JobNotFound,
    NothingSelected,
    OffsetBeyondLog,
    PermissionDenied,
    RangeNotSatisfiable,
    RecordsRefused,
    ScopeNotFound,
    StepNotFound,
    Unavailable,
)
from joblogs.export import Format, Outcome
from joblogs.ingest.report import LISTED, NAMED, Reason
from joblogs.query import State

from .answers import SIGNED, answer, enveloped, failure, header, refusal, refusals
from .shapes import (
    BOOLEAN,
    COUNT,
    ID,
    INTEGER,
    NOTHING,
    TEXT,
    Json,
    described,
    in_path,
    in_query,
    listed,
    nullable,
    thing,
)

SLASH = "With and without a trailing slash."
NUMBER: Json = {"type": "string", "pattern": "^[0-9]{1,16}$"}
STEP_PATH: dict[str, Json] = {
    "scope_type": {"type": "string", "enum": list(ScopeType.values)},
    "scope_id": {"type": "string", "pattern": "^[^/]{1,64}$"},
    "job": NUMBER,
    "step": NUMBER,
}
NO_SUCH_PATH = answer("A path that names no API.", refusal(ApiNotFound))

REPORT = thing(
    {
        "accepted": described(INTEGER, "Records that changed something."),
        "duplicates": described(INTEGER, "Records without anything new."),
        "refused_total": INTEGER,
        "refused": listed(
            thing(
                {
                    "line": described(INTEGER, "From 1, blank lines counted."),
                    "type": nullable(TEXT),
                    "reason": {"type": "string", "enum": [reason.value for reason in Reason]},
                    "message": TEXT,
                },
                optional={"expected_offset": described(INTEGER, "Where a log goes on.")},
            ),
            f"The first of each log, at most {LISTED}.",
        ),
    },
    optional={
        "pages": listed(
            thing({"job_instance_id": ID, "url": TEXT}),
            "Where the jobs can be seen that the body named by a `job` record, at most "
            f"{NAMED}; only where `PUBLIC_URL` is set.",
        ),
    },
)
READS = thing(
    {"format": {"const": records.FORMAT}, "versions": listed(INTEGER), "types": listed(TEXT)}
)
RECORDS_IN: Json = {
    "operationId": "send_records",
    "tags": ["Records"],
    "summary": "Records in",
    "description": "One JSON object a line; docs/records.md describes the records. Read as a "
    "stream, with a length or chunked; `Content-Encoding` gzip and zstd are decoded. What is not "
    "refused is in; sending the same again accepts nothing twice. " + SLASH,
    "security": [{"app": []}, {"token": []}],
    "requestBody": {
        "required": True,
        "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
    },
    "responses": enveloped(REPORT, PermissionDenied, BadRequest) | refusals(reads_json=True),
}
# A body of which something was refused is a failure that has data all the same.
_answers = RECORDS_IN["responses"]["200"]["content"]["application/json"]["schema"]["oneOf"]
_answers.append(failure(RecordsRefused, data=REPORT))
RECORDS_READ: Json = {
    "operationId": "which_records",
    "tags": ["Records"],
    "summary": "Which records this store reads",
    "description": SLASH,
    "security": [{"app": []}, {"token": []}],
    "responses": enveloped(READS) | refusals(),
}
OFFSETS: Json = {
    "operationId": "expected_offsets",
    "tags": ["Records"],
    "summary": "Where each log of a step goes on",
    "description": f"For a producer that lost its place; needs write. {SLASH}",
    "security": [{"app": []}, {"token": []}],
    "parameters": in_path(STEP_PATH),
    "responses": enveloped(
        thing(
            {
                "offsets": listed(
                    thing(
                        {
                            "bk_host_id": INTEGER,
                            "execute_count": INTEGER,
                            "batch": INTEGER,
                            "expected_offset": INTEGER,
                        },
                        optional={"task_key": described(TEXT, "File logs only.")},
                    )
                )
            }
        ),
        PermissionDenied,
        JobNotFound,
    )
    | refusals()
    | {"404": NO_SUCH_PATH},
}

LOG_HEADERS = SIGNED | {
    "ETag": header("Changes with every byte that comes, is masked or expires."),
    "Accept-Ranges": header("Always `bytes`."),
    "X-Log-Size": header("Bytes of the whole log.", pattern="^[0-9]+$"),
    "X-Log-Attempt": header("The attempt whose text it is.", pattern="^[0-9]+$"),
    "X-Log-Batch": header("The last rolling batch in it.", pattern="^[0-9]+$"),
    "X-Log-Latest-Attempt": header("The latest attempt that there is.", pattern="^[0-9]+$"),
    "X-Log-Latest-Batch": header("Its last rolling batch.", pattern="^[0-9]+$"),
    "X-Log-State": header("How complete it is.", enum=[state.value for state in State]),
}
PART_HEADERS = LOG_HEADERS | {"Content-Range": header("Which bytes these are, of how many.")}
_BYTES = {"text/plain": {"schema": {"type": "string", "format": "binary"}}}


def _log(operation: str, summary: str, *, content: Json | None) -> Json:
    """The raw log by GET, or with no `content` by HEAD, whose answers are headers alone."""
    whole: Json = {"description": "The log, or the requested part.", "headers": LOG_HEADERS}
    part: Json = {"description": "The requested range.", "headers": PART_HEADERS}
    answers: Json = {
        "304": {"description": "It is as If-None-Match knows it.", "headers": LOG_HEADERS},
        **refusals(),
        "400": answer(
            "A malformed request or a wrong parameter.", refusal(InvalidArgs), failure(BadRequest)
        ),
        "403": answer("The app may not read the scope.", failure(PermissionDenied)),
        "404": answer(
            "No such scope, job, step or host.",
            failure(ScopeNotFound, JobNotFound),
            refusal(ApiNotFound),
        ),
        "416": answer("The log has no such bytes.", failure(RangeNotSatisfiable, OffsetBeyondLog)),
        "500": answer("Try again later.", failure(Unavailable)),
    }
    if content is None:
        # An answer to HEAD has the headers of its GET and no body.
        answers = {status: _bodiless(response) for status, response in answers.items()}
    else:
        whole, part = whole | {"content": content}, part | {"content": content}
    return {
        "operationId": operation,
        "tags": ["Raw log"],
        "summary": summary,
        "description": "Bytes as they were printed. A follower sends `offset`, the bytes that "
        "it has, and `wait`: the answer comes when there is more, the log ends, or the time is "
        f"up. Files have no raw log. {SLASH}",
        "security": [{"app": []}, {"token": []}],
        "parameters": [
            *in_path({**STEP_PATH, "host": NUMBER}),
            *in_query(
                {
                    "offset": described(COUNT, "From this byte on; not beside tail."),
                    "wait": described(COUNT, f"Seconds to wait, at most {WAIT_MAX_SECONDS}."),
                    "tail": described(COUNT, "Only the last bytes."),
                    "execute_count": described(COUNT, "Only up to this attempt."),
                    "batch": described(COUNT, "Only this rolling batch."),
                }
            ),
            _request_header("Range", "One range of bytes; several, or another unit: the whole."),
            _request_header("If-Range", "The range only if the log still has this ETag."),
            _request_header("If-None-Match", "304 if the log still has this ETag."),
        ],
        "responses": {"200": whole, "206": part, **answers},
    }


def _request_header(name: str, text: str) -> Json:
    shape: Json = {"type": "string", "pattern": "^[!-~]{1,60}$"}
    return {"name": name, "in": "header", "description": text, "schema": shape}


def _bodiless(response: Json) -> Json:
    if "$ref" in response:
        return {"description": "As of GET, without a body."}
    return {key: value for key, value in response.items() if key != "content"}


def _texts(*kinds: str) -> Json:
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}


EXPORT: Json = {
    "operationId": "export",
    "tags": ["Export"],
    "summary": "Logs of a scope as a file",
    "description": "What the command `export_logs` writes: records, a ZIP archive with a file for "
    "each host, text led by hosts, or a table. Streamed; an answer that fails after its first byte "
    f"cuts the connection. An unknown parameter is refused. {SLASH}",
    "security": [{"app": []}, {"token": []}],
    "parameters": [
        *in_path({name: STEP_PATH[name] for name in ("scope_type", "scope_id")}),
        *in_query(
            {
                "format": described(TEXT, "What it looks like.", enum=list(Format)),
                "job": described(ID, "Only this job."),
                "step": described(ID, "Only this step."),
                "host": described(ID, "Only this bk_host_id; may be repeated up to 500 times."),
                "ip": described(TEXT, "Only the host that had this then: `CLOUD:IP`; as host."),
                "status": described(TEXT, "Hosts with this result.", enum=list(Outcome)),
                "contains": described(TEXT, "Hosts whose log holds this text."),
                "since": described(TEXT, "Jobs created on this UTC day or later.", format="date"),
                "until": described(TEXT, "Jobs created on this UTC day or before.", format="date"),
                "attempt": described(
                    TEXT,
                    "Logs as they stood after attempt N, from 0; `latest`; `all`: each for itself. "
                    "By default `all` for ndjson, else `latest`.",
                    pattern="^(all|latest|[0-9]{1,9})$",
                ),
                "batch": described(COUNT, "Only this rolling batch."),
                "no_prefix": described(BOOLEAN, "txt: nothing but what was printed."),
            },
            required=["format"],
        ),
    ],
    "responses": {
        "200": {
            "description": "The file.",
            "headers": SIGNED | {"Content-Disposition": header("A name for the file.")},
            "content": _texts(*(kind.content_type.partition(";")[0] for kind in Format)),
        },
        **refusals(),
        "400": answer(
            "A malformed request or a wrong parameter.", refusal(InvalidArgs), failure(BadRequest)
        ),
        "403": answer("The app may not read the scope.", failure(PermissionDenied)),
        "404": answer(
            "No such scope, job, step or host, or nothing matches.",
            failure(ScopeNotFound, JobNotFound, StepNotFound, NothingSelected),
            refusal(ApiNotFound),
        ),
        "500": answer("Try again later.", failure(Unavailable)),
    },
}
LOG = _log("host_log", "The raw log of one host", content=_BYTES)
LOG_HEAD = _log("host_log_size", "Size and state of the raw log of one host", content=None)
DOCUMENT: Json = {
    "operationId": "schema",
    "tags": ["This document"],
    "summary": "This document",
    "description": f"For anyone: it holds nothing secret. {SLASH}",
    "security": [],
    "responses": {
        "200": answer("OpenAPI 3.1.", {"type": "object"}),
        "405": answer("Any other method.", failure(BadRequest, data=NOTHING)),
    },
}
