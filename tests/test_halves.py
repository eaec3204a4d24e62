"""What is run with one database only is somewhere, and the kind of database has no part in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import NO_DATABASE, ONE_DATABASE

TESTS = Path(__file__).parent
ASKS = re.compile(r"django_db|connection\.vendor|DATABASE_URL")


def files(place: str) -> list[Path]:
    path = TESTS / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


@pytest.mark.parametrize("place", [*ONE_DATABASE, *NO_DATABASE])
def test_what_is_run_once_is_there(place: str) -> None:
    assert files(place)
    assert all(file.is_file() for file in files(place))


def test_nothing_is_left_out_by_both() -> None:
    of_either = [
        {file for place in places for file in files(place)}
        for places in (ONE_DATABASE, NO_DATABASE)
    ]
    assert not set.intersection(*of_either)


@pytest.mark.parametrize("place", NO_DATABASE)
def test_what_may_run_beside_either_database_asks_none(place: str) -> None:
    assert [file.name for file in files(place) if ASKS.search(file.read_text("utf-8"))] == []


@pytest.mark.parametrize("place", ONE_DATABASE)
def test_what_is_run_on_sqlite_alone_has_nothing_for_postgresql(place: str) -> None:
    only = re.compile(r'vendor != "postgresql"')
    assert [file.name for file in files(place) if only.search(file.read_text("utf-8"))] == []
