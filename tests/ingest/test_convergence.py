"""Whatever arrives in whatever order, cut anyhow, twice or in part: the same store in the end.

A machine tells parts of a story and compares what becomes of each record with the model's word,
while maintenance merges chunks and takes fingerprints; then the story is told whole, as a producer
does that retries, and the store must be the one that the plain order makes, row by row and byte
by byte.
`--hypothesis-profile=long` tells twenty times as many stories.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from joblogs.ingest import batching
from joblogs.maintenance import compaction, fingerprinting
from joblogs.models import HostResult, JobInstance
from tests.builders import send
from tests.export.exporting import export
from tests.ingest.ingest_model import (
    FILES,
    LOGS,
    PLACES,
    SCRIPTS,
    TASKS,
    TEXTS,
    Model,
    Sent,
    everything,
)
from tests.queries import picture

pytestmark = pytest.mark.django_db

VERSIONS, ROLLS = st.integers(0, 1), st.integers(1, 7)
CUTS = st.lists(st.integers(1, 400), max_size=6)


@st.composite
def _parts(draw: st.DrawFn) -> Sent:
    """Any part of any log, whether or not what comes before it is there."""
    log = draw(st.sampled_from([*LOGS, *TASKS]))
    start, stop = sorted(draw(st.tuples(*[st.integers(0, len(TEXTS[log]))] * 2)))
    return Sent("piece" if log in LOGS else "file", log, draw(VERSIONS), (start, stop))


TOLD = (
    _parts()
    | st.builds(Sent, st.just("job"), st.none(), VERSIONS, st.none())
    | st.builds(Sent, st.just("step"), st.sampled_from([SCRIPTS, FILES]), VERSIONS, st.none())
    | st.builds(Sent, st.just("result"), st.sampled_from(PLACES), VERSIONS, st.none())
    | st.builds(Sent, st.just("file"), st.sampled_from(TASKS), VERSIONS, st.none())
)


def _deliver(story: Sequence[Sent], model: Model, *, roll: int) -> int:
    """Send a stream, applied in batches of `roll` records; how many of it were refused."""
    expected = [model.take(told) for told in story]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching, "BATCH_RECORDS", roll)
        report = send(*(told.record() for told in story))
    counts = Counter(expected)
    accepted, duplicates = counts.pop("accepted", 0), counts.pop("duplicate", 0)
    assert (report.accepted, report.duplicates) == (accepted, duplicates), story
    assert report.refused_total == counts.total()
    assert report.total == len(story)
    for entry in report.refused:
        assert entry.reason.value == expected[entry.line - 1]
        assert entry.message
    named = {story[entry.line - 1].of for entry in report.refused}
    assert named == {told.of for told, what in zip(story, expected, strict=True) if what in counts}
    return report.refused_total


def _maintain() -> None:
    days = list(JobInstance.objects.values_list("day", flat=True))
    for day, log in list(compaction.due(days)):
        compaction.merge(day, log)
    for row in list(fingerprinting.due(days)):
        fingerprinting.take([row])


def _settled() -> tuple[Any, bytes]:
    """All there is, once maintenance has run: rows, texts, and the export."""
    for row in HostResult.objects.all():
        compaction.merge(row.day, row.pk)
    _maintain()
    return picture(), export(every_attempt=True)


class Producers(RuleBasedStateMachine):
    """Producers who say anything that is true, in any order, while maintenance runs."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.stack = contextlib.ExitStack()
        self.stack.enter_context(transaction.atomic())

    @rule(story=st.lists(TOLD, max_size=12), roll=ROLLS)
    def say_anything(self, story: list[Sent], roll: int) -> None:
        if story:
            _deliver(story, self.model, roll=roll)

    @rule(cuts=CUTS, span=st.tuples(st.integers(0, 60), st.integers(1, 60)), roll=ROLLS)
    def say_a_run_of_it(self, cuts: list[int], span: tuple[int, int], roll: int) -> None:
        start, size = span
        if story := everything(cuts)[start : start + size]:
            _deliver(story, self.model, roll=roll)

    @rule(cuts=CUTS, data=st.data())
    def say_it_in_batches_of_any_order(self, cuts: list[int], data: Any) -> None:
        story = everything(cuts)
        batches = [story[start : start + 15] for start in range(0, len(story), 15)]
        for batch in data.draw(st.permutations(batches))[:4]:
            _deliver(batch, self.model, roll=7)

    @rule()
    def keep_up(self) -> None:
        _maintain()

    def teardown(self) -> None:
        try:
            assert _deliver(everything(), self.model, roll=4000) == 0
            assert _settled() == Producers.plain
            assert _deliver(everything([3, 50]), self.model, roll=5) == 0
            assert _settled() == Producers.plain
        finally:
            transaction.set_rollback(True)
            self.stack.close()

    plain: tuple[Any, bytes]


@pytest.mark.slow
def test_whatever_order_it_ends_as_the_plain_one() -> None:
    with transaction.atomic():
        assert _deliver(everything(), Model(), roll=4000) == 0
        Producers.plain = _settled()
        transaction.set_rollback(True)
    rows, _ = Producers.plain
    assert {text for _, text in rows["results"]} == {b"", *(TEXTS[log] for log in LOGS)}
    run_state_machine_as_test(
        Producers,
        settings=settings(
            max_examples=settings().max_examples // 5,
            stateful_step_count=8,
            phases=[Phase.generate],  # making a failing story shorter takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
