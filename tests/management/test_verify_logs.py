"""verify_logs: each kind of damage is planted, found and told in numbers."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import F

from joblogs.logtext import codec
from joblogs.logtext.custom_rules import literal
from joblogs.logtext.secret_scanner import Secrets
from joblogs.maintenance import packing, redaction, verification
from joblogs.maintenance.damage import Damage
from joblogs.maintenance.walk import LogSelection
from joblogs.models import FileLog, HostResult, JobInstance, LogChunk, LogPack
from tests.builders import file_log, job, load, result, script_log, step
from tests.queries import chunks, facts, recut, the_result

pytestmark = pytest.mark.django_db

TEXT = "".join(f"line {n} of the log\n" for n in range(40))
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
DAY = date(2023, 11, 14)


def verify_logs(*options: str) -> tuple[str, int]:
    """Standard output with what an error says, and the exit code."""
    out = io.StringIO()
    try:
        call_command("verify_logs", *options, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return out.getvalue() + str(error), error.returncode
    return out.getvalue(), 0


@pytest.fixture(autouse=True)
def store() -> None:
    """A log in three chunks, a masked one that grows, an empty one, a file log, another scope."""
    load(
        *(job(), step(), result(1, status=9), result(2, status=7), result(3, status=9)),
        *(script_log(TEXT, host=1), script_log(f"{TOKEN}\n", host=2)),
        *(step(201, step_type=2), result(1, step=201, status=9)),
        file_log(1, step=201, content="sent\n", offset=0),
        *(job(101, bk_scope_id="3"), step(202, job=101), result(4, job=101, step=202, status=9)),
        script_log(TEXT, host=4, job=101, step=202),
    )
    recut(_log(1), [100, 300])


def _rows() -> list[dict[str, Any]]:
    models = (HostResult, LogChunk, FileLog)
    return [facts(row) for model in models for row in model.objects.order_by("pk")]


def _log(host: int) -> HostResult:
    return the_result(host) if host != 1 else HostResult.objects.get(host_id=1, step__step_type=1)


def _change(offset: int, host: int = 1, **columns: Any) -> None:
    row = _log(host)
    key = {"day": row.day, "host_result_id": row.pk, "offset": offset}
    assert LogChunk.objects.filter(**key).update(**columns) == 1


def _row(host: int = 1, **columns: Any) -> None:
    assert HostResult.objects.filter(pk=_log(host).pk).update(**columns) == 1


def _lose() -> None:
    (_, middle, _) = chunks(_log(1))
    middle.delete()


def _lose_end() -> None:
    (*_, last) = chunks(_log(1))
    last.delete()


def _overlap() -> None:
    (first, _, _) = chunks(_log(1))
    _change(0, size=150, data=b"x" * 150, codec=codec.RAW, newlines=0)
    assert first.size == 100


def _add(offset: int, log: int, data: bytes = b"x") -> None:
    place = {"day": DAY, "host_result_id": log, "offset": offset}
    said = {"size": len(data), "newlines": 0, "codec": codec.RAW, "data": data}
    LogChunk(**place, **said).save(force_insert=True)


def _expire() -> None:
    JobInstance.objects.filter(job_instance_id=101).update(expired_at=1)


def _expired_file() -> None:
    JobInstance.objects.filter(job_instance_id=100).update(expired_at=1)
    LogChunk.objects.exclude(host_result_id=_log(4).pk).delete()


def _pack() -> HostResult:
    """Pack the log of host 4."""
    row = _log(4)
    packing.pack_step(row.step)
    return row


def _forget_pack() -> None:
    HostResult.objects.filter(pk=_pack().pk).update(pack=None, pack_start=None)


def _shift() -> None:
    HostResult.objects.filter(pk=_pack().pk).update(pack_start=1)


def _change_pack(**columns: Any) -> None:
    _pack()
    assert LogPack.objects.update(**columns) == 1


def _unreachable() -> None:
    place = {"object_id": 1, "object_start": 0, "object_size": 9, "object_checksum": 0}
    _change_pack(data=b"", **place)


def _expire_packed() -> None:
    _pack()
    _expire()


PLANTED: dict[str, tuple[Damage, Callable[[], object]]] = {
    "a chunk lost": (Damage.MISSING, _lose),
    "the last chunk lost": (Damage.MISSING, _lose_end),
    "a chunk too long": (Damage.OVERLAP, _overlap),
    "a chunk behind the end": (Damage.BEYOND, lambda: _add(len(TEXT), _log(1).pk)),
    "a chunk that is no zstd": (Damage.UNREADABLE, lambda: _change(100, data=b"\x28\xb5\x2f\xfd")),
    "a chunk of a later codec": (Damage.UNREADABLE, lambda: _change(100, codec=9)),
    "another size": (Damage.CHUNK_SIZE, lambda: _change(100, data=b"x", codec=codec.RAW)),
    "other newlines": (Damage.CHUNK_NEWLINES, lambda: _change(100, newlines=1)),
    "other newlines in all": (Damage.NEWLINES, lambda: _row(lines=1)),
    "another text": (
        Damage.DIGEST,
        lambda: _change(0, data=b"y" * 100, codec=codec.RAW, newlines=0),
    ),
    "another digest": (Damage.DIGEST, lambda: _row(digest=b"x" * 32)),
    "another declared": (
        Damage.DECLARED,
        lambda: _row(declared_size=len(TEXT), declared_sha256=b"x" * 32),
    ),
    "more held than received": (Damage.SIZES, lambda: _row(received_size=1)),
    "a mask that shows": (Damage.MASKS, lambda: _row(2, redacted=[[0, 40]])),
    "another day": (Damage.DAY, lambda: _row(3, day=date(2023, 11, 15))),
    "chunks of nobody": (Damage.ORPHAN, lambda: _add(0, 999_999)),
    "chunks of an expired job": (Damage.EXPIRED, _expire),
    "packs of nobody": (Damage.PACK_ORPHAN, _forget_pack),
    "a packed log that lies elsewhere": (Damage.PACK_BYTES, _shift),
    "a pack of another size": (Damage.PACK_SIZE, lambda: _change_pack(newlines=99)),
    "a pack that is no zstd": (Damage.UNREADABLE, lambda: _change_pack(data=b"x", codec=1)),
    "a pack whose object is out of reach": (Damage.UNREACHABLE, _unreachable),
    "a packed log with chunks": (Damage.TWICE, lambda: _add(0, _pack().pk)),
    "packs of an expired job": (Damage.EXPIRED, _expire_packed),
    "a file log of an expired job": (Damage.EXPIRED, _expired_file),
    "a file log of another size": (
        Damage.FILE_SIZE,
        lambda: FileLog.objects.update(held_size=4),
    ),
    "a file log of more than came": (Damage.SIZES, lambda: FileLog.objects.update(received_size=1)),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_each_kind_of_damage_is_found_and_told_without_text(planted: str) -> None:
    damage, plant = PLANTED[planted]
    plant()
    before = _rows()
    said, code = verify_logs()
    assert code == 1
    # Of a pack it may be told twice: of the log, and of the packs of its step.
    assert f"1 × {damage} (row " in said or f"2 × {damage} (row " in said
    assert "of the log" not in said
    assert _rows() == before


def test_every_kind_of_damage_is_planted() -> None:
    assert {damage for damage, _ in PLANTED.values()} == set(Damage)


def test_what_is_whole_is_said_to_be_so() -> None:
    assert verify_logs() == (
        f"Looked at 5 logs in 5 chunks and 1 file log, {2 * len(TEXT) + 46:,} bytes.\n",
        0,
    )


def test_packed_logs_are_whole_as_they_were() -> None:
    packing.pack_step(_log(1).step)
    load(job(), script_log("late\n", host=1, offset=len(TEXT)))
    packing.pack_step(_log(4).step)
    assert verify_logs() == (
        f"Looked at 5 logs in 2 chunks and 1 file log, {2 * len(TEXT) + 51:,} bytes.\n",
        0,
    )


def test_an_empty_store_is_whole() -> None:
    assert verify_logs("--day", "2001-01-01")[1] == 0


@pytest.mark.parametrize(
    ("options", "logs", "found"),
    [
        ([], 5, 2),
        (["--scope", "biz:2"], 4, 0),
        (["--scope", "biz:3"], 1, 1),
        (["--job", "101"], 1, 1),
        (["--job", "100"], 4, 0),
        (["--step", "202"], 1, 1),
        (["--host", "4"], 1, 1),
        (["--day", "2023-11-14"], 5, 2),
        (["--day", "2023-11-13"], 0, 0),
        (["--since", "2023-11-15"], 0, 0),
    ],
)
def test_only_what_is_selected_is_looked_at(options: list[str], logs: int, found: int) -> None:
    _row(4, lines=1)
    _add(0, 999_999)
    said, code = verify_logs(*options)
    assert f"Looked at {logs} log" in said
    assert (f"{found} findings" in said, code) == (found > 0, min(found, 1))


def test_a_day_goes_alone() -> None:
    assert verify_logs("--day", "2023-11-14", "--since", "2023-11-14")[1] == 2
    assert verify_logs("--job", "9")[1] == 1


def test_a_log_that_changed_meanwhile_is_looked_at_again() -> None:
    def grow() -> None:
        load(job(), script_log("more\n", host=2, offset=_log(2).received_size))

    def grow_and_damage() -> None:
        grow()
        HostResult.objects.filter(pk=_log(2).pk).update(lines=F("lines") + 1)

    assert _damage_if_meanwhile(grow) == {}
    assert _damage_if_meanwhile(grow_and_damage) == {Damage.NEWLINES: 1}


def _damage_if_meanwhile(change: Callable[[], object]) -> dict[StrEnum, int]:
    """Damage found if the log of host 2 changes once its row has been fetched."""
    verified: list[int] = []

    def progress(size: int) -> None:
        if not verified:  # the log of host 1, whose row is fetched together with that of host 2
            change()
        verified.append(size)

    return dict(verification.verify(LogSelection.every(), progress=progress).damage)


def test_after_redaction_all_is_whole() -> None:
    secrets = Secrets([literal("text", b"line 7 of")])
    assert redaction.redact(LogSelection.every(), secrets, by="zoe", selection="all").logs == 2
    assert verify_logs()[1] == 0


def test_memory_does_not_grow_with_a_log() -> None:
    load(
        job(), *(script_log("0123456789abcde\n" * 65536, host=3, offset=n << 20) for n in range(20))
    )
    selection = LogSelection(jobs=JobInstance.objects.all(), hosts=frozenset([3]))
    tracemalloc.start()
    try:
        verified = verification.verify(selection)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (verified.size, verified.damage) == (20 << 20, {})
    assert peak < 12 << 20
