"""`maintain_logs`: maintain the store; run by cron (docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from joblogs import maintenance
from joblogs.errors import StoreError
from joblogs.management.arguments import positive
from joblogs.management.base import StoreCommand, amount
from joblogs.object_store import ForeignStore, ObjectUnreachable


class Command(StoreCommand):
    help = (
        "Create the next day partitions, delete expired logs and history, merge small chunks, "
        "compute missing fingerprints, record the failures of steps, sign their texts, and pack "
        "the logs of old steps. May be run at any time, and repeated."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="count the work that is due without changing anything",
        )
        parser.add_argument(
            "--every-day",
            action="store_true",
            help="merge and fingerprint logs of all days, not only changed and recent ones",
        )
        parser.add_argument(
            "--unpack",
            action="store_true",
            help="only move packed logs back to where an earlier release reads them",
        )
        parser.add_argument(
            "--limit", type=positive, metavar="N", help="at most N logs or jobs of each kind"
        )

    def handle(
        self,
        *,
        dry_run: bool,
        every_day: bool,
        limit: int | None,
        unpack: bool,
        **options: object,
    ) -> None:
        if unpack and settings.PACK_AFTER_DAYS is not None:
            raise CommandError("PACK_AFTER_DAYS is set: the next run would pack them again.")
        try:
            if unpack:
                moved = maintenance.unpack(dry_run=dry_run, limit=limit)
                done = "Would do" if dry_run else "Done"
                self.stdout.write(f"{done}: {amount(moved, 'log')} unpacked.")
                if not dry_run and limit is None and (left := maintenance.packed_logs()):
                    raise CommandError(f"{amount(left, 'log')} left packed: verify_logs tells why.")
                return
            run = maintenance.maintain(dry_run=dry_run, every_day=every_day, limit=limit)
        except maintenance.AlreadyRunning:
            raise CommandError("Another maintain_logs is running.") from None
        except ForeignStore as error:
            raise CommandError(str(error)) from None
        except ObjectUnreachable as error:
            raise CommandError(
                f"The object store: {error.fault}. All else was done; the next run goes on."
            ) from None
        except (StoreError, DatabaseError) as error:
            raise CommandError(f"The database did not answer: {type(error).__name__}.") from error
        self.stdout.write(
            f"{'Would do' if dry_run else 'Done'}: "
            f"{amount(run.partitions_made, 'day partition')} made and "
            f"{run.partitions_dropped} dropped, "
            f"the logs of {amount(run.jobs_expired, 'job')} expired, "
            f"{amount(run.jobs_forgotten, 'job')} forgotten, "
            f"{amount(run.hosts_forgotten, 'identity', 'identities')} of hosts dropped, "
            f"{amount(run.reads_forgotten, 'record')} of reads dropped, "
            f"{amount(run.logs_merged, 'log')} merged "
            f"(saving {amount(run.chunks_saved, 'chunk')}), "
            f"{amount(run.fingerprints, 'fingerprint')} taken, "
            f"{amount(run.logs_packed, 'log')} packed (as {amount(run.packs_made, 'pack')}), "
            f"the outcomes of {amount(run.steps_recorded, 'step')} recorded, "
            f"{amount(run.steps_signed, 'step')} signed, "
            f"{amount(run.packs_moved, 'pack')} moved to object storage, "
            f"{amount(run.objects_written, 'object')} written and {run.objects_deleted} deleted."
            f"{_left(run)}"
        )


def _left(run: maintenance.MaintenanceReport) -> str:
    """Return a sentence about the work that a run left for the next one, or an empty text."""
    left = []
    if run.logs_to_pack:
        left.append(f"{amount(run.logs_to_pack, 'log')} to pack")
    if run.days_to_move:
        left.append(f"packs of {amount(run.days_to_move, 'day')} to move")
    return f" The next run goes on: {' and '.join(left)}." if left else ""
