"""`serve`: run the web server with its configuration (docs/operations.md, "What runs")."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import CommandError

from joblogs.management import server
from joblogs.management.arguments import Bind, bind
from joblogs.management.base import StoreCommand


class Command(StoreCommand):
    help = (
        "Serve the pages and the API with gunicorn, until it is stopped. More of gunicorn's "
        "options go into GUNICORN_CMD_ARGS, such as GUNICORN_CMD_ARGS='--workers 4'."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--bind",
            type=bind,
            default=Bind("127.0.0.1", 8000),
            metavar="HOST:PORT",
            help="where to listen, or unix:PATH (default 127.0.0.1:8000)",
        )

    def handle(self, *, bind: Bind, **options: object) -> None:
        if bind.port:
            try:
                server.check_free(bind.host, bind.port)
            except OSError as error:
                raise CommandError(
                    f"{bind}: {error.strerror or error}; choose another with --bind."
                ) from None
        server.serve(str(bind))
