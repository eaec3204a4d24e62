"""Rendering of errors in the envelopes of the dialects."""

from __future__ import annotations

import logging
import traceback
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.views import APIView

from joblogs.database import is_unanswered
from joblogs.errors import (
    BadRequest,
    JobNotFound,
    PermissionDenied,
    ScopeNotFound,
    StepNotFound,
    StoreError,
    Unavailable,
    UnsupportedOperation,
)
from joblogs.object_store import ObjectUnreachable
from joblogs.refusals import Refusal, TooManyRequests

from .exchange import V4, Dialect, Exchange, answer, exchange_of

logger = logging.getLogger(__name__)

ESB_REFUSED = 1306401
_V4_FAILURES = {
    Unavailable.code: (500, "INTERNAL"),
    UnsupportedOperation.code: (400, "FAILED_PRECONDITION"),
    PermissionDenied.code: (403, "NO_PERMISSION"),
    ScopeNotFound.code: (404, "NOT_FOUND"),
    JobNotFound.code: (404, "NOT_FOUND"),
    StepNotFound.code: (404, "NOT_FOUND"),
}
_UNKNOWN = (ScopeNotFound, JobNotFound, StepNotFound)
_INSTANCE_TYPES = {"biz": "biz", "biz_set": "business_set", "tenant_set": "tenant_set"}
_INSTANCE_NAMES = {
    "biz": ("业务", "Business"),
    "biz_set": ("业务集", "Business Set"),
    "tenant_set": ("租户集", "Tenant Set"),
}


def _wants_fallback(request: Any) -> bool:
    """Return whether a trusted proxy will ask BlueKing JOB for what this store does not have
    (`docs/beside-job.md`). Each trusted proxy adds an entry to X-Forwarded-For."""
    heard = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    is_proxied = 0 < settings.TRUSTED_PROXIES <= len([part for part in heard if part.strip()])
    return is_proxied and request.META.get("HTTP_X_JOBLOGS_FALLBACK", "") == "1"


def failure(request: Any, error: StoreError, *, data: Any = None) -> HttpResponse:
    """Return the response of an error, in the envelope of the request's dialect."""
    exchange = exchange_of(request)
    response = _failure(exchange, error, data)
    is_bluekings = isinstance(error, _UNKNOWN) and exchange.dialect is not Dialect.OWN
    if is_bluekings and _wants_fallback(request):
        response.status_code = HTTPStatus.NOT_FOUND
    # For the request log and metrics: in most dialects the HTTP status does not show the error.
    response.error_code = error.code  # type: ignore[attr-defined]
    return response


def _failure(exchange: Exchange, error: StoreError, data: Any) -> HttpResponse:
    if isinstance(error, Refusal):
        return _refusal(exchange, error)
    if exchange.dialect in V4:
        return _v4_failure(exchange, error)
    envelope = {
        "result": False,
        "code": error.code,
        "message": error.message(exchange.language),
        "data": data,
    } | exchange.tail()
    if isinstance(error, PermissionDenied):
        envelope["permission"] = _permission(error, exchange.language)
    return answer(envelope)


def v4_failure(error: StoreError | type[StoreError]) -> tuple[int, str]:
    """Return the HTTP status and the code name of an error in version 4."""
    return _V4_FAILURES.get(error.code, (400, "INVALID_ARGUMENT"))


def _v4_failure(exchange: Exchange, error: StoreError) -> HttpResponse:
    """Return an error of version 4: HTTP status and code name; version 3's code is a detail."""
    status, word = v4_failure(error)
    message = error.message(exchange.language)
    body: dict[str, Any] = {"code": word, "message": message}
    if isinstance(error, PermissionDenied):
        body["data"] = _permission(error, exchange.language)
    body["details"] = [{"code": str(error.code), "message": message}]
    return answer({"error": body} | exchange.tail(), status=status)


def _refusal(exchange: Exchange, error: Refusal) -> HttpResponse:
    exchange.language = "en"  # refusals are in English only, which the headers state
    message = error.message("en")
    if exchange.dialect is Dialect.ESB:
        # The ESB refuses with status 200, and without a gateway's headers.
        response = answer(
            {
                "result": False,
                "code": ESB_REFUSED,
                "message": message,
                "data": None,
                "request_id": exchange.job_request_id,
            }
        )
    else:
        response = answer(
            {
                "code": error.code,
                "code_name": error.code_name,
                "message": message,
                "result": False,
                "data": None,
            },
            status=error.status,
        )
        response["X-Bkapi-Error-Code"] = str(error.code)
        response["X-Bkapi-Error-Message"] = message
    if isinstance(error, TooManyRequests):
        response["Retry-After"] = str(error.retry_after)
    return response


def _permission(error: PermissionDenied, language: str) -> dict[str, Any]:
    english = language == "en"
    names = _INSTANCE_NAMES.get(error.scope_type, _INSTANCE_NAMES["biz"])
    instance = {
        "id": error.scope_id,
        "type": _INSTANCE_TYPES.get(error.scope_type, "biz"),
        "type_name": names[english],
        "name": error.scope_name,
    }
    return {
        "system_id": "bk_job",
        "system_name": "Job" if english else "作业平台",
        "actions": [
            {
                "id": "access_business",
                "name": "Access Business" if english else "业务访问",
                "related_resource_types": [
                    {
                        "system_id": "bk_cmdb",
                        "system_name": "Cmdb" if english else "配置平台",
                        "type": "biz",
                        "type_name": "Business" if english else "业务",
                        "instances": [[instance]] if error.scope_id else [],
                    }
                ],
            }
        ],
    }


def handle_exception(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """Exception handler of Django REST framework, which renders all errors."""
    request = context["request"]._request
    if isinstance(error, StoreError):
        if isinstance(error, Unavailable):
            _log_unforeseen(request, error)
        return failure(request, error)
    if isinstance(error, exceptions.MethodNotAllowed):
        response = failure(request, BadRequest())
        response.status_code = 405
        view: APIView = context["view"]
        response["Allow"] = ", ".join(view.allowed_methods)
        return response
    _log_unforeseen(request, error)
    return failure(request, Unavailable())


def _log_unforeseen(request: Any, error: Exception) -> None:
    # The traceback without the message, since a database's message may quote a log.
    cause = error.__cause__ or error
    # No traceback if a server is unreachable: the fault is not in the code.
    gone = is_unanswered(error) or is_unanswered(cause) or isinstance(error, ObjectUnreachable)
    logger.error(
        "request %s was not answered: %s%s",
        exchange_of(request).job_request_id,
        type(cause).__name__,
        "" if gone else "\n" + "".join(traceback.format_tb(cause.__traceback__)),
    )
