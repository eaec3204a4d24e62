"""Context of a request and its response, and the dialects of the API: the URL forms by which
BlueKing clients reach it (`docs/api.md`, Routes)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse
from msgspec import UNSET, UnsetType

from .fields import constant

T = TypeVar("T")
json_bytes = msgspec.json.Encoder().encode

_LANGUAGE_TAGS = {"zh": "zh-hans", "en": "en"}
_TRACE = re.compile(r"[\x21-\x7e]{1,128}")
_SLUG = r"[-\w.]+"


class Dialect(Enum):
    """Choices of the dialect; the value is a regular expression of the start of its paths, without
    the leading slash."""

    # The order matters: the first match wins, and a gateway or stage may be called `esb` or `v1`.
    BACKEND = r"(?:api/job/v3/job-execute|esb/api/v3)/"
    BACKEND_V4 = r"(?:api/job/v4/(?!api/)[-\w.]+|esb/api/v4)/"
    ESB = r"api/c/compapi/(?:v2/)?jobv3/"
    GATEWAY = rf"(?:api/{_SLUG}/)?{_SLUG}/api/v3/(?:system/)?"
    GATEWAY_V4 = rf"(?:api/{_SLUG}/)?{_SLUG}/api/v4/(?:system/)?"
    BARE = r"api/v3/(?:system/)?"
    BARE_V4 = r"api/v4/(?:system/)?"
    OWN = r"api/v1/"
    # Other paths of APIs, which do not exist.
    OTHER = r"(?:api|esb)/"

    @property
    def prefix(self) -> str:
        return self.value


FORMS_V3 = (
    "`/api/{gateway}/{stage}/api/v3/`, `/{stage}/api/v3/`, each of them and `/api/v3/` with "
    "`system/` after it, `/api/job/v3/job-execute/`, `/esb/api/v3/`, `/api/c/compapi/v2/jobv3/` "
    "and `/api/c/compapi/jobv3/`; all with and without a trailing slash."
)
FORMS_V4 = (
    "Also with `v4_` before the name, under `/api/{gateway}/{stage}/api/v4/` and "
    "`/{stage}/api/v4/`, each with `system/` after it, under `/api/job/v4/{module}/` of any module "
    "and under `/esb/api/v4/`, with and without a trailing slash."
)
"""Other paths of an endpoint besides the canonical one, for the OpenAPI document."""
_COMPILED = [(dialect, re.compile("/" + dialect.prefix)) for dialect in Dialect]
_V3 = (Dialect.BACKEND, Dialect.ESB, Dialect.BARE, Dialect.GATEWAY)
V4 = (Dialect.BACKEND_V4, Dialect.BARE_V4, Dialect.GATEWAY_V4)
"""Dialects with the envelope of version 4."""
THROUGH_GATEWAY = (Dialect.GATEWAY, Dialect.BARE, Dialect.GATEWAY_V4, Dialect.BARE_V4)
"""Dialects whose responses have the headers that a gateway adds."""
BACKENDS = (Dialect.BACKEND, Dialect.BACKEND_V4)
"""Dialects of requests from a gateway, which have its token about the caller."""


def dialect_of(path: str) -> Dialect | None:
    """Return the dialect of a path (with its leading slash), or None for pages."""
    for dialect, pattern in _COMPILED:
        if pattern.match(path):
            return dialect
    return None


def routes(name: str) -> str:
    """Return the URL pattern of an API for all dialects of version 3, with and without a slash."""
    return _pattern(_V3, name)


def v4_routes(name: str) -> str:
    """Return the URL pattern of an API for all dialects of version 4, also with `v4_` before it."""
    return _pattern(V4, f"(?:v4_)?{name}")


def _pattern(dialects: Iterable[Dialect], name: str) -> str:
    return rf"^(?:{'|'.join(dialect.prefix for dialect in dialects)}){name}/?$"


@dataclass(slots=True)
class Exchange:
    """Context of one request that its response needs: dialect, language and request ids."""

    dialect: Dialect
    language: str
    trace: str
    gateway_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    job_request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def begin(cls, request: HttpRequest, dialect: Dialect) -> Exchange:
        """Return the context of a request. Only `Blueking-Language: en` means English."""
        language = request.META.get("HTTP_BLUEKING_LANGUAGE", "").strip().lower()
        trace = request.META.get("HTTP_X_REQUEST_ID", "")
        return cls(
            dialect=dialect,
            language="en" if language == "en" else "zh",
            trace=trace if _TRACE.fullmatch(trace) else "",
        )

    def sign(self, response: HttpResponse) -> None:
        """Set the id headers of a response; a gateway id in the request is ignored."""
        response["X-Bkapi-Request-Id"] = self.gateway_id
        response["X-Bk-Job-Request-Id"] = self.job_request_id
        # Django's middleware sets it by `Accept-Language`, which the API ignores.
        del response["Content-Language"]
        if response.get("Content-Type") == "application/json":
            response["Content-Language"] = _LANGUAGE_TAGS[self.language]
        if self.dialect in THROUGH_GATEWAY:
            response["X-Request-ID"] = self.trace or self.gateway_id

    def tail(self) -> dict[str, Any]:
        """Return the last keys of every envelope."""
        ids = {"job_request_id": self.job_request_id}
        return {**ids, "request_id": self.job_request_id} if self.dialect is Dialect.ESB else ids


def exchange_of(request: Any) -> Exchange:
    """Return the exchange of a request, which `joblogs.middleware.ApiAnswers` began."""
    exchange: Exchange = request.exchange
    return exchange


class Success(msgspec.Struct, Generic[T]):
    """Envelope of a success. Only the ESB's has `request_id`."""

    result: Annotated[bool, constant(True)]
    code: Annotated[int, constant(0)]
    message: Annotated[str, constant("")]
    data: T
    job_request_id: str
    request_id: str | UnsetType = UNSET


class V4Success(msgspec.Struct, Generic[T]):
    """Envelope of a success in version 4."""

    data: T
    job_request_id: str


def success_of(request: Any, data: Any) -> Success[Any] | V4Success[Any]:
    """Return `data` in the envelope of a success of the request's dialect."""
    exchange = exchange_of(request)
    number = exchange.job_request_id
    if exchange.dialect in V4:
        return V4Success(data, number)
    also = number if exchange.dialect is Dialect.ESB else UNSET
    return Success(True, 0, "", data, number, also)


def success(request: Any, data: Any) -> HttpResponse:
    """Return the response with `data` in the envelope of a success."""
    return answer(success_of(request, data))


def answer(envelope: Any, *, status: int = 200) -> HttpResponse:
    """Return a JSON response, regardless of the `Accept` header."""
    return HttpResponse(json_bytes(envelope), status=status, content_type="application/json")
