"""What a producer tells in these tests, and whether a store holds exactly that."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any, NamedTuple

import psycopg

from tests.builders import BATCH, Fields, asking, file_log, job, lines, result, step
from tests.live.printing import pieces, printed
from tests.serving import Server

SCRIPTS, FILES = 200, 201
HOSTS, FILE_HOSTS = range(1, 9), range(21, 25)
STATUSES = (9, 104, 3, 13)
STATUS_QUERY = "/api/v3/get_job_instance_status"


class Held(NamedTuple):
    """Bytes of log text of one job: what was told, what is there once, and what is beside it."""

    told: int
    once: int
    beside: int


@dataclass(frozen=True)
class Job:
    """A job as its producer knows it: some thousand records that come in one stream."""

    number: int
    seed: int
    size: int = 300_000

    @cached_property
    def texts(self) -> dict[int, bytes]:
        random = Random(self.seed)  # noqa: S311 - the same again for the same seed
        return {
            host: _text(self.number * 31 + host, random, size=random.randrange(self.size))
            if random.random() < 0.9
            else b""
            for host in HOSTS
        }

    @cached_property
    def files(self) -> dict[int, bytes]:
        random = Random(self.seed + 1)  # noqa: S311 - as above
        return {host: printed(host, size=random.randrange(1, 10_000)) for host in FILE_HOSTS}

    @cached_property
    def statuses(self) -> dict[int, int]:
        random = Random(self.seed + 2)  # noqa: S311 - as above
        return {host: random.choice(STATUSES) for host in HOSTS}

    def again(self, number: int) -> Job:
        """What was told of this job, told of another one."""
        other = replace(self, number=number)
        # Hosts print the number of their job, and these printed it already.
        vars(other).update(texts=self.texts, files=self.files, statuses=self.statuses)
        return other

    def stream(self, *, cut: int = 200, seed: int = 0) -> list[bytes]:
        """Its lines: all hosts at once, in pieces of at most `cut` bytes that `seed` mixes."""
        random = Random(seed or self.seed)  # noqa: S311 - as above
        ids = {"job": self.number}
        said: list[Fields] = [job(self.number, status=2, update_time=1)]
        said += [step(SCRIPTS, **ids, update_time=1), step(FILES, **ids, step_type=2)]
        said += [result(host, **ids, update_time=1) for host in HOSTS]
        said += [result(host, **ids, step=FILES, update_time=1) for host in FILE_HOSTS]
        logs = [
            list(pieces(text, cut=random.randint(cut // 2, cut), host=host, **ids))
            for host, text in self.texts.items()
        ] + [list(self._file_pieces(host, cut=cut)) for host in FILE_HOSTS]
        turns = [index for index, log in enumerate(logs) for _ in log]
        random.shuffle(turns)
        waiting = [iter(log) for log in logs]
        said += [next(waiting[index]) for index in turns]
        said += [self._finished(host) for host in HOSTS]
        said += [result(h, **ids, step=FILES, update_time=2, status=9) for h in FILE_HOSTS]
        said += [step(SCRIPTS, **ids, update_time=2, status=4), job(**self._last())]
        return [lines(record) + b"\n" for record in said]

    def _file_pieces(self, host: int, *, cut: int) -> list[Fields]:
        text = self.files[host].decode()
        ids: dict[str, Any] = {"job": self.number, "step": FILES, "source": 99}
        said, offset = [], 0
        for start in range(0, len(text), cut):
            part = text[start : start + cut]
            end = start + cut >= len(text)
            news: dict[str, Any] = {"update_time": 2, "status": 4} if end else {"update_time": 1}
            said.append(file_log(host, **ids, offset=offset, content=part, **news))
            offset += len(part.encode())
        return said

    def _finished(self, host: int) -> Fields:
        text = self.texts[host]
        whole: Fields = {"log_size": len(text), "log_sha256": hashlib.sha256(text).hexdigest()}
        status = self.statuses[host]
        return result(host, job=self.number, status=status, update_time=2, exit_code=7, **whole)

    def _last(self) -> dict[str, Any]:
        return {"number": self.number, "status": 4, "update_time": 2}

    def check(self, server: Server) -> Held:
        """Ask the store for everything, as readers do, and its tables for what is beside it."""
        script = asked(server, self.number, SCRIPTS)["script_task_logs"]
        assert {entry["bk_host_id"]: entry["log_content"].encode() for entry in script} == (
            self.texts
        )
        assert {entry["log_state"]["state"] for entry in script} == {"complete"}
        moved = asked(server, self.number, FILES)["file_task_logs"]
        found = {
            entry["bk_host_id"]: "".join(log["log_content"] for log in entry["file_logs"]).encode()
            for entry in moved
        }
        assert found == self.files
        assert {log["status"] for entry in moved for log in entry["file_logs"]} == {4}
        assert {entry["log_state"]["state"] for entry in moved} == {"complete"}
        question = json.dumps({**asking(self.number), "return_ip_result": True}).encode()
        status = server.post(question, STATUS_QUERY)["data"]
        assert status["job_instance"]["status"] == 4
        results = {
            one["bk_host_id"]: (one["status"], one["exit_code"])
            for one in status["step_instance_list"][0]["step_ip_result_list"]
        }
        assert results == {host: (code, 7) for host, code in self.statuses.items()}
        size = sum(map(len, self.texts.values())) + sum(map(len, self.files.values()))
        results_held, stored = _stored(server, self.number)
        assert results_held == len(HOSTS) + len(FILE_HOSTS)
        return Held(size, sum(len(t) for t in found.values()) + _length(script), stored - size)


def _text(host: int, random: Random, *, size: int) -> bytes:
    """What a host printed, some of it such as no compression makes small: it fills a disk."""
    return printed(host, size=size // 2) + random.randbytes(size // 4).hex().encode() + b"\n"


def _length(entries: list[Any]) -> int:
    return sum(len(entry["log_content"].encode()) for entry in entries)


def asked(server: Server, number: int, of_step: int) -> Any:
    """What the batch endpoint answers of a step."""
    body = json.dumps(asking(number, of_step, return_log_state=True)).encode()
    envelope = server.post(body, BATCH)
    assert envelope["result"], envelope
    return envelope["data"]


_OF_JOB = (
    "FROM joblogs_hostresult r JOIN joblogs_stepinstance s ON s.id = r.step_id "
    "JOIN joblogs_jobinstance j ON j.id = s.job_id"
)
_STATEMENTS = (
    f"SELECT COUNT(*) {_OF_JOB} WHERE j.job_instance_id = ",
    f"SELECT COALESCE(SUM(c.size), 0) {_OF_JOB} JOIN joblogs_logchunk c "
    "ON c.host_result_id = r.id WHERE j.job_instance_id = ",
    f"SELECT COALESCE(SUM(LENGTH(f.content)), 0) {_OF_JOB} JOIN joblogs_filelog f "
    "ON f.host_result_id = r.id WHERE j.job_instance_id = ",
    # Wherever the bytes of a pack lie.
    "SELECT COALESCE(SUM(p.size), 0) FROM joblogs_logpack p JOIN joblogs_stepinstance s "
    "ON s.id = p.step_id JOIN joblogs_jobinstance j ON j.id = s.job_id WHERE j.job_instance_id = ",
)


def _stored(server: Server, number: int) -> tuple[int, int]:
    """Of a job, in the tables themselves: its host results, and all bytes of text."""
    url = server.environment["DATABASE_URL"]
    statements = [f"{statement}{number}" for statement in _STATEMENTS]
    connection: Any = (
        sqlite3.connect(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite")
        else psycopg.connect(url)
    )
    try:
        counts = [int(connection.execute(s).fetchone()[0]) for s in statements]
    finally:
        connection.close()
    return counts[0], sum(counts[1:])
