"""`mcp`: serve tools for agents by the Model Context Protocol on standard input (docs/mcp.md)."""

from __future__ import annotations

import logging
from argparse import ArgumentParser
from importlib.util import find_spec

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from joblogs.management.arguments import origin
from joblogs.mcp.store_api import StoreApi

HAS_SDK = find_spec("mcp") is not None
if HAS_SDK:
    from joblogs.mcp.server import mcp_server


class Command(BaseCommand):
    help = (
        "Tools for an agent (MCP over standard input and output): explain a step, search it, "
        "compare hosts, read logs, list jobs. Asks the store at JOBLOGS_URL with the token in "
        "JOBLOGS_TOKEN; opens no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url",
            type=origin,
            default=settings.MCP_URL or None,
            help="where the store is (default: JOBLOGS_URL)",
        )
        parser.add_argument(
            "--language",
            choices=("en", "zh"),
            default="en",
            help="language of responses (default: en)",
        )

    def handle(self, *, url: str | None, language: str, **options: object) -> None:
        if not HAS_SDK:
            raise CommandError(
                "This needs the MCP SDK: pip install 'joblogs[mcp]', or '.[mcp]' in a checkout"
            )
        if not url:
            raise CommandError("say where the store is: JOBLOGS_URL or --url", returncode=2)
        if not settings.MCP_TOKEN:
            raise CommandError(
                "JOBLOGS_TOKEN is not set: create_app CODE --token NAME --read makes a token",
                returncode=2,
            )
        # Its messages contain parameters of requests, and clients write standard error to files.
        logging.getLogger("mcp").setLevel(logging.WARNING)
        api = StoreApi(url.removesuffix("/"), settings.MCP_TOKEN)
        mcp_server(api, language="zh" if language == "zh" else "en").run("stdio")
