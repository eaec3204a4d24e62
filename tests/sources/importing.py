"""Making dumps and importing them, for the tests."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management import CommandError, call_command

from joblogs import records
from joblogs.sources.bk_job import Dump, Finding
from tests.sources import dump
from tests.sources.dump import JOB_DAY, SCRIPT, result, step

ZONE = ZoneInfo("Asia/Shanghai")
SCOPE = "biz:2"
Fields = dict[str, Any]


class Imported:
    """What a run of the command said."""

    def __init__(self, *paths: Path, scope: str | None = SCOPE, **options: Any) -> None:
        out, errors = io.StringIO(), io.StringIO()
        arguments = ["--format", "bk-job", *map(str, paths)]
        arguments += ["--scope", scope] if scope else []
        self.code, self.fault = 0, ""
        try:
            call_command("import_logs", *arguments, stdout=out, stderr=errors, **options)
        except CommandError as error:
            self.code, self.fault = error.returncode, str(error)
        self.out, self.errors = out.getvalue(), errors.getvalue()

    def notes(self, finding: Finding) -> str:
        """The sentence about a kind of thing, "" if there is none."""
        found = [line for line in self.errors.splitlines() if f" {finding.value}: " in line]
        return found[0] if found else ""


def write(
    folder: Path,
    documents: dict[str, list[Fields]] | None = None,
    rows: dict[str, list[Fields]] | None = None,
    *,
    form: str = "bson",
    table_form: str = "csv",
) -> Path:
    dump.write_documents(folder, dump.collections() if documents is None else documents, form)
    dump.write_rows(folder, dump.tables() if rows is None else rows, table_form)
    return folder


def told(folder: Path) -> tuple[list[records.Stated], Dump]:
    """The records of a dump, and what is missing in it."""
    with Dump([folder], zone=ZONE) as found:
        found.load()
        return list(found.records(lambda app: ("biz", "2"))), found


def small(folder: Path, *chunks: Fields, rows: list[Fields] | None = None, **tables: Any) -> Path:
    """A dump of one script step, 2000, with its chunks."""
    named = {
        "task_instance": [dump.job(1000)],
        "step_instance": [step(2000, target_servers=dump.targets(dump.host(101)))],
        "gse_script_execute_obj_task": [result(2000, 101)] if rows is None else rows,
    }
    return write(folder, {f"{SCRIPT}_{JOB_DAY}": list(chunks)}, named | tables)
