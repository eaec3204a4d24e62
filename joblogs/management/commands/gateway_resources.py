"""`gateway_resources DIR`: write the files to register with BlueKing's API gateway
(docs/operations.md)."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from joblogs.api import gateway_pages, gateway_resources
from joblogs.management.arguments import origin


class Command(BaseCommand):
    help = (
        "Write what BlueKing's API gateway needs to register this store: resources.yaml, "
        "definition.yaml with an MCP server, and a page of each resource in Chinese and English. "
        "Reads no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "folder", type=Path, metavar="DIR", help="output folder, created if missing"
        )
        parser.add_argument(
            "--url",
            type=origin,
            default=settings.PUBLIC_URL,
            help="where the gateway reaches the store, such as http://10.0.0.7:8000 "
            "(default: PUBLIC_URL)",
        )

    def handle(self, *, folder: Path, url: str, **options: object) -> None:
        if not url:
            raise CommandError("say where the store is: --url http://HOST:PORT", returncode=2)
        files = {
            "resources.yaml": gateway_resources.resources_yaml(),
            "definition.yaml": gateway_resources.definition_yaml(url),
            **{f"docs/{path}": text for path, text in gateway_pages.pages()},
        }
        try:
            for path, text in files.items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}.") from error
        count = sum(1 for _ in gateway_resources.resources())
        self.stdout.write(f"{count} resources and their pages are in {folder}.")
