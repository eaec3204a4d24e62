"""What the colours of a step's map stand for, and the order of the table of its hosts."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from tests.builders import Fields, job, load, result, script_log, step
from tests.pages.page_helpers import page, staff

pytestmark = pytest.mark.django_db


def _load(says: dict[int, str], exits: dict[int, int], hosts: int = 40) -> None:
    """Hosts that print `ok`, and those that say or end with something else."""
    records: list[Fields] = [job(status=3), step(status=3)]
    for host in range(1, hosts + 1):
        code = exits.get(host, 0)
        outcome: Fields = {"status": 104 if code else 9, "exit_code": code}
        log = says.get(host, "ok\n")
        records.append(result(host, host_name=f"web-{host:05}", **outcome))
        records += [script_log(log, host=host)] if log else []
    load(*records)


def _step(client: Client, **headers: str) -> str:
    shown: str = client.get(page("step", host=None), headers=headers).content.decode()
    return shown


def _plain(part: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", part))


def _legend(shown: str) -> str:
    return unescape(_plain(shown.partition('class="legend"')[2].partition('<span class="how"')[0]))


def test_silent_successes_are_counted_and_coloured_apart_from_deviating_ones() -> None:
    _load({1: "", 2: ""} | dict.fromkeys(range(3, 7), "ok\nwarning: swap\n"), {})
    shown = _step(staff())
    assert "4 succeeded with different output. 2 succeeded, no output." in _plain(shown)
    assert "4 succeeded with different output" in _legend(shown)
    assert "2 succeeded, no output" in _legend(shown)
    assert (shown.count('<a class="mute"'), shown.count('<a class="odd"')) == (2, 4)


def test_the_table_is_sorted_by_outcome_and_alike_hosts_stand_together() -> None:
    says = dict.fromkeys((1, 2, 3, 5), "error: port\n") | dict.fromkeys((4, 6), "error: access\n")
    _load(says | {7: "ok\nswap\n"}, {1: 5, 2: 5, 3: 1, 4: 5, 5: 1, 6: 5}, hosts=30)
    rows = _step(staff()).partition("<tbody")[2]
    hosts = [int(host) for host in re.findall(r">web-0*(\d+)<", rows)]
    assert hosts == [1, 2, 4, 6, 3, 5, 7, *range(8, 31)]


def test_entries_of_one_text_say_what_tells_them_apart() -> None:
    error = "2026-11-30 06:49:30 ERROR"
    says = {
        **dict.fromkeys((1, 2), f"{error} disk is full\n"),
        3: f"{error} no route to the mirror\n",
        4: "fjord\n",
    }
    _load(says, {1: 1, 2: 1, 3: 1, 4: 3})
    shown = _legend(_step(staff()))
    assert "2 exit code 1 · ERROR disk is full" in shown
    assert "1 exit code 1 · ERROR no route to the mirror" in shown
    assert shown.rstrip().endswith("1 exit code 3 · fjord")


def test_a_way_to_fail_is_named_by_what_it_printed() -> None:
    _load({1: f"sh: line 1: ss: command not found, nor in any of {' /opt/bin' * 20}\n"}, {1: 127})
    shown = _legend(_step(staff()))
    assert "1 exit code 127 · sh: line 1: ss: command not found, nor in any of /opt/bin" in shown
    assert "/opt/bin…" in shown


@pytest.mark.parametrize(
    "line",
    [
        '{"ts": "2026-11-22T08:18:27Z", "level": "error", "msg": "quota exceeded"}',
        'time=2026-11-22T08:48:59Z caller=raft.go:502 level=error msg="quota exceeded"',
        '{"level":"error","msg":"quota exceeded","ts":"2026-11-22T08:18:27Z"}',
        'level=error msg="quota exceeded" caller=raft.go:502 err=quota',
        '{"level": "error", "msg": "", "message": "quota exceeded", "code": 5}',
    ],
)
def test_a_structured_line_is_named_by_its_message(line: str) -> None:
    _load({1: f"{line}\n"}, {1: 1})
    assert _legend(_step(staff())).strip().endswith("1 exit code 1 · quota exceeded")


def test_hosts_that_failed_as_others_succeeded_are_named_by_where_they_stopped() -> None:
    said = "2026-11-30 06:49:30 start, pid {}\nfetch\nunpack\n"
    _load(
        {host: said.format(host * 37) + "done\n" * (host > 2) for host in range(1, 41)},
        {1: 7, 2: 7},
    )
    assert _legend(_step(staff())).strip().endswith("2 exit code 7 · unpack")


def test_quotes_in_a_message_belong_to_it() -> None:
    _load({1: r'{"msg": "error: \"/srv\" is full", "level": "error"}' "\n"}, {1: 1})
    assert _legend(_step(staff())).strip().endswith('1 exit code 1 · error: "/srv" is full')


def test_a_traceback_is_named_by_its_exception() -> None:
    trace = "Traceback (most recent call last):\n  File 'run.py', line 3, in <module>\n    go()\n"
    _load({1: f"{trace}KeyError: 'solar'\n", 2: f"{trace}OSError: [Errno 5] read\n"}, {1: 1, 2: 1})
    shown = _legend(_step(staff()))
    assert "1 exit code 1 · KeyError: 'solar'" in shown
    assert "1 exit code 1 · OSError: [Errno 5] read" in shown


def test_ways_to_fail_that_begin_alike_are_named_by_what_differs() -> None:
    _load({1: "error: backup\ndisk full\n", 2: "error: backup\nno route\n"}, {1: 1, 2: 1})
    shown = _legend(_step(staff()))
    assert "1 exit code 1 · disk full" in shown
    assert "1 exit code 1 · no route" in shown


def test_the_way_that_one_host_failed_keeps_its_path_and_brackets() -> None:
    _load({1: "* /dev/sdb: [Errno 28] no space left:\n"}, {1: 1})
    assert "1 exit code 1 · /dev/sdb: [Errno 28] no space left" in _legend(_step(staff()))


def test_a_few_hosts_that_deviate_or_are_silent_are_named() -> None:
    _load({1: "", 3: "ok\nwarning: swap\n", 4: "ok\nwarning: swap\n"}, {})
    shown = _legend(_step(staff()))
    assert "1 succeeded, no output: web-00001" in shown
    assert "2 succeeded with different output: web-[00003-00004]" in shown


def test_many_hosts_that_are_silent_are_only_counted() -> None:
    _load(dict.fromkeys(range(1, 9), ""), {})
    assert "8 succeeded, no output " in _legend(_step(staff()))


def test_ways_to_fail_that_share_a_colour_are_other_failures() -> None:
    words = ("amber", "birch", "cedar", "delta", "ember", "fjord")
    says = {place: f"error: {word}\n" for place, word in enumerate(words, start=1)}
    _load(says, dict.fromkeys(range(1, 6), 100) | {6: 1})
    shown = _legend(_step(staff()))
    assert "2 other failures" in shown
    assert shown.count("exit code 100 · error: ") == 4


def test_a_chinese_page_has_full_width_signs_and_counts_hosts() -> None:
    usual = {host: f"agent 2.{host % 2}.0 mode 7.{host % 2}.1\n" for host in range(1, 41)}
    _load(usual | {9: "", 10: "agent 2.0.0 mode 7.0.1\nfjord\n"}, {})
    shown = _step(staff(), **{"accept-language": "zh-hans"})
    assert "38 台执行成功" in _legend(shown)
    assert "1 台执行成功但没有输出" in _legend(shown)
    assert "40 台执行成功。执行成功的主机中有 1 台输出不同。1 台执行成功" in _plain(shown)
    differ = _plain(shown.partition("它们的不同之处")[2].partition("</p>")[0])
    assert differ.startswith("：agent：")
    assert "；mode：" in differ
    assert not re.search("[,;]", differ)
