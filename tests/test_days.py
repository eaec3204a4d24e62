"""A day is written in one way, wherever one is asked for: `2023-11-14`."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from joblogs.search import Cursor
from tests.builders import credentials, job, load
from tests.pages.page_helpers import staff

WRITTEN_OTHERWISE = [
    "20231114",
    "2023-W46-2",
    "2023W462",
    "2023-1-4",
    "11/14/2023",
    "Nov 14 2023",
    "2023-11-14T00:00",
    "2023-02-30",
    "２０２３-11-14",
]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["since", "until"])
def test_the_api_names_the_field(name: str) -> None:
    load(job())
    for day in WRITTEN_OTHERWISE:
        query = {"q": "disk", "since": "2023-11-01", "until": "2023-11-30"} | {name: day}
        path = "/api/v1/biz/2/search_history"
        answer: Any = Client().get(path, query, headers=credentials()).json()
        assert (answer["code"], answer["message"]) == (1240003, f"错误的请求 [{name}]")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("page", ["/logs/", "/logs/search/"])
def test_pages_say_it_at_the_field(page: str, name: str) -> None:
    browser = staff()
    for day in WRITTEN_OTHERWISE:
        html = browser.get(page, {"q": "disk", name: day}).content.decode()
        assert html.count("Enter a valid date.") == 1, day


@pytest.mark.parametrize(
    "command", [["search_logs", "disk"], ["export_logs", "--format", "csv", "--all"]]
)
def test_commands_name_the_option(command: list[str]) -> None:
    for day in WRITTEN_OTHERWISE:
        with pytest.raises(CommandError, match="--since.* is not a day such as"):
            call_command(*command, "--since", day)


@pytest.mark.parametrize("day", WRITTEN_OTHERWISE)
def test_a_cursor_has_no_other_days(day: str) -> None:
    with pytest.raises(ValueError, match=r"\d|out of range"):
        Cursor.of(day)
