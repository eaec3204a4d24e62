"""Nothing of the store comes out but to those who may have it: each way out, each kind of caller.

`UPDATE_SECURITY_DOCS=1` writes the tables into docs/security.md instead of comparing them.
"""

from __future__ import annotations

import dataclasses
import io
import os
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import CommandError
from django.db import transaction
from django.urls import get_resolver
from pytest_django.plugin import DjangoDbBlocker

from joblogs.middleware import PATHS
from joblogs.models import LogRead
from tests.builders import lines, script_log
from tests.channels.api import API
from tests.channels.rows import Row
from tests.channels.security_world import (
    CALLERS,
    GONE,
    HERE,
    MEMBER,
    NOBODY,
    SUPERUSER,
    TWINS,
    Answer,
    Ask,
    Caller,
    Place,
    World,
    make_world,
)
from tests.channels.table import (
    ANSWERING,
    COMMANDS,
    PASSING_ON,
    ROWS,
    Command,
    rendered,
    rendered_commands,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "security.md"
OTHER_METHODS = ("HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once: what a test changes is undone to here, and all of it at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_world()
        transaction.set_rollback(True)


def every_route(
    patterns: list[Any] | None = None, before: str = "", spaces: str = ""
) -> Iterator[str]:
    """Each address that the URL configuration knows, by its name or else its pattern."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            space = getattr(pattern, "namespace", None)
            inner = f"{spaces}{space}:" if space else spaces
            yield from every_route(pattern.url_patterns, path, inner)
        else:
            yield spaces + pattern.name if pattern.name else path


def test_every_route_has_one_row() -> None:
    listed = [route for row in ROWS for route in row.routes]
    assert sorted(listed) == sorted([*every_route(), *chain(*ANSWERING.values())])


def test_all_middleware_that_answers_by_itself_is_known() -> None:
    assert sorted(settings.MIDDLEWARE) == sorted([*ANSWERING, *PASSING_ON])
    assert set(PATHS) == set(ANSWERING["joblogs.middleware.Requests"])


def test_every_command_has_one_row() -> None:
    ours = sorted(name for name, app in get_commands().items() if app == "joblogs")
    assert sorted(command.name for command in COMMANDS) == ours


def test_the_page_shows_these_tables() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("channels", rendered()), ("commands", rendered_commands())):
        parts = re.split(
            rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- end of {name} -->)", text, flags=re.S
        )
        assert len(parts) == 2
        text = "\n".join(table).join(parts)
    if os.environ.get("UPDATE_SECURITY_DOCS"):
        PAGE.write_text(text, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == text


def _seen(answer: Answer, ask: Ask, where: Place) -> set[str]:
    """What of a place an answer shows that its caller did not say."""
    said = answer.without(ask, _fields(ask, where)).everything
    found = {"text"} if where.text in answer.everything else set()
    return found | ({"facts"} if any(fact in said for fact in where.facts) else set())


def _fields(ask: Ask, where: Place) -> set[str]:
    request = f"{ask.path} {ask.json} {ask.form}"
    return {word for word in where.words if word in request}


def _reads() -> list[LogRead]:
    found = list(LogRead.objects.exclude(at__year=2026, at__month=1).order_by("pk"))
    LogRead.objects.exclude(at__year=2026, at__month=1).delete()
    return found


def _expect(row: Row, caller: Caller, ask: Ask, where: Place, *, may: set[str]) -> None:
    """An allowed caller sees what the row says and no more; if text was read, it is recorded."""
    answer = caller.send(ask)
    seen, told = _seen(answer, ask, where), (row.title, caller.name, ask)
    assert ("text" in seen) is ("text" in may and ask.shows), told
    assert seen or not ask.shows, told
    if not row.recorded or not ask.shows:
        assert _reads() == [], told
        return
    reads = _reads()
    assert [read.step_instance_id for read in reads] == [ask.step, *ask.also], told
    app = caller.name.replace(" ", "-") if caller.headers else ""
    for read in reads:
        assert (read.channel, read.app_code, bool(read.who)) == (row.recorded, app, True), told
        assert (read.scope_id, read.job_instance_id) == (where.scope, where.job), told
        assert read.host_count > 0, told
        assert read.size >= len(where.text), told


def _rights(row: Row, name: str) -> set[str]:
    return {kind for kind in ("text", "facts") if name in getattr(row, kind)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_those_who_may_see_it_and_the_read_is_recorded(row: Row, world: World) -> None:
    for name in row.text | row.facts:
        for ask in row.asks(world.here):
            _expect(row, world.callers[name], ask, world.here, may=_rights(row, name))
        if name in TWINS:
            # That others are refused here proves nothing unless they are served at home.
            for ask in row.asks(world.elsewhere):
                twin = world.callers[TWINS[name]]
                _expect(row, twin, ask, world.elsewhere, may=_rights(row, name))


def _alike(row: Row, caller: Caller, ask: Ask, gone: Ask, where: Place, method: str) -> None:
    """An answer shows nothing, and is the one that is given to what does not exist."""
    told = (row.title, caller.name, method, ask)
    answer = caller.send(ask, method=method)
    assert not _seen(answer, ask, where), told
    missing = caller.send(gone, method=method)
    here, nowhere = (
        answer.without(ask, _fields(ask, where)),
        missing.without(gone, _fields(gone, GONE)),
    )
    assert here == nowhere, told


def _is_stopped(row: Row, caller: Caller) -> bool:
    """Whether a caller shows nothing that is looked at: pages want a login, the API an app."""
    return caller.name in (MEMBER, NOBODY) or bool(caller.headers) is not (row in API)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_those_who_may_not_see_nothing_not_even_that_it_exists(row: Row, world: World) -> None:
    for name in set(CALLERS) - row.text - row.facts:
        tried: set[tuple[str, str]] = set()
        stopped = _is_stopped(row, world.callers[name])
        for ask, gone in zip(row.asks(world.here), row.asks(GONE), strict=True):
            door = (ask.method, ask.path.partition("?")[0])
            if stopped and door in tried:
                continue  # nobody there has looked yet at what is asked for
            if stopped and tried:
                answer = world.callers[name].send(ask)
                assert not _seen(answer, ask, world.here), (row.title, name, ask)
            else:
                _alike(row, world.callers[name], ask, gone, world.here, ask.method)
            tried.add(door)
    assert _reads() == []


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.text or row.facts], ids=lambda row: row.title
)
def test_no_other_method_shows_more(row: Row, world: World) -> None:
    twins = {TWINS[name] for name in row.text | row.facts if name in TWINS}
    for name in twins:
        for ask, gone in list(zip(row.asks(world.here), row.asks(GONE), strict=True))[:2]:
            for method in set(OTHER_METHODS) - {ask.method}:
                _alike(row, world.callers[name], ask, gone, world.here, method)
    assert _reads() == []


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.text or row.facts], ids=lambda row: row.title
)
def test_no_number_of_another_scope_works_in_ones_own(row: Row, world: World) -> None:
    """The foreign job, step, host and row, each asked for as if it were in the own scope."""
    own = world.elsewhere
    crossed = dataclasses.replace(world.here, scope=own.scope)
    nowhere = dataclasses.replace(GONE, scope=own.scope)
    for name in (TWINS[name] for name in row.text | row.facts if name in TWINS):
        for ask, gone in zip(row.asks(crossed), row.asks(nowhere), strict=True):
            _alike(row, world.callers[name], ask, gone, world.here, ask.method)
    assert _reads() == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_commands_print_log_text_only_where_the_table_says_so(
    command: Command, world: World, tmp_path: Path
) -> None:
    # Another text than the one that is stored: a refusal must not quote either.
    file = tmp_path / "records.ndjson"
    place = {"job": HERE.job, "step": HERE.step, "host": HERE.host}
    file.write_bytes(lines(script_log("contradiction\n", **place)))
    for arguments in command.run:
        raw = io.BytesIO()
        out = io.TextIOWrapper(raw, write_through=True)
        given = [argument.format(file=file) for argument in arguments]
        try:
            call_command(command.name, *given, stdout=out, stderr=out)
        except CommandError as error:
            out.write(str(error))
        said = raw.getvalue().decode()
        assert said, arguments
        assert (HERE.text in said) is command.text, arguments
        assert "contradiction" not in said
        assert [read.channel for read in _reads()] == [command.recorded] * command.text
    assert SUPERUSER in world.callers
