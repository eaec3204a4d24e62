"""Who reads "finished" can read the logs: what says so becomes visible with or after all of it.

The stream is looked at from outside whenever a batch of it is in, as a reader might at that moment.
"""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from joblogs.access import OPERATOR
from joblogs.ingest import Report, batching, ingest
from joblogs.ingest import finishes as ingest_finishes
from joblogs.ingest.stream import CUT, Block, RecordLine, numbered_lines
from joblogs.models import FileLog, HostResult, JobInstance, StepInstance
from tests.builders import Fields, file_log, job, lines, load, result, script_log, send, step
from tests.queries import facts, picture, text, the_job, the_result, the_step

pytestmark = pytest.mark.django_db

HOSTS, PIECES = range(1, 4), 3
WHOLE = b"one\ntwo\nthree\n"
DONE: Fields = {"status": 3, "end_time": 9, "total_time": 8}
ENDED: Fields = {"status": 104, "exit_code": 7, "error_code": 2, "tag": "t", "end_time": 9}
UNFINISHED = {"status": 7, "exit_code": None, "error_code": None, "tag": None, "end_time": None}


def told(number: int, *, first: bool = True) -> list[Fields]:
    """A job with a script, an SQL and a file step, its finishes before its logs or behind them."""
    steps = {number * 10 + kind: kind for kind in (1, 4, 2)}
    begun: Fields = {} if first else {"update_time": 1}
    ended: Fields = {"update_time": 2}
    said = [job(number, **(DONE | ended if first else begun))]
    behind: list[Fields] = []
    for own, kind in steps.items():
        at: Fields = {"job": number, "step": own}
        done: Fields = {**DONE, **ended, "step_type": kind}
        said.append(step(own, job=number, **(done if first else {"step_type": kind} | begun)))
        for host in HOSTS:
            said.append(result(host, **at, **(ENDED | ended if first else begun)))
            said += _printed(host, at, file=kind == 2, first=first)
        if not first:
            behind += [result(host, **at, **ENDED, **ended) for host in HOSTS]
            behind.append(step(own, job=number, **done))
    return said + behind + ([] if first else [job(number, **DONE, **ended)])


def _printed(host: int, at: Fields, *, file: bool, first: bool) -> Iterator[Fields]:
    offset = 0
    for line in WHOLE.splitlines(keepends=True):
        piece: Fields = {"offset": offset, "content": line.decode()}
        offset += len(line)
        if file:
            last = first or offset == len(WHOLE)
            news: Fields = {"status": 4, "update_time": 2} if last else {"update_time": 1}
            yield file_log(host, **at, **piece, **news)
        else:
            yield script_log(host=host, **at, **piece)


def check() -> None:
    """Whatever says at this moment that it has finished has all that belongs to it."""
    for found in JobInstance.objects.filter(status=3):
        assert set(found.steps.values_list("status", flat=True)) == {3}
        assert found.steps.count() == 3
    for part in StepInstance.objects.filter(status=3):
        assert list(part.host_results.values_list("status", flat=True)) == [104] * len(HOSTS)
    for row in HostResult.objects.filter(status=104):
        if row.step.step_type != 2:
            assert text(row) == WHOLE
        else:
            assert [log.status for log in row.file_logs.all()] == [4]
    for log in FileLog.objects.filter(status=4):
        assert bytes(log.content) == WHOLE


