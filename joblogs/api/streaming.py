"""Streamed answers: JSON that holds logs, written host by host.

An answer that fits BUFFER_BYTES is sent as one; a larger one is streamed, and if it fails then, the
connection is cut: a complete JSON text is a complete answer.
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
"""As much as is encoded and sent at once: what each costs is by the piece, not by the byte."""
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
    """The answer that `parts` are, whole or streamed, recorded as `read` if it is a read.

    `parts` count in `read.size` the bytes of log that were made; `planned` will be made in all.
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
    """The first parts, till they are more than `size` bytes, and whether they are."""
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
"""Value of a struct's field that is written in parts; no JSON text holds this byte."""


def spliced(answer: msgspec.Struct, *values: Iterable[bytes]) -> Iterator[bytes]:
    """The JSON of a struct in parts; each of its STREAMED fields is the next of `values`."""
    head, *rest = json_bytes(answer).split(b"\0")
    yield head
    for value, piece in zip(values, rest, strict=True):
        yield from value
        yield piece


def listed(entries: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """A JSON list of entries, each in parts."""
    comma = b"["
    for entry in entries:
        yield comma
        yield from entry
        comma = b","
    yield b"]" if comma == b"," else b"[]"


def log_type(step: StepInstance) -> int | None:
    """The number of the kind of a step's logs; an approval has none."""
    if step.step_type == StepType.APPROVAL:
        return None
    return FILE_LOG if step.step_type == StepType.FILE else SCRIPT_LOG


def text_of(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The JSON string of a log that comes in parts."""
    parts = iter(parts)
    head, more = _beginning(parts, BLOCK_BYTES)
    if not more:
        yield json_bytes(b"".join(head).decode(errors="replace"))
        return
    yield b'"'
    # Decoded over the joined parts, so that a character split between two of them is whole.
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for part in itertools.chain(head, parts):
        yield json_bytes(decoder.decode(part))[1:-1]
    yield json_bytes(decoder.decode(b"", True))[1:-1] + b'"'


def known(value: str | None) -> str:
    """A file's size, speed or progress as an answer shows it."""
    return "--" if value is None else value
