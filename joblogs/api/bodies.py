"""The bytes of a request, with or without a Content-Length: a JSON object, or lines of records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, cast

from django.http import HttpRequest
from django.http.request import UnreadablePostError
from gunicorn.http.errors import ParseException

from joblogs.errors import BadRequest, BodyTooLarge, LengthRequired, StoreError
from joblogs.ingest.stream import BODY_WINDOW_LOG, ENCODINGS, Block, Line, StreamCut, numbered_lines

BODY_MAX_BYTES = 2_621_440
_CUT = (OSError, UnreadablePostError, ParseException)
"""How a body's end is missed: Django's way, the socket's, and gunicorn's of a chunk."""
_JSON_TYPES = ("", "application/json", "text/plain")
_RECORD_TYPES = ("", "application/x-ndjson", "application/json", "text/plain")


def stream(request: HttpRequest) -> BinaryIO:
    """The body as a file. Raises LengthRequired if nobody could say where it ends.

    Django reads nothing of a body that comes chunked; a server that decodes chunks itself says so.
    """
    if not request.META.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" in request.META:
        if not request.META.get("wsgi.input_terminated"):
            raise LengthRequired
        return cast(BinaryIO, request.META["wsgi.input"])
    return cast(BinaryIO, request)


def record_lines(request: HttpRequest, *, max_bytes: int) -> Iterator[Line | Block]:
    """The body as numbered lines, read as it is asked for. Raises BadRequest, BodyTooLarge."""
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    encoding = "" if encoding == "identity" else encoding
    if encoding not in ENCODINGS or request.content_type not in _RECORD_TYPES:
        raise BadRequest
    body = _Body(stream(request), declared=_declared_length(request))
    return numbered_lines(
        body.read, encoding=encoding, max_bytes=max_bytes, window_log=BODY_WINDOW_LOG
    )


class _Body:
    """A body that may end before it is whole: then what came is given out, and StreamCut raised."""

    def __init__(self, source: BinaryIO, *, declared: int) -> None:
        self.source, self.left, self.cut = source, declared, False

    def read(self, size: int) -> bytes:
        try:
            data = self.source.read(size)
        except _CUT:
            self.cut = True
            data = self._what_came(size)
        self.left -= len(data)
        if not data and (self.cut or self.left > 0):
            raise StreamCut("the connection was cut")
        return data

    def _what_came(self, size: int) -> bytes:
        # A server that gathers chunks may have some that it did not hand out when it failed.
        try:
            return self.source.read(size)
        except _CUT:
            return b""


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object. Raises BadRequest or BodyTooLarge; asked again, says the same."""
    kept: dict[str, Any] | StoreError | None = getattr(request, "json_object", None)
    if kept is None:
        try:
            kept = _read_object(request)
        except StoreError as error:
            kept = error
        request.json_object = kept  # type: ignore[attr-defined]
    if isinstance(kept, StoreError):
        raise kept
    return kept


def _read_object(request: HttpRequest) -> dict[str, Any]:
    if _declared_length(request) > BODY_MAX_BYTES:
        raise BodyTooLarge
    if request.content_type not in _JSON_TYPES or "HTTP_CONTENT_ENCODING" in request.META:
        raise BadRequest
    try:
        data = read_at_most(stream(request), BODY_MAX_BYTES)
    except _CUT as error:
        raise BadRequest from error
    value = parse_json(data)
    if not isinstance(value, dict):
        raise BadRequest
    return value


def _declared_length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isascii() and length.isdigit() else 0


def read_at_most(source: BinaryIO, limit: int) -> bytes:
    """All of `source`. Raises BodyTooLarge beyond `limit` bytes."""
    parts, left = [], limit + 1
    while left and (part := source.read(min(left, 256 * 1024))):
        parts.append(part)
        left -= len(part)
    if not left:
        raise BodyTooLarge
    return b"".join(parts)


def parse_json(data: bytes) -> Any:
    """JSON in UTF-8, a BOM allowed. Raises BadRequest for anything else, however deep or long.

    Numbers with a fraction or an exponent come as Decimal, so that none is rounded. Lone surrogates
    are let through: they are valid JSON, and match nothing.
    """
    try:
        return json.loads(
            data.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError, ArithmeticError) as error:
        raise BadRequest from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
