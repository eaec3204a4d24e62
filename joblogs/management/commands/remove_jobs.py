"""`remove_jobs`: remove jobs with their steps, results and logs (docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError
from tqdm import tqdm

from joblogs.errors import StoreError
from joblogs.logtext.codec import Unreadable
from joblogs.logtext.pieces import Hole
from joblogs.maintenance import removing
from joblogs.management import arguments, choosing
from joblogs.management.base import StoreCommand, amount


class Command(StoreCommand):
    help = (
        "Remove jobs with their steps, results and logs: the jobs from which export_logs would "
        "export something with the same options. Held jobs are kept. Each run is recorded."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        choosing.add_export_arguments(parser)
        parser.add_argument(
            "--attempt",
            type=arguments.attempt,
            default="all",
            metavar="N|all|latest",
            help="the attempts that --status and --contains look at (default: all)",
        )
        parser.add_argument("--by", metavar="NAME", help="who is recorded (default: this login)")
        parser.add_argument("--dry-run", action="store_true", help="count and change nothing")

    def handle(self, *, dry_run: bool, by: str | None, **options: Any) -> None:
        selection_text = choosing.words(options)
        if selection_text == choosing.EVERYTHING:
            raise CommandError("Say which jobs: --scope, --job, --until, …", returncode=2)
        selected = choosing.selection(options, attempt=options["attempt"])
        bar: tqdm[Any] = tqdm(unit=" jobs", desc="remove", disable=None)
        try:
            with bar:
                run = removing.remove(
                    choosing.selected_jobs(selected),
                    by=by or choosing.operator(),
                    selection=selection_text,
                    dry_run=dry_run,
                    progress=bar.update,
                )
        except (StoreError, DatabaseError) as error:
            raise CommandError(f"The database did not answer: {type(error).__name__}.") from error
        except (Hole, Unreadable) as error:
            raise CommandError(
                f"A log cannot be read ({error}): verify_logs tells which."
            ) from error
        self.stdout.write(
            f"{'Would remove' if dry_run else 'Removed'} {amount(run.jobs, 'job')} with "
            f"{amount(run.results, 'host result')} and {amount(run.size, 'byte')} of text."
        )
        undone = []
        if run.held:
            named = ", ".join(run.names) + (", …" if run.held > len(run.names) else "")
            undone.append(f"{amount(run.held, 'held job')} not removed: {named}.")
        if run.left_in_objects:
            undone.append(choosing.LEFT_IN_OBJECTS)
        if undone:
            raise CommandError(" ".join(undone))
