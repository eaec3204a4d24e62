"""File logs: their keys, whose they are, and their order (docs/api.md)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import Fields, asking, file_log, job, load, result, step

Ask = Callable[..., Any]
Data = Callable[..., Any]
SOURCE: Fields = {"role": "source"}


@pytest.fixture
def files(data: Data) -> Callable[..., dict[int, list[Fields]]]:
    """Each host's file logs, in the order of the answer."""

    def files(**fields: Any) -> dict[int, list[Fields]]:
        entries = data(**fields)["file_task_logs"]
        return {entry["bk_host_id"]: entry["file_logs"] for entry in entries}

    return files


Files = Callable[..., dict[int, list[Fields]]]


def load_step(*records: Fields) -> None:
    load(job(), step(step_type=2), *records)


def test_a_download_and_an_upload_have_these_keys(ask: Ask) -> None:
    known: Fields = {"status": 3, "size": "1.5 KB", "speed": "1,024 KB/s", "process": "50%"}
    load_step(
        result(101, ip="10.0.0.101", ipv6="fd00::101"),
        result(102, ip="10.0.0.102", **SOURCE),
        file_log(101, content="down", offset=0, **known),
        file_log(102, mode=0, content="up", offset=0, **known),
    )
    src = {"bk_host_id": 102, "bk_cloud_id": 0, "ip": "10.0.0.102"}
    dest = {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.0.0.101"}
    ends = {"src_ip": src, "src_path": "/data/1.log"}
    rest = {"size": "1.5 KB", "speed": "1,024 KB/s", "process": "50%"}
    to = {"dest_ip": dest, "dest_path": "/tmp/1.log"}  # noqa: S108 - a path in a record
    down = {"mode": 1, **ends, **to, "status": 3, "log_content": "down", **rest}
    up = {"mode": 0, **ends, "status": 3, "log_content": "up", **rest}
    entries = ask(asking(host_id_list=[101, 102])).json()["data"]["file_task_logs"]
    expected = [
        {"bk_host_id": 101, "ip": "10.0.0.101", "bk_cloud_id": 0, "file_logs": [down]}
        | {"host_id": 101, "ipv6": "fd00::101"},
        {"bk_host_id": 102, "ip": "10.0.0.102", "bk_cloud_id": 0, "file_logs": [up]}
        | {"host_id": 102, "ipv6": None},
    ]
    assert json.dumps(entries) == json.dumps(expected)


@pytest.mark.parametrize("status", [0, 1, 2, 3, 4, 5])
def test_every_status_is_told_as_its_number(files: Files, status: int) -> None:
    load_step(result(), file_log(status=status))
    assert [log["status"] for log in files()[101]] == [status]


def test_what_is_unknown_is_told_as_such(files: Files) -> None:
    load_step(result(), file_log())
    (log,) = files()[101]
    assert [log[key] for key in ("size", "speed", "process")] == ["--", "--", "--"]
    assert (log["status"], log["log_content"]) == (1, "")


def test_a_third_party_source_is_null(files: Files) -> None:
    load_step(result(), file_log(src=None, src_path="https://example/1.tar"))
    (log,) = files()[101]
    assert log["src_ip"] is None
    assert log["src_path"] == "https://example/1.tar"
    assert log["dest_ip"]["bk_host_id"] == 101


def test_the_ends_of_a_transfer_show_their_own_addresses(files: Files) -> None:
    src = {"bk_host_id": 102, "bk_cloud_id": 3, "ipv6": "FD00::102"}
    dest = {"bk_host_id": 101, "ip": "10.1.1.1", "ipv6": "fd00::101"}
    load_step(result(101), file_log(101, src=src, dest=dest))
    (log,) = files()[101]
    src_ip = {"bk_host_id": 102, "bk_cloud_id": 3, "ip": None, "ipv6": "fd00::102"}
    dest_ip = {"bk_host_id": 101, "bk_cloud_id": 0, "ip": "10.1.1.1", "ipv6": "fd00::101"}
    assert json.dumps([log["src_ip"], log["dest_ip"]]) == json.dumps([src_ip, dest_ip])


def modes(logs: list[Fields]) -> list[int]:
    return [log["mode"] for log in logs]


def test_a_target_has_its_downloads_a_source_its_uploads_and_both_has_both(files: Files) -> None:
    load_step(
        *(result(1), result(2), result(2, **SOURCE), result(3, **SOURCE)),
        *(file_log(1, source=2), file_log(1, source=3, src_path="/b")),
        file_log(2, source=3, src_path="/b"),
        *(file_log(2, mode=0), file_log(3, mode=0, src_path="/b")),
    )
    found = files(host_id_list=[1, 2, 3])
    assert {host: modes(logs) for host, logs in found.items()} == {1: [1, 1], 2: [0, 1], 3: [0]}
    assert {log["dest_ip"]["bk_host_id"] for log in found[1]} == {1}
    assert list(files()) == [1, 2]


def test_a_host_that_is_both_shows_the_targets_addresses(data: Data) -> None:
    target: Fields = {"ip": "10.0.0.1", "bk_cloud_id": 1}
    source: Fields = {"ip": "10.0.0.2", "bk_cloud_id": 2}
    load_step(result(7, **target), result(7, **source, execute_count=5, batch=5, **SOURCE))
    (entry,) = data(host_id_list=[7])["file_task_logs"]
    assert (entry["ip"], entry["bk_cloud_id"]) == ("10.0.0.1", 1)


def test_a_source_is_named_by_its_address_too(files: Files) -> None:
    load_step(result(1), result(3, ip="10.0.0.3", **SOURCE), file_log(3, mode=0))
    assert modes(files(ip_list=[{"bk_cloud_id": 0, "ip": "10.0.0.3"}])[3]) == [0]


def test_hosts_foreign_to_the_step_get_nothing_of_it(files: Files) -> None:
    load_step(result(1), file_log(1, source=3))
    assert files(host_id_list=[3, 404]) == {}


def test_a_host_without_a_file_log_has_an_entry(files: Files) -> None:
    load_step(result(1), result(2, **SOURCE), result(3), file_log(3))
    assert {host: len(logs) for host, logs in files(host_id_list=[1, 2, 3]).items()} == {
        1: 0,
        2: 0,
        3: 1,
    }


def test_file_logs_come_by_batch_mode_and_task_key_by_code_point(files: Files) -> None:
    keys = ["Z", "_", "a", "b", "é", "\uff5e", "\U0001f680"]
    records = []
    for key in ["b", "\U0001f680", "Z", "é", "\uff5e", "a", "_"]:
        for batch in (1, 0):
            said: Fields = {"task_key": key, "batch": batch, "src_path": f"{batch} {key}"}
            records += [file_log(7, **said), file_log(7, mode=0, **said | {"task_key": key + "0"})]
    hosts = [result(7, batch=batch, role=r) for batch in (0, 1) for r in ("target", "source")]
    load_step(*hosts, *records)
    found = [(log["mode"], log["src_path"]) for log in files(host_id_list=[7])[7]]
    assert found == [(m, f"{batch} {key}") for batch in (0, 1) for m in (0, 1) for key in keys]


@pytest.mark.parametrize("text", ["", "\n ", "CRLF\r\n\t", "NUL\0", "<b>&amp;</b>", "日志 🚀"])
def test_the_text_of_a_file_log_comes_back_as_it_came(files: Files, text: str) -> None:
    load_step(result(), file_log(content=text, offset=0))
    assert files()[101][0]["log_content"] == text


def test_the_pieces_of_a_file_log_join_before_they_are_decoded(files: Files) -> None:
    content = "é".encode() + b"\xff" + "🚀".encode()
    load_step(result())
    for offset, byte in enumerate(content):
        piece = base64.b64encode(bytes([byte])).decode()
        load(file_log(content_base64=piece, offset=offset))
    assert files()[101][0]["log_content"] == "é\ufffd🚀"


def test_a_large_answer_of_file_logs_is_streamed_and_the_same(ask: Ask) -> None:
    text = "日志<&>\n" * 60_000
    load_step(*(result(host) for host in range(1, 15)))
    for host in range(1, 15):
        load(file_log(host, content=f"{host}: {text}", offset=0))
    answer = ask(asking())
    assert answer.streaming
    entries = json.loads(b"".join(answer.streaming_content))["data"]["file_task_logs"]
    found = [(e["bk_host_id"], [log["log_content"] for log in e["file_logs"]]) for e in entries]
    assert found == [(host, [f"{host}: {text}"]) for host in range(1, 15)]
