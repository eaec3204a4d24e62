"""`verify_logs`: is what is stored whole? In numbers, never in text (docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError
from tqdm import tqdm

from joblogs.errors import StoreError
from joblogs.maintenance import verification
from joblogs.management import arguments, choosing
from joblogs.management.base import StoreCommand


class Command(StoreCommand):
    help = (
        "Read every log and compare it with what the rows say of it: gaps, sizes, newlines, "
        "digests, masks, orphans. Changes nothing and prints no text. Exit 1 if anything is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        choosing.add_arguments(parser)
        parser.add_argument("--day", type=arguments.day, metavar="DATE", help="this UTC day only")

    def handle(self, *, day: date | None, **options: Any) -> None:
        if day is not None:
            if options["since"] or options["until"]:
                raise CommandError("--day goes without --since and --until.", returncode=2)
            options["since"] = options["until"] = day
        selection, _ = choosing.logs(options)
        bar: tqdm[Any] = tqdm(unit="B", unit_scale=True, desc="verify", disable=None)
        try:
            with bar:
                verified = verification.verify(selection, progress=bar.update)
                if not any(options[name] for name in ("scope", "job", "step", "host")):
                    verification.find_orphans(verified, options["since"], options["until"])
        except (StoreError, DatabaseError) as error:
            raise CommandError(f"The database did not answer: {type(error).__name__}.") from error
        for damage, count in sorted(verified.damage.items()):
            named = ", ".join(map(str, verified.examples[damage]))
            more = ", …" if count > len(verified.examples[damage]) else ""
            self.stdout.write(f"{count} × {damage} (row {named}{more})")
        self.stdout.write(
            f"Looked at {verified.logs:,} logs in {verified.chunks:,} chunks and "
            f"{verified.files:,} file logs, {verified.size:,} bytes."
        )
        if verified.damage:
            raise CommandError(f"{verified.damage.total()} findings: see above.")
