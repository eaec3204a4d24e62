"""Notices of texts in an object store that does not answer: they wait for it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from joblogs import notices
from joblogs.models import Notice, NoticeState, SavedSearch
from tests.builders import job, load, result, script_log, step
from tests.notices.receivers import receiving, saved_search
from tests.object_store.scenes import files, maintain, old_job, text_of

pytestmark = pytest.mark.django_db
FAILED = 4


@pytest.fixture(autouse=True)
def store(folder: Path, settings: Any) -> None:
    settings.NOTICE_PRIVATE_TARGETS = True
    settings.OBJECT_STORE_DAYS = 1


def ended(pattern: str, address: str) -> SavedSearch:
    """A search for a text in steps that fail, and two such steps: one of days ago, whose text was
    moved, and one of now."""
    search = saved_search(address, pattern=pattern, statuses=[FAILED])
    old_job(days=3)
    maintain("--every-day")
    load(step(200, job=100, status=FAILED))
    load(
        *(job(101, status=FAILED), step(202, job=101, status=FAILED)),
        *(result(1, job=101, step=202), script_log(text_of(1), host=1, job=101, step=202)),
    )
    return search


def hide(folder: Path) -> None:
    for path in files(folder):
        path.rename(path.with_suffix(".away"))


def show(folder: Path) -> None:
    for path in files(folder):
        path.rename(path.with_suffix(""))


def send() -> notices.Sent:
    """Send, however shortly ago that failed."""
    SavedSearch.objects.update(next_try_at=None)
    return notices.Sender(at_once=2).run()


def test_a_notice_waits_for_a_text_out_of_reach_and_the_next_one_behind_it(folder: Path) -> None:
    with receiving() as receiver:
        ended("host 1 line 7 ", receiver.address)
        hide(folder)
        for _ in range(2):
            counts = send()
            assert (counts.failed, counts.sent, counts.dropped) == (1, 0, 0)
        assert receiver.taken == []
        assert Notice.objects.filter(tries=2, detail="its text is out of reach").count() == 1
        show(folder)
        assert send().sent == 2
        told = [(message["job_instance_id"], message["matches"]) for message in receiver.taken]
    assert [number for number, _ in told] == [100, 101]
    assert told[0][1][0]["line"].startswith("host 1 line 7 ")


def test_one_whose_text_turns_out_not_to_match_is_not_sent(folder: Path) -> None:
    with receiving() as receiver:
        ended("no host prints this", receiver.address)
        hide(folder)
        assert send().failed == 1
        show(folder)
        assert send().dropped == 1
        assert receiver.taken == []


def test_after_a_day_it_is_given_up_and_the_next_one_goes(folder: Path) -> None:
    with receiving() as receiver:
        ended("host 1 line 7 ", receiver.address)
        hide(folder)
        send()
        Notice.objects.update(first_tried_at=F("first_tried_at") - datetime.timedelta(hours=24))
        counts = send()
        assert (counts.dead, counts.sent) == (1, 1)
        assert [message["job_instance_id"] for message in receiver.taken] == [101]
    assert Notice.objects.filter(state=NoticeState.DEAD).count() == 1


def test_what_came_in_after_a_text_out_of_reach_is_told_when_that_can_be_read(
    folder: Path,
) -> None:
    with receiving() as receiver:
        saved_search(receiver.address, pattern="tail: .*denied", is_regex=True)
        old_job(days=3)
        maintain("--every-day")
        place = {"host": 1, "job": 100, "step": 200}
        load(script_log("tail: access denied\n", offset=len(text_of(1)), **place))
        hide(folder)
        counts = send()
        assert (counts.dropped, counts.sent + counts.failed) == (0, 1)
        show(folder)
        send()
        assert len(receiver.taken) == 1
