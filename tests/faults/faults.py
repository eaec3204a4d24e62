"""The faults. Each sends a job while something breaks; `round_of` sends it again and looks."""

from __future__ import annotations

import contextlib
import functools
import gzip
import http.client
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from tests.faults.expectations import Held, Job
from tests.faults.moving import mover_killed, object_store_gone
from tests.faults.polling import polling
from tests.faults.site import Site
from tests.faults.streams import STREAMS
from tests.live.producers import post_at_once
from tests.serving import RECORDS, ROOT, TIMEOUT_SECONDS, Server

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 16 * 1024
LATEST_SECONDS = 0.3
GIVE_UP_SECONDS = 60


class Skipped(Exception):
    """The fault cannot be had on this machine or with this database; it says why."""


class Round(NamedTuple):
    """What became of one round: whether the fault came before everything was acknowledged."""

    interrupted: bool
    held: Held


Fault = Callable[[Site, Job, Random], bool]
"""Sends a job and breaks something; whether that cut the sending short."""


def round_of(fault: Fault, site: Site, number: int, seed: int) -> Round:
    """Let a fault happen, send the same again, and look at what is there."""
    random = Random(seed)  # noqa: S311 - so that a seed shows the same again
    job = Job(number, seed)
    interrupted = fault(site, job, random)
    body = job.stream()
    first = _post_patiently(site.server, b"".join(body))
    assert first["result"], first
    data = first["data"]
    assert (data["accepted"] + data["duplicates"], data["refused_total"]) == (len(body), 0)
    again = site.server.post(b"".join(body))["data"]
    assert (again["accepted"], again["duplicates"]) == (0, len(body)), again
    return Round(interrupted, job.check(site.server))


def _post_patiently(server: Server, body: bytes) -> dict[str, Any]:
    """As a producer does: again and again while the store says that it cannot answer now."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while True:
        envelope = _outcome(lambda: server.post(body))
        if time.monotonic() > deadline or (envelope and envelope["code"] != 1240002):
            assert envelope, "the server did not come back"
            return envelope
        time.sleep(0.1)


def _outcome(send: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """The envelope of an answer, None if the connection broke before one came."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return send()
    return None


def _post_until(
    site: Site, body: bytes, random: Random, strike: Callable[[], object]
) -> dict[str, Any] | None:
    """Post a body without a length, and strike after some of its bytes, a little later."""
    at = random.randrange(len(body))
    pause = random.random() * LATEST_SECONDS
    struck = False

    def parts() -> Iterator[bytes]:
        nonlocal struck
        for start in range(0, len(body), PIECE):
            if start + PIECE > at and not struck:
                time.sleep(pause)
                strike()
                struck = True
            yield body[start : start + PIECE]

    return _outcome(lambda: site.server.post(parts()))


def writer_killed(site: Site, job: Job, random: Random) -> bool:
    """SIGKILL for an `import_logs` that has read a part of its input."""
    return _import_and_kill(site, b"".join(job.stream()), random)


def _import_and_kill(site: Site, body: bytes, random: Random, *, cut: bool = True) -> bool:
    with _importer(site) as importing:
        assert importing.stdin is not None
        importing.stdin.write(body[: random.randrange(len(body))] if cut else body)
        importing.stdin.flush()
        if not cut:
            importing.stdin.close()
        time.sleep(random.random() * LATEST_SECONDS)
        importing.kill()
        importing.wait()
        with contextlib.suppress(BrokenPipeError):
            importing.stdin.close()
    return importing.returncode == -signal.SIGKILL


def _importer(site: Site) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "import_logs", "-"],
        cwd=ROOT,
        env=site.server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def server_killed(site: Site, job: Job, random: Random) -> bool:
    """SIGKILL for every process that answers, in the middle of a body."""
    return _post_and_kill(site, b"".join(job.stream()), random)


def _post_and_kill(site: Site, body: bytes, random: Random) -> bool:
    def kill() -> None:
        for worker in site.server.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)

    return _post_until(site, body, random, kill) is None


def database_stopped(site: Site, job: Job, random: Random) -> bool:
    """The database is stopped at once while a server and an importer write, and started again."""
    database = site.database
    if database is None:
        raise Skipped("SQLite is not a server that could be stopped")
    other = Job(job.number, job.seed)
    with _importing(site, b"".join(other.stream(seed=job.seed + 7))) as importer:
        envelope = _post_until(site, b"".join(job.stream()), random, database.stop_at_once)
        time.sleep(random.random() * LATEST_SECONDS)
        database.start()
        said = importer.communicate()[1]
    _assert_told(importer, said)
    assert envelope is None or envelope["code"] in (0, 1240002), envelope
    return envelope is None or envelope["code"] == 1240002


def disk_full(site: Site, job: Job, random: Random) -> bool:
    """There is no room on the database's disk; later there is again."""
    if not site.disk.mounted:
        raise Skipped("no file system of its own: this process may not mount one")
    site.leave_no_slack()
    try:
        with _importing(site, b"".join(job.stream(seed=job.seed + 7))) as importer:
            envelope = _post_until(site, b"".join(job.stream()), random, site.disk.fill)
            said = importer.communicate()[1]
    finally:
        site.disk.free()
    _assert_told(importer, said)
    # An answer that comes before the body was read may not be heard.
    code = envelope["code"] if envelope else 1240002
    assert code in (0, 1240002), envelope
    return code == 1240002 or importer.returncode == 1


