"""An answer that fails after its beginning was sent: nobody may take what came for all of it."""

from __future__ import annotations

import http.client
import json
import socket

import pytest

from tests.builders import BATCH, asking, job, lines, result, script_log, step
from tests.serving import TIMEOUT_SECONDS, Server, manage

HOSTS = range(1, 15)
LOG = "a line of a log that is long\n" * 40_000


def fill(server: Server, number: int) -> None:
    """14 logs of 1.1 MB: more than an answer keeps in memory."""
    server.post(lines(job(number), step(job=number), *(result(h, job=number) for h in HOSTS)))
    for host in HOSTS:
        envelope = server.post(lines(job(number), script_log(LOG, host=host, job=number)))
        assert envelope["result"], envelope


def lose_the_last_log(server: Server, number: int) -> None:
    code = (
        "from joblogs.models import HostResult, LogChunk; "
        f"row = HostResult.objects.get(step__job__job_instance_id={number}, host_id={HOSTS[-1]}); "
        "print(LogChunk.objects.filter(day=row.day, host_result_id=row.pk).delete()[0])"
    )
    assert int(manage(server.environment, "shell", "-c", code).splitlines()[-1]) > 0


def test_a_large_answer_is_streamed_and_a_failure_in_it_is_no_end(
    running: Server, doomed: int
) -> None:
    fill(running, doomed)
    question = json.dumps(asking(doomed)).encode()
    with running.answer("POST", BATCH, question) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        whole = json.load(response)
    logs = whole["data"]["script_task_logs"]
    assert [entry["log_content"] for entry in logs] == [LOG] * len(HOSTS)

    lose_the_last_log(running, doomed)
    with running.answer("POST", BATCH, question) as response:
        assert response.status == 200
        with pytest.raises(http.client.IncompleteRead) as cut:
            response.read()
    assert len(cut.value.partial) > 8_000_000


def test_a_connection_that_broke_in_an_answer_is_closed_without_a_closing_chunk(
    running: Server, doomed: int
) -> None:
    fill(running, doomed)
    lose_the_last_log(running, doomed)
    question = json.dumps(asking(doomed)).encode()
    given = [f"{name}: {value}" for name, value in running.headers.items()]
    head = [f"POST {BATCH} HTTP/1.1", "Host: localhost", f"Content-Length: {len(question)}", *given]
    address = ("127.0.0.1", running.port)
    with socket.create_connection(address, timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + question)
        received, tail = 0, b""
        while data := connection.recv(1 << 20):
            received += len(data)
            tail = (tail + data)[-16:]
    assert received > 8_000_000
    assert not tail.endswith(b"0\r\n\r\n")
