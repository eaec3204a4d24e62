"""Replays change nothing, and records with `update_time` may come in any order (RECORDS, Merging).

One property for each type that merges; each example has rows of its own, since all examples of a
property share one transaction.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.db.models import Model
from hypothesis import given, settings
from hypothesis import strategies as st

from joblogs.choices import file_rank, host_rank, run_rank
from joblogs.models import FileLog, HostResult, Scope, StepInstance
from tests.builders import Fields, file_log, job, load, result, step
from tests.queries import facts, the_job

pytestmark = pytest.mark.django_db

FINGERPRINT = ("fingerprint_size", "digest", "shape", "shape_version", "value_hashes")
FRESH = itertools.count(1000)
WORDS, NUMBERS = st.sampled_from(["", "a", "b"]), st.integers(0, 2)
RUN = {
    "name": WORDS,
    "status": st.sampled_from([1, 2, 3, 4, 7]),
    **dict.fromkeys(("execute_count", "start_time", "end_time", "total_time"), NUMBERS),
}


class Kind(NamedTuple):
    """A type that merges: its records of a number, the row that they made, what they may say."""

    record: Callable[..., Fields]
    row: Callable[[int], Model]
    keys: dict[str, st.SearchStrategy]
    rank: Callable[[int], int]
    counts_runs: bool = False
    required: frozenset[str] = frozenset({"name"})


def _file_log(number: int, **fields: Any) -> Fields:
    return file_log(102, source=103, step=201, task_key=str(number), **fields)


JOBS = Kind(
    lambda number, **said: job(number, **said),
    lambda number: the_job(number),
    {**RUN, "operator": WORDS, "source": WORDS, "launch_mode": NUMBERS, "task_type": NUMBERS},
    run_rank,
    counts_runs=True,
)
STEPS = Kind(
    lambda number, **said: step(number, **said),
    lambda number: StepInstance.objects.get(step_instance_id=number),
    {**RUN, "position": NUMBERS, "create_time": NUMBERS},
    run_rank,
    counts_runs=True,
)
RESULTS = Kind(
    lambda number, **said: result(number, **{"ip": "10.0.0.1", **said}),
    lambda number: HostResult.objects.get(host_id=number),
    {
        "status": st.sampled_from([5, 7, 9, 104]),
        "host_name": WORDS,
        "ip": st.sampled_from(["10.0.0.1", "10.0.0.2"]),
        "log_sha256": st.sampled_from(["aa" * 32, "bb" * 32]),
        "tag": WORDS,
        **dict.fromkeys(("exit_code", "error_code", "start_time", "end_time"), NUMBERS),
        **dict.fromkeys(("total_time", "bk_cloud_id", "log_size"), NUMBERS),
        "actual_execute_count": NUMBERS,
    },
    host_rank,
    required=frozenset({"ip"}),
)
FILES = Kind(
    _file_log,
    lambda number: FileLog.objects.get(task_key=str(number)),
    {"status": st.integers(0, 5), "size": WORDS, "speed": WORDS, "process": WORDS},
    file_rank,
    required=frozenset(),
)
KINDS = pytest.mark.parametrize(
    "kind", [JOBS, STEPS, RESULTS, FILES], ids=["job", "step", "host_result", "file_log"]
)


def send_to(kind: Kind, number: int, records: list[Fields]) -> int:
    """Send what is said of the row of a number, each in a stream of its own: what was accepted."""
    load(job(), step(), step(201, step_type=2), result(102, step=201))
    return sum(load(job(), kind.record(number, **said)).accepted for said in records)


def told(kind: Kind, number: int) -> dict[str, Any]:
    places = ("job_instance_id", "step_instance_id", "host_id", "task_key", "task_hash")
    # Fingerprints are taken of the text, not said; a row that was finished for a while has one.
    return facts(kind.row(number), *places, *FINGERPRINT)


@KINDS
@settings(max_examples=25)
@given(data=st.data())
def test_any_order_of_records_with_update_time_and_the_same_keys_ends_the_same(
    kind: Kind, data: Any
) -> None:
    def order(said: Fields) -> tuple[int, ...]:
        runs = said["execute_count"] if kind.counts_runs else 0
        return runs, said["update_time"], kind.rank(said["status"])

    every = st.fixed_dictionaries({**kind.keys, "update_time": st.integers(1, 4)})
    records = data.draw(st.lists(every, min_size=2, max_size=4, unique_by=order))
    shuffled = data.draw(st.permutations(records))
    one, other = next(FRESH), next(FRESH)
    send_to(kind, one, records)
    send_to(kind, other, shuffled)
    assert told(kind, one) == told(kind, other)
    newest = max(records, key=order)
    row = kind.row(one)
    assert {key: getattr(row, key) for key in newest if key not in ("log_size", "log_sha256")} == {
        key: value for key, value in newest.items() if key not in ("log_size", "log_sha256")
    }


@KINDS
@settings(max_examples=25)
@given(data=st.data())
def test_a_replay_accepts_nothing_and_changes_nothing(kind: Kind, data: Any) -> None:
    """Of a producer that states update_time and execute_count always or never."""
    # An operator or source of "" is stored as one that nobody stated.
    keys = dict(kind.keys) | {
        key: st.sampled_from(["a", "b"]) for key in ("operator", "source") if key in kind.keys
    }
    required = {key: keys.pop(key) for key in kind.required}
    for key in ("update_time", "execute_count"):
        numbers = keys.pop(key, NUMBERS) if kind.counts_runs or key == "update_time" else None
        if numbers is not None and data.draw(st.booleans()):
            required[key] = numbers
    records = data.draw(
        st.lists(st.fixed_dictionaries(required, optional=keys), min_size=1, max_size=4)
    )
    if "update_time" in required and "execute_count" in required:
        # A run that comes later is not told as earlier.
        records = [said | {"update_time": 9 * said["execute_count"] + 1} for said in records]
    number = next(FRESH)
    send_to(kind, number, records)
    before = told(kind, number)
    assert send_to(kind, number, records) == 0
    assert told(kind, number) == before


def test_a_replay_of_a_job_that_was_run_again_accepts_nothing() -> None:
    first, again = job(execute_count=0, status=3), job(execute_count=1, status=2)
    load(first, again)
    assert load(first, again).accepted == 0
    assert the_job().status == 2


@pytest.mark.parametrize("newest", [{"execute_count": 1}, {"update_time": 9}])
def test_a_record_that_leaves_the_order_out_speaks_of_the_newest_run(newest: Fields) -> None:
    load(job(status=3), job(**newest, status=2))
    assert the_job().status == 2
    load(job(status=4))
    assert the_job().status == 4


def test_what_was_said_to_be_empty_is_not_filled_by_a_replay() -> None:
    records = [file_log(speed="1 KB/s"), file_log(speed="", status=4)]
    load(job(), step(step_type=2), result(), *records)
    assert load(*records).accepted == 0
    assert FileLog.objects.get().speed == ""


def test_a_scope_is_named_by_the_newest_word_of_its_job_whatever_the_order() -> None:
    old: Fields = {"scope_name": "old", "update_time": 1}
    new: Fields = {"scope_name": "new", "update_time": 2}
    older: Fields = {"scope_name": "new", "update_time": 0}
    for scope, records in enumerate(itertools.permutations((older, old, new))):
        load(*(job(bk_scope_id=str(scope), **said) for said in records))
        assert Scope.objects.get(scope_id=str(scope)).name == "new"
        assert load(*(job(bk_scope_id=str(scope), **said) for said in records)).accepted == 0


def test_a_name_said_again_later_is_no_news_and_still_counts_as_the_newest() -> None:
    load(job(1, scope_name="same", create_time=1), job(2, create_time=3))
    again = load(job(2, scope_name="same", create_time=3))
    assert (again.accepted, again.duplicates) == (0, 1)
    load(job(3, scope_name="other", create_time=2))
    assert Scope.objects.get().name == "same"
