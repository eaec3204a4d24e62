"""JSON Schemas and responses that the OpenAPI document shares: envelopes, errors, refusals."""

from __future__ import annotations

import re

from joblogs.errors import BadRequest, PermissionDenied, StoreError
from joblogs.refusals import (
    ApiNotFound,
    AppVerifyFailed,
    BodyTooLarge,
    InvalidArgs,
    LengthRequired,
    Refusal,
    TooManyRequests,
)

from .fields import TEXT, Json, described, header

NULL: Json = {"type": "null"}
SIGNED: Json = {
    "X-Bkapi-Request-Id": {"$ref": "#/components/headers/GatewayRequestId"},
    "X-Bk-Job-Request-Id": {"$ref": "#/components/headers/JobRequestId"},
}
TRACED = SIGNED | {"X-Request-ID": {"$ref": "#/components/headers/RequestId"}}


def answer(text: str, *shapes: Json, headers: Json = SIGNED) -> Json:
    """Return a JSON response with one of these schemas."""
    shape = shapes[0] if len(shapes) == 1 else {"oneOf": list(shapes)}
    content = {"application/json": {"schema": shape}}
    return {"description": text, "headers": headers, "content": content}


def thing(properties: Json, **optional: Json) -> Json:
    """Return the JSON Schema of an object with required `properties` and `optional` ones."""
    always = list(properties)
    return {"type": "object", "properties": {**properties, **optional}, "required": always}


def code_texts(*errors: type[StoreError]) -> str:
    """Return the codes of errors with their English messages."""
    lines = {error.code: re.sub(r"{\d}", "…", error.text.en) for error in errors}
    return "; ".join(f"{code}: {lines[code]}" for code in sorted(lines))


def failure(*errors: type[StoreError], data: Json = NULL) -> Json:
    """Return the JSON Schema of the envelope of these errors."""
    codes = sorted({error.code for error in errors})
    always = {
        "result": {"const": False},
        "code": described({"type": "integer"}, code_texts(*errors), enum=codes),
        "message": described(TEXT, "What is wrong, in Chinese; in English on request."),
        "data": data,
        "job_request_id": TEXT,
    }
    return thing(always, **_permission(*errors, key="permission"))


def v4_error(word: str, *errors: type[StoreError]) -> Json:
    """Return the JSON Schema of the envelope of these errors in version 4."""
    codes = sorted({str(error.code) for error in errors})
    detail = thing({"code": described(TEXT, code_texts(*errors), enum=codes), "message": TEXT})
    always = {
        "code": {"const": word},
        "message": TEXT,
        "details": {"type": "array", "items": detail},
    }
    body = thing(always, **_permission(*errors, key="data"))
    return thing({"error": body, "job_request_id": TEXT})


def _permission(*errors: type[StoreError], key: str) -> Json:
    ref = {"$ref": "#/components/schemas/Permission"}
    return {key: ref} if PermissionDenied in errors else {}


def refusal(error: type[Refusal]) -> Json:
    """Return the JSON Schema of a refusal before the endpoint, in the gateway's format."""
    shape = thing(
        {
            "code": {"const": error.code},
            "code_name": {"const": error.code_name},
            "message": TEXT,
            "result": {"const": False},
            "data": NULL,
        }
    )
    return described(shape, (error.__doc__ or "").strip())


REFUSALS: tuple[type[Refusal], ...] = (
    InvalidArgs,
    AppVerifyFailed,
    ApiNotFound,
    LengthRequired,
    BodyTooLarge,
    TooManyRequests,
)
METHOD_REFUSED = answer(
    "Any other method, after the credentials.",
    failure(BadRequest),
    headers=SIGNED | {"Allow": header("The methods that there are.")},
)


def refused_answer(error: type[Refusal]) -> Json:
    """Return the response of a refusal."""
    headers = SIGNED | {
        "X-Bkapi-Error-Code": header("The code, as the gateway's own errors have it."),
        "X-Bkapi-Error-Message": header("The message."),
    }
    if error is TooManyRequests:
        headers["Retry-After"] = header("Seconds to wait.", pattern="^[0-9]+$")
    return answer((error.__doc__ or "").strip(), refusal(error), headers=headers)
