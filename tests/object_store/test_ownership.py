"""Whose an object store is: a copy of a store, or another one, writes and deletes nothing there."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError

from joblogs import database
from joblogs.models import ObjectToDelete, StoreId
from joblogs.object_store import ForeignStore, claim, client, confirm, intend, ledger
from joblogs.object_store.client import Client, StoredContent
from joblogs.object_store.ownership import KEY

from .faulty_server import FaultyServer, Mode
from .scenes import files, maintain, old_job, stored

pytestmark = pytest.mark.django_db


class Copies:
    """A store and clones of its disk: the same rows and the same place, one at a time."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}

    def clone(self, name: str) -> None:
        """The row as it is now becomes that of a clone too."""
        self._rows[name] = dict(StoreId.objects.values().get())

    def turn_into(self, name: str, *, from_: str) -> None:
        """Be the clone of this name from now on; what was the store keeps its row by `from_`."""
        self.clone(from_)
        StoreId.objects.update(**self._rows[name])


def test_the_first_store_that_asks_owns_it(folder: Path) -> None:
    claim(client())
    claim(client())
    assert json.loads((folder / KEY).read_bytes())["store"] == StoreId.objects.get().value


def test_another_store_is_refused_until_it_is_told_to_adopt(folder: Path, settings: Any) -> None:
    claim(client())
    StoreId.objects.update(value="0" * 32)
    with pytest.raises(ForeignStore, match="belongs to another store"):
        claim(client())
    settings.OBJECT_STORE_ADOPT = True
    claim(client())
    settings.OBJECT_STORE_ADOPT = False
    claim(client())


def test_a_copy_of_the_store_is_refused_until_it_is_told_to_adopt(
    folder: Path, settings: Any
) -> None:
    claim(client())
    # The same rows, but the database that it belongs to lies elsewhere.
    original = json.loads((folder / KEY).read_bytes()) | {"place": "0" * 64}
    (folder / KEY).write_text(json.dumps(original))
    with pytest.raises(ForeignStore, match="original.*OBJECT_STORE_ADOPT=on"):
        claim(client())
    assert json.loads((folder / KEY).read_bytes()) == original
    settings.OBJECT_STORE_ADOPT = True
    claim(client())
    settings.OBJECT_STORE_ADOPT = False
    claim(client())
    assert json.loads((folder / KEY).read_bytes()) != original


def test_an_object_store_that_holds_nothing_of_ours_is_not_where_our_objects_lie(
    folder: Path, settings: Any
) -> None:
    claim(client())
    ledger.settle(intend(day=datetime.date(2026, 1, 2), scope=1, data=b"x"))
    (folder / KEY).unlink()
    with pytest.raises(ForeignStore, match="there are none of it"):
        claim(client())


def test_an_object_of_that_name_that_says_nothing_is_somebody_elses(folder: Path) -> None:
    (folder / KEY).write_bytes(b"[]")
    with pytest.raises(ForeignStore):
        claim(client())


def test_a_place_is_told_apart_from_a_copy_and_stays_what_it_is() -> None:
    assert database.place() == database.place()
    assert database.place()


def test_the_token_is_another_one_after_each_claim(folder: Path) -> None:
    seen = set()
    for _ in range(3):
        claim(client())
        held = json.loads((folder / KEY).read_bytes())
        assert held["token"] == StoreId.objects.get().token
        seen.add(held["token"])
    assert len(seen) == 3


def test_a_clone_of_the_disk_is_refused_once_the_original_has_run_since(folder: Path) -> None:
    claim(client())
    copies = Copies()
    copies.clone("clone")
    claim(client())
    copies.turn_into("clone", from_="original")
    for _ in range(2):
        with pytest.raises(ForeignStore, match="OBJECT_STORE_ADOPT=on"):
            claim(client())
    copies.turn_into("original", from_="clone")
    claim(client())


def test_of_two_clones_that_run_in_turns_only_the_first_one_goes_on(folder: Path) -> None:
    claim(client())
    copies = Copies()
    copies.clone("clone")
    copies.turn_into("clone", from_="original")
    claim(client())
    copies.turn_into("original", from_="clone")
    with pytest.raises(ForeignStore, match="gone on in its place"):
        claim(client())
    copies.turn_into("clone", from_="original")
    claim(client())


