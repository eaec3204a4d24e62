"""Somebody who asks again and again whether a job has finished, and then reads what it printed."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.builders import asking
from tests.faults.expectations import FILES, SCRIPTS, STATUS_QUERY, Job, asked
from tests.serving import Server

UNFINISHED_HOST, UNFINISHED_RUN = {5, 7}, {1, 2, 7, 10, 15}


@dataclass
class Poll:
    """What polling came to: answers that told a status, those that told a finish, and faults."""

    answers: int = 0
    finishes: int = 0
    faults: list[str] = field(default_factory=list)

    def look(self, server: Server, job: Job) -> None:
        """Ask for the status of a job, and for all that it says has finished."""
        question = json.dumps({**asking(job.number), "return_ip_result": True}).encode()
        envelope = server.post(question, STATUS_QUERY)
        if not envelope["result"]:
            return
        self.answers += 1
        data = envelope["data"]
        whole = data["job_instance"]["status"] not in UNFINISHED_RUN
        finished: dict[int, set[int]] = {SCRIPTS: set(), FILES: set()}
        for step in data["step_instance_list"]:
            number = step["step_instance_id"]
            if step["status"] not in UNFINISHED_RUN:
                finished[number] |= self._hosts(job, number)
            finished[number] |= {
                host["bk_host_id"]
                for host in step["step_ip_result_list"]
                if host["status"] not in UNFINISHED_HOST
            }
        for number, hosts in finished.items():
            hosts |= self._hosts(job, number) if whole else set()
            if hosts:
                self.finishes += 1
                self._read(server, job, number, hosts)

    @staticmethod
    def _hosts(job: Job, step: int) -> set[int]:
        return set(job.texts if step == SCRIPTS else job.files)

    def _read(self, server: Server, job: Job, step: int, hosts: set[int]) -> None:
        data = asked(server, job.number, step)
        if step == SCRIPTS:
            wanted = job.texts
            found = {
                entry["bk_host_id"]: entry["log_content"].encode()
                for entry in data["script_task_logs"]
            }
        else:
            wanted = job.files
            found = {
                entry["bk_host_id"]: "".join(
                    log["log_content"] for log in entry["file_logs"]
                ).encode()
                for entry in data["file_task_logs"]
            }
        for host in hosts:
            if found.get(host) != wanted[host]:
                size = len(found.get(host) or b"")
                place = f"host {host} of step {step} of job {job.number}"
                self.faults.append(f"{place} is finished with {size} of {len(wanted[host])} bytes")


@contextlib.contextmanager
def polling(server: Server, jobs: Sequence[Job]) -> Iterator[Poll]:
    """Poll the jobs while the block lasts, and once more behind it."""
    poll, ended = Poll(), threading.Event()

    def ask() -> None:
        while not ended.is_set():
            for job in jobs:
                # While it is being killed a server answers nothing.
                with contextlib.suppress(OSError, http.client.HTTPException):
                    poll.look(server, job)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield poll
    finally:
        ended.set()
        thread.join()
    for job in jobs:
        poll.look(server, job)
