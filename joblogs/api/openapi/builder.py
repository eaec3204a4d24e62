"""Builder of OpenAPI operations from the views: their requests, answers and errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from joblogs.api.base import ApiView, Errors, Operation
from joblogs.api.dialects import FORMS_V3, FORMS_V4
from joblogs.api.envelope import Success, V4Success, v4_failure
from joblogs.api.fields import SCOPE, Json, required_of, shapes_of
from joblogs.errors import BadRequest, InvalidArgs, PermissionDenied, StoreError, Unavailable

from .answers import METHOD_REFUSED, TRACED, answer, code_texts, failure, refusal, refusals
from .shapes import TEXT, described, listed, ref, thing

SCOPE_STATED: Json = {
    "anyOf": [{"required": ["bk_scope_type", "bk_scope_id"]}, {"required": ["bk_biz_id"]}]
}
EXAMPLE: Json = {
    "bk_scope_type": "biz",
    "bk_scope_id": "2",
    "job_instance_id": 100,
    "step_instance_id": 200,
    "create_time_start": 1_700_000_000_000,
    "create_time_end": 1_700_086_400_000,
}
Operations = dict[tuple[str, str], Json]


def described_operations(paths: Mapping[type[ApiView], str]) -> tuple[Operations, Json]:
    """The operations of endpoints, by canonical path and method, and the schemas of answers."""
    listed_operations = [
        (path, method.upper(), view, operation)
        for view, path in paths.items()
        for method, operation in view.operations.items()
    ]
    envelopes: list[Any] = [
        (V4Success if _is_v4(path) else Success)[operation.answer]
        for path, _, _, operation in listed_operations
    ]
    shapes, schemas = msgspec.json.schema_components(
        envelopes, ref_template="#/components/schemas/{name}"
    )
    for schema in schemas.values():
        _require_nullable(schema)
    return {
        (path, method): _described(path, method, view, operation, success)
        for (path, method, view, operation), success in zip(listed_operations, shapes, strict=True)
    }, schemas


def _require_nullable(schema: Json) -> None:
    """Only a field that is UNSET by default may be absent: None is answered as null."""
    for name, shape in schema.get("properties", {}).items():
        if "default" in shape:
            del shape["default"]
            schema.setdefault("required", []).append(name)


def _is_v4(path: str) -> bool:
    return path.startswith("/api/v4/")


def _described(
    path: str, method: str, view: type[ApiView], operation: Operation, success: Json
) -> Json:
    name = ("v4_" if _is_v4(path) else "") + path.rpartition("/")[2]
    both = {"get", "post"} <= view.operations.keys()
    methods = "GET (query) and POST (JSON)" if both else method
    forms = FORMS_V4 if _is_v4(path) else f"Also as {methods} under {FORMS_V3}"
    shape = {
        "operationId": operation.id or f"{name}_post" if both and method == "POST" else name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.description} {forms}".strip(),
        "security": [{"app": []}, {"token": []}],
        "responses": _responses(path, view, success, reads_json=method == "POST"),
    }
    if operation.request is None:
        return shape
    fields = {**SCOPE.fields, **shapes_of(operation.request)}
    required = required_of(operation.request)
    if method == "POST":
        return shape | {"requestBody": _body(fields, required, operation.example)}
    return shape | {"parameters": _query(fields, required)}


def _body(fields: Json, required: list[str], more: Mapping[str, Any]) -> Json:
    shape = {"type": "object", "properties": fields, "required": required} | SCOPE_STATED
    stated = ("bk_scope_type", "bk_scope_id", *required)
    example = {name: EXAMPLE[name] for name in stated} | dict(more)
    return {
        "required": True,
        "content": {"application/json": {"schema": shape, "example": example}},
    }


def _query(fields: Json, required: list[str]) -> list[Json]:
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": shape.get("description", ""),
            "deprecated": shape.get("deprecated", False),
            "schema": {
                key: shape[key] for key in shape if key not in ("description", "deprecated")
            },
        }
        for name, shape in fields.items()
    ]


def _responses(path: str, view: type[ApiView], success: Json, *, reads_json: bool) -> Json:
    """What is answered, by HTTP status: the data, the endpoint's errors, and what is refused."""
    failures: dict[int, dict[str, list[type[StoreError]]]] = {}
    errors: Errors = (Unavailable, *view.errors)
    for error in errors:
        status, word = v4_failure(error) if _is_v4(path) else (200, "")
        failures.setdefault(status, {}).setdefault(word, []).append(error)
    responses = refusals(reads_json=reads_json) | {"200": answer("Done.", success, headers=TRACED)}
    for status, words in failures.items():
        shapes = [
            v4_error(word, *errors) if word else failure(*errors) for word, errors in words.items()
        ]
        codes = "; ".join(code_texts(*errors) for errors in words.values())
        if status == 200:
            codes, shapes = f"Done, or an error. Its codes: {codes}", [success, *shapes]
        if status == InvalidArgs.status:
            shapes.append(refusal(InvalidArgs))
        responses[str(status)] = answer(codes, *shapes, headers=TRACED)
    if _is_v4(path):
        shape = v4_error("INVALID_ARGUMENT", BadRequest)
        responses["405"] = METHOD_REFUSED | {"content": {"application/json": {"schema": shape}}}
    return responses


def v4_error(word: str, *errors: type[StoreError]) -> Json:
    """The envelope of these errors in version 4."""
    codes = sorted({str(error.code) for error in errors})
    detail = thing({"code": described(TEXT, code_texts(*errors), enum=codes), "message": TEXT})
    always = {"code": {"const": word}, "message": TEXT, "details": listed(detail)}
    more = {"data": ref("Permission")} if PermissionDenied in errors else {}
    return thing({"error": thing(always, optional=more), "job_request_id": TEXT})