def test_the_original_takes_it_back_and_the_clone_is_refused(folder: Path, settings: Any) -> None:
    claim(client())
    copies = Copies()
    copies.clone("clone")
    copies.turn_into("clone", from_="original")
    claim(client())
    copies.turn_into("original", from_="clone")
    settings.OBJECT_STORE_ADOPT = True
    claim(client())
    settings.OBJECT_STORE_ADOPT = False
    claim(client())
    copies.turn_into("clone", from_="original")
    with pytest.raises(ForeignStore):
        claim(client())


def test_a_clone_deletes_and_moves_nothing_of_the_original(folder: Path, settings: Any) -> None:
    old_job(1)
    maintain()
    before, kept = stored(), files(folder)
    copies = Copies()
    copies.clone("clone")
    maintain()
    copies.turn_into("clone", from_="original")
    settings.LOG_RETENTION_DAYS, settings.OBJECT_GRACE_DAYS = 95, 0
    old_job(2, days=92)
    with pytest.raises(CommandError, match="OBJECT_STORE_ADOPT=on"):
        maintain()
    assert before
    assert files(folder) == kept


@pytest.mark.parametrize("act", [maintain, lambda: confirm(client())])
def test_a_run_that_a_clone_overtakes_ends(folder: Path, act: Callable[[], object]) -> None:
    old_job(1)
    maintain()
    copies = Copies()
    copies.clone("clone")
    copies.turn_into("clone", from_="original")
    claim(client())
    copies.turn_into("original", from_="clone")
    with pytest.raises((ForeignStore, CommandError), match="OBJECT_STORE_ADOPT=on"):
        act()


def test_each_object_is_written_and_deleted_by_its_owner_only(
    faulty: FaultyServer, settings: Any
) -> None:
    """A clone goes on between two requests of a run."""
    settings.OBJECT_GRACE_DAYS = 0
    old_job(1)
    maintain()
    settings.LOG_RETENTION_DAYS = 95
    (key,) = (name for name in faulty.objects if name.endswith(KEY))
    clones = json.dumps(json.loads(faulty.objects[key]) | {"token": "0" * 32}).encode()
    before = dict(faulty.objects)
    # Read, written, and asked for before the object is deleted.
    faulty.strike_at(1, lambda: faulty.objects.update({key: clones}), answered=True)
    with pytest.raises(CommandError, match="OBJECT_STORE_ADOPT=on"):
        maintain()
    assert faulty.objects == before | {key: clones}
    assert ObjectToDelete.objects.count() == 1


@pytest.mark.parametrize("is_written", [True, False])
def test_a_run_that_was_killed_while_it_claimed_is_no_stranger(
    folder: Path, is_written: bool
) -> None:
    claim(client())
    row = StoreId.objects.get()
    token = row.intend_token("1" * 32)
    if is_written:
        held = json.loads((folder / KEY).read_bytes()) | {"token": token}
        (folder / KEY).write_text(json.dumps(held))
    confirm(client())
    claim(client())
    assert StoreId.objects.get().next_token == ""
    claim(client())


def test_of_two_copies_of_a_killed_claim_only_one_goes_on(folder: Path) -> None:
    claim(client())
    StoreId.objects.get().intend_token("1" * 32)
    copies = Copies()
    copies.clone("clone")
    claim(client())
    copies.turn_into("clone", from_="original")
    claim(client())  # it may think that it was the one that wrote it
    copies.turn_into("original", from_="clone")
    with pytest.raises(ForeignStore):
        claim(client())


def test_a_claim_whose_answer_was_lost_counts(faulty: FaultyServer) -> None:
    claim(client())
    faulty.spared = "none is spared"
    faulty.mode = Mode.LOST_ANSWER
    claim(client())
    confirm(client())


def test_processes_of_one_store_claim_beside_each_other(folder: Path) -> None:
    """One asks, another one claims, the first goes on: none is refused."""
    claim(client())

    class Slow(Client):
        """Another process claims behind each look at it, three times."""

        times = 3

        def find(self, key: str) -> StoredContent | None:
            found = super().find(key)
            if self.times:
                self.times -= 1
                claim(client())
            return found

    claim(Slow(f"file://{folder}", seconds=5))
    confirm(Slow(f"file://{folder}", seconds=5))
    claim(client())


def test_what_was_written_meanwhile_is_not_written_over(folder: Path, faulty: FaultyServer) -> None:
    for one in (Client(f"file://{folder}", seconds=5), client()):
        assert one.swap("a", b"first", held=None)
        assert not one.swap("a", b"second", held=None)
        held = one.find("a")
        assert held is not None
        assert one.swap("a", b"third", held=held)
        assert not one.swap("a", b"fourth", held=held)
        assert one.get("a") == b"third"
