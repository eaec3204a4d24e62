"""The client: what it asks for it gets whole, or it gets one error, in a bounded time."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from joblogs.errors import Unavailable
from joblogs.logtext.codec import Unreadable
from joblogs.object_store import Fault, ObjectUnreachable, reader
from joblogs.object_store.client import Client, Range
from joblogs.object_store.faults import reason

from .faulty_server import FaultyServer, Mode

DATA = os.urandom(300_000)
OTHER = DATA[:-1] + bytes([DATA[-1] ^ 1])


@pytest.fixture
def on_disk(folder: Path) -> Client:
    return Client(f"file://{folder}", seconds=5)


def _faulty_client(server: FaultyServer) -> Client:
    return Client(f"s3://logs/{server.server_port}", seconds=1, allow_http=True)


def _tell(client: Client) -> None:
    """What every kind of object store does alike."""
    key = f"store/20260101/1/{os.urandom(8).hex()}"
    client.put(key, DATA)
    assert client.get(key) == DATA
    ranges = [Range(5, 10), Range(299_000, 300_000), Range(0, 7), Range(5, 10)]
    assert client.read(key, ranges) == [DATA[one.start : one.stop] for one in ranges]
    client.put(key, DATA)  # the same bytes under the same key: it is written
    with pytest.raises(ObjectUnreachable) as refused:
        client.put(key, OTHER)
    assert refused.value.fault is Fault.TORN
    assert client.get(key) == DATA
    assert dict(client.keys("store/20260101"))[key] == len(DATA)
    for ranges in ([Range(299_990, 300_001)], [Range(300_000, 300_010)], [Range(500_000, 500_001)]):
        with pytest.raises(ObjectUnreachable):
            client.read(key, ranges)
    client.delete(key)
    client.delete(key)
    with pytest.raises(ObjectUnreachable) as gone:
        client.read(key, [Range(0, 1)])
    assert gone.value.fault is Fault.MISSING
    assert key not in dict(client.keys("store"))


def test_a_folder_holds_objects(on_disk: Client) -> None:
    _tell(on_disk)


@pytest.mark.live
def test_a_real_server_holds_objects(real_client: Client) -> None:
    _tell(real_client)


def test_what_an_object_holds_lies_in_the_file_of_its_key(on_disk: Client, folder: Path) -> None:
    on_disk.put("store/20260101/1/a", DATA)
    assert (folder / "store/20260101/1/a").read_bytes() == DATA


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_nobody_else_reads_what_a_folder_holds(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        Client(f"file://{tmp_path}/objects", seconds=5).put("store/20260101/1/a", DATA)
    finally:
        os.umask(before)
    for folder in ("objects", "objects/store", "objects/store/20260101/1"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700


def test_what_a_killed_writer_left_in_a_folder_goes_with_the_object(
    on_disk: Client, folder: Path
) -> None:
    on_disk.put("store/20260101/1/a", DATA)
    on_disk.put("store/20260101/1/ab", DATA)
    (folder / "store/20260101/1/a#1").write_bytes(DATA)
    (folder / "store/20260101/1/gone#2").write_bytes(DATA)
    on_disk.delete("store/20260101/1/a")
    on_disk.delete("store/20260101/1/gone")
    assert [one for one in folder.rglob("*") if one.is_file()] == [folder / "store/20260101/1/ab"]


def test_ranges_that_are_near_to_one_another_are_one_request(faulty: FaultyServer) -> None:
    client = _faulty_client(faulty)
    client.put("a", DATA)
    faulty.requests.clear()
    ranges = [Range(start, start + 100) for start in range(0, 250_000, 500)]
    assert client.read("a", ranges) == [DATA[one.start : one.stop] for one in ranges]
    assert len(ranges) == 500
    assert [command for command, _ in faulty.requests] == ["GET"]


def test_ranges_far_apart_do_not_bring_what_lies_between_them(faulty: FaultyServer) -> None:
    client = _faulty_client(faulty)
    client.put("a", DATA * 20)
    faulty.requests.clear()
    client.read("a", [Range(0, 10), Range(5_000_000, 5_000_010)])
    assert len(faulty.requests) == 2


@pytest.mark.parametrize("mode", [Mode.BUSY, Mode.SLOW, Mode.CUT, Mode.CLOSED])
def test_a_server_that_fails_is_one_error_after_a_bounded_time(
    faulty: FaultyServer, mode: Mode
) -> None:
    client = Client(f"s3://logs/{faulty.server_port}", seconds=0.3, allow_http=True)
    client.put("a", DATA)
    faulty.mode = mode
    for work in (
        lambda: client.get("a"),
        lambda: client.read("a", [Range(0, 1000)]),
        lambda: client.put("b", DATA),
    ):
        with pytest.raises(ObjectUnreachable) as raised:
            work()
        assert isinstance(raised.value, Unavailable)
        assert isinstance(raised.value, Unreadable)
        assert raised.value.code == 1240002
    # Each may be tried three times within twice its time; no request goes on for ever.
    assert len(faulty.requests) <= 4 * 4 + 4
    faulty.mode = Mode.WELL
    assert client.get("a") == DATA


def test_one_slow_object_keeps_no_other_from_being_read(
    faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = _faulty_client(faulty)
    for key in ("a", "b", "c"):
        client.put(key, DATA)
    faulty.mode, faulty.spared = Mode.CLOSED, "b"
    # It fails after 100 seconds, another one is read in the next; then two fail in a row.
    moments = iter([0, 100, 101, 102, 300, 400, 401, 501, 502])
    monkeypatch.setattr(time, "monotonic", lambda: next(moments))
    part = [Range(0, 1000)]
    with pytest.raises(ObjectUnreachable):
        client.read("a", part)
    assert client.read("b", part) == [DATA[:1000]]
    requests = len(faulty.requests)
    with pytest.raises(ObjectUnreachable):
        client.read("a", part)
    assert len(faulty.requests) == requests
    for key in ("a", "c"):
        with pytest.raises(ObjectUnreachable):
            client.read(key, part)
    assert len(faulty.requests) > requests
    with pytest.raises(ObjectUnreachable):
        client.read("b", part)


def test_a_server_that_is_gone_is_the_same_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(ObjectUnreachable):
        Client("s3://logs/a", seconds=1, allow_http=True).get("a")


def test_an_object_whose_answer_was_lost_counts_as_written(faulty: FaultyServer) -> None:
    client = _faulty_client(faulty)
    faulty.mode = Mode.LOST_ANSWER
    client.put("a", DATA)
    assert client.get("a") == DATA


def test_other_bytes_than_were_written_are_never_given(settings: Any, faulty: FaultyServer) -> None:
    _faulty_client(faulty).put("a", DATA)
    part = reader.ObjectPart("a", 10, 1000, reader.checksum(DATA[10:1010]))
    assert reader.read([part]) == {part: DATA[10:1010]}
    faulty.mode = Mode.CHANGED
    with pytest.raises(ObjectUnreachable) as raised:
        reader.read([part])
    assert raised.value.fault is Fault.TORN


def test_an_object_that_was_cut_is_an_error_not_a_shorter_text(
    on_disk: Client, folder: Path
) -> None:
    on_disk.put("a", DATA)
    (folder / "a").write_bytes(DATA[:1000])
    for start in (501, 999, 1000, 200_000):
        with pytest.raises(ObjectUnreachable):
            on_disk.read("a", [Range(0, 10), Range(start, start + 500)])


def test_without_an_object_store_what_lies_there_cannot_be_read(settings: Any) -> None:
    settings.OBJECT_STORE_URL = None
    with pytest.raises(ObjectUnreachable):
        reader.read([reader.ObjectPart("a", 0, 1, 0)])


def test_our_own_log_tells_no_credential(
    faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAhunter2")
    client = _faulty_client(faulty)
    faulty.mode = Mode.BUSY
    with pytest.raises(ObjectUnreachable):
        client.get("a")
    assert caplog.text
    assert "hunter2" not in caplog.text


def test_our_own_log_tells_no_credential_that_an_address_holds(
    faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT", faulty.address.replace("://", "://user:hunter2@"))
    client = _faulty_client(faulty)
    faulty.mode = Mode.CLOSED
    with pytest.raises(ObjectUnreachable):
        client.get("a")
    assert f"://…127.0.0.1:{faulty.server_port}/" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("GET http://me:hunter2@h/a?sig=hunter2&x=1 in 3ms", "GET http://…h/a… in 3ms"),
        ("403 Forbidden: <Error><AWSAccessKeyId>hunter2</Error>", "403 Forbidden: "),
        ("first\nhunter2", "first"),
    ],
)
def test_what_is_shown_of_an_error_is_no_credential(message: str, shown: str) -> None:
    assert reason(OSError(message)) == shown
