"""What every test may ask for. Rows are made by `builders.py`."""

from __future__ import annotations

import sqlite3

import hypothesis
import pytest
from django.db import connection

from tests import object_server

# Two busy cores make any deadline a coin toss; speed is measured in `benchmarks/`.
hypothesis.settings.register_profile("joblogs", deadline=None)
hypothesis.settings.register_profile("long", deadline=None, max_examples=2000)
hypothesis.settings.load_profile("joblogs")


MARKED_FOLDERS = {
    "live": ("live", "faults", "shippers", "senders"),
    "browser": ("browser",),
    "slow": ("faults", "hostile"),
}
"""Folders whose tests carry a marker without naming it."""

ONE_DATABASE = ("browser", "grouping", "shippers")
"""Folders of what no database has a part in: those run on SQLite alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    once = pytest.mark.skip(reason="no database has a part in it: run on SQLite")
    for item in items:
        folder = item.path.relative_to(item.config.rootpath).parts[1]
        pure = folder == "logtext" and item.get_closest_marker("django_db") is None
        if connection.vendor == "postgresql" and (pure or folder in ONE_DATABASE):
            item.add_marker(once)
        for marker, folders in MARKED_FOLDERS.items():
            if folder in folders:
                item.add_marker(marker)


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
