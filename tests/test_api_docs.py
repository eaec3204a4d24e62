"""The pages of the API say what it does, with what it answered, and leave nothing out.

`UPDATE_API_DOCS=1` writes the examples into the pages instead of comparing them.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import load_command_class
from django.test import Client

from joblogs import errors, refusals
from joblogs.api import urls
from joblogs.api.envelope import ESB_REFUSED
from joblogs.api.fields import shapes_of
from joblogs.api.log_options import LogOptions
from joblogs.api.openapi import OPERATIONS
from joblogs.api.v3.batch_log import BatchLogs, HostFileLogs, HostScriptLog
from joblogs.errors import StoreError
from joblogs.refusals import Refusal
from tests.api_examples import EXAMPLES, app_of_the_examples, rendered, stored
from tests.builders import load

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "joblogs" / "management" / "commands"


@pytest.fixture(params=["docs/api.md", "docs/api.zh.md"])
def page(request: pytest.FixtureRequest) -> Path:
    return ROOT / str(request.param)


@pytest.fixture
def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pytest.mark.django_db
def test_every_example_is_what_the_store_answers(page: Path, text: str) -> None:
    keys = app_of_the_examples()
    load(*stored())
    answers = {name: example.answered(Client(), keys) for name, example in EXAMPLES.items()}
    expected = rendered(text, answers)
    if os.environ.get("UPDATE_API_DOCS"):
        page.write_text(expected, encoding="utf-8")
    assert page.read_text(encoding="utf-8") == expected


def test_every_example_is_shown_and_no_json_is_made_up(text: str) -> None:
    answered = re.findall(r"<!-- answered: (\w+) -->\n```", text)
    asked = re.findall(r"<!-- asked: (\w+) -->\n```", text)
    assert sorted(answered) == sorted(EXAMPLES)
    assert set(asked) <= EXAMPLES.keys()
    assert text.count("```json") + text.count("```http") == len(answered) + len(asked)


def failures() -> Iterator[type[StoreError]]:
    every = [*vars(errors).values(), *vars(refusals).values()]
    for kind in filter(inspect.isclass, every):
        if issubclass(kind, StoreError) and kind is not Refusal:
            yield kind


def table_of_codes(text: str) -> dict[int, str]:
    """The rows of the tables of codes, by their code."""
    return {int(code): row for code, row in re.findall(r"^\| (\d{6,7}) (\|.*)$", text, re.M)}


def test_every_code_has_a_row_with_what_it_says(text: str) -> None:
    rows = table_of_codes(text)
    assert rows.keys() == {kind.code for kind in failures()}
    assert str(ESB_REFUSED) in text
    for kind in failures():
        if issubclass(kind, Refusal):
            assert f"| {kind.status} | {kind.code_name} |" in rows[kind.code]
    for kind in set(failures()) & set(StoreError.__subclasses__()):
        if "{" not in kind.text.zh and "[" not in kind.text.zh and kind is not Refusal:
            assert f"| {kind.text.zh} | {kind.text.en} |" in rows[kind.code]


def test_every_route_is_described(text: str) -> None:
    names = {str(pattern.name) for pattern in urls.urlpatterns if pattern.name}
    assert {name for name in names if f"`{name}`" not in text} == set()
    headings = set(re.findall(r"^## (\w+)$", text, re.M))
    assert names - headings == {"api_docs"}


def test_every_extra_is_described(text: str) -> None:
    asked = shapes_of(LogOptions).keys()
    answered = {
        name
        for struct in (BatchLogs, HostScriptLog, HostFileLogs)
        for name in struct.__struct_fields__
    }
    assert {name for name in asked | answered if f"`{name}`" not in text} == set()


def asked_by(operation: dict[str, Any]) -> Iterator[str]:
    """The names of what an operation may be told."""
    for parameter in operation.get("parameters", []):
        yield parameter["name"]
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield from media["schema"].get("properties", {})


def test_every_field_that_can_be_asked_for_is_described(text: str) -> None:
    names = {name for operation in OPERATIONS.values() for name in asked_by(operation)}
    assert {name for name in names if not re.search(rf"\b{name}\b", text)} == set()


def options(app: str, name: str) -> set[str]:
    """The long options of a command."""
    parser = load_command_class(app, name).create_parser("manage.py", name)
    every = {option for action in parser._actions for option in action.option_strings}
    return {option for option in every if option.startswith("--")}


@pytest.mark.parametrize("name", sorted(file.stem for file in COMMANDS.glob("[!_]*.py")))
def test_every_command_and_each_of_its_options_is_described(name: str) -> None:
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"\n### {name}\n" in operations
    every = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "docs").glob("*.md"))
    # What Django's own commands know, this one's namesake included, is Django's to describe.
    django = "migrate" if name == "migrate" else "sendtestemail"
    own = options("joblogs", name) - options("django.core", django)
    assert {option for option in own if option not in every} == set()