def watched(
    said: Iterable[Fields | RecordLine],
    *,
    roll: int,
    look: Callable[[], None] = check,
    monkeypatch: pytest.MonkeyPatch,
) -> Report:
    """Send a stream in batches of `roll` records, and look whenever one is in."""
    numbered: Iterable[RecordLine | Block] = (
        each if isinstance(each, RecordLine) else RecordLine(number, lines(each))
        for number, each in enumerate(said, 1)
    )
    monkeypatch.setattr(batching, "BATCH_RECORDS", roll)
    return ingest(numbered, writer=OPERATOR, progress=lambda report: look())


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """What happens within leaves nothing."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def in_turn(*streams: Sequence[Fields]) -> list[Fields]:
    """Records of several jobs, one of each at a time."""
    rounds = itertools.zip_longest(*streams)
    return [said for some in rounds for said in some if said is not None]


def states() -> dict[int, int]:
    return dict(JobInstance.objects.values_list("job_instance_id", "status"))


@settings(max_examples=15)
@given(
    roll=st.integers(1, 40),
    first=st.booleans(),
    count=st.integers(1, 3),
    mixed=st.booleans(),
)
@pytest.mark.slow
def test_nothing_is_finished_before_all_of_it_is_here(
    roll: int, first: bool, count: int, mixed: bool
) -> None:
    jobs = [told(number, first=first) for number in range(1, count + 1)]
    said = in_turn(*jobs) if mixed else list(itertools.chain(*jobs))
    with pytest.MonkeyPatch.context() as monkeypatch, undone():
        report = watched(said, roll=roll, monkeypatch=monkeypatch)
        _check_all_of_it(report, said, count)


def _check_all_of_it(report: Report, said: list[Fields], count: int) -> None:
    assert (report.accepted, report.duplicates, report.refused_total) == (len(said), 0, 0)
    assert states() == dict.fromkeys(range(1, count + 1), 3)
    assert StepInstance.objects.filter(status=3, **{"end_time": 9}).count() == 3 * count
    assert HostResult.objects.filter(**ENDED).count() == 9 * count
    assert FileLog.objects.filter(status=4).count() == 3 * count
    again = send(*said)
    assert (again.accepted, again.duplicates) == (0, len(said))


def test_what_is_held_back_is_running_and_all_else_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def look() -> None:
        row = the_result(1)
        seen.append({key: getattr(row, key) for key in UNFINISHED} | {"text": text(row)})

    said = [
        job(**DONE),
        step(**DONE),
        result(1, **ENDED, host_name="web-1", start_time=3),
        script_log("one\n", host=1),
        script_log("two\n", host=1, offset=4),
    ]
    watched(said, roll=4, look=look, monkeypatch=monkeypatch)
    assert seen == [UNFINISHED | {"text": b"one\n"}, ENDED | {"text": b"one\ntwo\n"}]
    assert (the_result(1).host_name, the_result(1).start_time) == ("web-1", 3)


def test_what_waited_runs_while_its_finish_is_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    load(job(status=1), step(status=1), result(1, status=5))
    seen = []
    said = [job(**DONE), step(**DONE), result(1, **ENDED), script_log("one\n", host=1)]
    watched(
        said,
        roll=3,
        look=lambda: seen.append((the_job().status, the_step().status, the_result(1).status)),
        monkeypatch=monkeypatch,
    )
    assert seen == [(2, 2, 7), (3, 3, 104)]


@pytest.mark.parametrize("roll", [5000, 4])
def test_a_stream_that_is_cut_refuses_the_finish_of_what_it_was_at(
    roll: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = told(1), told(2)[:6]
    said = [*whole, *part]
    cut = RecordLine(len(said) + 1, b"the data is cut", CUT)
    report = watched([*said, cut], roll=roll, monkeypatch=monkeypatch)
    assert states() == {1: 3, 2: 2}
    assert set(HostResult.objects.filter(step__job__job_instance_id=2).values_list("status")) == {
        (7,)
    }
    finishes = [number for number, each in enumerate(part, len(whole) + 1) if "status" in each]
    assert [(entry.line, entry.reason) for entry in report.refused] == [
        (line, "invalid") for line in [*finishes, cut.number]
    ]
    assert report.total == len(said) + 1
    assert report.accepted == len(said) - len(finishes)
    again = send(*said)
    assert (again.accepted, again.refused_total) == (len(finishes), 0)
    assert states() == {1: 3, 2: 3}
    assert send(*said).accepted == 0


@pytest.mark.parametrize("behind", range(1, 160, 13))
def test_a_plain_stream_that_ends_within_a_line_is_cut_there(behind: int) -> None:
    whole = lines(*told(1))
    borders = list(itertools.accumulate(len(line) + 1 for line in whole.splitlines()))
    border = borders[len(borders) * 2 // 3]
    report = ingest(numbered_lines(io.BytesIO(whole[: border + behind]).read), writer=OPERATOR)
    assert states() == {1: 2}
    assert "truncated" in report.refused[-1].message
    load(*told(1))
    assert states() == {1: 3}


def test_a_last_line_that_is_no_json_at_all_cuts_nothing() -> None:
    report = send(*told(1), "garbage")
    assert (states(), report.refused_total) == ({1: 3}, 1)


def test_of_jobs_told_in_turn_none_is_finished_by_a_stream_that_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = in_turn(told(1), told(2))
    cut = RecordLine(31, b"the data is cut", CUT)
    watched([*said[:30], cut], roll=7, monkeypatch=monkeypatch)
    assert states() == {1: 2, 2: 2}
    load(*said)
    assert states() == {1: 3, 2: 3}


@pytest.mark.slow
def test_a_stream_that_dies_at_any_moment_leaves_nothing_finished_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = [*told(1), *told(2)]
    with undone():
        load(*said)
        wanted = picture()
    for at in range(1, len(said), 5):

        def dying(at: int = at) -> Iterator[Fields]:
            yield from said[:at]
            raise ConnectionError

        with undone():
            with pytest.raises(ConnectionError):
                watched(dying(), roll=3, monkeypatch=monkeypatch)
            check()
            assert send(*said).refused_total == 0
            assert picture() == wanted


def test_a_job_that_is_run_again_runs_until_the_new_attempt_is_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(job(status=4, end_time=1), step(status=4), result(1, **ENDED), script_log("one\n", host=1))
    seen = []
    said = [
        job(execute_count=1, **DONE),
        step(execute_count=1, **DONE),
        result(1, execute_count=1, status=9),
        script_log("again\n", host=1, execute_count=1),
    ]
    watched(
        said,
        roll=3,
        look=lambda: seen.append((the_job().status, the_step().status, the_job().execute_count)),
        monkeypatch=monkeypatch,
    )
    assert seen == [(2, 2, 1), (3, 3, 1)]
    assert the_job().end_time == 9


def test_a_job_that_the_stream_left_behind_is_finished_while_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    said = [*told(1), *told(2)]
    roll = len(told(1))
    parts = ingest_finishes.QUIET_BATCHES * 8

    def look() -> None:
        check()
        seen.append(states().get(1))

    watched(said, roll=roll // 8, look=look, monkeypatch=monkeypatch)
    assert len(seen) < parts
    assert seen.index(3) < len(seen) - 2


def test_beyond_the_bound_the_oldest_host_results_are_written_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ingest_finishes, "HELD_MAX", 4)
    said: list[Fields] = [job(**DONE), step(**DONE)]
    for host in range(1, 9):
        said += [result(host, **ENDED), script_log(f"{host}\n", host=host)]
    seen = []

    def look() -> None:
        for row in HostResult.objects.filter(status=104):
            assert text(row) == f"{row.host_id}\n".encode()
        seen.append((HostResult.objects.filter(status=104).count(), the_job().status))

    report = watched(said, roll=2, look=look, monkeypatch=monkeypatch)
    assert seen == [
        *((0, 2) for _ in range(3)),
        *((done, 2) for done in range(1, 7)),
        (8, 3),
    ]
    assert report.accepted == len(said)


def test_a_newer_word_of_another_producer_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [
        job(update_time=5, **DONE),
        step(update_time=5, **DONE),
        result(1, update_time=5, **ENDED),
        script_log("one\n", host=1),
    ]
    others = iter([[job(update_time=9, status=2), result(1, update_time=5, **ENDED)]])

    def meddle() -> None:
        for other in next(others, ()):
            monkeypatch.setattr(batching, "BATCH_RECORDS", 5000)
            assert send(other).accepted == 1

    report = watched(said, roll=3, look=meddle, monkeypatch=monkeypatch)
    assert (report.accepted, report.duplicates) == (4, 0)
    assert (the_job().status, the_job().update_time, the_step().status) == (2, 9, 3)
    assert facts(the_result(1))["status"] == 104


def test_a_later_record_of_the_stream_takes_a_finish_back(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [
        job(update_time=5, **DONE),
        step(),
        result(1),
        job(update_time=6, status=2),
        script_log("one\n", host=1),
    ]
    report = watched(said, roll=3, look=lambda: None, monkeypatch=monkeypatch)
    assert (report.accepted, report.duplicates) == (5, 0)
    assert (the_job().status, the_job().update_time) == (2, 6)


def test_what_was_removed_meanwhile_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [job(**DONE), step(**DONE), result(1, **ENDED)]

    def remove() -> None:
        HostResult.objects.all().delete()
        StepInstance.objects.all().delete()
        JobInstance.objects.all().delete()

    report = watched(
        [*said, job(2)],
        roll=3,
        look=remove,
        monkeypatch=monkeypatch,
    )
    assert [(entry.line, entry.reason) for entry in report.refused] == [
        (1, "unknown_parent"),
        (2, "unknown_parent"),
        (3, "unknown_parent"),
    ]
    assert report.total == 4
