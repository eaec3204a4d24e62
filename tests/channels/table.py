"""Every way out of the store, and who may take it. A new address or command needs a row here.

The table is also in docs/security.md; `test_channels.py` tries each cell of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.channels.admin import ADMIN
from tests.channels.api import API
from tests.channels.pages import PAGES
from tests.channels.rows import Row
from tests.channels.security_world import APP, AUDITOR, HERE, PRODUCER, STAFF, SUPERUSER

ROWS = [*PAGES, *API, *ADMIN]


ANSWERING: dict[str, tuple[str, ...]] = {
    "joblogs.middleware.Requests": ("/healthz", "/readyz", "/metrics"),
    "whitenoise.middleware.WhiteNoiseMiddleware": ("/static/",),
}
"""Middleware that answers by itself, before there is any route, and where it does."""
PASSING_ON = {
    "jobplatform.middleware.SafeHeaders",
    "joblogs.middleware.ApiAnswers",
    "joblogs.middleware.SlowRequests",
    "joblogs.middleware.PageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
}
"""Middleware whose own answers are refusals and redirects."""


@dataclass(frozen=True)
class Command:
    """A command of ours. Whoever may run it may read the database anyway."""

    name: str
    text: bool
    """Whether log text leaves the store by it."""
    run: tuple[tuple[str, ...], ...]
    """Arguments to try it with, over a store; `{file}` is a file of records of it."""
    recorded: str = ""


COMMANDS = [
    Command("create_app", False, (("ci", "--scope", "biz:2"),)),
    Command("demo", False, (("--no-serve",),)),
    Command(
        "export_logs",
        True,
        tuple(
            ("--format", kind, "--step", str(HERE.step), "--attempt", attempt)
            for kind, attempt in (("txt", "latest"), ("ndjson", "all"))
        ),
        recorded="export_logs",
    ),
    Command("gateway_resources", False, (("{file}.d", "--url", "http://store:8000"),)),
    Command("import_logs", False, (("{file}",), ("{file}", "--dry-run"))),
    Command("maintain_logs", False, (("--dry-run",), ())),
    # What it hands on came through the API, with its rights and records; it opens no database.
    Command("mcp", False, ()),
    Command("migrate", False, (("--plan",),)),
    Command("redact_logs", False, (("--dry-run",), ("--texts", "{file}"), ())),
    Command("remove_jobs", False, (("--job", str(HERE.job), "--dry-run"), ("--contains", "x"))),
    # What it sends it records (`notice`); it prints numbers.
    Command("send_notices", False, ((),), recorded="notice"),
    Command(
        "search_logs",
        True,
        (
            (
                *(f"{HERE.word}-needle", "--host", str(HERE.other_host)),
                *("--since", "2023-11-01", "--until", "2023-11-30"),
            ),
        ),
        recorded="search_logs",
    ),
    Command("serve", False, ()),
    Command("verify_logs", False, ((), ("--day", "2023-11-14"))),
]

COLUMNS = (SUPERUSER, STAFF, AUDITOR, APP, PRODUCER)


def cell(row: Row, caller: str) -> str:
    if caller in row.text:
        return "**text**"
    return "facts" if caller in row.facts else "–"


def rendered() -> Iterator[str]:
    """The table as docs/security.md shows it."""
    yield f"| what | addresses | {' | '.join(COLUMNS)} | recorded as |"
    yield "|---" * (len(COLUMNS) + 3) + "|"
    for row in ROWS:
        cells = " | ".join(cell(row, caller) for caller in COLUMNS)
        yield f"| {row.title} | {_short(row.routes)} | {cells} | {row.recorded or '–'} |"


def rendered_commands() -> Iterator[str]:
    yield "| command | prints log text | recorded as |"
    yield "|---|---|---|"
    for command in COMMANDS:
        prints = "**yes**" if command.text else "no"
        yield f"| `{command.name}` | {prints} | {command.recorded or '–'} |"


def _short(routes: tuple[str, ...]) -> str:
    """The same page of many tables is said once: `admin:…_change`."""
    table = re.compile(r"(?<=^admin:)(?:auth|joblogs)_[a-z]+_|(?<=^admin/)(?:auth|joblogs)/[a-z]+/")
    names = dict.fromkeys(table.sub("…", route) for route in routes if route)
    return ", ".join(f"`{name}`".replace("|", "\\|") for name in names)
