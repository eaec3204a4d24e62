"""Body of a request, with or without a Content-Length: a JSON object, or lines of records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, cast

from django.http import HttpRequest
from django.http.request import UnreadablePostError
from gunicorn.http.errors import ParseException

from joblogs.errors import BadRequest, StoreError
from joblogs.ingest.stream import BODY_WINDOW_LOG, ENCODINGS, Block, Line, StreamCut, numbered_lines
from joblogs.refusals import BodyTooLarge, LengthRequired

BODY_MAX_BYTES = 2_621_440
_CUT = (OSError, UnreadablePostError, ParseException)
"""How a body's end is missed: Django's way, the socket's, and gunicorn's of a chunk."""
_JSON_TYPES = ("", "application/json", "text/plain")
_RECORD_TYPES = ("", "application/x-ndjson", "application/json", "text/plain")
_NOT_JSON = re.compile(
    r'"(?:[^"\\]|\\.)*+"|(?P<bad>-?Infinity|NaN|-?[0-9]{4301,}|-?[0-9.]++[eE][+-]?[0-9]{10,})',
    re.DOTALL,
)
"""What Python's reader refuses without saying where; a string is passed over."""


def opened(
    request: HttpRequest, types: tuple[str, ...], *, most: int | None = None
) -> tuple[BinaryIO, int]:
    """The body as a file, and its length as the request says it, 0 if it does not.

    Raises BodyTooLarge if that is more than `most`, BadRequest for a type that is none of `types`,
    LengthRequired if nobody could say where the body ends. Django reads nothing of one that comes
    chunked; a server that decodes chunks itself says so.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    declared = int(length) if length.isascii() and length.isdigit() else 0
    if most is not None and declared > most:
        raise BodyTooLarge
    if request.content_type not in types:
        raise BadRequest(BadRequest.FIELD, "Content-Type")
    if length or "HTTP_TRANSFER_ENCODING" not in request.META:
        return cast(BinaryIO, request), declared
    if not request.META.get("wsgi.input_terminated"):
        raise LengthRequired
    return cast(BinaryIO, request.META["wsgi.input"]), declared


def record_lines(request: HttpRequest, *, max_bytes: int) -> Iterator[Line | Block]:
    """The body as numbered lines, read lazily. Raises BadRequest, BodyTooLarge."""
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    encoding = "" if encoding == "identity" else encoding
    if encoding not in ENCODINGS:
        raise BadRequest
    source, declared = opened(request, _RECORD_TYPES)
    body = _Body(source, declared=declared)
    return numbered_lines(
        body.read, encoding=encoding, max_bytes=max_bytes, window_log=BODY_WINDOW_LOG
    )


class _Body:
    """Reader of a body that may be cut: it returns the bytes that came, then raises StreamCut."""

    def __init__(self, source: BinaryIO, *, declared: int) -> None:
        self.source, self.left, self.cut = source, declared, False

    def read(self, size: int) -> bytes:
        try:
            data = self.source.read(size)
        except _CUT:
            self.cut = True
            data = self._read_rest(size)
        self.left -= len(data)
        if not data and (self.cut or self.left > 0):
            raise StreamCut("the connection was cut")
        return data

    def _read_rest(self, size: int) -> bytes:
        # A server that gathers chunks may have some that it did not hand out when it failed.
        try:
            return self.source.read(size)
        except _CUT:
            return b""


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object. Raises BadRequest or BodyTooLarge. Cached on the request."""
    result: dict[str, Any] | StoreError | None = getattr(request, "json_object", None)
    if result is None:
        try:
            result = _read_object(request)
        except StoreError as error:
            result = error
        request.json_object = result  # type: ignore[attr-defined]
    if isinstance(result, StoreError):
        raise result
    return result


def _read_object(request: HttpRequest) -> dict[str, Any]:
    source, _ = opened(request, _JSON_TYPES, most=BODY_MAX_BYTES)
    if "HTTP_CONTENT_ENCODING" in request.META:
        raise BadRequest
    parts, left = [], BODY_MAX_BYTES + 1
    try:
        while left and (part := source.read(min(left, 256 * 1024))):
            parts.append(part)
            left -= len(part)
    except _CUT as error:
        raise BadRequest from error
    if not left:
        raise BodyTooLarge
    value = parse_json(b"".join(parts))
    if not isinstance(value, dict):
        raise BadRequest
    return value


def parse_json(data: bytes) -> Any:
    """JSON in UTF-8, a BOM allowed. Raises BadRequest, which says where, for anything else.

    Numbers with a fraction or an exponent come as Decimal, so that none is rounded. Lone surrogates
    are let through: they are valid JSON, and match nothing.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(BadRequest.NOT_UTF8, error.start) from error
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise BadRequest(BadRequest.NOT_JSON, error.lineno, error.colno) from error
    except RecursionError as error:
        raise BadRequest(BadRequest.TOO_DEEP) from error
    except (ValueError, ArithmeticError) as error:
        at = next((match.start() for match in _NOT_JSON.finditer(text) if match["bad"]), 0)
        line_start = text.rfind("\n", 0, at) + 1
        line, column = text.count("\n", 0, at) + 1, at - line_start + 1
        raise BadRequest(BadRequest.NOT_JSON, line, column) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
