"""One stream of text, and a table for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest

from joblogs.export import Format
from joblogs.export.text import PART_BYTES
from joblogs.models import HostResult
from tests.builders import STEP, file_log, job, load, result, script_log, step
from tests.export.exporting import export

pytestmark = pytest.mark.django_db


def _rows(**wanted: Any) -> list[dict[str, str]]:
    text = export(Format.CSV, **wanted).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_line_is_led_by_its_host_and_ends_before_the_next_host() -> None:
    load(
        *(job(), step(), result(host_name="web-1"), result(102), result(103, host_name="a\nb")),
        *(script_log("one\r\n\ntwo"), script_log("x\n", host=102), script_log("y", host=103)),
    )
    assert export(Format.TXT, step=STEP).split(b"\n") == [
        *(b"web-1 | one\r", b"web-1 | ", b"web-1 | two", b"10.0.0.102 | x", b"a?b | y"),
    ]
    assert export(Format.TXT).splitlines()[0] == b"web-1 100/200 | one"
    assert export(Format.TXT, prefix=False) == b"one\r\n\ntwo\nx\ny"


def test_long_logs_are_led_line_by_line_across_every_border() -> None:
    text = ("x" * 999 + "\n") * (3 * PART_BYTES // 1000)
    load(job(), step(), result(host_name="w"), script_log(text))
    assert export(Format.TXT, step=STEP).decode() == "".join(
        f"w | {line}" for line in text.splitlines(keepends=True)
    )
    assert export(Format.TXT, prefix=False).decode() == text


def test_a_row_is_a_host_with_what_became_of_it_and_its_first_error() -> None:
    times = {"start_time": 1_700_000_000_000, "end_time": 1_700_000_001_500, "total_time": 1500}
    load(
        *(job(), step(), result(host_name="web-1", status=104, exit_code=1, tag="disk", **times)),
        script_log("fine\n  ERROR: no space left\nmore\n"),
        *(result(102, status=9, log_size=9), script_log("good\n", host=102)),
    )
    first, second = _rows()
    assert first == first | {
        "bk_host_id": "101",
        "host_name": "web-1",
        "ip": "10.0.0.101",
        "status_name": "exit_code_not_zero",
        "exit_code": "1",
        "tag": "disk",
        "start_time": "2023-11-14T22:13:20.000Z",
        "seconds": "1.5",
        "size": "33",
        "state": "complete",
        "first_error": "ERROR: no space left",
    }
    assert second == second | {"state": "incomplete", "missing": "4", "first_error": ""}


def test_a_row_of_files_says_their_size_and_state() -> None:
    load(
        *(job(), step(step_type=2), result(status=11)),
        file_log(offset=0, content="copy failed: denied", status=5, truncated=True),
    )
    (row,) = _rows()
    assert row == row | {"state": "truncated", "first_error": "copy failed: denied"}


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "＝1", "\r=1"])
def test_no_cell_is_a_formula(evil: str) -> None:
    load(
        *(job(name=evil), step(name=evil), result(host_name=evil, tag=evil, exit_code=-1)),
        script_log(f"{evil} error\n"),
    )
    (row,) = _rows()
    for name in ("job_name", "step_name", "host_name", "tag", "first_error"):
        assert row[name][0] == "'", name
    assert row["exit_code"] == "-1"


@pytest.mark.parametrize("separator", [";", "\t", "; ", ';"', ";;", "\r\n", "x;\t"])
@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "＝1"])
def test_no_cell_is_a_formula_where_semicolons_or_tabs_separate(
    separator: str, formula: str
) -> None:
    evil = f"a{separator}{formula}"
    load(job(name=evil), step(name=evil), result(host_name=evil, tag=evil))
    load(script_log(f"error{evil}\n"))
    (row,) = _rows()
    for name in ("job_name", "step_name", "host_name", "tag", "first_error"):
        for cell in re.split(r"[;\t\r\n]+", row[name]):
            assert not re.match(r"[\s\"]*[=+\-@＝]", cell), (name, row[name])


def test_cells_hold_no_escapes_and_no_nul() -> None:
    load(job(), step(), result(host_name='a,"b"\nc'), script_log("\x1b[31merror\x1b[0m\0 x\x07\n"))
    (row,) = _rows()
    assert (row["host_name"], row["first_error"]) == ('a,"b"\nc', "error x")


def test_each_attempt_has_a_row_if_all_are_asked_for() -> None:
    load(*(job(), step(), result(status=11), script_log("no\n")), result(execute_count=1, status=9))
    assert [row["execute_count"] for row in _rows(every_attempt=True)] == ["0", "1"]
    assert [row["status"] for row in _rows()] == ["9"]
    assert HostResult.objects.count() == 2
