"""`verify_logs`: check the integrity of stored logs, without printing text (docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError
from tqdm import tqdm

from joblogs.errors import StoreError
from joblogs.maintenance import object_verification, verification
from joblogs.management import arguments, choosing
from joblogs.management.base import StoreCommand, amount


class Command(StoreCommand):
    help = (
        "Read every log and compare it with the columns of its row: gaps, sizes, newlines, "
        "digests, masks, orphans. Changes nothing and prints no text. Exit 1 if anything is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        choosing.add_arguments(parser)
        parser.add_argument("--day", type=arguments.day, metavar="DATE", help="this UTC day only")
        parser.add_argument(
            "--objects",
            action="store_true",
            help="only compare the listing of the object store with the database",
        )

    def handle(self, *, day: date | None, **options: Any) -> None:
        if day is not None:
            if options["since"] or options["until"]:
                raise CommandError("--day goes without --since and --until.", returncode=2)
            options["since"] = options["until"] = day
        if options["objects"]:
            self._list_objects()
            return
        selection, _ = choosing.logs(options)
        bar: tqdm[Any] = tqdm(unit="B", unit_scale=True, desc="verify", disable=None)
        try:
            with bar:
                verified = verification.verify(selection, progress=bar.update)
                if not any(options[name] for name in ("scope", "job", "step", "host")):
                    days = options["since"], options["until"]
                    verification.find_orphans(verified, *days)
                    object_verification.verify_objects(verified, *days, progress=bar.update)
        except (StoreError, DatabaseError) as error:
            raise CommandError(f"The database did not answer: {type(error).__name__}.") from error
        for damage, count in sorted(verified.damage.items()):
            named = ", ".join(map(str, verified.examples[damage]))
            more = ", …" if count > len(verified.examples[damage]) else ""
            self.stdout.write(f"{count} × {damage} (row {named}{more})")
        self.stdout.write(
            f"Looked at {amount(verified.logs, 'log')} in {amount(verified.chunks, 'chunk')} and "
            f"{amount(verified.files, 'file log')}, {amount(verified.size, 'byte')}."
        )
        if verified.objects:
            self.stdout.write(f"Looked at {amount(verified.objects, 'object')}.")
        if verified.damage:
            raise CommandError(f"{verified.damage.total()} findings: see above.")

    def _list_objects(self) -> None:
        try:
            listing = object_verification.list_objects()
        except (StoreError, DatabaseError) as error:
            raise CommandError(f"The object store could not be listed: {error}.") from error
        for why, keys in (
            ("missing", listing.missing),
            ("of another size", listing.torn),
            ("unknown; nothing deletes it", listing.unknown),
        ):
            for key in keys:
                self.stdout.write(f"{key} ({why})")
        self.stdout.write(
            f"Listed {amount(listing.objects, 'object')}, {amount(listing.size, 'byte')}."
        )
        findings = len(listing.missing) + len(listing.torn) + len(listing.unknown)
        if findings:
            raise CommandError(f"{findings} findings: see above.")
