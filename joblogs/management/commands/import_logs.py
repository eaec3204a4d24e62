"""`import_logs FILE…`: records out of files, through the same door as the API."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from joblogs.access import OPERATOR
from joblogs.errors import StoreError
from joblogs.ingest import Report, ingest
from joblogs.ingest.stream import encoding_of, numbered_lines


class Command(BaseCommand):
    help = (
        "Import records (docs/records.md) from files, plain, .gz or .zst; - is standard input. "
        "Running it again accepts nothing twice; a run that was interrupted is simply run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a file, or - for stdin")
        parser.add_argument("--format", choices=["records"], default="records")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="do all of it in one transaction, say what came of it, and take it back",
        )

    def handle(self, *, files: list[str], dry_run: bool, **options: object) -> None:
        totals = Report()
        failed = False
        with ExitStack() as stack:
            if dry_run:
                stack.enter_context(transaction.atomic())
            for name in files:
                failed = not self._import(name, totals) or failed
            if dry_run:
                transaction.set_rollback(True)
        done = "Would have accepted" if dry_run else "Accepted"
        self.stdout.write(
            f"{done} {totals.accepted} records, {totals.duplicates} were there already, "
            f"{totals.refused_total} were refused."
        )
        if failed or totals.refused_total:
            raise CommandError("Not everything went in.")

    def _import(self, name: str, totals: Report) -> bool:
        """Import one file: whether it was read to its end."""
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
                report = self._ingest(file, bar)
        except OSError as error:
            self.stderr.write(f"{name}: {error.strerror or error}")
            return False
        except StoreError as error:
            self.stderr.write(f"{name}: {error}")
            return False
        for entry in report.refused:
            self.stderr.write(f"{name}:{entry.line}: {entry.reason}: {entry.message}")
        if report.refused_total > len(report.refused):
            more = report.refused_total - len(report.refused)
            self.stderr.write(f"{name}: and {more} more refused records")
        totals.accepted += report.accepted
        totals.duplicates += report.duplicates
        totals.refused_total += report.refused_total
        return True

    def _ingest(self, file: BinaryIO, bar: tqdm[Any]) -> Report:
        start = file.peek(4)[:4] if hasattr(file, "peek") else b""

        def read(size: int) -> bytes:
            data = file.read(size)
            bar.update(len(data))
            return data

        return ingest(numbered_lines(read, encoding=encoding_of(start)), writer=OPERATOR)
