"""`create_app CODE`: create or extend an app that calls the API, and its tokens
(docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser

from django.core.management.base import CommandError

from joblogs import access, app_tokens
from joblogs.app_tokens import TokenRefused
from joblogs.management.arguments import app_code, days, scope, token_name
from joblogs.management.base import StoreCommand


class Command(StoreCommand):
    help = (
        "Create an app that may call the API, extend one, or create and revoke its tokens. The "
        "secret of a new app, or a new token, is printed once, alone on the last line of standard "
        "output; everything else goes to standard error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", type=app_code, help="the app's code (bk_app_code)")
        parser.add_argument("--name", default="", help="display name of the app")
        parser.add_argument(
            "--scope",
            dest="scopes",
            action="append",
            type=scope,
            default=[],
            metavar="TYPE:ID",
            help="a scope that it may use, such as biz:2; may be repeated, but not for a token",
        )
        parser.add_argument(
            "--all-scopes", action="store_true", help="all scopes, including future ones"
        )
        parser.add_argument("--read", action="store_true", help="may read (default)")
        parser.add_argument("--write", action="store_true", help="may send records")
        parser.add_argument("--audit", action="store_true", help="may read the audit log")
        parser.add_argument(
            "--rotate", action="store_true", help="replace the secret of an existing app"
        )
        parser.add_argument(
            "--token",
            type=token_name,
            metavar="NAME",
            help="create a token of an existing app, with all its rights or those given",
        )
        parser.add_argument("--expires", type=days, metavar="DAYS", help="lifetime of the token")
        parser.add_argument(
            "--revoke", type=token_name, metavar="NAME", help="revoke a token of the app"
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
        audit: bool,
        rotate: bool,
        token: str | None,
        expires: int | None,
        revoke: str | None,
        **options: object,
    ) -> None:
        rights = {"read": read, "write": write, "audit": audit}
        named = frozenset(right for right, given in rights.items() if given)
        if token is not None or revoke is not None or expires is not None:
            beside = bool(name or all_scopes or rotate or (revoke and (token or expires)))
            if beside or (revoke and (named or scopes)) or not (token or revoke):
                raise CommandError("a token is made or revoked by itself", returncode=2)
            if len(scopes) > 1:
                raise CommandError("a token has one scope, or all of the app's", returncode=2)
            self._change_token(code, token, revoke, scopes, named, expires)
            return
        if named and not scopes and not all_scopes:
            raise CommandError("say where: --scope TYPE:ID or --all-scopes", returncode=2)
        if rotate and access.app_of(code) is None:
            raise CommandError(f"{code}: there is no such app; without --rotate it is made.")
        app, secret = access.create_app(
            code=code,
            name=name,
            scopes=scopes,
            all_scopes=all_scopes,
            read=read or not named,
            write=write,
            audit=audit,
            rotate=rotate,
        )
        for grant in app.grants.select_related("scope").order_by("scope"):
            held = " and ".join(right for right in rights if getattr(grant, right))
            self.note(f"{code} may {held} {grant.scope or 'every scope'}.")
        if secret is None:
            self.note(f"{code} keeps its secret; --rotate makes a new one.")
        else:
            self.note("Its secret, shown this once:")
            self.stdout.write(secret)

    def _change_token(
        self,
        code: str,
        token: str | None,
        revoke: str | None,
        scopes: list[tuple[str, str]],
        rights: frozenset[str],
        expires: int | None,
    ) -> None:
        try:
            if token is None:
                app_tokens.revoke(code=code, name=revoke or "")
                self.note(f"{code}'s token {revoke} is revoked.")
                return
            text = app_tokens.create(
                code=code,
                name=token,
                scope=scopes[0] if scopes else None,
                rights=rights,
                expires_days=expires,
            )
        except TokenRefused as error:
            raise CommandError(f"{error}.") from error
        end = f"for {expires} days" if expires else "until it is revoked"
        self.note(f"{code}'s token {token}, shown this once, holds {end}:")
        self.stdout.write(text)
