"""`maintain_logs`: what cron runs to keep the store healthy (docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError

from joblogs import maintenance
from joblogs.errors import StoreError
from joblogs.management.arguments import positive
from joblogs.management.base import StoreCommand
from joblogs.object_store import ForeignStore, ObjectUnreachable


class Command(StoreCommand):
    help = (
        "Make the coming day partitions, let expired logs and history go, merge small chunks, "
        "take missing fingerprints, record with which failures steps ended and sign their texts, "
        "pack the logs of old steps. "
        "May be run at any time, and again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="count what is due and change nothing"
        )
        parser.add_argument(
            "--every-day",
            action="store_true",
            help="merge and fingerprint on all days, not only what changed or is recent",
        )
        parser.add_argument(
            "--unpack",
            action="store_true",
            help="nothing but move packed logs back to where an earlier release reads them",
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
                self.stdout.write(f"{done}: {moved} logs unpacked.")
                if not dry_run and limit is None and (left := maintenance.packed_logs()):
                    raise CommandError(f"{left} logs stay packed: verify_logs tells why.")
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
            f"{run.partitions_made} day partitions made and {run.partitions_dropped} dropped, "
            f"the logs of {run.jobs_expired} jobs expired, {run.jobs_forgotten} jobs forgotten, "
            f"{run.hosts_forgotten} identities of hosts dropped, "
            f"{run.reads_forgotten} records of reads dropped, "
            f"{run.logs_merged} logs merged (saving {run.chunks_saved} chunks), "
            f"{run.fingerprints} fingerprints taken, "
            f"{run.logs_packed} logs packed (as {run.packs_made} packs), "
            f"the outcomes of {run.steps_recorded} steps recorded, "
            f"{run.steps_signed} steps signed, "
            f"{run.packs_moved} packs moved to object storage, {run.objects_written} objects "
            f"written and {run.objects_deleted} deleted."
            f"{_left(run)}"
        )


def _left(run: maintenance.MaintenanceReport) -> str:
    """What a run left whose time was over."""
    left = []
    if run.logs_to_pack:
        left.append(f"{run.logs_to_pack} logs to pack")
    if run.days_to_move:
        left.append(f"packs of {run.days_to_move} days to move")
    return f" The next run goes on: {' and '.join(left)} are left." if left else ""
