"""Find in a log: all lines that match are counted, one after the other is shown."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from joblogs.models import LogRead
from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page, staff

pytestmark = pytest.mark.django_db
LINES = "".join(f"line {n}{' needle' * (n % 100 == 0)}\n" for n in range(1, 3001))


def _load(content: str = LINES) -> None:
    load(job(), step(), result(status=9, host_name="web-1"))
    for at in range(0, len(content), 500_000):
        load(script_log(content[at : at + 500_000], offset=at))


def _html(client: Client, **query: str) -> str:
    response = client.get(page("log"), query)
    assert response.status_code == 200
    return response.content.decode()


def _status(html: str) -> str:
    (found,) = re.findall(r'class="found"[^>]*>(.*?)</span>', html, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", found).split())


def _target(html: str) -> str:
    (number,) = re.findall(r'class="ln asked[^"]*"[^>]*id="L(\d+)"', html)
    return str(number)


def test_all_matching_lines_are_counted_and_the_first_is_shown_and_marked() -> None:
    _load()
    html = _html(staff(), find="NEEDLE")
    assert _status(html) == "1 / 30 lines found"
    assert _target(html) == "100"
    assert 'line 100 <mark class="hit">needle</mark>' in html


def test_links_lead_to_the_next_and_the_one_before_and_around_the_ends() -> None:
    _load()
    client = staff()
    html = _html(client, find="needle", hit="17")
    assert (_status(html), _target(html)) == ("17 / 30 lines found", "1700")
    before, after = re.findall(r'href="(\?[^"]*hit=\d+)" data-key', html)
    assert "find=needle" in before
    assert (before[-2:], after[-2:]) == ("16", "18")
    assert re.findall(r"hit=(\d+)\" data-key", _html(client, find="needle")) == ["30", "2"]
    assert re.findall(r"hit=(\d+)\" data-key", _html(client, find="needle", hit="30")) == [
        "29",
        "1",
    ]


def test_only_matching_lines_are_shown_when_asked_for_with_their_numbers() -> None:
    _load()
    html = _html(staff(), find="needle", only="1")
    assert re.findall(r'id="L(\d+)"', html) == [str(n) for n in range(100, 3001, 100)]
    assert _status(html) == "1–30 / 30 lines found"
    assert "?find=needle&amp;only=1&amp;line=200#L200" in html


def test_of_very_many_matching_lines_pages_are_shown() -> None:
    _load()
    client = staff()
    html = _html(client, find="line", only="1")
    assert html.count('class="ln"') == 500
    assert _status(html) == "1–500 / 3,000 lines found" or "3000" in _status(html)
    assert 'id="L501"' in _html(client, find="line", only="1", hit="501")


def test_expressions_and_case_are_as_in_search() -> None:
    _load()
    client = staff()
    assert _status(_html(client, find="^line \\d00 ", regex="1")) == "1 / 9 lines found"
    assert _status(_html(client, find="NEEDLE", case="1")) == "no matching lines"
    assert "Invalid search" in _html(client, find="(", regex="1")


def test_a_line_keeps_its_marks_wherever_the_reader_goes() -> None:
    _load()
    html = _html(staff(), find="needle", line="1500")
    assert _target(html) == "1500"
    assert '<mark class="hit">needle</mark>' in html
    assert 'class="found"' not in html
    assert "?find=needle&amp;before=" in html


def test_a_match_far_behind_a_lines_beginning_is_shown() -> None:
    _load("first\n" + "x" * 900_000 + " needle " + "y" * 900_000 + "\nlast\n")
    html = _html(staff(), find="needle")
    assert '<mark class="hit">needle</mark>' in html
    assert _status(html) == "1 / 1 line found"


def test_a_word_that_is_coloured_inside_is_found_and_marked_as_it_reads() -> None:
    _load("one\nERR\x1b[31mOR\x1b[0m here\n")
    html = _html(staff(), find="error")
    assert '<mark class="hit">ERR<span class="f1">OR</span></mark> here' in html
    html = _html(staff("other"), find="error", view="bytes")
    assert '<mark class="hit">ERR<span class="f1">OR</span></mark>' in html


def test_finding_is_recorded_as_a_read_of_all_that_was_looked_through() -> None:
    _load()
    _html(staff(), find="nothing like this")
    read = LogRead.objects.latest("pk")
    assert read.size == len(LINES)


def test_exports_and_downloads_do_not_ask_for_what_is_found() -> None:
    _load()
    html = _html(staff(), find="needle", attempt="0")
    links = re.findall(r'href="([^"]*(?:download|export)[^"]*)"', html)
    assert links
    assert not [link for link in links if "find" in link]
