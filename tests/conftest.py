"""What every test may ask for. Rows are made by `builders.py`."""

from __future__ import annotations

import gc
import os
import sqlite3

import hypothesis
import pytest
from django.contrib import admin
from django.db import connection

from tests import object_server

# As whoever loads the addresses does: some tests go through what it shows.
admin.autodiscover()

# Two busy cores make any deadline a coin toss; speed is measured in `benchmarks/`.
# CI takes the same examples each time: new ones are for whoever can look at what they find.
hypothesis.settings.register_profile("joblogs", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("joblogs")


MARKED_FOLDERS = {
    "live": ("live", "faults", "shippers", "test_private_files.py"),
    "browser": ("browser",),
    "slow": ("channels", "faults", "hostile", "object_store"),
}
"""Folders whose tests carry a marker without naming it."""

ONE_DATABASE = (
    *("browser", "shippers", "live/test_installation.py", "live/test_mcp.py"),
    *("live/test_serve.py", "management/test_mcp.py", "pages/test_large_cards.py"),
    "pages/test_large_steps.py",
    *("test_architecture.py", "test_docs.py", "test_private_files.py", "test_settings.py"),
    "test_translations.py",
)
"""What the kind of database has no part in: run on SQLite alone."""
NO_DATABASE = (
    *("grouping", "signatures", "ingest/test_stream.py"),
    *("logtext/test_alignment.py", "logtext/test_ansi.py", "logtext/test_chunks.py"),
    *("logtext/test_codec.py", "logtext/test_cutting.py", "logtext/test_encodings.py"),
    *("logtext/test_line_texts.py", "logtext/test_line_times.py", "logtext/test_lines.py"),
    *("logtext/test_secret_kinds.py", "logtext/test_secrets.py", "logtext/test_terminal.py"),
    *("pages/test_folding.py", "pages/test_formats.py", "pages/test_rendering.py"),
    *("test_compare.py", "test_first_error.py", "test_json_keys.py", "test_records_keys.py"),
    *("logtext/test_utf16_parts.py", "test_search_as_read.py", "test_words.py"),
)
"""What asks none: run on SQLite alone, or where both halves run beside each other (TESTS_IN_HALVES,
.ci/run), beside PostgreSQL alone: that half has less to do."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    once = pytest.mark.skip(reason="no database has a part in it: run once")
    in_halves, on_sqlite = bool(os.environ.get("TESTS_IN_HALVES")), connection.vendor == "sqlite"
    elsewhere: tuple[str, ...] = () if on_sqlite else ONE_DATABASE
    if in_halves == on_sqlite:
        elsewhere += NO_DATABASE
    places = {config.rootpath / "tests" / place for place in elsewhere}
    for item in items:
        folder = item.path.relative_to(item.config.rootpath).parts[1]
        if places.intersection((item.path, *item.path.parents)):
            item.add_marker(once)
        for marker, folders in MARKED_FOLDERS.items():
            if folder in folders:
                item.add_marker(marker)


def pytest_configure() -> None:
    gc.set_threshold(50_000)  # as in a server


def pytest_collection_finish() -> None:
    """Keep what lives to the end out of the collector: a fifth of the time of tests went there."""
    gc.collect()
    gc.freeze()


def pytest_report_header() -> str:
    """Say which database this run is about: the same tests pass on both."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"database: SQLite {sqlite3.sqlite_version}"
    return f"database: {connection.display_name} at {database['HOST']}:{database['PORT']}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what was not tried."""
    if object_server.find_binary() is None:
        terminalreporter.write_line(object_server.MISSING, red=True)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give each run an SQLite file of its own, so that two runs in one tree do not meet."""
    if connection.vendor == "sqlite":
        file = tmp_path_factory.mktemp("database") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(file)
