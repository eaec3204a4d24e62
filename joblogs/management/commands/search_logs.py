"""`search_logs`: list the steps that printed a text (docs/operations.md)."""

from __future__ import annotations

import datetime
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError
from django.utils import timezone

from joblogs.audit import Channel, ReadEntry
from joblogs.choices import Outcome
from joblogs.errors import StoreError
from joblogs.logtext.encodings import reading_encoding
from joblogs.logtext.lines import without_line_end
from joblogs.logtext.utf16_parts import parts_as_utf8
from joblogs.management import arguments, choosing
from joblogs.management.base import StoreCommand, amount
from joblogs.query.canonical_order import scopes_of
from joblogs.search import (
    HistorySearch,
    InvalidPattern,
    Question,
    StepHits,
    TooWide,
    first_day,
)
from joblogs.search_audit import SearchEntry

DAYS = 30
FOLDED_MAX = 8


class Command(StoreCommand):
    help = (
        "Search the logs of all jobs for a text, the newest first: the steps that printed it, on "
        "which hosts, and the first line of each. What signatures exclude is not read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text", metavar="TEXT")
        parser.add_argument(
            "--regex", action="store_true", help="TEXT is a regular expression (RE2)"
        )
        parser.add_argument("--case", action="store_true", help="match case")
        parser.add_argument("--scope", type=arguments.scope, metavar="TYPE:ID", help="like biz:2")
        parser.add_argument("--name", metavar="TEXT", help="jobs whose name holds this")
        parser.add_argument("--host", metavar="HOST", help="a host's name, address or id")
        parser.add_argument(
            "--status",
            choices=[str(outcome) for outcome in Outcome],
            help="only hosts with this outcome; running: not ended yet",
        )
        parser.add_argument(
            "--since",
            type=arguments.day,
            metavar="DATE",
            help=f"the first UTC day (default: the {DAYS} days that end with --until)",
        )
        parser.add_argument(
            "--until", type=arguments.day, metavar="DATE", help="the last UTC day (default: today)"
        )

    def handle(self, *, text: str, **options: Any) -> None:
        until = options["until"] or timezone.now().date()
        if options["since"] and options["since"] > until:
            raise CommandError(f"--since is after the last day, {until}.", returncode=2)
        question = Question(
            text=text,
            regex=options["regex"],
            ignore_case=not options["case"],
            since=options["since"] or first_day(until, DAYS),
            until=until,
            name=options["name"],
            host=options["host"],
            outcome=Outcome(options["status"]) if options["status"] else None,
        )
        jobs = choosing.jobs(options["scope"])
        try:
            question.parsed()
            search = HistorySearch(jobs, scopes_of(jobs), question)
            try:
                for hits in search:
                    self._show(hits)
            finally:
                # Also after an interruption: record what was searched by then.
                _entry().record(search)
        except InvalidPattern as error:
            raise CommandError(f"TEXT is no valid search: {error}.", returncode=2) from None
        except TooWide:
            raise CommandError(
                "A text under 3 bytes or an expression without a literal needs --name, --host or "
                "a single day.",
                returncode=2,
            ) from None
        except (StoreError, DatabaseError) as error:
            raise CommandError(f"The database did not answer: {type(error).__name__}.") from error
        gone = amount(search.expired_steps, "more step")
        expired = f"; the logs of {gone} have expired" if search.expired_steps else ""
        self.stdout.write(
            f"{amount(search.found, 'step')} printed it, of {len(search.steps):,} searched and "
            f"{search.read_steps:,} read ({amount(search.read_bytes, 'byte')}), "
            f"{question.since} to {question.until}{expired}."
        )
        if search.lost_logs:
            self.stderr.write(
                f"{amount(search.lost_logs, 'log')} could not be read: verify_logs says which are "
                f"damaged."
            )

    def _show(self, hits: StepHits) -> None:
        entry = ReadEntry(
            who=choosing.operator(),
            app_code="",
            user_verified=True,
            channel=Channel.COMMAND_HISTORY,
            step=hits.step,
            hosts=len(hits.hosts),
            search=True,
        )
        entry.end(hits.searched_bytes)
        job, folded = hits.step.job, hits.folded
        created = datetime.datetime.fromtimestamp(job.create_time / 1000, tz=datetime.UTC)
        hosts = ", ".join(folded[:FOLDED_MAX]) + (", …" if len(folded) > FOLDED_MAX else "")
        self.stdout.write(
            _printable(
                f"{created:%Y-%m-%d %H:%M} {job.scope}/{job.job_instance_id}/"
                f"{hits.step.step_instance_id} {job.name} · {hits.step.name}: "
                f"{amount(hits.hits, 'line')} on {amount(len(hits.hosts), 'host')} ({hosts})"
            )
        )
        data = parts_as_utf8(without_line_end(hits.line.data))
        line = data.decode(reading_encoding(data), errors="replace")
        self.stdout.write(_printable(f"    {hits.line.number}: {line}"))


def _entry() -> SearchEntry:
    return SearchEntry(
        who=choosing.operator(),
        app_code="",
        user_verified=True,
        channel=Channel.COMMAND_HISTORY,
    )


def _printable(text: str) -> str:
    """Return a text without control characters that could affect a terminal."""
    return "".join(one if one.isprintable() or one == "\t" else "\ufffd" for one in text)
