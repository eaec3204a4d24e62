"""Reading of request bodies, with or without a Content-Length: JSON, or lines of records."""

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
from joblogs.ingest.stream import (
    BODY_WINDOW_LOG,
    ENCODINGS,
    Block,
    RecordLine,
    StreamCut,
    numbered_lines,
)
from joblogs.refusals import BodyTooLarge, LengthRequired

BODY_MAX_BYTES = 2_621_440
_CUT = (OSError, UnreadablePostError, ParseException)
"""Errors of a truncated body: of the socket, of Django, and of gunicorn for chunked bodies."""
_JSON_TYPES = ("", "application/json", "text/plain")
_RECORD_TYPES = ("", "application/x-ndjson", "application/json", "text/plain")
_NOT_JSON = re.compile(
    r'"(?:[^"\\]|\\.)*+"|(?P<bad>-?Infinity|NaN|-?[0-9]{4301,}|-?[0-9.]++[eE][+-]?[0-9]{10,})',
    re.DOTALL,
)
"""Values that Python's JSON parser refuses without a position; strings are skipped."""


def opened(
    request: HttpRequest, types: tuple[str, ...], *, most: int | None = None
) -> tuple[BinaryIO, int]:
    """Return the body as a file, and its declared length, 0 if unknown.

    Raise BodyTooLarge if the length is more than `most`, BadRequest for a media type not in
    `types`, and LengthRequired if the end of the body cannot be detected. Django does not read
    chunked bodies; a server that decodes them sets `wsgi.input_terminated`.
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


def record_lines(request: HttpRequest, *, max_bytes: int) -> Iterator[RecordLine | Block]:
    """Return the body as numbered lines, read lazily. Raise BadRequest or BodyTooLarge."""
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
    """Reader of a body that may be truncated: it returns all bytes, then raises StreamCut."""

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
        # A server that buffers chunks may still have bytes that it did not return when it failed.
        try:
            return self.source.read(size)
        except _CUT:
            return b""


def json_object(request: HttpRequest) -> dict[str, Any]:
    """Return the body as a JSON object, cached on the request. Raise BadRequest or BodyTooLarge."""
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
    """Parse JSON in UTF-8, with or without a BOM. Raise BadRequest with the position of an error.

    Numbers with a fraction or an exponent become Decimal, so that none is rounded. Lone surrogates
    are accepted: they are valid JSON, and match nothing.
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
