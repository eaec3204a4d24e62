"""`import_logs FILE…`: import records from files, by the same rules as the API."""

from __future__ import annotations

import gc
import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError
from django.db import transaction
from tqdm import tqdm

from joblogs.access import OPERATOR
from joblogs.errors import StoreError, Unavailable
from joblogs.ingest import Report, ingest
from joblogs.ingest.stream import encoding_of, numbered_lines
from joblogs.management import dumps
from joblogs.management.arguments import scope, time_zone
from joblogs.management.base import StoreCommand
from joblogs.sources.bk_job import DumpFault


class Command(StoreCommand):
    help = (
        "Import records (docs/records.md) from files, plain, .gz or .zst; - is standard input. "
        "With --format bk-job, import what bk-job's databases dump (docs/bk-job.md). "
        "Running it again accepts nothing twice, so an interrupted run can simply be repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "files", nargs="+", metavar="FILE", help="a file, or - for stdin; bk-job: or a folder"
        )
        parser.add_argument("--format", choices=["records", "bk-job"], default="records")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="import in one transaction, report the result, and roll back",
        )
        dump = parser.add_argument_group("only with --format bk-job")
        scopes = dump.add_mutually_exclusive_group()
        scopes.add_argument(
            "--scope", type=scope, metavar="TYPE:ID", help="of all its jobs, such as biz:2"
        )
        scopes.add_argument(
            "--scope-map", type=Path, metavar="FILE", help="the scope of each app_id, CSV or JSON"
        )
        dump.add_argument(
            "--time-zone",
            type=time_zone,
            metavar="ZONE",
            help=f"of the times in file logs (default: {dumps.BK_JOB_ZONE})",
        )

    def handle(self, *, files: list[str], format: str, dry_run: bool, **options: Any) -> None:
        of_dump = {"scope": options["scope"], "scope_map": options["scope_map"]}
        of_dump["zone"] = options["time_zone"]
        if format == "records" and any(of_dump.values()):
            message = "--scope, --scope-map and --time-zone go with --format bk-job"
            raise CommandError(message, returncode=2)
        if format == "bk-job" and not (of_dump["scope"] or of_dump["scope_map"]):
            raise CommandError(dumps.SCOPE_NEEDED, returncode=2)
        # The objects so far live until the end: the collector need not traverse them for every
        # batch.
        gc.freeze()
        totals = Report()
        failed = False
        with ExitStack() as stack:
            if dry_run:
                stack.enter_context(transaction.atomic())
            if format == "bk-job":
                failed = not self._import_dump(files, totals, **of_dump)
            else:
                for name in files:
                    failed = not self._import(name, totals) or failed
            if dry_run:
                transaction.set_rollback(True)
        verb = "Would have accepted" if dry_run else "Accepted"
        self.stdout.write(
            f"{verb} {totals.accepted:,} record{'' if totals.accepted == 1 else 's'}, "
            f"{totals.duplicates:,} already stored, {totals.refused_total:,} refused."
        )
        if failed or totals.refused_total:
            raise CommandError("Not everything went in.")

    def _import(self, name: str, totals: Report) -> bool:
        """Import one file; return whether it was read to the end."""
        committed: list[Report] = []
        try:
            with ExitStack() as stack:
                file: BinaryIO = sys.stdin.buffer
                size = None
                if name != "-":
                    file = stack.enter_context(Path(name).open("rb"))
                    size = Path(name).stat().st_size or None
                bar: tqdm[Any] = stack.enter_context(
                    tqdm(total=size, unit="B", unit_scale=True, desc=name, disable=None)
                )
                report = self._ingest(file, bar, committed)
        except OSError as error:
            self.stderr.write(f"{name}: {error.strerror or error}")
            return False
        except StoreError as error:
            self.stderr.write(f"{name}: {_outcome(error)}")
            if committed:
                _add(totals, committed[-1])
            return False
        for entry in report.refused:
            self.stderr.write(f"{name}:{entry.line}: {entry.reason}: {entry.message}")
        if report.refused_total > len(report.refused):
            more = report.refused_total - len(report.refused)
            self.stderr.write(f"{name}: and {more:,} more refused records")
        _add(totals, report)
        return True

    def _import_dump(
        self,
        files: list[str],
        totals: Report,
        *,
        scope: tuple[str, str] | None,
        scope_map: Path | None,
        zone: ZoneInfo | None,
    ) -> bool:
        """Import a dump of bk-job; return whether all of it was read and converted to records."""
        try:
            report, whole = dumps.import_bk_job(
                map(Path, files),
                scope=scope,
                scope_map=scope_map,
                zone=zone,
                report_line=self.stderr.write,
            )
        except (DumpFault, StoreError) as error:
            self.stderr.write(_outcome(error))
            return False
        _add(totals, report)
        return whole

    def _ingest(self, file: BinaryIO, bar: tqdm[Any], committed: list[Report]) -> Report:
        start = file.peek(4)[:4] if hasattr(file, "peek") else b""

        def read(size: int) -> bytes:
            data = file.read(size)
            bar.update(len(data))
            return data

        lines = numbered_lines(read, encoding=encoding_of(start))
        return ingest(lines, writer=OPERATOR, progress=committed.append)


def _outcome(error: Exception) -> str:
    """Return the message of an error; of a database error only the first line."""
    if not isinstance(error, Unavailable):
        return str(error)
    cause = str(error.__cause__).partition("\n")[0]
    return f"the database failed: {cause}. What went in before stays; run it again."


def _add(totals: Report, report: Report) -> None:
    totals.accepted += report.accepted
    totals.duplicates += report.duplicates
    totals.refused_total += report.refused_total
