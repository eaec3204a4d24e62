"""`create_app CODE`: make or extend an app that calls the API (docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import CommandError

from joblogs import access
from joblogs.management.arguments import app_code, scope
from joblogs.management.base import StoreCommand


class Command(StoreCommand):
    help = (
        "Make an app that may call the API, or extend one. A new app's secret is printed once, "
        "alone on the last line of standard output; everything else goes to standard error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", type=app_code, help="the app's code (bk_app_code)")
        parser.add_argument("--name", default="", help="what people call it")
        parser.add_argument(
            "--scope",
            dest="scopes",
            action="append",
            type=scope,
            default=[],
            metavar="TYPE:ID",
            help="a scope that it may use, such as biz:2; may be given several times",
        )
        parser.add_argument(
            "--all-scopes", action="store_true", help="every scope, those to come included"
        )
        parser.add_argument("--read", action="store_true", help="may read (default)")
        parser.add_argument("--write", action="store_true", help="may send records")
        parser.add_argument(
            "--rotate", action="store_true", help="give an app that is there another secret"
        )

    def handle(
        self,
        *,
        code: str,
        name: str,
        scopes: list[tuple[str, str]],
        all_scopes: bool,
        read: bool,
        write: bool,
        rotate: bool,
        **options: object,
    ) -> None:
        if (read or write) and not scopes and not all_scopes:
            raise CommandError("say where: --scope TYPE:ID or --all-scopes", returncode=2)
        if rotate and access.app_of(code) is None:
            raise CommandError(f"{code}: there is no such app; without --rotate it is made.")
        app, secret = access.create_app(
            code=code,
            name=name,
            scopes=scopes,
            all_scopes=all_scopes,
            read=read or not write,
            write=write,
            rotate=rotate,
        )
        for grant in app.grants.select_related("scope").order_by("scope"):
            rights = " and ".join(right for right in ("read", "write") if getattr(grant, right))
            self._write_line(f"{code} may {rights} {grant.scope or 'every scope'}.")
        if secret is None:
            self._write_line(f"{code} keeps its secret; --rotate makes a new one.")
        else:
            self._write_line("Its secret, shown this once:")
            self.stdout.write(secret)

    def _write_line(self, line: str) -> None:
        self.stderr.write(line, str)  # not in the colour of errors
