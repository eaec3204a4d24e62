"""Exchange of a request and its answer, in one of the dialects of the API: ways in which BlueKing
clients reach it, known by the path (`docs/api.md`, Routes)."""

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
    """Dialect, with the start of its paths as a regular expression without the leading slash."""

    # The order matters: `esb` is a backend before a stage, `v1` a gateway's name before ours.
    BACKEND = r"(?:api/job/v3/job-execute|esb/api/v3)/"
    BACKEND_V4 = r"(?:api/job/v4/(?!api/)[-\w.]+|esb/api/v4)/"
    ESB = r"api/c/compapi/(?:v2/)?jobv3/"
    GATEWAY = rf"(?:api/{_SLUG}/)?{_SLUG}/api/v3/(?:system/)?"
    GATEWAY_V4 = rf"(?:api/{_SLUG}/)?{_SLUG}/api/v4/(?:system/)?"
    BARE = r"api/v3/(?:system/)?"
    BARE_V4 = r"api/v4/(?:system/)?"
    OWN = r"api/v1/"
    # Whatever else looks like an API is one that does not exist.
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
"""The paths of an endpoint beside its canonical one, for the OpenAPI document."""
_COMPILED = [(dialect, re.compile("/" + dialect.prefix)) for dialect in Dialect]
_V3 = (Dialect.BACKEND, Dialect.ESB, Dialect.BARE, Dialect.GATEWAY)
V4 = (Dialect.BACKEND_V4, Dialect.BARE_V4, Dialect.GATEWAY_V4)
"""Dialects with the envelope of version 4."""
THROUGH_GATEWAY = (Dialect.GATEWAY, Dialect.BARE, Dialect.GATEWAY_V4, Dialect.BARE_V4)
"""Dialects whose answers carry what a gateway adds to them."""
BACKENDS = (Dialect.BACKEND, Dialect.BACKEND_V4)
"""Dialects by which a gateway comes, with its token about the caller."""


def dialect_of(path: str) -> Dialect | None:
    """The dialect of a path (with its leading slash), None for pages."""
    for dialect, pattern in _COMPILED:
        if pattern.match(path):
            return dialect
    return None


def routes(name: str) -> str:
    """A URL pattern for an API under every dialect of version 3, with and without a slash."""
    return _pattern(_V3, name)


def v4_routes(name: str) -> str:
    """The same under those of version 4, where the gateway's name for it may be used too."""
    return _pattern(V4, f"(?:v4_)?{name}")


def _pattern(dialects: Iterable[Dialect], name: str) -> str:
    return rf"^(?:{'|'.join(dialect.prefix for dialect in dialects)}){name}/?$"


@dataclass(slots=True)
class Exchange:
    """Context of one request that its answer needs: the dialect, the language, the ids."""

    dialect: Dialect
    language: str
    trace: str
    gateway_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    job_request_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def begin(cls, request: HttpRequest, dialect: Dialect) -> Exchange:
        """Only `Blueking-Language` decides the language, and only English is not Chinese."""
        language = request.META.get("HTTP_BLUEKING_LANGUAGE", "").strip().lower()
        trace = request.META.get("HTTP_X_REQUEST_ID", "")
        return cls(
            dialect=dialect,
            language="en" if language == "en" else "zh",
            trace=trace if _TRACE.fullmatch(trace) else "",
        )

    def sign(self, response: HttpResponse) -> None:
        """The ids that every answer carries; a caller's own gateway id is not looked at."""
        response["X-Bkapi-Request-Id"] = self.gateway_id
        response["X-Bk-Job-Request-Id"] = self.job_request_id
        # Django's middleware goes by `Accept-Language`, which decides nothing here.
        del response["Content-Language"]
        if response.get("Content-Type") == "application/json":
            response["Content-Language"] = _LANGUAGE_TAGS[self.language]
        if self.dialect in THROUGH_GATEWAY:
            response["X-Request-ID"] = self.trace or self.gateway_id

    def tail(self) -> dict[str, Any]:
        """The last keys of every envelope."""
        ids = {"job_request_id": self.job_request_id}
        return {**ids, "request_id": self.job_request_id} if self.dialect is Dialect.ESB else ids


def exchange_of(request: Any) -> Exchange:
    """The exchange that `joblogs.middleware.ApiAnswers` began for a request."""
    exchange: Exchange = request.exchange
    return exchange


class Success(msgspec.Struct, Generic[T]):
    """Envelope of a success; `request_id` is the ESB's."""

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
    """`data` in the envelope of a success, in the request's dialect."""
    exchange = exchange_of(request)
    number = exchange.job_request_id
    if exchange.dialect in V4:
        return V4Success(data, number)
    also = number if exchange.dialect is Dialect.ESB else UNSET
    return Success(True, 0, "", data, number, also)


def success(request: Any, data: Any) -> HttpResponse:
    """The answer with `data` in the envelope of a success."""
    return answer(success_of(request, data))


def answer(envelope: Any, *, status: int = 200) -> HttpResponse:
    """A JSON answer, whatever the client accepts."""
    return HttpResponse(json_bytes(envelope), status=status, content_type="application/json")
