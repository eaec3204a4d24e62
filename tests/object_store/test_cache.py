"""The cache on disk: it saves requests, stays within its size, and is never believed."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from joblogs.object_store import reader
from joblogs.object_store.cache import LONGEST_SECONDS, SWEPT_SECONDS, Cache
from joblogs.object_store.client import Client, Range

from .faulty_server import FaultyServer, Mode
from .scenes import maintain, old_job, stored

DATA = os.urandom(100_000)


@pytest.fixture
def cache_dir(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "cache"
    path.mkdir()
    settings.OBJECT_CACHE_DIR, settings.OBJECT_CACHE_BYTES = str(path), 1_000_000
    return path


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _part(key: str, start: int, size: int) -> reader.ObjectPart:
    return reader.ObjectPart(key, start, size, reader.checksum(DATA[start : start + size]))


def test_what_was_read_once_is_read_again_without_a_request(
    faulty: FaultyServer, cache_dir: Path
) -> None:
    Client(f"s3://logs/{faulty.server_port}", seconds=1, allow_http=True).put("a", DATA)
    parts = [_part("a", 0, 500), _part("a", 600, 500)]
    first = reader.read(parts)
    faulty.mode = Mode.BUSY
    assert reader.read(parts) == first == {p: DATA[p.start : p.start + 500] for p in parts}


def test_an_entry_that_was_changed_is_read_anew(faulty: FaultyServer, cache_dir: Path) -> None:
    Client(f"s3://logs/{faulty.server_port}", seconds=1, allow_http=True).put("a", DATA)
    part = _part("a", 0, 500)
    reader.read([part])
    (file,) = _files(cache_dir)
    for wrong in (b"", b"x" * 500, b"x" * 499):
        file.write_bytes(wrong)
        assert reader.read([part]) == {part: DATA[:500]}
        assert file.read_bytes() == DATA[:500]


def test_it_holds_no_more_than_its_size_and_what_was_read_last(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), size=100_000)
    for number in range(40):
        cache.put(f"key {number}", Range(0, 5000), os.urandom(5000))
        cache.get("key 0", Range(0, 5000))
        for age, file in enumerate(sorted(_files(tmp_path), key=lambda one: one.stat().st_mtime)):
            os.utime(file, (time.time() - 1000 + age,) * 2)  # clocks of files may be coarse
    cache.sweep()
    files = _files(tmp_path)
    assert 80_000 <= sum(file.stat().st_size for file in files) <= 100_000
    assert cache.get("key 39", Range(0, 5000)) is not None
    assert cache.get("key 0", Range(0, 5000)) is not None
    assert cache.get("key 1", Range(0, 5000)) is None


def test_what_was_not_read_for_a_day_goes(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), size=10**9)
    cache.put("old", Range(0, 10), b"x" * 10)
    (file,) = _files(tmp_path)
    os.utime(file, (time.time() - LONGEST_SECONDS - 10,) * 2)
    cache.put("new", Range(0, 10), b"x" * 10)
    cache.sweep()
    assert cache.get("old", Range(0, 10)) is None
    assert cache.get("new", Range(0, 10)) is not None


@pytest.mark.django_db
def test_maintenance_lets_go_what_nobody_reads_any_more(cache_dir: Path) -> None:
    Cache(str(cache_dir), size=10**9).put("old", Range(0, 10), b"x" * 10)
    (file,) = _files(cache_dir)
    os.utime(file, (time.time() - LONGEST_SECONDS - 10,) * 2)
    maintain()
    assert _files(cache_dir) == []


def test_an_object_that_is_forgotten_leaves_nothing(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), size=10**9)
    cache.put("a", Range(0, 10), b"x" * 10)
    cache.put("a", Range(10, 20), b"x" * 10)
    cache.put("b", Range(0, 10), b"y" * 10)
    cache.forget("a")
    assert [file.read_bytes() for file in _files(tmp_path)] == [b"y" * 10]


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    Cache(str(tmp_path), size=10**9).put("store/20260101/2/x", Range(0, 10), b"x" * 10)
    (file,) = _files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.parents[1].stat().st_mode) == 0o700


def test_sweeping_touches_nothing_but_its_own_entries(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "cache"), size=10**9)
    (tmp_path / "cache").mkdir()
    cache.put("a", Range(0, 10), b"x" * 10)
    (own,) = _files(tmp_path)
    left_by_a_killed_process = own.with_name("tmpab_12cd9")
    left_by_a_killed_process.write_bytes(b"x")
    others = [tmp_path / "cache" / place for place in ("a/b/c", "ab/cd/0-10", "ab/x", "notes")]
    others += [own.with_name("notes"), tmp_path / "elsewhere" / own.parent.name / "0-10"]
    for file in others:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x")
    (tmp_path / "cache" / "ff").symlink_to(tmp_path / "elsewhere")
    for file in (own, left_by_a_killed_process, *others):
        os.utime(file, (0, 0))
    cache.sweep()
    assert _files(tmp_path) == sorted(others)


def test_what_is_only_read_is_swept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(str(tmp_path), size=10**9)
    cache.put("old", Range(0, 10), b"x" * 10)
    (old,) = _files(tmp_path)
    cache.put("a", Range(0, 10), b"y" * 10)
    os.utime(old, (0, 0))
    hour = time.monotonic() + SWEPT_SECONDS + 1
    monkeypatch.setattr(time, "monotonic", lambda: hour)
    assert cache.get("a", Range(0, 10)) == b"y" * 10
    assert [file.read_bytes() for file in _files(tmp_path)] == [b"y" * 10]


def test_of_an_entry_that_grew_no_more_is_read_than_was_put(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), size=10**9)
    cache.put("a", Range(0, 10), b"x" * 10)
    (file,) = _files(tmp_path)
    with file.open("ab") as stream:
        stream.truncate(10**12)
    assert cache.get("a", Range(0, 10)) == b"x" * 10


def test_what_may_not_be_deleted_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = Cache(str(tmp_path), size=10**9)
    cache.put("a", Range(0, 10), b"x" * 10)
    monkeypatch.setattr(os, "unlink", _refuse)
    cache.forget("a")
    assert "what it keeps of a may not be deleted" in caplog.text


def _refuse(*arguments: object, **options: object) -> None:
    raise PermissionError(errno.EACCES, "Permission denied")


@pytest.mark.django_db
def test_redacted_text_leaves_the_cache_also_while_the_object_store_is_gone(
    faulty: FaultyServer, cache_dir: Path, tmp_path: Path
) -> None:
    old_job(1)
    maintain()
    stored()
    assert len(_files(cache_dir)) == 1
    faulty.mode = Mode.BUSY
    (tmp_path / "texts").write_text("host 2 line 7 5398")
    with pytest.raises(CommandError, match="the next maintain_logs does"):
        call_command("redact_logs", "--texts", str(tmp_path / "texts"))
    assert _files(cache_dir) == []


def test_a_disk_that_takes_nothing_fails_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = Cache(str(tmp_path / "file"), size=10**9)
    cache.put("a", Range(0, 10), b"x" * 10)
    assert cache.get("a", Range(0, 10)) is None


@contextmanager
def _no_room_beyond(size: int) -> Iterator[None]:
    """Files cannot grow beyond this, as on a disk that is full."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_is_full_keeps_nothing_of_what_did_not_fit(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), size=10**9)
    cache.put("small", Range(0, 10), b"x" * 10)
    with _no_room_beyond(1000):
        cache.put("large", Range(0, 5000), b"y" * 5000)
    assert cache.get("large", Range(0, 5000)) is None
    assert [file.read_bytes() for file in _files(tmp_path)] == [b"x" * 10]
    cache.put("large", Range(0, 5000), b"y" * 5000)
    assert cache.get("large", Range(0, 5000)) == b"y" * 5000


def test_what_is_larger_than_all_of_it_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), size=1000)
    cache.put("a", Range(0, 1001), b"x" * 1001)
    assert _files(tmp_path) == []


def test_several_workers_and_threads_share_its_size(tmp_path: Path) -> None:
    """Each worker sweeps once it has added a sixteenth of the size; none is handed other bytes."""
    size, workers = 400_000, 2
    caches = [Cache(str(tmp_path), size=size) for _ in range(workers)]
    wrong = list[str]()

    def work(cache: Cache, seed: int) -> None:
        random = Random(seed)  # noqa: S311 - so that a seed shows the same again
        for _ in range(60):
            number = random.randrange(200)
            part, data = Range(0, 5000), bytes([number]) * 5000
            found = cache.get(f"key {number}", part)
            if found not in (None, data):
                wrong.append(f"key {number}")
            cache.put(f"key {number}", part, data)

    threads = [
        threading.Thread(target=work, args=(cache, 10 * seed + nth))
        for nth, cache in enumerate(caches)
        for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    held = sum(file.stat().st_size for file in _files(tmp_path))
    assert size // 2 <= held <= size * (16 + workers) // 16 + 6 * 5000
