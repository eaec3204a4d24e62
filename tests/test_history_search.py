"""Search over history: which steps printed a text, signed or not, newest first and bit by bit."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs import maintenance, signed_parts
from joblogs.choices import Outcome
from joblogs.models import HostResult, JobInstance, Scope, StepInstance
from joblogs.search import Cursor, HistorySearch, Question, StepHits, TooWide
from tests.builders import CREATED, file_log, job, load, result, script_log, step

pytestmark = pytest.mark.django_db
DAY = datetime.date(2023, 11, 14)
DAY_MS = 86_400_000


def load_run(
    number: int, *texts: str, days_ago: int = 0, name: str = "restart", **fields: Any
) -> None:
    """A job with a step of its number that has ended, its hosts printing these texts."""
    place = {"bk_scope_id": fields.pop("scope", "2")}
    load(
        job(number, status=3, create_time=CREATED - days_ago * DAY_MS, name=name, **place),
        step(number, job=number, status=3),
    )
    for host, text in enumerate(texts, start=1):
        named = {"host_name": f"web-{host:02}"}
        load(
            result(host, job=number, step=number, **{"status": 9} | named | fields),
            script_log(text, host=host, job=number, step=number),
        )


def search(text: str = "No space left", **fields: Any) -> HistorySearch:
    of_search = {key: fields.pop(key) for key in ("steps_max", "start", "seconds") if key in fields}
    span = {"since": DAY - datetime.timedelta(days=29), "until": DAY}
    question = Question(text=text, **span | fields)
    scopes = Scope.objects.filter(scope_id="2")
    jobs = JobInstance.objects.filter(scope__in=scopes)
    return HistorySearch(jobs, scopes, question, **of_search)


def numbers(hits: list[StepHits]) -> list[int]:
    return [one.step.step_instance_id for one in hits]


@pytest.fixture(params=["signed", "unsigned"])
def sign(request: pytest.FixtureRequest) -> Any:
    return maintenance.maintain if request.param == "signed" else lambda **how: None


def test_hits_come_by_step_newest_first_with_folded_hosts_and_the_first_line(sign: Any) -> None:
    load_run(1, "fine\n", "cp: No space left\nno space left\n", "No space left\n", days_ago=3)
    load_run(2, "all is well\n")
    load_run(3, "No SPACE left\n")
    sign(every_day=True)
    asked = search()
    hits = list(asked)
    assert numbers(hits) == [3, 1]
    assert (hits[1].folded, hits[1].hits) == (["web-[02-03]"], 3)
    assert (hits[1].line.number, hits[1].line.data) == (1, b"cp: No space left\n")
    assert (len(asked.steps), asked.found, asked.cursor) == (3, 2, None)
    assert asked.read_steps == (2 if asked.read_steps < 3 else 3)


def test_what_takes_too_long_to_sign_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.maintenance.signing.PART_SECONDS", -1.0)
    load_run(1, "No space left\n", "all is well\n")
    maintenance.maintain(every_day=True)
    asked = search("f81d4fae-7dec")
    assert (list(asked), asked.read_steps) == ([], 1)
    assert numbers(list(search())) == [1]


def test_what_was_never_printed_reads_no_text_once_it_is_signed() -> None:
    for number in range(1, 6):
        load_run(number, "all is well\n", days_ago=number)
    maintenance.maintain(every_day=True)
    asked = search("f81d4fae-7dec-11d0")
    assert list(asked) == []
    assert (len(asked.steps), asked.read_steps, asked.read_bytes) == (5, 0, 0)


def test_only_the_readers_jobs_are_searched(sign: Any) -> None:
    load_run(1, "No space left\n")
    load_run(2, "No space left\n", scope="3")
    sign(every_day=True)
    asked = search()
    assert numbers(list(asked)) == [1]
    assert len(asked.steps) == 1


@pytest.mark.parametrize(
    ("how", "found"),
    [
        ({"name": "WEB"}, [4]),
        ({"host": "web-02"}, [2]),
        ({"host": "2"}, [2]),
        ({"outcome": Outcome.FAILED}, [3]),
        ({"ignore_case": False}, [4, 3, 2]),
        ({"since": DAY}, [4, 3]),
        ({"until": DAY - datetime.timedelta(days=1)}, [2, 1]),
        ({"text": "no space (left|right)$", "regex": True}, [4, 3, 2, 1]),
    ],
)
def test_a_question_narrows(sign: Any, how: dict[str, Any], found: list[int]) -> None:
    load_run(1, "NO SPACE LEFT\n", days_ago=2)
    load_run(2, "fine\n", "No space left\n", days_ago=1)
    load_run(3, "No space left\n", status=11)
    load_run(4, "No space left\n", name="deploy web")
    load_run(5, "something else\n")
    sign(every_day=True)
    assert numbers(list(search(**how))) == found


@pytest.mark.parametrize(
    ("text", "regex"), [("ab", False), (r"\d{8}", True), ("[[:digit:]]ab", True), (".*", True)]
)
def test_what_no_signature_answers_has_to_be_narrowed(text: str, regex: bool) -> None:
    load_run(1, "12345678 ab 1abc\n")
    with pytest.raises(TooWide):
        list(search(text, regex=regex))
    for narrow in ({"since": DAY}, {"name": "restart"}, {"host": "web-01"}):
        assert numbers(list(search(text, regex=regex, **narrow))) == [1]


def test_file_logs_are_searched_too(sign: Any) -> None:
    load(
        *(job(status=3), step(step_type=2, status=3), result(status=9)),
        file_log(101, offset=0, content="copied: No space left\n", status=4),
    )
    sign(every_day=True)
    (hits,) = search()
    assert hits.label == "/tmp/1.log"  # noqa: S108 - a path in a record


def test_text_that_runs_and_that_came_late_is_searched() -> None:
    load_run(1, "fine\n")
    load(job(2), step(2, job=2, status=2), result(1, job=2, step=2))
    maintenance.maintain(every_day=True)
    load(script_log("No space left\n", host=1, job=2, step=2))
    load(script_log("No space left\n", host=1, job=1, step=1, offset=5))
    assert sorted(numbers(list(search()))) == [1, 2]


def test_expired_steps_are_counted_apart() -> None:
    load_run(1, "No space left\n")
    JobInstance.objects.update(expired_at=1)
    asked = search()
    assert list(asked) == []
    assert (asked.expired_steps, asked.steps) == (1, [])


def test_a_search_goes_on_where_it_stopped_and_finds_each_step_once(sign: Any) -> None:
    for number in range(1, 8):
        load_run(number, "No space left\n", days_ago=number // 3)
    sign(every_day=True)
    found: list[int] = []
    asked_steps: list[Any] = []
    start: Cursor | None = None
    for _ in range(20):
        asked = search(steps_max=2, start=start)
        found += numbers(list(asked))
        asked_steps += asked.steps
        start = asked.cursor and Cursor.of(str(asked.cursor))
        if start is None:
            break
    assert found == [2, 1, 5, 4, 3, 7, 6]
    assert sorted(asked_steps) == sorted(
        StepInstance.objects.values_list("job__scope", "job__job_instance_id", "step_instance_id")
    )


def test_a_search_without_time_comes_past_every_host(monkeypatch: pytest.MonkeyPatch) -> None:
    load_run(1, *["No space left\n"] * 3)
    found: set[int] = set()
    start: Cursor | None = None
    for _ in range(20):
        asked = search(seconds=1e-9, start=start)
        for hits in asked:
            found |= hits.hosts
        if asked.cursor is None:
            break
        monkeypatch.setattr(HistorySearch, "_is_over", lambda self: False)
        start = asked.cursor
    assert found == {1, 2, 3}


def test_statements_grow_with_days_and_not_with_steps() -> None:
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert list(search("f81d4fae-7dec-11d0")) == []
        return len(queries)

    for number in range(1, 4):
        load_run(number, f"number {number}\n")
    maintenance.maintain(every_day=True)
    before = count()
    for number in range(4, 12):
        load_run(number, f"number {number}\n" * number)
        load_run(number + 100, f"number {number}\n", scope="3")
    maintenance.maintain(every_day=True)
    assert count() == before


def test_a_search_goes_on_although_the_step_where_it_stopped_was_removed() -> None:
    for number in range(1, 5):
        load_run(number, "No space left\n")
    asked = search(steps_max=2)
    assert numbers(list(asked)) == [4, 3]
    assert asked.cursor is not None
    gone = asked.cursor._replace(step="0" * 16)
    assert numbers(list(search(start=gone)))[-2:] == [2, 1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2023-11-14.",
        "2023-13-14",
        "2023-11-14.1.2",
        "2023-11-14.1.2.x",
        "2023-11-14.1.2.3",
    ],
)
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Cursor.of(text)


def test_a_step_that_was_signed_anew_meanwhile_is_not_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load_run(1, "fine\n")
    maintenance.maintain(every_day=True)
    real = signed_parts.parts_of

    def parts_of(*arguments: Any) -> Any:
        parts = real(*arguments)
        load(script_log("No space left\n", host=1, job=1, step=1, offset=5))
        maintenance.maintain(every_day=True)
        return parts

    monkeypatch.setattr(signed_parts, "parts_of", parts_of)
    # What it was when it was asked: the block that said so has gone, so it is read.
    assert numbers(list(search())) == [1]


def test_a_log_that_cannot_be_read_is_counted_and_hides_no_other(sign: Any) -> None:
    load_run(1, "No space left\n")
    load_run(2, "No space left\n", "No space left\n", "No space left\n")
    load_run(3, "No space left\n")
    HostResult.objects.filter(step__step_instance_id=2, host_id=2).update(held_size=99)
    sign(every_day=True)
    asked = search()
    hits = list(asked)
    assert [(one.step.step_instance_id, sorted(one.hosts)) for one in hits] == [
        (3, [1]),
        (2, [1, 3]),
        (1, [1]),
    ]
    assert asked.lost_logs == 1


def test_a_cursor_leads_to_no_day_after_the_span() -> None:
    load_run(1, "No space left\n")
    load_run(2, "No space left\n", days_ago=1)
    before = DAY - datetime.timedelta(days=1)
    assert numbers(list(search(until=before, start=Cursor(DAY)))) == [2]
    assert numbers(list(search(until=before, start=Cursor(datetime.date.max)))) == [2]


def test_a_log_at_which_the_time_ends_is_searched_whole_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only one that had all the time and needs more is left at its beginning."""
    long = "all is well\n" * 200_000
    load_run(1, long + "No space left\n")
    load_run(2, "No space left\n")
    monkeypatch.setattr(HistorySearch, "_is_over", lambda self: False)
    first = search(seconds=1e-9)
    assert numbers(list(first)) == [2]
    second = search(seconds=60, start=first.cursor)
    assert numbers(list(second)) == [1]
    assert second.cut_logs == 0


def test_what_an_earlier_attempt_printed_was_printed(sign: Any) -> None:
    load(job(1, status=3), step(1, job=1, status=3, execute_count=2))
    load(result(2, job=1, step=1, status=9), script_log("quiet\n", host=2, job=1, step=1))
    for attempt, text in enumerate(("No space left\n", "No space left\nhere\n", "fine\n")):
        one: Any = {"job": 1, "step": 1, "execute_count": attempt}
        load(result(1, **one, status=9 if attempt == 2 else 104), script_log(text, host=1, **one))
    sign(every_day=True)
    (hits,) = search()
    assert (hits.hits, hits.hosts, hits.attempt) == (2, {1}, 0)
    for text in ("fine", "quiet"):
        (hits,) = search(text)
        assert (hits.hits, hits.attempt) == (1, None)
