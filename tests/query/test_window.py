"""Windows of a log, against what Python's own splitting says of the same bytes."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joblogs import query
from joblogs.query import window as room
from joblogs.query.log_reader import BytesText, StoredText, after_newline, script_text
from joblogs.query.window import END, SEGMENT_BYTES, WINDOW_BYTES, Place, window_at
from tests import queries
from tests.builders import HOST, job, load, result, script_log, step

TEXTS = st.lists(
    st.sampled_from([b"a", b"bc", b"\n", b"\n\n", b"long " * 6, "é磁".encode(), b"\r\n", b"\xff"]),
    max_size=60,
).map(b"".join)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows so small that short texts reach every border."""
    monkeypatch.setattr(room, "SEGMENT_BYTES", 8)
    monkeypatch.setattr(room, "WINDOW_BYTES", 64)


def _cut(data: bytes) -> list[bytes]:
    *whole, last = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([last] if last else [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=TEXTS, lines=st.integers(1, 7))
def test_walking_on_from_the_start_shows_each_line_once_with_its_number(
    small: None, data: bytes, lines: int
) -> None:
    text, seen, position = BytesText(data), [], 0
    while position < len(data):
        found = window_at(text, Place("byte", position), lines=lines)
        assert found.stop > position
        seen += found.lines
        position = found.stop
    assert b"".join(data[s.offset : s.stop + s.hidden] for s in seen if not s.continued) == data
    for shown in seen:
        whole = _cut(data)[shown.number - 1]
        start = sum(map(len, _cut(data)[: shown.number - 1]))
        assert shown.data == data[shown.offset : shown.stop]
        assert shown.continued == (shown.offset > start)
        assert shown.stop + shown.hidden == start + len(whole)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=TEXTS, lines=st.integers(1, 7))
def test_walking_back_from_the_end_leaves_nothing_out(small: None, data: bytes, lines: int) -> None:
    text, position, covered = BytesText(data), len(data), len(data)
    place = END
    while position > 0:
        found = window_at(text, place, lines=lines)
        assert found.start < position
        assert found.stop >= covered
        assert found.lines[0].number == data.count(b"\n", 0, found.start) + 1
        position = covered = found.start
        place = Place("before", position)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=TEXTS, number=st.integers(-2, 90))
def test_a_line_is_found_by_its_number_and_one_beyond_the_end_is_the_end(
    small: None, data: bytes, number: int
) -> None:
    found = window_at(BytesText(data), Place("line", number))
    lines = _cut(data)
    if 1 <= number <= len(lines):
        assert found.lines[0].number == number
        assert lines[number - 1].startswith(found.lines[0].data)
    elif lines:
        assert found.lines[0].number == 1 if number < 1 else found.at_end
    else:
        assert found.lines == []


@given(TEXTS, st.integers(1, 50))
def test_the_nth_newline_is_found_by_counting(data: bytes, nth: int) -> None:
    ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A]
    assert after_newline(data, nth) == (ends[nth - 1] if nth <= len(ends) else len(data))


def test_of_a_long_line_the_beginning_is_shown_and_the_lines_after_it() -> None:
    data = b"one\n" + b"x" * 10_000_000 + b"\nthree\n"
    found = window_at(BytesText(data), Place("line", 1))
    assert [(s.number, len(s.data), s.hidden) for s in found.lines] == [
        (1, 4, 0),
        (2, SEGMENT_BYTES, 10_000_001 - SEGMENT_BYTES),
        (3, 6, 0),
    ]


def test_a_long_line_is_opened_on_by_its_bytes() -> None:
    data = b"one\n" + b"x" * 10_000_000 + b"\nthree\n"
    found = window_at(BytesText(data), Place("byte", 4 + SEGMENT_BYTES))
    assert [(s.number, s.continued, len(s.data)) for s in found.lines] == [(2, True, WINDOW_BYTES)]
    assert found.stop == 4 + SEGMENT_BYTES + WINDOW_BYTES
    assert found.lines[0].hidden == 4 + 10_000_001 - found.stop


