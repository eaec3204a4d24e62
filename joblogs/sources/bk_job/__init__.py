"""Conversion of a dump of bk-job's log and job databases to records (`docs/bk-job.md`).

The files are read once, in any order, and sorted on disk; then each job is returned with its steps,
host results and logs. Data that the dump lacks is listed in `Dump.findings`.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from joblogs.records import Stated

from . import bson_files, documents, rows, tables
from .addresses import Container
from .documents import Unreadable
from .files import FILE, SCRIPT, DumpFault, DumpFile, Progress, find, opened
from .findings import Finding, Findings
from .jobs import job_records
from .scopes import Scope, Scopes, read_map
from .sorting import Sorter, Values

__all__ = ["Dump", "DumpFault", "Finding", "Scope", "Scopes", "read_map"]


class Dump:
    """Context manager of a dump, which deletes its temporary files at the end."""

    def __init__(self, paths: Iterable[Path], *, zone: datetime.tzinfo) -> None:
        """`zone`: time zone of the times that are rendered into file logs."""
        self.findings = Findings()
        self.files = find(paths, self.findings)
        self._zone = zone
        self._sorter = Sorter()
        self._days: dict[str, set[str]] = defaultdict(set)

    def __enter__(self) -> Dump:
        self._sorter.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._sorter.__exit__(kind, error, traceback)

    @property
    def size(self) -> int:
        """Bytes of the files on disk, which may be compressed."""
        return sum(file.path.stat().st_size for file in self.files)

    def load(self, *, progress: Progress = lambda size: None) -> None:
        """Read all files. Raise DumpFault if any of them is truncated."""
        for file in self.files:
            if file.subject in {SCRIPT, FILE}:
                self._days[file.subject].add(file.day)
                again = self._load_documents(file, progress)
                if again:
                    self.findings.note(Finding.REPEATED_DOCUMENT, file.path.name, count=again)
            else:
                self._load_rows(file, progress)
        self._sorter.index()

    def records(self, scopes: Scopes) -> Iterator[Stated]:
        """Yield the loaded data as records, in canonical order."""
        return job_records(self._sorter, scopes=scopes, days=self._days, findings=self.findings)

    def one_scope(self, scope: Scope) -> Scopes:
        """Return a map of every job to this scope; note if there is more than one app_id."""
        apps = [app for (app,) in self._sorter.read("SELECT DISTINCT app FROM job ORDER BY app")]
        for app in apps if len(apps) > 1 else ():
            self.findings.note(Finding.ONE_SCOPE, str(app))
        return lambda app: scope

    def _load_rows(self, file: DumpFile, progress: Progress) -> None:
        reading = rows.READINGS[file.subject]
        with opened(file.path, progress) as stream:
            found = tables.rows(file, stream, self.findings)
            values = (value for row in found for value in reading.take(row, self._zone))
            self._sorter.put(reading.sorter, values)

    def _load_documents(self, file: DumpFile, progress: Progress) -> int:
        with opened(file.path, progress) as stream:
            found = bson_files.documents(file, stream)
            if file.subject == SCRIPT:
                return self._sorter.put("script", self._scripts(file, found))
            return self._sorter.put("file", self._tasks(file, found))

    def _scripts(self, file: DumpFile, found: Iterator[bson_files.Document]) -> Iterator[Values]:
        for document in found:
            try:
                chunk = documents.script(document)
            except (Unreadable, Container) as error:
                self._note_refused(file, document, error)
                continue
            if chunk.content:
                yield chunk.values()

    def _tasks(self, file: DumpFile, found: Iterator[bson_files.Document]) -> Iterator[Values]:
        for document in found:
            try:
                task = documents.file_task(document, self._zone)
            except (Unreadable, Container) as error:
                self._note_refused(file, document, error)
                continue
            if task.times_unused:
                self.findings.note(Finding.TIMES_UNUSED, f"step {task.step}: {task.key}")
            yield task.values()

    def _note_refused(
        self, file: DumpFile, document: bson_files.Document, error: Unreadable | Container
    ) -> None:
        if isinstance(error, Container):
            self.findings.note(Finding.CONTAINER, f"{error} in step {document.get('stepId')}")
        else:
            name = f"{document.get('_id')} in {file.path.name}: {error}"
            self.findings.note(Finding.UNREADABLE, name)