def _assert_told(importer: subprocess.Popen[bytes], said: bytes) -> None:
    """An import that failed says what to do, and shows nobody our source code."""
    assert b"Traceback" not in said, said
    assert importer.returncode == 0 or b"run it again" in said, said


@contextlib.contextmanager
def _importing(site: Site, body: bytes) -> Iterator[subprocess.Popen[bytes]]:
    """An `import_logs` of a body; what it says is to be read."""
    with _importer(site) as process:
        stdin = process.stdin
        assert stdin is not None

        def feed() -> None:
            with contextlib.suppress(BrokenPipeError), stdin:
                stdin.write(body)

        feeder = threading.Thread(target=feed)
        feeder.start()
        process.stdin = None  # the feeder closes it
        try:
            yield process
        finally:
            process.kill()
            feeder.join()


def connection_cut(site: Site, job: Job, random: Random) -> bool:
    """The connection goes in the middle of a piece, politely or not, packed or not."""
    body = b"".join(job.stream())
    headers = dict(site.server.headers)
    packed = random.choice(["", "gzip", "zstd"])
    if packed:
        headers["Content-Encoding"] = packed
        body = gzip.compress(body) if packed == "gzip" else zstd.compress(body)
    cut = random.randrange(1, len(body))
    if random.random() < 0.5:
        headers["Content-Length"] = str(len(body))
        sent = body[:cut]
    else:
        headers["Transfer-Encoding"] = "chunked"
        sent = b"%x\r\n" % len(body) + body[:cut]
    head = [f"POST {RECORDS} HTTP/1.1", "Host: localhost", *map(": ".join, headers.items())]
    address = ("127.0.0.1", site.server.port)
    with socket.create_connection(address, timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + sent)
        if random.random() < 0.5:
            # No goodbye: the other side reads a reset instead of an end.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


def two_race(site: Site, job: Job, random: Random) -> bool:
    """Two producers send the same logs at once, each cut in its own way."""
    return _race(site, job, random, producers=2)


def sixteen_race(site: Site, job: Job, random: Random) -> bool:
    """Sixteen of them."""
    return _race(site, job, random, producers=16)


def _race(site: Site, job: Job, random: Random, *, producers: int) -> bool:
    streams = [
        job.stream(cut=random.choice([150, 400, 1000, 3000]), seed=random.getrandbits(32))
        for _ in range(producers)
    ]
    answers = post_at_once(site.server, *(b"".join(stream) for stream in streams))
    for answer, stream in zip(answers, streams, strict=True):
        # A piece that starts behind what the others have brought so far is a gap: what follows is
        # sent again. Nothing else is refused.
        reasons = {entry["reason"] for entry in answer["data"]["refused"]}
        assert reasons <= {"gap"}, answer
        data = answer["data"]
        counted = data["accepted"] + data["duplicates"] + data["refused_total"]
        assert counted == len(stream), data
    return True


def killed_while_polled(site: Site, job: Job, random: Random) -> bool:
    """SIGKILL for whoever writes while a status poll runs: finished is never told without its logs.

    An import of what `export_logs` wrote, where the finishes stand first; one body of 60 jobs, one
    after another or in turn; or a producer that tells the finishes last.
    """
    told = random.choice(STREAMS)
    jobs, body = told(site, job, random)
    # Also when all of it was sent, and the finishes are on their way.
    end = functools.partial(_import_and_kill, cut=False)
    kills: Sequence[Callable[[Site, bytes, Random], bool]] = (_import_and_kill, end, _post_and_kill)
    kill = random.choice(kills)
    with polling(site.server, jobs) as poll:
        interrupted = kill(site, body, random)
    again = _post_patiently(site.server, body)
    assert again["result"], again
    for each in jobs:
        poll.look(site.server, each)
        each.check(site.server)
    site.polled[0] += poll.answers
    site.polled[1] += poll.finishes
    assert not poll.faults, (told.__name__, len(poll.faults), poll.faults[:5])
    return interrupted


def packer_killed(site: Site, job: Job, random: Random) -> bool:
    """SIGKILL for a `maintain_logs` that packs what was sent; the next one goes on."""
    assert _post_patiently(site.server, b"".join(job.stream()))["result"]
    command = [sys.executable, "manage.py", "maintain_logs", "--every-day"]
    environment = site.server.environment | {"PACK_AFTER_DAYS": "1"}
    packing = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    time.sleep(LATEST_SECONDS * (2 + 10 * random.random()))
    packing.kill()
    packing.wait()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return packing.returncode == -signal.SIGKILL


FAULTS: Sequence[tuple[str, Fault]] = (
    ("writer killed", writer_killed),
    ("server killed in a body", server_killed),
    ("database stopped", database_stopped),
    ("disk full", disk_full),
    ("connection cut in a piece", connection_cut),
    ("two producers race", two_race),
    ("sixteen producers race", sixteen_race),
    ("killed while polled", killed_while_polled),
    ("packer killed", packer_killed),
    ("mover killed", mover_killed),
    ("object store gone", object_store_gone),
)
