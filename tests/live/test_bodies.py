"""Bodies as a real server hands them over: without a length, empty, and cut off anywhere."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.builders import BATCH, asking, job, lines, result, step
from tests.live.printing import pieces, printed
from tests.serving import RECORDS, TIMEOUT_SECONDS, Server

PRINTED = printed(7, size=400_000)
PIECE = 4000


def told(number: int) -> list[bytes]:
    """The lines of a job of one host, each with its end."""
    said = [job(number), step(job=number), result(7, job=number)]
    said += pieces(PRINTED, cut=PIECE, host=7, job=number)
    return [lines(record) + b"\n" for record in said]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def in_chunks(*parts: bytes) -> Iterator[bytes]:
    """What http.client sends as one chunk each, with no Content-Length."""
    yield from parts


def test_records_that_come_without_a_length_arrive_whole(server: Server, number: int) -> None:
    body = b"".join(told(number))
    # Chunks that begin and end anywhere in a line, and in a character.
    parts = (body[start : start + 7001] for start in range(0, len(body), 7001))
    envelope = server.post(in_chunks(*parts))
    assert envelope["result"], envelope
    assert envelope["data"]["accepted"] == len(told(number))
    assert server.logs(job=number, step=200) == {7: PRINTED.decode()}


def test_a_question_that_comes_without_a_length_is_answered(server: Server, number: int) -> None:
    server.post(b"".join(told(number)))
    question = json.dumps(asking(number, host_id_list=[7])).encode()
    envelope = server.post(in_chunks(question[:5], question[5:6], question[6:]), BATCH)
    assert [e["log_content"] for e in envelope["data"]["script_task_logs"]] == [PRINTED.decode()]


@pytest.mark.parametrize("path", [RECORDS, BATCH])
@pytest.mark.parametrize("body", [b"", in_chunks(), in_chunks(b"\n", b" \r\n\n")])
def test_a_body_without_a_record_is_refused(
    server: Server, path: str, body: bytes | Iterator[bytes]
) -> None:
    envelope = server.post(body, path)
    assert (envelope["result"], envelope["code"], envelope["data"]) == (False, 1240003, None)


def _opening(server: Server, *headers: str) -> bytes:
    given = [f"{name}: {value}" for name, value in server.headers.items()]
    head = [f"POST {RECORDS} HTTP/1.1", "Host: localhost", "Connection: close", *given, *headers]
    return "\r\n".join([*head, "", ""]).encode()


def _half_a_request(server: Server, data: bytes) -> dict[str, Any]:
    """The envelope for a request that ends early while the producer still listens."""
    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        with contextlib.closing(http.client.HTTPResponse(connection)) as response:
            response.begin()
            envelope: dict[str, Any] = json.load(response)
            return envelope


WHOLE_LINES = 60  # three of them are no pieces
CHUNKED = "Transfer-Encoding: chunked"
CUTS = {
    "in a piece, in a chunk": lambda whole, half: chunk(whole) + chunk(half * 2)[: len(half)],
    "in a piece, between chunks": lambda whole, half: chunk(whole) + chunk(half),
    "between pieces, before the chunk's end": lambda whole, half: chunk(whole)[:-2],
    "between pieces and chunks": lambda whole, half: chunk(whole),
    "in a chunk's size": lambda whole, half: chunk(whole) + b"1f",
    "in a piece, and then no chunk": lambda whole, half: chunk(whole + half) + b"no size\r\n",
    "in the end of the last chunk": lambda whole, half: chunk(whole) + b"0\r\n",
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_body_cut_off_leaves_its_whole_pieces_and_a_replay_completes_it(
    server: Server, number: int, cut: str
) -> None:
    every = told(number)
    whole, half = b"".join(every[:WHOLE_LINES]), every[WHOLE_LINES][:1000]
    envelope = _half_a_request(server, _opening(server, CHUNKED) + CUTS[cut](whole, half))
    assert envelope["code"] == 1245409, envelope
    assert envelope["data"]["accepted"] == WHOLE_LINES
    assert [entry["reason"] for entry in envelope["data"]["refused"]] == ["invalid"]
    assert server.expected_offsets(job=number, step=200) == {7: (WHOLE_LINES - 3) * PIECE}
    _replay(server, number)


@pytest.mark.parametrize("rest", [0, 1000])
def test_a_body_shorter_than_its_length_is_not_taken_for_whole(
    server: Server, number: int, rest: int
) -> None:
    every = told(number)
    data = b"".join(every[:WHOLE_LINES]) + every[WHOLE_LINES][:rest]
    length = f"Content-Length: {len(b''.join(every))}"
    envelope = _half_a_request(server, _opening(server, length) + data)
    assert envelope["code"] == 1245409, envelope
    assert envelope["data"]["accepted"] == WHOLE_LINES
    assert [entry["reason"] for entry in envelope["data"]["refused"]] == ["invalid"]
    _replay(server, number)


def test_a_producer_that_is_gone_in_the_middle_of_a_piece_can_go_on(
    server: Server, number: int
) -> None:
    every = told(number)
    data = chunk(b"".join(every[:WHOLE_LINES])) + chunk(every[WHOLE_LINES])[:1000]
    address = ("127.0.0.1", server.port)
    with socket.create_connection(address, timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(_opening(server, CHUNKED) + data)
    # Nobody hears when the server is done with it. Until then the replay comes in its way, which
    # is what a producer's would do.
    _replay(server, number)


def _replay(server: Server, number: int) -> None:
    envelope = server.post(b"".join(told(number)))
    assert envelope["result"], envelope
    assert server.logs(job=number, step=200) == {7: PRINTED.decode()}
    again = server.post(b"".join(told(number)))
    assert again["data"] == {
        "accepted": 0,
        "duplicates": len(told(number)),
        "refused_total": 0,
        "refused": [],
    }
