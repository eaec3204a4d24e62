"""Packs that are moved to object storage: every byte once, wherever they lie."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from joblogs import object_store
from joblogs.logtext import store
from joblogs.logtext.store import objects, packs
from joblogs.maintenance import legal_hold, moving
from joblogs.models import HostResult, JobInstance, LogPack, ObjectToDelete, Scope, StoredObject
from joblogs.object_store.ownership import KEY

from .faulty_server import FaultyServer, Mode
from .scenes import files, maintain, old_job, stored

pytestmark = pytest.mark.django_db


def test_old_packs_lie_in_an_object_and_no_byte_changes(folder: Path) -> None:
    old_job()
    before = stored()
    assert len(before) == 5
    told = maintain()
    assert "1 pack moved to object storage, 1 object written and 0 deleted" in told
    (file,) = files(folder)
    one = StoredObject.objects.get()
    assert file == folder / one.key
    assert one.size == one.held_size == file.stat().st_size
    assert LogPack.objects.exclude(data=b"").count() == 0
    assert stored() == before
    assert "0 packs moved" in maintain()


def test_an_object_holds_packs_of_one_scope_and_day(folder: Path) -> None:
    for number, scope, days in ((1, "2", 100), (2, "2", 100), (3, "3", 100), (4, "2", 101)):
        old_job(number, days=days, bk_scope_id=scope)
    before = stored()
    maintain()
    keys = StoredObject.objects.values_list("key", flat=True)
    found = {tuple(key.split("/")[1:3]) for key in keys}
    assert len(found) == StoredObject.objects.count() == len(files(folder)) == 3
    assert stored() == before


def test_an_object_holds_no_more_than_its_size(folder: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(moving, "OBJECT_BYTES", 3000)
    for number in range(1, 5):
        old_job(number, days=100)
    before = stored()
    maintain()
    assert StoredObject.objects.count() > 1
    assert stored() == before


@pytest.mark.parametrize(
    ("setting", "own", "days", "moved"),
    [
        (90, None, 91, True),
        (90, None, 90, False),
        (None, None, 3000, False),
        (90, 10, 11, True),
        (90, 200, 100, False),
        (90, 0, 3000, False),
        (None, 10, 11, True),
    ],
)
def test_a_scope_says_itself_when_its_packs_are_moved(
    folder: Path, settings: Any, setting: int | None, own: int | None, days: int, moved: bool
) -> None:
    settings.OBJECT_STORE_DAYS = setting
    old_job(days=days)
    Scope.objects.update(object_days=own)
    maintain()
    assert StoredObject.objects.exists() is moved


def test_what_is_held_stays_in_the_database(folder: Path) -> None:
    old_job()
    legal_hold.hold(JobInstance.objects.all(), by="zoe")
    maintain()
    assert not StoredObject.objects.exists()


def test_nothing_is_moved_without_an_object_store() -> None:
    old_job()
    assert "0 packs moved" in maintain()
    assert LogPack.objects.exclude(data=b"").count() == 1


def test_a_dry_run_counts_and_writes_nothing(folder: Path) -> None:
    old_job()
    assert "1 pack moved" in maintain("--dry-run")
    assert list(folder.iterdir()) == []
    assert not StoredObject.objects.exists()


def test_logs_of_many_hosts_are_one_request_and_as_many_statements_as_one(
    faulty: FaultyServer,
) -> None:
    old_job(hosts=60)
    before = stored()
    maintain()
    rows = list(HostResult.objects.order_by("pk"))
    counts = []
    for some in (rows[:1], rows):
        faulty.requests.clear()
        with CaptureQueriesContext(connection) as captured:
            found = list(store.read(rows[0].day, [store.span_of(row) for row in some]))
        assert {span.log: b"".join(parts) for span, parts in found} == {
            row.pk: before[row.pk] for row in some
        }
        counts.append((len(captured), len(faulty.requests)))
    assert counts[0] == counts[1] == (2, 1)


@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.CLOSED, Mode.CUT])
def test_an_object_store_that_fails_moves_nothing_and_the_next_run_does(
    faulty: FaultyServer, mode: Mode
) -> None:
    maintain()  # it is this store's from now on
    old_job()
    before = stored()
    faulty.mode = mode
    with pytest.raises(CommandError, match="The object store: .*the next run goes on"):
        maintain()
    assert LogPack.objects.exclude(object_id=None).count() == 0
    assert stored() == before
    # What may have arrived there is deleted later.
    assert not StoredObject.objects.exists()
    assert ObjectToDelete.objects.count() == 1
    faulty.mode = Mode.WELL
    assert "1 pack moved" in maintain()
    assert stored() == before


def test_an_object_whose_answer_was_lost_is_pointed_to(faulty: FaultyServer) -> None:
    maintain()
    old_job()
    before = stored()
    faulty.mode = Mode.LOST_ANSWER
    assert "1 pack moved" in maintain()
    assert stored() == before


def test_what_a_killed_run_was_about_to_write_is_given_up(folder: Path) -> None:
    old_job()
    left = object_store.intend(day=datetime.date(2026, 1, 1), scope=1, data=b"x")
    maintain()
    assert [row.key for row in ObjectToDelete.objects.all()] == [left.key]
    assert StoredObject.objects.get().state == StoredObject.State.WRITTEN


@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.CLOSED, Mode.CUT, Mode.CHANGED])
def test_a_log_that_cannot_be_read_is_an_error_and_never_a_shorter_text(
    faulty: FaultyServer, mode: Mode
) -> None:
    old_job()
    maintain()
    faulty.mode = mode
    with pytest.raises(object_store.ObjectUnreachable):
        stored()


def test_the_object_store_of_another_store_is_left_alone(folder: Path) -> None:
    (folder / KEY).write_text('{"store": "another"}')
    old_job()
    ObjectToDelete.objects.create(key="theirs", size=1, due_at=0)
    (folder / "theirs").write_bytes(b"x")
    with pytest.raises(CommandError, match="belongs to another store"):
        maintain()
    assert [file.name for file in files(folder)] == ["theirs"]
    assert LogPack.objects.exclude(object_id=None).count() == 0


def test_packs_that_changed_while_they_were_written_stay(folder: Path) -> None:
    old_job()
    (batch,) = moving.due(timezone.now().date())
    data = objects.stored_data(batch.day, batch.keys)
    LogPack.objects.update(data=b"other")
    place = objects.ObjectPlace(1, 0, 1, 1)
    assert objects.point(batch.day, data, {batch.keys[0]: place}) is False
    assert bytes(LogPack.objects.get().data) == b"other"


def test_what_is_left_of_an_object_is_written_anew_and_the_rest_goes(folder: Path) -> None:
    old_job(1)
    old_job(2)
    before = stored()
    maintain()
    first = StoredObject.objects.get()
    gone = LogPack.objects.order_by("step_id")[0]
    with transaction.atomic():
        packs.delete_of_steps(gone.day, [gone.step_id], at_once=True)
    HostResult.objects.filter(step=gone.step_id).delete()
    told = maintain()
    assert "1 object written and 1 deleted" in told
    second = StoredObject.objects.get()
    assert second.key != first.key
    assert second.size == second.held_size == first.size - (gone.object_size or 0)
    assert [file.name for file in files(folder)] == [second.key.rpartition("/")[2]]
    assert stored() == {pk: text for pk, text in before.items() if pk in stored()}
    assert len(stored()) == 5


def test_an_object_store_that_fails_while_it_is_written_anew_loses_nothing(
    faulty: FaultyServer,
) -> None:
    old_job(1)
    old_job(2)
    maintain()
    gone = LogPack.objects.order_by("step_id")[0]
    HostResult.objects.filter(step=gone.step_id).delete()
    before = stored()
    with transaction.atomic():
        packs.delete_of_steps(gone.day, [gone.step_id], at_once=True)
    for mode in (Mode.BUSY, Mode.CUT):
        faulty.mode = mode
        with pytest.raises(CommandError):
            maintain()
    faulty.mode = Mode.WELL
    assert stored() == before
    maintain()
    assert stored() == before


def test_a_reader_follows_a_pack_that_was_written_anew_while_it_read(folder: Path) -> None:
    old_job(1)
    before = stored()
    maintain()
    (row, *_) = HostResult.objects.order_by("pk")
    one = StoredObject.objects.get()
    # Its object is gone, and its row names another one since: as if between two statements.
    old = LogPack.objects.get()
    assert moving.write_anew(one)
    (folder / one.key).unlink()
    assert LogPack.objects.get().object_id != old.object_id
    assert stored() == before


@pytest.mark.live
def test_a_real_server_holds_packs_and_lets_them_go(
    real_server: dict[str, str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in real_server.items():
        monkeypatch.setenv(name, value)
    settings.OBJECT_STORE_URL = "s3://logs/moved"
    settings.AWS_ALLOW_HTTP, settings.OBJECT_TIMEOUT_SECONDS = True, 20
    old_job()
    before = stored()
    assert "1 pack moved" in maintain()
    assert stored() == before
    settings.LOG_RETENTION_DAYS, settings.OBJECT_GRACE_DAYS = 95, 0
    assert "1 deleted" in maintain()
    assert [key for key, _ in object_store.client().keys("")] == [KEY]


def test_a_run_whose_time_is_over_moves_the_rest_with_the_next_one(
    folder: Path, monkeypatch: Any
) -> None:
    old_job(1, days=100)
    old_job(2, days=101)
    before = stored()
    monkeypatch.setattr(moving, "MOVING_SECONDS", -1.0)
    assert "The next run goes on: packs of 2 days to move." in maintain()
    monkeypatch.setattr(moving, "MOVING_SECONDS", 60.0)
    assert "2 packs moved" in maintain()
    assert stored() == before
