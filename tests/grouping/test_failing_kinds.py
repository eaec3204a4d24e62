"""Failures whose lines hold another word on each host, and lines that come and go: a way to fail is
a group, and noise is none."""

from __future__ import annotations

import pytest

from benchmarks.failing_kinds import FAILING, FailingKind
from benchmarks.groups import Figures, tried

from .planted import groups_of, logs_of, small_groups

ROW = {"kubectl describe pod": 1, "garbage collection": 1}
"""Groups too many."""


def _figures(kind: FailingKind, hosts: int) -> Figures:
    return tried(kind.on(hosts), hosts)


@pytest.mark.parametrize("kind", FAILING, ids=lambda kind: kind.name)
def test_a_cause_is_one_group_whatever_word_its_line_holds(kind: FailingKind) -> None:
    figures = _figures(kind, 500)
    assert figures.apart == figures.planted
    assert figures.groups == figures.wanted + ROW.get(kind.name, 0)


def failing(line: str, words: list[str]) -> list[list[int]]:
    """The groups, but for the crowd, of hosts that fail with a line, each with its word."""
    planted = {100 + place: word for place, word in enumerate(words)}
    logs = logs_of(
        lambda dice, host, how: f"begun {host}\n" + (line.format(how) if how else "done") + "\n",
        300,
        planted,
    )
    return small_groups(groups_of(logs, list(planted)))


NAMES = ["nginx", "curl", "/srv/www", "bob", "etcd", "my-service"]


@pytest.mark.parametrize(
    "line",
    [
        "E: Unable to locate package {}",
        "mount: {}: special device does not exist",
        "Job for {} failed because the control process exited",
        "错误：软件包{}安装失败，请检查",
        '{{"level": "error", "msg": "user {} is not known here"}}',
        '{{"level":"error","unit":"{}","msg":"lookup on that name: no such host"}}',
        "level=error unit={} msg=cannot be found on this machine",
    ],
)
@pytest.mark.parametrize("count", [3, 6, 24])
def test_a_name_that_differs_parts_no_failures(line: str, count: int) -> None:
    assert failing(line, (NAMES * 4)[:count]) == [list(range(100, 100 + count))]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "cannot write the file of the release: {}",
            ["Permission denied", "No space left on device"],
        ),
        ("connection to the database was {}", ["refused", "reset", "timeout", "closed"]),
        ("java.io.{}: while the configuration was read", ["EOFException", "SocketException"]),
        ("the unit of this service is {} on this host", ["masked", "missing"]),
        ("failed to {} the configuration of the service", ["parse", "load", "verify"]),
        ("the certificate of the server is {} since yesterday", ["expired", "revoked", "unknown"]),
        ("not started: out of {} on this machine", ["memory", "inodes", "threads"]),
        ("部署订单中心失败，原因 {} 请联系值班", ["磁盘空间不足", "没有权限"]),
    ],
)
def test_causes_in_one_form_of_words_stay_apart(line: str, words: list[str]) -> None:
    assert len(failing(line, words * 3)) == len(words)


def test_one_host_with_another_cause_is_apart_from_names_that_differ() -> None:
    names = [*NAMES, "etcd is locked and"]
    assert failing("the package {} was not installed", names) == [[106], list(range(100, 106))]


@pytest.mark.parametrize(
    "lines",
    [
        "ERROR: unable to select the packages\n  {}-1.2:",
        "{}\nerror: the table above is damaged\nerror: not repaired",
        "error: the state of the plan is locked\n  Who: {}@ci-7",
        "panic: invalid memory address\nmain.(*Job).{}(0x7f3a)\n\t/b/{}.go:9 +0x1f",
    ],
)
@pytest.mark.parametrize("count", [2, 3, 24])
def test_two_names_part_no_failures_that_printed_the_same_besides(lines: str, count: int) -> None:
    planted = [("nginx", "redis", "etcd")[place % 3] for place in range(count)]
    assert failing(lines.replace("{}", "{0}"), planted) == [list(range(100, 100 + count))]


def test_causes_stay_apart_though_hosts_printed_the_same_besides() -> None:
    lines = "error: the deployment failed\nreason: {}\nerror: see the manual of the deployment"
    assert len(failing(lines, ["timeout", "refused"] * 3)) == 2
