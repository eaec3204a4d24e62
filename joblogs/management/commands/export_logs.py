"""`export_logs`: export logs as records, an archive, text or a table (docs/operations.md)."""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError
from tqdm import tqdm

from joblogs import database, export
from joblogs.audit import Channel, ReadEntry
from joblogs.errors import StoreError
from joblogs.export import Format, Selection, Tally, Walk
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.pieces import Hole
from joblogs.management import arguments, choosing, output
from joblogs.management.base import StoreCommand, amount
from joblogs.models import StepInstance
from joblogs.object_store import ObjectUnreachable, Upload, upload
from joblogs.query import State, StepHost, canonical_order

STOPPED, BROKEN_PIPE = 128, 141
LISTED_MAX = 20
"""As many logs that cannot be read are named; all are counted."""
_FORMATS = {str(kind): kind for kind in Format}
_STATES = {
    State.TRUNCATED: "truncated",
    State.EXPIRED: "expired",
    State.UNREACHABLE: "out of reach",
    State.INCOMPLETE: "incomplete",
    State.RECEIVING: "still being received",
}


class Command(StoreCommand):
    help = (
        "Export logs: ndjson are records that import_logs reads, zip has a file for each host and "
        "a manifest, txt is one stream with each line led by its host, csv has a row for each "
        "host. Without criteria everything is exported."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--format", required=True, choices=list(_FORMATS))
        choosing.add_export_arguments(parser)
        parser.add_argument(
            "--attempt",
            type=arguments.attempt,
            metavar="N|all|latest",
            help="the logs as they stood after attempt N (from 0) or the latest, or of each "
            "attempt for itself; without it all for ndjson, else latest",
        )
        parser.add_argument(
            "--no-prefix", action="store_true", help="txt: without the names of hosts"
        )
        parser.add_argument(
            "--output",
            default="-",
            metavar="PATH",
            help="a file, or an object such as s3://BUCKET/NAME; -, or nothing: standard output",
        )
        parser.add_argument(
            "--force", action="store_true", help="replace an existing file or object"
        )
        parser.add_argument(
            "--mode",
            type=arguments.file_mode,
            metavar="OCTAL",
            help="permissions of the file (default: 600, or those of the file that is replaced)",
        )

    def handle(self, *, format: str, output: str, **options: Any) -> None:
        kind = _FORMATS[format]
        if options["no_prefix"] and kind.traits.write_bare is None:
            led = " or ".join(one for one in Format if one.traits.write_bare)
            raise CommandError(f"--no-prefix goes with --format {led}", returncode=2)
        if kind.traits.is_binary and output == "-" and self.stdout.isatty():
            raise CommandError("an archive is not for a terminal: --output PATH", returncode=2)
        if upload.is_object(output) and options["mode"] is not None:
            raise CommandError("--mode is of files: an object has none", returncode=2)
        target = None if output == "-" else output
        left_out = _LeftOut()
        try:
            with database.reads_from_replica():
                selection = self._selection(kind, options)
                tally = self._write(kind, selection, target, left_out, options)
        except BrokenPipeError:
            _forget_standard_output()
            raise SystemExit(BROKEN_PIPE) from None
        except OSError as error:
            where = output if target else "standard output"
            raise CommandError(f"{where}: {error.strerror or error}") from error
        except (DatabaseError, StoreError) as error:
            raise CommandError(f"The store could not be read to the end: {error}") from error
        self.note(_sentence(tally, target))
        if left_out.count:
            raise CommandError(left_out.message("the rest is exported"))

    def _selection(self, kind: Format, options: dict[str, Any]) -> Selection:
        attempt = options["attempt"]
        if attempt is None:
            attempt = kind.default_attempt
        return choosing.selection(options, attempt=attempt)

    def _write(
        self,
        kind: Format,
        selection: Selection,
        target: str | None,
        left_out: _LeftOut,
        options: dict[str, Any],
    ) -> Tally:
        with contextlib.ExitStack() as stack:
            stopping = stack.enter_context(_interruptible(target))
            file = self._standard_output() if target is None else _opened(target, options, stack)
            bar: tqdm[Any] = stack.enter_context(_bar(selection, target))

            def passed(size: int) -> None:
                stopping.check()
                bar.update(size)

            walk = Walk(selection, passed=passed, left_out=left_out.add, reading=_read_entry)
            parts = export.parts(walk, kind, prefix=not options["no_prefix"])
            for part in stack.enter_context(contextlib.closing(parts)):
                with stopping.at_once():
                    file.write(part)
            if walk.is_empty(rows_count=kind.traits.holds_records):
                raise CommandError("No matching logs; nothing was exported.")
            if left_out.count and not walk.tally.size:
                raise CommandError(left_out.message("nothing was exported"))
            with stopping.at_once():
                file.flush()
        return walk.tally

    def _standard_output(self) -> Upload:
        # The parent process may have closed it (`>&-`).
        file: Upload | None = getattr(self.stdout, "buffer", None)
        if file is None:
            raise CommandError("Standard output is closed: --output PATH")
        return file


class _LeftOut:
    """Logs that could not be read, so that the export lacks them, or their ends."""

    def __init__(self) -> None:
        self.count = 0
        self._lines: list[str] = []

    def add(self, step: StepInstance, host: StepHost, error: Unreadable) -> None:
        self.count += 1
        if len(self._lines) < LISTED_MAX:
            self._lines.append(
                f"{step.job.scope} job {step.job.job_instance_id} step {step.step_instance_id} "
                f"host {host.bk_host_id} attempt {host.attempt}: {_reason(error)}"
            )

    def message(self, rest: str) -> str:
        """What the command ends with: what became of the rest, which logs are missing, and why."""
        more = self.count - len(self._lines)
        lines = [*self._lines, *([f"and {amount(more, 'more log', 'more logs')}"] if more else ())]
        return (
            f"{amount(self.count, 'log')} could not be read to the end, {rest}; verify_logs tells "
            "which are damaged:" + "".join(f"\n  {line}" for line in lines)
        )


def _reason(error: Unreadable) -> str:
    if isinstance(error, ObjectUnreachable):
        return error.fault
    if isinstance(error, Hole):
        return f"it went while it was read, or is damaged ({error})"
    return f"it is damaged ({error})"


def _opened(target: str, options: dict[str, Any], stack: contextlib.ExitStack) -> Upload:
    """Return a new file or object to write; it appears under its name if the stack succeeds."""
    if upload.is_object(target):
        return stack.enter_context(upload.whole_object(target, force=options["force"]))
    return stack.enter_context(
        output.whole_file(Path(target), force=options["force"], mode=options["mode"])
    )


@contextlib.contextmanager
def _interruptible(target: str | None) -> Iterator[output.Stopping]:
    try:
        with output.stoppable() as stopping:
            yield stopping
    except output.Stopped as stopped:
        message = "Stopped." if target is None else f"Stopped; {target} was not written."
        raise CommandError(message, returncode=STOPPED + stopped.number) from None


def _bar(selection: Selection, target: str | None) -> tqdm[Any]:
    total = None
    if sys.stderr.isatty():
        jobs = selection.narrowed_jobs()
        total = canonical_order.held_bytes(jobs, selection.steps, selection.condition)
    name = "export" if target is None else target.rpartition("/")[2]
    return tqdm(total=total, unit="B", unit_scale=True, desc=name, disable=None)


def _read_entry(step: StepInstance, *, search: bool) -> ReadEntry:
    return ReadEntry(
        who=choosing.operator(),
        app_code="",
        user_verified=True,
        channel=Channel.EXPORT,
        step=step,
        search=search,
    )


def _forget_standard_output() -> None:
    """Discard what Python still flushes to standard output, which nobody reads any more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(tally: Tally, target: str | None) -> str:
    where = "" if target is None else f" to {target}"
    found = [f"{n} {word}" for state, word in _STATES.items() if (n := tally.states[state])]
    but = f"; of their logs {', '.join(found)}" if found else ""
    return (
        f"Exported {amount(tally.jobs, 'job')}, {amount(tally.steps, 'step')}, "
        f"{amount(tally.hosts, 'host')} and {amount(tally.size, 'byte')} of text{where}{but}."
    )
