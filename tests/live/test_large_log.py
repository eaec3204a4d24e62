"""100 MB that one host printed go in as pieces and come back identical, in bounded memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders import BATCH, asking, job, lines, result, script_log, step
from tests.serving import Server, serving

SIZE = 100 * 1024 * 1024
PIECE = 256 * 1024
GROWTH_MAX = 150 * 1024 * 1024


def _piece(number: int) -> str:
    """PIECE bytes of text that no other piece has, line breaks and quotes among them."""
    line = f'{number:06d} "say" \\ tab\t{number * 7919 % 1_000_003:07d} of what a host prints\n'
    return (line * (PIECE // len(line) + 1))[:PIECE]


def _body(digest: hashlib._Hash) -> Iterator[bytes]:
    yield lines(job(), step(), result(status=9)) + b"\n"
    for number in range(SIZE // PIECE):
        text = _piece(number)
        digest.update(text.encode())
        yield json.dumps(script_log(text, offset=number * PIECE)).encode() + b"\n"


def _peak(server: Server) -> int:
    """The most memory that the one worker ever held, in bytes (Linux)."""
    (worker,) = server.workers()
    status = Path(f"/proc/{worker}/status").read_text("ascii")
    kilobytes = status.split("VmHWM:", 1)[1].split()[0]
    return int(kilobytes) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_100_mb_come_back_identical_and_the_server_stays_small(tmp_path: Path) -> None:
    sent = hashlib.sha256()
    with serving(tmp_path, workers=1) as server:
        assert server.post(lines(job(2)))["result"]
        before = _peak(server)
        report = server.post(_body(sent))
        assert (report["result"], report["data"]["accepted"]) == (True, 3 + SIZE // PIECE)
        body = json.dumps(asking(host_id_list=[101])).encode()
        with server.answer("POST", BATCH, body) as response:
            assert response.headers["Content-Length"] is None
            (log,) = json.load(response)["data"]["script_task_logs"]
        assert hashlib.sha256(log["log_content"].encode()).digest() == sent.digest()
        raw = hashlib.sha256()
        path = "/api/v1/biz/2/jobs/100/steps/200/hosts/101/log"
        with server.answer("GET", path) as response:
            while part := response.read(1024 * 1024):
                raw.update(part)
        assert raw.digest() == sent.digest()
        assert _peak(server) - before < GROWTH_MAX
        print(f"the server grew by {(_peak(server) - before) / 2**20:.0f} MB")  # noqa: T201 - a figure for -s
