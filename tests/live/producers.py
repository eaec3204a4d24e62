"""Several producers that start to send at the same moment."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.serving import ROOT, Server

Answer = dict[str, Any]


def send_together(server: Server, door: str, loads: Sequence[Sequence[Path]]) -> list[list[Answer]]:
    """Let one process for each of `loads` send its files in order: the answers that each got."""
    with contextlib.ExitStack() as stack:
        processes = [stack.enter_context(_producer(server, door, files)) for files in loads]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        where = json.dumps({"port": server.port, "headers": server.headers}) + "\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(where)
            process.stdin.flush()
        return [json.loads(process.communicate()[0]) for process in processes]


@contextlib.contextmanager
def _producer(server: Server, door: str, files: Sequence[Path]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.live.producer", door, *map(str, files)],
        cwd=ROOT,
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def post_at_once(server: Server, *bodies: bytes) -> list[Answer]:
    """Post each body from a thread of its own, all at the same moment: their answers, in order."""
    start = threading.Barrier(len(bodies))
    answers: list[Answer] = [{} for _ in bodies]

    def post(index: int, body: bytes) -> None:
        start.wait()
        answers[index] = server.post(body)

    threads = [threading.Thread(target=post, args=pair) for pair in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
