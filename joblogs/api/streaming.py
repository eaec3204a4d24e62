"""Streamed responses: JSON with logs, encoded host by host.

A response up to BUFFER_BYTES is sent as a whole. A larger one is streamed, and if it fails then,
the connection is closed, so that a complete JSON text is always a complete response.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from msgspec import Meta

from joblogs.audit import AuditedResponse, ReadEntry
from joblogs.choices import StepType
from joblogs.models import StepInstance

from .exchange import json_bytes

BUFFER_BYTES = 8 * 1024 * 1024
BLOCK_BYTES = 256 * 1024
"""Bytes that are encoded and sent at once, since the cost is mostly per block."""
SCRIPT_LOG, FILE_LOG = 1, 2
LOG_TYPE = Meta(
    description="1 of scripts and SQL, 2 of files.",
    extra_json_schema={"enum": [SCRIPT_LOG, FILE_LOG]},
)


def in_parts(
    parts: Iterator[bytes],
    read: ReadEntry | None = None,
    *,
    planned: int = 0,
    content_type: str = "application/json",
) -> HttpResponseBase:
    """Return the response of `parts`, whole or streamed, recorded as `read` if that is given.

    `parts` add the bytes of log text that they yield to `read.size`; `planned` is the expected
    total.
    """
    head, more = _beginning(parts, BUFFER_BYTES)
    if not more:
        if read is not None:
            read.end(read.size)
        return HttpResponse(b"".join(head), content_type=content_type)
    blocks = _blocks(itertools.chain(head, parts))
    response = AuditedResponse(blocks, content_type=content_type)
    if read is not None:
        read.begin(max(planned, read.size))
        response.on_sent = lambda: read.end(read.size)
    return response


def _beginning(parts: Iterator[bytes], size: int) -> tuple[list[bytes], bool]:
    """Return the first parts up to more than `size` bytes, and whether there may be more."""
    head, length = [], 0
    for part in parts:
        head.append(part)
        length += len(part)
        if length > size:
            return head, True
    return head, False


def _blocks(parts: Iterator[bytes]) -> Iterator[bytes]:
    more = True
    while more:
        block, more = _beginning(parts, BLOCK_BYTES)
        yield b"".join(block)


STREAMED: Any = msgspec.Raw(b"\0")
"""Placeholder of a struct's field that is written in parts; JSON never contains this byte."""


def spliced(answer: msgspec.Struct, *values: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the JSON of a struct in parts, with its STREAMED fields replaced by `values`."""
    head, *rest = json_bytes(answer).split(b"\0")
    yield head
    for value, piece in zip(values, rest, strict=True):
        yield from value
        yield piece


def listed(entries: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """Yield a JSON list of entries, each in parts."""
    comma = b"["
    for entry in entries:
        yield comma
        yield from entry
        comma = b","
    yield b"]" if comma == b"," else b"[]"


def log_type(step: StepInstance) -> int | None:
    """Return the log_type of a step's logs; None for an approval."""
    if step.step_type == StepType.APPROVAL:
        return None
    return FILE_LOG if step.step_type == StepType.FILE else SCRIPT_LOG


def text_of(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the JSON string of a log in parts."""
    parts = iter(parts)
    head, more = _beginning(parts, BLOCK_BYTES)
    if not more:
        yield json_bytes(b"".join(head).decode(errors="replace"))
        return
    yield b'"'
    # Decoded incrementally, so that a character split between two parts is whole.
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for part in itertools.chain(head, parts):
        yield json_bytes(decoder.decode(part))[1:-1]
    yield json_bytes(decoder.decode(b"", True))[1:-1] + b'"'


def known(value: str | None) -> str:
    """Return a file's size, speed or progress, or `--` if it is not known."""
    return "--" if value is None else value
