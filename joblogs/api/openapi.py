"""OpenAPI document of the API, generated from the table of routes, the views and their structs.

drf-spectacular iterates over the routes and validates the document; `settings` names the class and
the two hooks of this module that it calls. A route without a description is an error.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import msgspec
from drf_spectacular.drainage import error
from drf_spectacular.openapi import AutoSchema

from joblogs.errors import BadRequest, StoreError, Unavailable
from joblogs.refusals import ApiNotFound, BodyTooLarge, LengthRequired

from .base import ApiView, Errors, Operation
from .envelope import v4_failure
from .exchange import FORMS_V3, FORMS_V4, Success, V4Success
from .fields import SCOPE, TEXT, Json, described, header, required_of, shapes_of
from .openapi_shapes import (
    METHOD_REFUSED,
    REFUSALS,
    SIGNED,
    TRACED,
    answer,
    code_texts,
    failure,
    refusal,
    refused_answer,
    thing,
    v4_error,
)
from .urls import PATH_PARTS, ROUTES

PATHS: dict[type[ApiView], str] = {route.view: route.path for route in ROUTES}
"""Canonical path of each endpoint in the document."""
# Examples of required parameters.
EXAMPLES: Json = {
    "bk_scope_type": "biz",
    "bk_scope_id": "2",
    "job_instance_id": 100,
    "step_instance_id": 200,
    "create_time_start": 1_700_000_000_000,
    "create_time_end": 1_700_086_400_000,
}
TAGS = [
    {"name": "BlueKing", "description": "As in BlueKing JOB."},
    {"name": "Raw log", "description": "Logs as bytes, for tools."},
    {"name": "Audit", "description": "Who read which logs."},
    {"name": "Answers", "description": "What a step's logs say, not the logs."},
    {"name": "Export", "description": "Many logs as one file."},
    {"name": "Records", "description": "Records from producers."},
    {"name": "This document"},
]


class EndpointSchema(AutoSchema):
    """Inspector of drf-spectacular that returns the operation of a view's method."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Json | None:
        operation = OPERATIONS.get((path, method))
        if operation is None:
            error(f"{method} {path} is not described")
        return operation


def canonical_paths(endpoints: list[tuple[str, str, str, Any]]) -> list[Any]:
    """Hook that gives each endpoint its one documented path, and adds HEAD, which is not listed."""
    views = {callback.cls: (regex, callback) for _, regex, _, callback in endpoints}
    return [
        (path, views[view][0], method.upper(), views[view][1])
        for view, path in PATHS.items()
        for method in view.http_method_names
        if hasattr(view, method)
    ]


def add_components(result: Json, **_: Any) -> Json:
    """Hook that adds the components that operations refer to, and the order of the tags."""
    return result | {"tags": TAGS, "components": COMPONENTS}


def schema_of(answer: type[msgspec.Struct]) -> Json:
    """Return the schema of the struct of an endpoint's response."""
    return dict(_SCHEMAS[_SHAPES[answer]["$ref"].removeprefix(_SCHEMA_PATH)])


def _operation(path: str, method: str, view: type[ApiView], operation: Operation) -> Json:
    both = {"get", "post"} <= view.operations.keys()
    name = ("v4_" if _is_v4(path) else "") + path.rpartition("/")[2]
    shape = {
        "operationId": operation.id or (f"{name}_post" if both and method == "post" else name),
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": f"{operation.description} {_forms(path, method, both=both)}".strip(),
        "security": [] if operation.is_public else [{"app": []}, {"token": []}],
        "responses": _responses(path, method, view, operation),
    }
    fields = shapes_of(operation.request) if operation.request else {}
    required = required_of(operation.request) if operation.request else []
    if operation.has_scope and not _is_own(path):
        fields = {**SCOPE.fields, **fields}
    if operation.body:
        shape["requestBody"] = {"required": True, "content": operation.body}
    elif method == "post":
        shape["requestBody"] = _json_body(fields, required, operation.example)
    parameters = [
        *(_parameter("path", part, _part(part)) for part in re.findall(r"{(\w+)}", path)),
        *(_parameter("query", *field, required) for field in fields.items() if method != "post"),
        *(_parameter("header", *field) for field in operation.headers.items()),
    ]
    return shape | ({"parameters": parameters} if parameters else {})


def _part(name: str) -> Json:
    return TEXT | {"pattern": f"^({PATH_PARTS[name]})$"}


def _is_v4(path: str) -> bool:
    return path.startswith("/api/v4/")


def _is_own(path: str) -> bool:
    return path.startswith("/api/v1/")


def _forms(path: str, method: str, *, both: bool) -> str:
    """Return a sentence with the other paths of an endpoint besides the canonical one."""
    if _is_own(path):
        return "With and without a trailing slash."
    if _is_v4(path):
        return FORMS_V4
    methods = "GET (query) and POST (JSON)" if both else method.upper()
    return f"Also as {methods} under {FORMS_V3}"


def _json_body(fields: Json, required: list[str], example: Json) -> Json:
    shape = {
        "type": "object",
        "properties": fields,
        "required": required,
        "anyOf": [{"required": ["bk_scope_type", "bk_scope_id"]}, {"required": ["bk_biz_id"]}],
    }
    names = ("bk_scope_type", "bk_scope_id", *required)
    example = {name: EXAMPLES[name] for name in names if name not in example} | example
    content = {"application/json": {"schema": shape, "example": example}}
    return {"required": True, "content": content}


def _parameter(place: str, name: str, shape: Json, required: list[str] | None = None) -> Json:
    about: Json = {key: shape[key] for key in ("description", "deprecated") if key in shape}
    schema = {key: value for key, value in shape.items() if key not in about}
    is_required = place == "path" or name in (required or ())
    return {"name": name, "in": place, "required": is_required, "schema": schema, **about}


