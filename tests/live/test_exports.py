"""Exports as real processes make and send them: whole, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import job, lines, result, step
from tests.live.printing import pieces, printed
from tests.serving import ROOT, Server, manage

HOSTS = range(1, 13)
SIZE = 1_000_000
PEAK_MAX = 200 * 1024 * 1024
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
TIMEOUT_SECONDS = 60
EXPORT = "/api/v1/biz/2/export"
LOSE = """
from joblogs.models import HostResult, LogChunk
lost = HostResult.objects.filter(step__step_instance_id={}, host_id__gt=10)
LogChunk.objects.filter(host_result_id__in=lost.values("pk")).delete()
"""


@pytest.fixture(scope="module")
def stored(running: Server, numbers: Iterator[int]) -> tuple[int, dict[int, bytes]]:
    """The number of a job, and of its step, and what its hosts printed."""
    number = next(numbers)
    texts = {host: printed(host, size=SIZE) for host in HOSTS}
    ids = {"job": number, "step": number}
    running.post(lines(job(number), step(number, job=number)))
    for host, text in texts.items():
        records = [result(host, **ids, status=9), *pieces(text, cut=200_000, host=host, **ids)]
        assert running.post(lines(*records))["result"]
    return number, texts


def _command(target: Path, *options: str) -> list[str]:
    return [sys.executable, "manage.py", "export_logs", "--output", str(target), *options]


def test_an_archive_holds_the_stored_bytes_however_it_is_made(
    server: Server, stored: tuple[int, dict[int, bytes]], tmp_path: Path
) -> None:
    number, texts = stored
    with server.answer("GET", f"{EXPORT}?format=zip&job={number}") as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        downloaded = response.read()
    command = _command(tmp_path / "logs.zip", "--format", "zip", "--job", str(number))
    # Measured from a small process: what a child's parent held counts as the child's.
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *command],
        cwd=ROOT,
        env=server.environment,
        check=True,
        capture_output=True,
    )
    assert int(done.stdout) * 1024 < PEAK_MAX
    for data in (downloaded, (tmp_path / "logs.zip").read_bytes()):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            manifest = json.loads(archive.read("manifest.json"))["files"]
            assert len(manifest) == len(texts)
            for entry in manifest:
                text = texts[entry["bk_host_id"]]
                assert archive.read(entry["path"]) == text
                assert entry["sha256"] == hashlib.sha256(text).hexdigest()


def test_records_of_a_download_are_all_there_already(
    server: Server, stored: tuple[int, dict[int, bytes]]
) -> None:
    with server.answer("GET", f"{EXPORT}?format=ndjson&job={stored[0]}") as response:
        records = response.read()
    report = server.post(records)
    assert (report["result"], report["data"]["accepted"]) == (True, 0)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are seen in /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_export_that_is_ended_half_way_leaves_no_file(
    server: Server,
    stored: tuple[int, dict[int, bytes]],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    command = _command(tmp_path / "logs.zip", "--format", "zip", "--job", str(stored[0]))
    with subprocess.Popen(
        command, cwd=ROOT, env=server.environment, stderr=subprocess.PIPE
    ) as process:
        until = time.monotonic() + TIMEOUT_SECONDS
        while not _has_written(process.pid, tmp_path):
            assert process.poll() is None
            assert time.monotonic() < until
        process.send_signal(number)
        said = process.communicate()[1].decode()
    left = [path.suffix for path in tmp_path.iterdir()]
    assert left == ([".part"] if number == signal.SIGKILL else [])
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number
        assert "was not written" in said
        assert "lost the record" not in said


def _has_written(pid: int, folder: Path) -> bool:
    """Whether a process has an open file in a folder that is not empty."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if os.readlink(link).startswith(f"{folder}/") and link.stat().st_size:
                return True
        except FileNotFoundError:
            continue  # closed meanwhile
    return False


def test_a_download_that_fails_on_its_way_is_cut(running: Server, doomed: int) -> None:
    ids = {"job": doomed, "step": doomed}
    running.post(lines(job(doomed), step(doomed, job=doomed)))
    for host in HOSTS:
        text = printed(host, size=SIZE)
        records = [result(host, **ids, status=9), *pieces(text, cut=500_000, host=host, **ids)]
        assert running.post(lines(*records))["result"]
    path = f"{EXPORT}?format=txt&job={doomed}&no_prefix=true"
    with running.answer("GET", path) as response:
        assert response.status == 200
        assert response.read(1000)
        manage(running.environment, "shell", "--no-imports", "--command", LOSE.format(doomed))
        with pytest.raises(http.client.IncompleteRead):
            response.read()
