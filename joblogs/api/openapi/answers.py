"""Builders of answers in the OpenAPI document: envelopes, refusals, headers, by status."""

from __future__ import annotations

import re
from typing import Any

from joblogs.errors import (
    ApiNotFound,
    AppVerifyFailed,
    BadRequest,
    BodyTooLarge,
    InvalidArgs,
    LengthRequired,
    PermissionDenied,
    Refusal,
    StoreError,
    TooManyRequests,
    Unavailable,
)

from .shapes import INTEGER, NOTHING, TEXT, Json, described, listed, ref, thing


def header(text: str, **shape: Any) -> Json:
    """A header that an answer always has."""
    return {"description": text, "required": True, "schema": TEXT | shape}


SIGNED = {"X-Bkapi-Request-Id": ref("GatewayRequestId", "headers")} | {
    "X-Bk-Job-Request-Id": ref("JobRequestId", "headers")
}
TRACED = SIGNED | {"X-Request-ID": ref("RequestId", "headers")}


def answer(text: str, *shapes: Json, headers: Json = SIGNED) -> Json:
    """An answer of JSON that has one of these shapes."""
    shape = shapes[0] if len(shapes) == 1 else {"oneOf": list(shapes)}
    return {
        "description": text,
        "headers": headers,
        "content": {"application/json": {"schema": shape}},
    }


def success(data: Json) -> Json:
    """The envelope of a success."""
    return thing(
        {
            "result": {"const": True},
            "code": {"const": 0},
            "message": {"const": ""},
            "data": data,
            "job_request_id": TEXT,
        }
    )


def failure(*errors: type[StoreError], data: Json = NOTHING) -> Json:
    """The envelope of these errors."""
    codes = sorted({error.code for error in errors})
    more = {"permission": ref("Permission")} if PermissionDenied in errors else {}
    always = {
        "result": {"const": False},
        "code": described(INTEGER, code_texts(*errors), enum=codes),
        "message": described(TEXT, "What is wrong, in Chinese; in English on request."),
        "data": data,
        "job_request_id": TEXT,
    }
    return thing(always, optional=more)


def code_texts(*errors: type[StoreError]) -> str:
    """Codes and their English sentences."""
    lines = {error.code: re.sub(r"{\d}", "…", error.text.en) for error in errors}
    return "; ".join(f"{code}: {lines[code]}" for code in sorted(lines))


def refusal(error: type[Refusal]) -> Json:
    """A refusal before the endpoint, in the gateway's format."""
    return thing(
        {
            "code": {"const": error.code},
            "code_name": {"const": error.code_name},
            "message": TEXT,
            "result": {"const": False},
            "data": NOTHING,
        },
        text=(error.__doc__ or "").strip(),
    )


REFUSED_HEADERS = SIGNED | {
    "X-Bkapi-Error-Code": header("The code, as the gateway's own errors have it."),
    "X-Bkapi-Error-Message": header("The message."),
}


def _refused(error: type[Refusal]) -> Json:
    headers = dict(REFUSED_HEADERS)
    if error is TooManyRequests:
        headers["Retry-After"] = header("Seconds to wait.", pattern="^[0-9]+$")
    return answer((error.__doc__ or "").strip(), refusal(error), headers=headers)


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
            "`/api/job/v3/job-execute/` and `/esb/api/v3/` only, where BK_GATEWAY_PUBLIC_KEYS is "
            "set; then it alone decides.",
        },
    },
    "headers": {
        "GatewayRequestId": header("A fresh id of this answer."),
        "JobRequestId": header("The same as `job_request_id` of the body, if that has one."),
        "RequestId": header("The caller's X-Request-ID, else a fresh one."),
    },
    "responses": {error.__name__: _refused(error) for error in REFUSALS}
    | {"MethodNotAllowed": METHOD_REFUSED},
    "schemas": {
        "Permission": thing(
            {
                "system_id": {"const": "bk_job"},
                "system_name": TEXT,
                "actions": listed({"type": "object"}),
            },
            text="What the app would need, as BlueKing's permission centre writes it.",
        ),
    },
}


def refusals(*, reads_json: bool = False) -> Json:
    """The answers before an endpoint of version 3 or 1 is reached."""
    answers = {
        "400": ref("InvalidArgs", "responses"),
        "401": ref("AppVerifyFailed", "responses"),
        "405": ref("MethodNotAllowed", "responses"),
        "429": ref("TooManyRequests", "responses"),
    }
    bodies = {"411": ref("LengthRequired", "responses"), "413": ref("BodyTooLarge", "responses")}
    return answers | bodies if reads_json else answers


def enveloped(
    data: Json, *errors: type[StoreError], headers: Json = SIGNED, refused_data: Json = NOTHING
) -> Json:
    """HTTP 200: the envelope, of a success or of one of these errors."""
    every: tuple[type[StoreError], ...] = (Unavailable, *errors)
    text = f"Done, or a business error. Its codes: {code_texts(*every)}."
    return {"200": answer(text, success(data), failure(*every, data=refused_data), headers=headers)}