def _responses(path: str, method: str, view: type[ApiView], operation: Operation) -> Json:
    """Return the responses by status: of the endpoint, its errors, and refusals before it."""
    headers = SIGNED if _is_own(path) else TRACED
    files = {
        status: response | {"headers": headers | response["headers"]}
        for status, response in operation.responses.items()
    }
    if operation.is_public:
        return files | {"405": METHOD_REFUSED}
    shapes: dict[int, list[Json]] = defaultdict(list)
    texts: dict[int, list[str]] = defaultdict(list)
    if operation.answer:
        success = _SHAPES[_enveloped(path, operation.answer)]
        shapes[200], texts[200] = [success], ["Done, or an error"]
    if operation.refused and operation.answer:
        shapes[200].append(failure(*operation.refused, data=_SHAPES[operation.answer]))
        texts[200].append(code_texts(*operation.refused))
    errors: dict[tuple[int, str], list[type[StoreError]]] = defaultdict(list)
    every: Errors = (Unavailable, *view.errors)
    for kind in every:
        key = v4_failure(kind) if _is_v4(path) else (view.status_of(kind), "")
        errors[key].append(kind)
    for (status, word), kinds in errors.items():
        shapes[status].append(v4_error(word, *kinds) if word else failure(*kinds))
        texts[status].append(code_texts(*kinds))
    responses: Json = {}
    for refused in REFUSALS:
        if refused in (LengthRequired, BodyTooLarge) and method != "post":
            continue
        if refused is ApiNotFound and "{" not in path:
            continue
        if refused.status in shapes:
            shapes[refused.status].append(refusal(refused))
        else:
            ref = {"$ref": f"#/components/responses/{refused.__name__}"}
            responses[str(refused.status)] = ref
    for status, alternatives in shapes.items():
        text = "; ".join(texts[status])
        responses[str(status)] = answer(text, *alternatives, headers=headers)
    responses["405"] = {"$ref": "#/components/responses/MethodNotAllowed"}
    if _is_v4(path):
        shape = v4_error("INVALID_ARGUMENT", BadRequest)
        content = {"application/json": {"schema": shape}}
        responses["405"] = METHOD_REFUSED | {"content": content}
    for code, file in files.items():
        content = responses.get(code, {}).get("content", {}) | file.get("content", {})
        responses[code] = file | ({"content": content} if content else {})
    if method == "head":  # the headers of GET without a body
        responses = {status: _without_body(response) for status, response in responses.items()}
    return responses


def _without_body(response: Json) -> Json:
    if "$ref" in response:
        return {"description": "As of GET, without a body."}
    return {key: value for key, value in response.items() if key != "content"}


def _enveloped(path: str, answer: type[msgspec.Struct]) -> Any:
    return (V4Success if _is_v4(path) else Success)[answer]


def _described() -> tuple[dict[Any, Json], Json]:
    """Return the shapes of responses by their struct, alone and in the envelope, and the schemas
    by name to which they refer. A name alone may be that of two structs."""
    answers = [
        (route.path, operation.answer)
        for route in ROUTES
        for operation in route.view.operations.values()
        if operation.answer
    ]
    structs: list[Any] = [_enveloped(path, answer) for path, answer in answers]
    structs += [answer for _, answer in answers]
    shapes, schemas = msgspec.json.schema_components(structs, ref_template=_SCHEMA_PATH + "{name}")
    for schema in schemas.values():
        # Only a field that is UNSET by default may be absent: None is encoded as null.
        for name, shape in schema.get("properties", {}).items():
            if shape.pop("default", ...) is not ...:
                schema.setdefault("required", []).append(name)
    return dict(zip(structs, shapes, strict=True)), schemas


_SCHEMA_PATH = "#/components/schemas/"
_SHAPES, _SCHEMAS = _described()
OPERATIONS: dict[tuple[str, str], Json] = {
    (route.path, method.upper()): _operation(route.path, method, route.view, operation)
    for route in ROUTES
    for method, operation in route.view.operations.items()
}
COMPONENTS: Json = {
    "securitySchemes": {
        "app": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Bkapi-Authorization",
            "description": 'JSON: `{"bk_app_code": "…", "bk_app_secret": "…"}`, and '
            "`bk_username`, who is recorded as the reader. Rights are the app's. Or a token of the "
            'store alone: `{"access_token": "jlt_…"}`.',
        },
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of the store: `Authorization: Bearer jlt_…`.",
        },
        "gateway": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Bkapi-JWT",
            "description": "A gateway's token, signed with RS512. Read on the backend forms "
            "`/api/job/v3/job-execute/`, `/api/job/v4/{module}/`, `/esb/api/v3/`, `/esb/api/v4/` "
            "only, where BK_GATEWAY_PUBLIC_KEYS is set; then it alone decides.",
        },
    },
    "headers": {
        "GatewayRequestId": header("A fresh id of this answer."),
        "JobRequestId": header("The same as `job_request_id` of the body, if that has one."),
        "RequestId": header("The caller's X-Request-ID, else a fresh one."),
    },
    "responses": {error.__name__: refused_answer(error) for error in REFUSALS}
    | {"MethodNotAllowed": METHOD_REFUSED},
    "schemas": _SCHEMAS
    | {
        "Permission": described(
            thing(
                {
                    "system_id": {"const": "bk_job"},
                    "system_name": TEXT,
                    "actions": {"type": "array", "items": {"type": "object"}},
                }
            ),
            "What the app would need, as BlueKing's permission centre writes it.",
        ),
    },
}
