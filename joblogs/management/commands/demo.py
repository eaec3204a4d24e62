"""`demo`: load recorded runs, create a login and an app, and serve (README)."""

from __future__ import annotations

import json
import secrets
from argparse import ArgumentParser
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from joblogs import access
from joblogs.access import OPERATOR
from joblogs.ingest import ingest
from joblogs.ingest.stream import encoding_of, numbered_lines
from joblogs.management import server
from joblogs.management.arguments import port
from joblogs.management.base import program

ARCHIVE = Path(__file__).parents[2] / "demo" / "archive.ndjson.zst"
SCOPE = ("biz", "2")
LISTED = {
    "bk_scope_type": SCOPE[0],
    "bk_scope_id": SCOPE[1],
    "job_instance_id": 1001,
    "step_instance_id": 10011,
    "host_id_list": [102, 142],
}
"""Request for two hosts of the archive's main step: one succeeded, the other's disk was full."""
STEP_PAGE = "/logs/biz/2/jobs/1001/steps/10011/"
NAME = "demo"
HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Load recorded runs, create a login and an app, print how to use them, and serve."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port, default=8000, help="on 127.0.0.1 (default 8000)")
        parser.add_argument("--no-serve", action="store_true", help="only load and print")

    def handle(self, *, port: int, no_serve: bool, **options: object) -> None:
        if not no_serve:
            self._check_free(port)
        call_command("migrate", verbosity=0)
        with ARCHIVE.open("rb") as file:
            encoding = encoding_of(file.peek(4)[:4])
            report = ingest(numbered_lines(file.read, encoding=encoding), writer=OPERATOR)
        if report.refused_total:
            raise CommandError("The recorded archive was not taken whole: is this another store?")
        self.stdout.write(
            f"{report.accepted} records loaded, {report.duplicates} were there already."
        )
        self._write_instructions(port)
        if not no_serve:
            server.serve(f"{HOST}:{port}")

    def _check_free(self, port: int) -> None:
        try:
            server.check_free(HOST, port)
        except OSError:
            other = port + 1000 if port < 64000 else 9000
            raise CommandError(
                f"Port {port} is taken; choose another: {program()} demo "
                f"--port {other}, or make demo ARGS='--port {other}'"
            ) from None

    def _write_instructions(self, port: int) -> None:
        # Password and secret are random: the same on no two machines.
        password = secrets.token_urlsafe(9)
        people = get_user_model()
        user, is_new = people.objects.get_or_create(
            username=NAME, defaults={"is_staff": True, "is_superuser": True}
        )
        user.set_password(password)
        user.save(update_fields=["password"])
        _, secret = access.create_app(
            code=NAME, name="Demo", scopes=[SCOPE], read=True, write=False, rotate=True
        )
        if not is_new:
            self.stdout.write("The password and the secret of an earlier demo no longer work.")
        root = f"http://{HOST}:{port}"
        keys = json.dumps({"bk_app_code": NAME, "bk_app_secret": secret})
        self.stdout.write(
            f"\nPages   {root}/logs/\n"
            f"        {root}{STEP_PAGE}\n"
            f"        user {NAME}, password {password}\n\n"
            f"API     curl {root}/api/v3/batch_get_job_instance_ip_log \\\n"
            f"          -H 'Content-Type: application/json' \\\n"
            f"          -H 'X-Bkapi-Authorization: {keys}' \\\n"
            f"          -d '{json.dumps(LISTED)}'\n"
        )
        self.stdout.write(f"Other commands of this store: DEBUG=on {program()} …, for its key.\n")
        self.stdout.flush()
