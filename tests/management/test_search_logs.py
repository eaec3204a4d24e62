"""search_logs: which steps printed a text, for whoever runs the machine."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from joblogs.models import LogRead, SearchRead
from tests.builders import job, load, result, script_log, step

pytestmark = pytest.mark.django_db
SPAN = ("--since", "2023-11-01", "--until", "2023-11-30")


@pytest.fixture(autouse=True)
def store() -> None:
    load(
        *(job(status=3), step(status=3), result(status=9, host_name="web-1")),
        script_log("start\nNo space \x1b[31mleft\x07\n"),
    )


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command("search_logs", *arguments, stdout=output)
    return output.getvalue()


def test_it_prints_the_steps_and_leaves_the_terminal_alone() -> None:
    output = run("no space left", *SPAN, "--scope", "biz:2")
    assert "biz:2/100/200 restart web · restart: 1 line on 1 host (web-1)" in output
    assert "2: No space \ufffd[31mleft\ufffd" in output
    assert "1 step printed it, of 1 searched and 1 read" in output
    assert SearchRead.objects.get().channel == LogRead.objects.get().channel == "search_logs"


def test_days_in_the_wrong_order_are_an_error_and_no_answer() -> None:
    with pytest.raises(CommandError, match="--since is after the last day, 2023-11-01") as error:
        run("no space left", "--since", "2023-12-01", "--until", "2023-11-01")
    assert error.value.returncode == 2


def test_it_says_that_nothing_was_found() -> None:
    assert "0 steps printed it, of 1 searched" in run("never printed", *SPAN)
    assert "0 steps printed it" in run("space", *SPAN, "--status", "failed")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ab", *SPAN), "needs --name, --host or a single day"),
        (("(", "--regex", *SPAN), "no valid search"),
        (("abc", "--scope", "biz:9"), "there is no such scope"),
    ],
)
def test_it_refuses(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
