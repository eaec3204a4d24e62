"""List of the files transferred to or from one host, for a page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from joblogs.choices import FINISHED, FileMode, FileStatus, file_rank
from joblogs.models import FileLog

_PERCENT = re.compile(r"\s*(\d{1,3})(?:\.\d+)?\s*%")


class FileOnPage(NamedTuple):
    """File as its template needs it."""

    pk: int
    path: str
    is_upload: bool
    source: str
    outcome: str
    status: str
    percent: int | None
    process: str | None
    size: str | None
    speed: str | None
    chosen: bool


def files_on_page(files: Iterable[FileLog], chosen: FileLog | None) -> list[FileOnPage]:
    """Return the files to list, in the same order; `chosen` is the one whose log is open."""
    return [
        FileOnPage(
            pk=file.pk,
            path=file.dest_path or file.src_path,
            is_upload=file.mode == FileMode.UPLOAD,
            source=" ".join(filter(None, [file.src_ip or file.src_ipv6, file.src_path])),
            outcome=_outcome(file.status),
            status=file.get_status_display(),
            percent=percent(file.process),
            process=file.process,
            size=file.size,
            speed=file.speed,
            chosen=chosen is not None and file.pk == chosen.pk,
        )
        for file in files
    ]


def _outcome(status: int) -> str:
    if status == FileStatus.DONE:
        return "ok"
    return "bad" if file_rank(status) == FINISHED else "run"


def mean_percent(files: Iterable[tuple[int, str | None]]) -> int | None:
    """Return the mean progress of files, given by status and progress text; None if none is
    known."""
    every = [100 if status == FileStatus.DONE else percent(process) for status, process in files]
    known = [one for one in every if one is not None]
    return sum(known) // len(every) if known else None


def percent(process: str | None) -> int | None:
    """Return a producer's progress text as a percentage; None if it is not one."""
    found = _PERCENT.match(process or "")
    return min(100, int(found[1])) if found else None
