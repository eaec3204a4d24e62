"""Readers of the daily log collections' documents."""

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
    """A chunk of what a script printed. `ending` is where it ends, in bytes."""

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
    """Raises Unreadable, and Container."""
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
        # The writer's counter has 32 bits: past 2 GiB it went on from the smallest number.
        ending=offset + 2**32 if offset < 0 else offset,
        oid=_oid(document),
        ip=_text(document, "ip"),
        ipv6=_text(document, "ipv6"),
        content=_bytes(document.get("content")),
    )


def file_task(document: Document, zone: datetime.tzinfo) -> FileTask:
    """Raises Unreadable, and Container. `zone` renders the times of structured entries."""
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
    """Entries as bytes, when the last was written, and whether timed ones were there in vain."""
    texts, timed = document.get("contentList") or [], document.get("timeLogList") or []
    times = [_number(entry, "logTime") for entry in timed]
    updated = max((time for time in times if time is not None and time >= 0), default=None)
    # Written side by side since 3.12.1; where one is shorter, some lines were by an older writer.
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
    """What the reference makes of a document without one."""
    source = _text(document, "srcExecuteObjectId") or document.get("srcHostId")
    own = _text(document, "executeObjectId") or document.get("hostId")
    parts = [mode, own, _text(document, "displaySrcFile")]
    if mode:
        parts = [mode, source, parts[2], own, _text(document, "destFile")]
    # Java's word for what is missing.
    return "_".join("null" if part is None else str(part) for part in parts)


def source_of(fields: Mapping[str, Any]) -> Object | None:
    """Where a file came from, None if from no host. Raises Container."""
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
    # A shell without types writes whole numbers as doubles.
    return int(value) if -MAX_ID <= value <= MAX_ID and value == int(value) else None


def _text(document: Document, *keys: str) -> str | None:
    """The first of these that is neither missing nor empty."""
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
    except UnicodeEncodeError:  # half a pair, which JSON can write and UTF-8 cannot
        return value.encode(errors="surrogatepass")
