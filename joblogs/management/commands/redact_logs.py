"""`redact_logs`: mask secrets in stored logs (docs/operations.md)."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError
from tqdm import tqdm

from joblogs.errors import StoreError
from joblogs.logtext.custom_rules import InvalidRule, literal
from joblogs.logtext.secret_rules import Rule
from joblogs.logtext.secret_scanner import Secrets
from joblogs.maintenance import redaction
from joblogs.management import choosing
from joblogs.management.base import StoreCommand, amount

TEXTS_MAX = 1000


class Command(StoreCommand):
    help = (
        "Mask secrets in stored logs as they are masked during ingest: by the known patterns, or "
        "given texts that leaked. A record of each run is kept. May be repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        choosing.add_arguments(parser)
        parser.add_argument(
            "--pattern",
            action="append",
            default=[],
            metavar="NAME",
            help="only this pattern (default: all known patterns); may be repeated",
        )
        parser.add_argument(
            "--texts",
            metavar="PATH",
            help="mask the lines of this file (-: standard input) wherever they occur, and only "
            "patterns given by --pattern; the lines are neither shown nor recorded",
        )
        parser.add_argument("--by", metavar="NAME", help="who is recorded (default: this login)")
        parser.add_argument("--dry-run", action="store_true", help="count and change nothing")

    def handle(self, *, dry_run: bool, by: str | None, **options: Any) -> None:
        secrets = Secrets(_rules(options["pattern"], options["texts"]))
        logs, selection = choosing.logs(options)
        bar: tqdm[Any] = tqdm(unit="B", unit_scale=True, desc="redact", disable=None)
        try:
            with bar:
                run = redaction.redact(
                    logs,
                    secrets,
                    by=by or choosing.operator(),
                    selection=selection,
                    dry_run=dry_run,
                    progress=bar.update,
                )
        except (StoreError, DatabaseError) as error:
            raise CommandError(f"The database did not answer: {type(error).__name__}.") from error
        for name, places in sorted(run.places.items()):
            self.stdout.write(f"{name}: {places}")
        self.stdout.write(
            f"{'Would mask' if dry_run else 'Masked'} {amount(run.places.total(), 'place')} "
            f"in {run.logs:,} of {amount(run.looked, 'log')}."
        )
        undone = []
        if run.unreadable:
            undone.append(
                f"{amount(len(run.unreadable), 'log')} could not be read: see verify_logs."
            )
        if run.left_in_objects:
            undone.append(choosing.LEFT_IN_OBJECTS)
        if undone:
            raise CommandError(" ".join(undone))


def _rules(names: list[str], texts: str | None) -> tuple[Rule, ...]:
    rules: tuple[Rule, ...] = settings.SECRET_RULES
    unknown = set(names) - {rule.name for rule in rules}
    if unknown:
        every = ", ".join(dict.fromkeys(rule.name for rule in rules))
        raise CommandError(f"--pattern {min(unknown)}: known are {every}.", returncode=2)
    if texts is None:
        return tuple(rule for rule in rules if not names or rule.name in names)
    lines = [line for line in _read(texts).split(b"\n") if line.strip()]
    if not 1 <= len(lines) <= TEXTS_MAX:
        raise CommandError(f"--texts: 1 to {TEXTS_MAX} lines, not {len(lines)}.")
    try:
        # One name for all: the record shows that texts were masked, never which.
        literals = tuple(literal("text", line.removesuffix(b"\r")) for line in lines)
    except InvalidRule as error:
        raise CommandError(f"--texts: {error}.") from None
    return (*literals, *(rule for rule in rules if rule.name in names))


def _read(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"--texts {path}: {error.strerror or error}.") from error
