"""`send_notices`: run saved searches over new logs and send notices; run by cron or as a service
(docs/notices.md)."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser

from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections

from joblogs import database
from joblogs.errors import StoreError
from joblogs.management.arguments import positive
from joblogs.management.base import StoreCommand
from joblogs.notices import Sender

RETRY_SECONDS = 5


class Command(StoreCommand):
    help = (
        "Run the saved searches over new logs, and send the notices that are due. May be run at "
        "any time, and repeated: a later run retries notices that a receiver did not accept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--loop", action="store_true", help="repeat until it is stopped")
        parser.add_argument(
            "--interval",
            type=positive,
            default=5,
            metavar="SECONDS",
            help="with --loop: pause when nothing is due (default: 5)",
        )

    def handle(self, *, loop: bool, interval: int, **options: object) -> None:
        stopped = threading.Event()
        if loop and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stopped.set())
        while True:
            try:
                self._run(stopped)
            except (StoreError, DatabaseError) as error:
                if not loop:
                    raise CommandError(
                        f"The database did not answer: {type(error).__name__}."
                    ) from error
                self.stderr.write(f"The database did not answer: {type(error).__name__}.")
                close_old_connections()
            if not loop or stopped.wait(interval):
                return

    def _run(self, stopped: threading.Event) -> None:
        with database.only_one("notices") as free:
            if not free:
                raise CommandError("Another send_notices is running.")
            counts = Sender(is_stopped=stopped.is_set).run()
        if any((counts.sent, counts.dropped, counts.failed, counts.dead)) or not stopped.is_set():
            self.stdout.write(
                f"Done: {counts.sent} notices sent, {counts.failed} failed and will be tried "
                f"again, {counts.dead} given up, {counts.dropped} not sent."
            )
