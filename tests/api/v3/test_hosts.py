"""Which hosts are answered: the two lists, neither of them, and pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import Fields, asking, file_log, job, load, result, script_log, step

Data = Callable[..., Any]
Texts = Callable[..., dict[int, str]]
CodeAndMessage = Callable[..., tuple[int, str]]
BAD_ADDRESSES: list[Any] = ["10.0.0", "10.0.0.01", "300.0.0.1", " 10.0.0.1", "10.0.0.1/32"]
BAD_ADDRESSES += ["10.0.0.1\0", "::g", "1:2", "x", 5, True, [], {}]
TOO_MANY = (1241007, "请求参数[host_id_list/ip_list]缺失或不合法")


def load_hosts(*hosts: int) -> None:
    logs = [script_log(f"of {host}", host=host) for host in hosts]
    load(job(), step(), *map(result, hosts), *logs)


def at(ip: Any, cloud: Any = 0) -> Fields:
    return {"bk_cloud_id": cloud, "ip": ip}


def test_hosts_answer_in_the_order_of_the_request_each_once(texts: Texts) -> None:
    load_hosts(1, 2, 3)
    assert texts(host_id_list=[3, 1, "3", 2, 1.0]) == {3: "of 3", 1: "of 1", 2: "of 2"}
    assert list(texts(host_id_list=[3, 1, 3, 2, 1])) == [3, 1, 2]
    assert list(texts(ip_list=[at("10.0.0.2"), {"bk_host_id": 1}, at("10.0.0.2")])) == [2, 1]


def test_without_a_list_every_host_answers_by_ascending_id(texts: Texts) -> None:
    load_hosts(30, 4, 200)
    assert list(texts()) == [4, 30, 200]


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_null_and_blank_are_no_list(texts: Texts, nothing: Any) -> None:
    load_hosts(1, 2)
    assert list(texts(host_id_list=nothing, ip_list=nothing)) == [1, 2]


@pytest.mark.parametrize("page", [{}, {"start": 0}, {"length": 500}, {"start": 0, "length": 1}])
@pytest.mark.parametrize(
    "lists",
    [{"ip_list": []}, {"host_id_list": []}, {"host_id_list": [], "ip_list": []}]
    + [{"host_id_list": [], "ip_list": nothing} for nothing in (None, "", " ")]
    + [{"host_id_list": nothing, "ip_list": []} for nothing in (None, "", " ")],
)
def test_an_empty_list_is_refused_where_no_other_holds_anything(
    code_and_message: CodeAndMessage, lists: Fields, page: Fields
) -> None:
    load_hosts(1, 2)
    refused = (1241007, "请求参数[host_id_list/ip_list]缺失或不合法")
    assert code_and_message(asking(**lists, **page)) == refused
    # What is wrong beside it is told first: a page that is none, a job that is not there.
    assert code_and_message(asking(**lists, length=0)) == (1240003, "错误的请求 [length]")
    assert code_and_message(asking(404, **lists, **page))[0] == 1244006
    assert code_and_message(asking(step=404, **lists, **page))[0] == 1244006


@pytest.mark.parametrize("nothing", [None, [], "", "  "])
def test_an_empty_list_beside_a_filled_one_is_none(texts: Texts, nothing: Any) -> None:
    load_hosts(1, 2)
    assert list(texts(host_id_list=nothing, ip_list=[at("10.0.0.2")])) == [2]
    assert list(texts(host_id_list=[2], ip_list=nothing)) == [2]


@pytest.mark.parametrize(
    "ignored", [["x"], "x", 5, [None], [{"ip": "?"}], [at("10.0.0.1")], [{}] * 501, {"a": 1}]
)
def test_beside_a_host_id_list_the_ip_list_is_not_looked_at(texts: Texts, ignored: Any) -> None:
    load_hosts(1, 2)
    assert texts(host_id_list=[2], ip_list=ignored) == {2: "of 2"}


@pytest.mark.parametrize("foreign", [0, -1, 404, 2**63 - 1, -(2**63), None, "", " "])
def test_what_is_no_host_of_the_step_gives_no_entry(texts: Texts, foreign: Any) -> None:
    load_hosts(1)
    load(step(201), result(404, step=201))
    assert texts(host_id_list=[foreign]) == {}
    assert texts(host_id_list=[foreign, 1, foreign]) == {1: "of 1"}


@pytest.mark.parametrize("bad", ["x", 1.5, True, [], {}, "1.0", 2**63])
def test_a_bad_host_id_is_told(code_and_message: CodeAndMessage, bad: Any) -> None:
    body = asking(host_id_list=[1, bad])
    assert code_and_message(body) == (1240003, "非法的主机 ID")


@pytest.mark.parametrize("field", ["host_id_list", "ip_list"])
@pytest.mark.parametrize("bad", [5, True, "1,2", {"1": 2}, 0, False])
def test_a_list_that_is_none_is_told(
    code_and_message: CodeAndMessage, field: str, bad: Any
) -> None:
    body = asking(**{field: bad})
    assert code_and_message(body) == (1240003, f"错误的请求 [{field}]")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (None, "错误的请求 [ip_list]"),
        ("10.0.0.1", "错误的请求 [ip_list]"),
        ([], "错误的请求 [ip_list]"),
        ({}, "主机 ID 不能为空"),
        ({"bk_host_id": None, "ip": " "}, "主机 ID 不能为空"),
        ({"bk_host_id": "x"}, "非法的主机 ID"),
        ({"bk_host_id": -1, "bk_cloud_id": 0, "ip": "10.0.0.1"}, "非法的主机 ID"),
        ({"ip": "10.0.0.1"}, "管控区域 ID 非法"),
        (at("10.0.0.1", cloud=-1), "管控区域 ID 非法"),
        (at("10.0.0.1", cloud=True), "管控区域 ID 非法"),
        ({"bk_cloud_id": 0}, "IP 非法"),
        *((at(ip), "IP 非法") for ip in BAD_ADDRESSES),
    ],
)
def test_a_bad_entry_of_the_ip_list_is_told(
    code_and_message: CodeAndMessage, entry: Any, message: str
) -> None:
    body = asking(ip_list=[{"bk_host_id": 1}, entry])
    assert code_and_message(body) == (1240003, message)


def test_beside_a_host_id_the_rest_of_an_entry_is_not_read(texts: Texts) -> None:
    load_hosts(1, 2)
    entry = {"bk_host_id": "1", "bk_cloud_id": "x", "ip": "?", "ipv6": []}
    assert texts(ip_list=[entry]) == {1: "of 1"}


@pytest.mark.parametrize(
    "named",
    [
        at("10.0.0.7"),
        at("fd00::7"),
        at("FD00:0::0007"),
        at("10.0.0.7", cloud="0"),
        {"bk_cloud_id": 0, "ipv6": "fd00::7"},
        {"bk_cloud_id": 0, "ipv6": "10.0.0.7"},
        {"bk_cloud_id": 0, "ip": "", "ipv6": "fd00:0:0:0:0:0:0:7"},
        {"bk_cloud_id": 0, "ip": "10.0.0.7", "ipv6": "fd00::8"},
    ],
)
def test_either_key_of_an_entry_may_hold_either_family(texts: Texts, named: Fields) -> None:
    load(job(), step())
    load(result(7, ip="10.0.0.7", ipv6="FD00:0:0::7"), script_log("of 7", host=7))
    load(result(8, ip=None, ipv6="fd00::8"), result(9, ip="10.0.0.7", bk_cloud_id=1))
    assert texts(ip_list=[named]) == {7: "of 7"}


@pytest.mark.parametrize("ip", ["fe80::1%\0", "fe80::1%\ud800", "fe80::1%eth0", "::ffff:10.0.0.1"])
def test_an_address_that_no_host_can_have_had_gives_no_entry(texts: Texts, ip: str) -> None:
    load_hosts(1)
    assert texts(ip_list=[at(ip)]) == {}
    assert texts(ip_list=[at(ip), at("10.0.0.1")]) == {1: "of 1"}


def test_all_hosts_that_had_an_address_answer(texts: Texts) -> None:
    load_hosts(9, 5, 7)
    shared: Fields = {"ip": "10.9.9.9", "execute_count": 1}
    load(result(9, **shared), result(5, **shared), result(7, **shared, bk_cloud_id=3))
    assert list(texts(ip_list=[at("10.9.9.9")])) == [5, 9]
    assert list(texts(ip_list=[at("10.0.0.9"), at("10.9.9.9")])) == [9, 5]
    assert list(texts(ip_list=[at("10.9.9.9", cloud=3)])) == [7]


def test_a_host_is_matched_by_the_addresses_of_the_run_not_of_today(data: Data) -> None:
    load_hosts(7)
    later = 1_750_000_000_000
    load(job(101, create_time=later), step(job=101), result(7, job=101, ip="10.7.7.7"))
    assert [e["ip"] for e in data(ip_list=[at("10.0.0.7")])["script_task_logs"]] == ["10.0.0.7"]
    assert data(ip_list=[at("10.7.7.7")])["script_task_logs"] == []


@pytest.mark.parametrize("field", ["host_id_list", "ip_list"])
def test_500_entries_pass_and_501_do_not_repeats_and_blanks_counted(
    texts: Texts, code_and_message: CodeAndMessage, field: str
) -> None:
    load_hosts(1)
    one: Any = 1 if field == "host_id_list" else {"bk_host_id": 1}
    assert texts(**{field: [one] * 500}) == {1: "of 1"}
    too_many: Fields = {field: [one] * 501}
    assert code_and_message(asking(**too_many)) == TOO_MANY
    if field == "host_id_list":
        assert code_and_message(asking(host_id_list=[None] * 501)) == TOO_MANY


def test_without_a_list_500_hosts_pass_and_501_do_not(
    texts: Texts, code_and_message: CodeAndMessage
) -> None:
    load(job(), step(), *(result(host) for host in range(1, 501)))
    assert list(texts()) == list(range(1, 501))
    load(result(501))
    for language, names in [("", "请求参数"), ("en", "Missing or invalid request parameter")]:
        code, message = code_and_message(asking(), headers={"Blueking-Language": language})
        assert code == 1241007
        assert message.startswith(names)
        assert "501" in message and "start/length" in message


def paged(data: Data, **page: Any) -> tuple[list[int], int]:
    answered = data(**page)
    key = "file_task_logs" if answered["log_type"] == 2 else "script_task_logs"
    expected = ["log_type", "job_instance_id", "step_instance_id", key, "total"]
    assert list(answered) == expected
    return [entry["bk_host_id"] for entry in answered[key]], answered["total"]


@pytest.mark.parametrize(
    ("page", "hosts"),
    [
        ({"start": 0}, [1, 2, 3, 4, 5]),
        ({"length": 2}, [1, 2]),
        ({"start": 3, "length": 500}, [4, 5]),
        ({"start": "1", "length": 2.0}, [2, 3]),
        ({"start": None, "length": 1}, [1]),
        ({"start": 5}, []),
        ({"start": 2**63 - 1, "length": 500}, []),
        ({"length": 2, "host_id_list": " ", "ip_list": None}, [1, 2]),
    ],
)
def test_a_page_holds_some_hosts_and_their_total_as_the_last_key(
    data: Data, page: Fields, hosts: list[int]
) -> None:
    load_hosts(5, 3, 1, 2, 4)
    assert paged(data, **page) == (hosts, 5)


def test_pages_reach_what_one_answer_cannot_hold(data: Data) -> None:
    load(job(), step(), *(result(host) for host in range(1, 602)))
    assert paged(data, start=0) == (list(range(1, 501)), 601)
    assert paged(data, start=500) == (list(range(501, 602)), 601)


def test_attempts_batches_and_sources_do_not_count_as_hosts(data: Data) -> None:
    load(job(), step(step_type=2), result(1), result(1, execute_count=1), result(1, batch=2))
    load(result(2), result(2, role="source"), result(3, role="source"), file_log(1, source=3))
    assert paged(data, start=0) == ([1, 2], 2)
    assert [entry["bk_host_id"] for entry in data()["file_task_logs"]] == [1, 2]


@pytest.mark.parametrize("field", ["start", "length"])
@pytest.mark.parametrize("bad", [-1, "x", 1.5, True, [], "1.0"])
def test_a_bad_page_is_told(code_and_message: CodeAndMessage, field: str, bad: Any) -> None:
    assert code_and_message(asking(**{field: bad})) == (1240003, f"错误的请求 [{field}]")


@pytest.mark.parametrize("length", [0, 501])
def test_a_page_has_1_to_500_hosts(code_and_message: CodeAndMessage, length: int) -> None:
    assert code_and_message(asking(length=length)) == (1240003, "错误的请求 [length]")


@pytest.mark.parametrize("page", [{"start": 1, "length": 1}, {"start": "x", "length": 501}])
def test_beside_a_list_a_page_is_ignored(data: Data, page: Fields) -> None:
    load_hosts(1, 2)
    for named in ({"host_id_list": [2, 1]}, {"ip_list": [{"bk_host_id": 2}, {"bk_host_id": 1}]}):
        answered = data(**page, **named)
        assert [entry["bk_host_id"] for entry in answered["script_task_logs"]] == [2, 1]
        assert "total" not in answered
