"""The tables of objects: what goes, when, and that nothing goes twice or never."""

from __future__ import annotations

import datetime

import pytest
from django.utils import timezone

from joblogs.models import ObjectToDelete, StoredObject, StoreId
from joblogs.object_store import forget_deletion, give_up, intend, ledger, recount, release, settle

pytestmark = pytest.mark.django_db

DAY = datetime.date(2026, 1, 2)


def _written(size: int = 100, day: datetime.date = DAY) -> StoredObject:
    one = intend(day=day, scope=7, data=b"x" * size)
    settle(one)
    return one


def _due_in_days(key: str) -> float:
    row = ObjectToDelete.objects.get(key=key)
    return round((row.due_at - timezone.now().timestamp() * 1000) / ledger.DAY_MS, 2)


def test_a_key_tells_store_day_and_scope_and_no_digest_of_text() -> None:
    first, second = (intend(day=DAY, scope=7, data=b"the same text") for _ in range(2))
    store, day, scope, random = first.key.split("/")
    assert (store, day, scope) == (StoreId.objects.get().value, "20260102", "7")
    assert random != second.key.split("/")[3]


def test_an_intent_that_is_given_up_is_deleted_now_and_once_more_later() -> None:
    one = intend(day=DAY, scope=7, data=b"x")
    give_up(one)
    assert not StoredObject.objects.exists()
    (row,) = ledger.due_deletions()
    assert row.key == one.key
    forget_deletion(row)
    assert list(ledger.due_deletions()) == []
    assert 0 < _due_in_days(one.key) < 1
    ObjectToDelete.objects.update(due_at=0, again_at=1)
    (row,) = ledger.due_deletions()
    forget_deletion(row)
    assert not ObjectToDelete.objects.exists()


def test_one_that_has_arrived_is_deleted_once() -> None:
    give_up(intend(day=DAY, scope=7, data=b"x"), has_arrived=True)
    (row,) = ledger.due_deletions()
    forget_deletion(row)
    assert not ObjectToDelete.objects.exists()


@pytest.mark.parametrize(("at_once", "days"), [(False, 7), (True, 0)])
def test_an_object_goes_with_the_last_that_points_to_it(at_once: bool, days: int) -> None:
    one, other = _written(), _written()
    release({one.pk: 60}, at_once=False)
    assert not ObjectToDelete.objects.exists()
    release({one.pk: 40}, at_once=at_once)
    assert _due_in_days(one.key) == days
    assert [row.key for row in StoredObject.objects.all()] == [other.key]


def test_what_was_redacted_once_goes_at_once_whatever_takes_the_rest() -> None:
    one = _written()
    release({one.pk: 60}, at_once=True)
    release({one.pk: 40}, at_once=False)
    assert [row.key for row in ledger.due_deletions()] == [one.key]


def test_a_day_that_was_emptied_lets_go_of_what_is_not_left() -> None:
    gone, half, whole, other = _written(), _written(), _written(), _written(day=DAY.replace(day=3))
    recount(DAY, {half.pk: 40, whole.pk: 100})
    held = dict(StoredObject.objects.values_list("key", "held_size"))
    assert held == {half.key: 40, whole.key: 100, other.key: 100}
    assert _due_in_days(gone.key) == 7
    assert [row.key for row in StoredObject.objects.with_dead_bytes()] == [half.key]


def test_more_deletions_than_a_page_are_given_once_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "KEYS_AT_ONCE", 3)
    rows = [ObjectToDelete(key=str(n), size=1, due_at=n // 4) for n in range(11)]
    ObjectToDelete.objects.bulk_create(rows)
    assert [row.key for row in ledger.due_deletions()] == [str(n) for n in range(11)]


def test_what_no_row_names_is_unknown() -> None:
    one, gone = _written(), _written()
    release({gone.pk: 100}, at_once=False)
    assert ledger.unknown([one.key, gone.key, "a"]) == {"a"}