def test_a_text_that_ends_in_a_long_line_opens_at_its_very_end() -> None:
    data = b"one\n" + b"x" * 1_000_000 + b"END"
    found = window_at(BytesText(data), END)
    assert found.lines[-1].data.endswith(b"xEND")
    assert found.lines[-1].continued
    assert found.at_end


def test_a_cut_is_not_made_through_a_character() -> None:
    data = b"x" + "磁".encode() * 10_000 + b"\n"
    assert window_at(BytesText(data), Place("line", 1)).lines[0].text.decode()


def _stored(*logs: bytes, cuts: list[int] | None = None) -> StoredText:
    batches = list(enumerate(logs, 1 if len(logs) > 1 else 0))
    load(
        job(),
        step(),
        *(result(batch=batch, status=9) for batch, _ in batches),
        *(script_log(data.decode("latin-1"), batch=batch) for batch, data in batches),
    )
    for batch, _ in batches:
        queries.recut(queries.the_result(batch=batch), cuts or [])
    (host,) = query.hosts_named(queries.the_step(), [HOST])
    return script_text(queries.the_step(), host)


@pytest.mark.django_db
@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 5, 8, 13, 21, 34], list(range(1, 60))])
def test_what_chunks_hold_answers_like_bytes_in_memory(cuts: list[int]) -> None:
    logs = b"one\ntwo\n\nfour and more\nfive", b" is not over\nsix\n" + b"y" * 30 + b"\nlast"
    text, model = _stored(*logs, cuts=cuts), BytesText(b"".join(logs))
    assert (text.size, text.newlines) == (model.size, model.newlines)
    for position in range(model.size + 1):
        assert text.newlines_before(position) == model.newlines_before(position)
        assert text.line_end(position) == model.line_end(position)
        assert text.read(position, model.size) == model.read(position, model.size)
    for nth in range(model.newlines + 2):
        assert text.after_newline(nth) == model.after_newline(nth)


@pytest.mark.django_db
def test_what_arrives_meanwhile_changes_no_number() -> None:
    text = _stored(b"one\ntwo\nthree", cuts=[4])
    load(script_log("\nfour\nfive\n", offset=13))
    queries.recut(queries.the_result(), [])
    assert [text.newlines_before(at) for at in (0, 4, 8, 13)] == [0, 1, 2, 2]
    assert window_at(text, END).lines[-1].data == b"three"


@pytest.mark.django_db
@pytest.mark.parametrize("place", [END, Place("line", 2000), Place("byte", 9_000)])
def test_statements_do_not_grow_with_lines_or_chunks(place: Place) -> None:
    counts = []
    for cuts in ([], list(range(0, 20_000, 100))):
        text = _stored(b"line\n" * 4000, cuts=cuts)
        with CaptureQueriesContext(connection) as asked:
            window_at(text, place)
        counts.append(len(asked))
    assert max(counts) <= 4


@pytest.mark.django_db
def test_an_expired_log_is_empty() -> None:
    _stored(b"one\n")
    found = queries.the_step()
    found.job.expired_at = 1
    (host,) = query.hosts_named(found, [HOST])
    assert script_text(found, host).size == 0


def test_from_the_end_the_lines_before_a_long_one_are_shown_too() -> None:
    data = b"one\n" * 40 + b"x" * 1_000_000 + b"\nlast\n"
    found = window_at(BytesText(data), END, lines=30)
    assert [line.number for line in found.lines] == list(range(13, 43))
    assert found.lines[-2].hidden == 1_000_001 - SEGMENT_BYTES
    assert found.start == 48


def test_a_log_of_long_lines_opens_at_its_end_in_bounded_memory() -> None:
    data = (b"y" * 300_000 + b"\n") * 100
    found = window_at(BytesText(data), END)
    assert found.at_end
    assert 1 <= len(found.lines) <= 100
    assert sum(len(line.data) for line in found.lines) <= 2 * WINDOW_BYTES
