"""Conversion of the documents of the daily log collections."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joblogs.records import MAX_ID

from .addresses import Object, object_of
from .bson_files import BYTES_AS_TEXT, Document
from .rows import SOURCE, TARGET
from .sorting import Values
from .tables import clean


class Unreadable(Exception):
    """Error of a document without a step, host or path."""


@dataclass(frozen=True, slots=True)
class Script:
    """A chunk of a script's output. `ending` is its end, in bytes from the start of the log."""

    step: int
    object: Object
    count: int
    batch: int
    ending: int
    oid: bytes | None
    ip: str | None
    ipv6: str | None
    content: bytes

    def values(self) -> Values:
        place = (self.step, self.object, self.count, self.batch, self.ending, self.oid)
        return (*place, self.ip, self.ipv6, self.content)


@dataclass(frozen=True, slots=True)
class FileTask:
    """Fields of a file transfer in one document."""

    step: int
    object: Object
    count: int
    batch: int
    mode: int
    key: str
    oid: bytes | None
    lines: int
    content: bytes
    fields: dict[str, Any]
    times_unused: bool

    def values(self) -> Values:
        role = TARGET if self.mode else SOURCE
        place = (self.step, self.object, self.count, self.batch, role, self.key, self.oid)
        own = (self.fields.get("own_ip"), self.fields.get("own_ipv6"))
        return (*place, self.lines, *own, json.dumps(self.fields), self.content)


def script(document: Document) -> Script:
    """Return the chunk in a document. Raise Unreadable or Container."""
    step = _step(document)
    owner = object_of(
        document.get("executeObjectId"), document.get("hostId"), _text(document, "ip", "ipv6")
    )
    if owner is None:
        raise Unreadable("no host")
    offset = _number(document, "offset") or 0
    return Script(
        step=step,
        object=owner,
        count=_number(document, "executeCount") or 0,
        batch=_number(document, "batch") or 0,
        # bk-job's counter is a signed 32-bit integer, which wraps around at 2 GiB.
        ending=offset + 2**32 if offset < 0 else offset,
        oid=_oid(document),
        ip=_text(document, "ip"),
        ipv6=_text(document, "ipv6"),
        content=_bytes(document.get("content")),
    )


def file_task(document: Document, zone: datetime.tzinfo) -> FileTask:
    """Return the file transfer in a document. Raise Unreadable or Container.

    `zone` is used to render the times of structured entries.
    """
    step, mode = _step(document), _number(document, "mode")
    if mode not in {0, 1}:
        raise Unreadable("no mode")
    end = "dest" if mode else "src"
    owner = object_of(
        document.get("executeObjectId") or document.get(f"{end}ExecuteObjectId"),
        document.get("hostId") or document.get(f"{end}HostId"),
        _text(document, "ip", f"{end}Ip", f"{end}Ipv6"),
    )
    if owner is None:
        raise Unreadable("no host")
    src_path = _text(document, "displaySrcFile", "srcFile")
    if src_path is None or (mode and _text(document, "destFile") is None):
        raise Unreadable("no path")
    lines, updated, unused = _lines(document, zone)
    fields = {
        "src_eo": _text(document, "srcExecuteObjectId"),
        "src_host": _number(document, "srcHostId"),
        "src_ip": _text(document, "srcIp"),
        "src_ipv6": _text(document, "srcIpv6"),
        "src_path": src_path,
        "own_ip": _text(document, "ip", f"{end}Ip"),
        "own_ipv6": _text(document, f"{end}Ipv6"),
        "dest_path": _text(document, "destFile") if mode else None,
        "status": _number(document, "status"),
        "size": _text(document, "size"),
        "speed": _text(document, "speed"),
        "process": _text(document, "process"),
        "update_time": updated,
    }
    return FileTask(
        step=step,
        object=owner,
        count=_number(document, "executeCount") or 0,
        batch=_number(document, "batch") or 0,
        mode=mode,
        key=_text(document, "taskId") or _task_id(document, mode),
        oid=_oid(document),
        lines=len(lines),
        content=b"".join(lines),
        fields={key: value for key, value in fields.items() if value is not None},
        times_unused=unused,
    )


def _lines(document: Document, zone: datetime.tzinfo) -> tuple[list[bytes], int | None, bool]:
    """Return the entries as bytes, the time of the last one in milliseconds or None, and whether
    there were times that could not be used."""
    texts, timed = document.get("contentList") or [], document.get("timeLogList") or []
    times = [_number(entry, "logTime") for entry in timed]
    updated = max((time for time in times if time is not None and time >= 0), default=None)
    # Both lists are written since 3.12.1; if their lengths differ, an older version wrote some
    # of the lines.
    if not timed or len(timed) != len(texts):
        return [_bytes(text) for text in texts], updated, bool(timed)
    lines = [
        _stamp(at, zone) + _bytes(entry.get("content"))
        for entry, at in zip(timed, times, strict=True)
    ]
    return lines, updated, False


def _stamp(milliseconds: int | None, zone: datetime.tzinfo) -> bytes:
    if milliseconds is None:
        return b""
    try:
        moment = datetime.datetime.fromtimestamp(milliseconds / 1000, zone)
    except (OverflowError, OSError, ValueError):
        return b""
    return f"[{moment:%Y-%m-%d %H:%M:%S}] ".encode()


def _task_id(document: Document, mode: int) -> str:
    """Return the task id that bk-job computes for a document without one."""
    source = _text(document, "srcExecuteObjectId") or document.get("srcHostId")
    own = _text(document, "executeObjectId") or document.get("hostId")
    parts = [mode, own, _text(document, "displaySrcFile")]
    if mode:
        parts = [mode, source, parts[2], own, _text(document, "destFile")]
    # Java renders a missing value as "null".
    return "_".join("null" if part is None else str(part) for part in parts)


def source_of(fields: Mapping[str, Any]) -> Object | None:
    """Return the host that a file came from, or None. Raise Container."""
    address = fields.get("src_ip") or fields.get("src_ipv6")
    return object_of(fields.get("src_eo"), fields.get("src_host"), address)


def _step(document: Document) -> int:
    step = _number(document, "stepId")
    if step is None or step < 1:
        raise Unreadable("no stepId")
    return step


def _oid(document: Document) -> bytes | None:
    value = document.get("_id")
    if value is None:
        return None
    binary = getattr(value, "binary", None)  # an ObjectId's 12 bytes
    return binary if isinstance(binary, bytes) else json.dumps(str(value)).encode()


def _number(document: Document, key: str) -> int | None:
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # The mongo shell writes integers as doubles by default.
    return int(value) if -MAX_ID <= value <= MAX_ID and value == int(value) else None


def _text(document: Document, *keys: str) -> str | None:
    """Return the first of these fields that is a non-empty text, or None."""
    for key in keys:
        value = document.get(key)
        if isinstance(value, str) and value:
            return clean(value)
    return None


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        return b""
    try:
        return value.encode(errors=BYTES_AS_TEXT)
    except UnicodeEncodeError:  # a lone surrogate, which is valid in JSON but not in UTF-8
        return value.encode(errors="surrogatepass")
