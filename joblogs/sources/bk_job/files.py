"""Files of a dump: finding them, recognising their tables by name, and reading them."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from .findings import Finding, Findings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Progress = Callable[[int], object]
"""Called with the number of bytes of a file that have been read since the last call."""

TABLES = (
    "task_instance",
    "task_instance_host",
    "step_instance",
    "step_instance_file",
    "gse_script_execute_obj_task",
    "gse_file_execute_obj_task",
    "gse_script_agent_task",
    "gse_file_agent_task",
    "gse_task_ip_log",
)
SCRIPT, FILE = "job_log_script", "job_log_file"

_COLLECTION = re.compile(rf"(?:^|[^a-z])({SCRIPT}|{FILE})_(\d{{4}}_\d\d_\d\d)(?:\D|$)")
# A database name before the table and a shard number after it are allowed.
_TABLE = re.compile(rf"(?:^|\.)({'|'.join(TABLES)})(?:[._@-]*[\d._@-]*)$")
_FORMS = {
    ".bson": "bson",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "rows",
}
# Files that mongodump and mysqldump write beside the data.
_BESIDE = re.compile(r"^\.|\.metadata\.json(\.gz)?$|^prelude\.json(\.gz)?$|^oplog\.bson|\.sql$")
_READ_BYTES = 1024 * 1024
_VALUE_MAX_CHARACTERS = 128 * 1024 * 1024


class DumpFault(Exception):
    """Error: a dump cannot be read, or needs further options."""


@dataclass(frozen=True)
class DumpFile:
    """A file of a dump. `subject` is a table of TABLES, or SCRIPT or FILE, which have a `day`."""

    path: Path
    subject: str
    form: str
    day: str = ""

    @property
    def columns_file(self) -> Path | None:
        """The `.sql` file that `mysqldump --tab` writes beside rows without a header, or None."""
        sql = _unpacked_name(self.path).with_suffix(".sql")
        return sql if self.form == "rows" and sql.exists() else None


def find(paths: Iterable[Path], findings: Findings) -> list[DumpFile]:
    """Return the files of a dump in `paths`, which are files and folders. Raise DumpFault.

    Unknown files in a folder are noted as findings. A file in `paths` itself must be known, unless
    it is one that the tools write beside the data: shells expand `*`.
    """
    found: dict[Path, DumpFile] = {}
    for path in paths:
        if not path.exists():
            raise DumpFault(f"{path}: there is no such file or folder")
        if path.is_dir():
            inside = (inner for inner in sorted(path.rglob("*")) if inner.is_file())
            for inner in inside:
                if file := dated_by_name(inner):
                    found[inner.resolve()] = file
                elif not _BESIDE.search(inner.name):
                    findings.note(Finding.FILE, inner.name)
        elif file := dated_by_name(path):
            found[path.resolve()] = file
        elif not _BESIDE.search(path.name):
            raise DumpFault(
                f"{path}: the name tells neither a collection ({SCRIPT}_yyyy_MM_dd, "
                f"{FILE}_yyyy_MM_dd) nor a table ({', '.join(TABLES)}) "
                f"with one of {', '.join(_FORMS)}, plain, .gz or .zst"
            )
    if not found:
        raise DumpFault("there is no file of a bk-job dump here")
    return list(found.values())


def dated_by_name(path: Path) -> DumpFile | None:
    """Return the table and format of a file by its name, or None if the name is unknown."""
    if _BESIDE.search(path.name):
        return None
    name = _unpacked_name(path)
    form = _FORMS.get(name.suffix)
    if form is None:
        return None
    if collection := _COLLECTION.search(name.stem):
        holds_documents = form in {"bson", "json"}
        return DumpFile(path, collection[1], form, collection[2]) if holds_documents else None
    table = _TABLE.search(name.stem)
    return DumpFile(path, table[1], form) if table and form != "bson" else None


def _unpacked_name(path: Path) -> Path:
    return path.with_suffix("") if path.suffix in {".gz", ".zst"} else path


class _Counted(io.FileIO):
    """File that reports how much of it has been read, in bytes on disk if it is compressed."""

    progress: Progress = staticmethod(lambda size: None)

    def readinto(self, buffer: Any) -> int:
        size = super().readinto(buffer) or 0
        self.progress(size)
        return size


@contextlib.contextmanager
def opened(path: Path, progress: Progress = lambda size: None) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed. Errors while it is read are raised as DumpFault."""
    try:
        with contextlib.ExitStack() as stack:
            counted = stack.enter_context(_Counted(path))
            counted.progress = progress
            file = stack.enter_context(io.BufferedReader(counted, 256 * 1024))
            start = file.peek(4)[:4]
            if start.startswith(b"\x1f\x8b"):
                yield stack.enter_context(gzip.GzipFile(fileobj=file))  # type: ignore[misc]
            elif start == b"\x28\xb5\x2f\xfd":
                yield stack.enter_context(zstd.ZstdFile(file))  # type: ignore[misc]
            else:
                yield file
    except OSError as error:
        raise DumpFault(f"{path}: {error.strerror or error}") from error
    except (EOFError, zlib.error, zstd.ZstdError) as error:
        raise DumpFault(f"{path}: the packed data is cut or damaged: {error}") from error
    except UnicodeDecodeError as error:
        raise DumpFault(f"{path}: not UTF-8: {error}") from error


def json_values(
    file: BinaryIO, path: Path, hook: Callable[[Any], Any] | None = None, *, errors: str = "strict"
) -> Iterator[Any]:
    """Yield the objects of a JSON file: one per line, in an array, or spread over lines.

    At most one object and one block of the file are in memory. `hook` is an `object_pairs_hook`.
    """
    decoder = json.JSONDecoder(object_pairs_hook=hook, strict=False)
    characters = codecs.getincrementaldecoder("utf-8")(errors)
    between = re.compile(r"[\s,\[\]\ufeff]*")
    text, position, ended = "", 0, False
    while True:
        position = between.match(text, position).end()  # type: ignore[union-attr]
        if position < len(text):
            try:
                value, position = decoder.raw_decode(text, position)
            except json.JSONDecodeError as error:
                if ended or len(text) - position > _VALUE_MAX_CHARACTERS:
                    raise DumpFault(f"{path}: not JSON, or cut: {error.msg}") from None
            else:
                yield value
                continue
        elif ended:
            return
        # Double the buffer, so that parsing a large object is retried only a few times.
        more = file.read(max(_READ_BYTES, len(text) - position))
        ended = not more
        text, position = text[position:] + characters.decode(more, ended), 0
