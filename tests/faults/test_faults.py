"""One round of each fault; `python -m tests.faults` runs as many as you like."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from django.db import connection

from tests.faults.faults import FAULTS, Fault, Skipped, round_of
from tests.faults.notices import deliver
from tests.faults.site import Site, site


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    on_postgresql = connection.vendor == "postgresql"
    with site(tmp_path_factory.mktemp("faults"), on_postgresql=on_postgresql) as place:
        yield place


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[name for name, _ in FAULTS])
def test_after_a_fault_a_replay_leaves_every_byte_once(
    place: Site, name: str, fault: Fault
) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")  # noqa: T201 - to run it again
    try:
        held = round_of(fault, place, next(place.numbers), seed).held
    except Skipped as reason:
        pytest.skip(f"{name}: {reason}")
    assert (held.once, held.beside) == (held.told, 0)


def test_notices_come_once_by_their_id_and_in_order_through_restarts(place: Site) -> None:
    found = deliver(place.server, events=12, kills=1)
    assert found.jobs == sorted(found.jobs)
    assert len(found.jobs) == found.ids == 12
    assert found.kills == 1
