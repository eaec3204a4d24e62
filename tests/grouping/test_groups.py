"""Groups of a step: each way to do otherwise is one, and noise is none."""

from __future__ import annotations

import random

import pytest

from .planted import Text, deploy, groups_of, logs_of, small_groups

PLANTED = {
    **dict.fromkeys((3, 17, 200), "version"),
    **dict.fromkeys((41, 42), "checksum"),
    **dict.fromkeys(range(100, 112), "disk"),
    **dict.fromkeys(range(120, 124), "auth"),
    **dict.fromkeys(range(300, 330), "killed"),
}

CAUSES = ["disk", "quota", "login", "mount", "route", "lock", "proxy", "token", "schema", "socket"]


def hosts_of(how: str) -> list[int]:
    return [host for host, own in PLANTED.items() if own == how]


@pytest.mark.parametrize("hosts", [500, 2000])
def test_every_way_to_do_otherwise_is_a_group(hosts: int) -> None:
    failed = hosts_of("disk") + hosts_of("auth") + hosts_of("killed")
    groups = groups_of(logs_of(deploy, hosts, PLANTED), failed)
    assert small_groups(groups) == sorted(
        map(hosts_of, ("checksum", "version", "auth", "disk", "killed")), key=len
    )


@pytest.mark.parametrize("hosts", [1, 2, 5, 9, 23, 60])
def test_hosts_that_differ_in_noise_are_one_group(hosts: int) -> None:
    assert len(groups_of(logs_of(deploy, hosts, {}))) == 1


def line(text: str, odd: str) -> Text:
    """Of ordinary hosts and of odd ones; {n} is any number, {own} the host's."""

    def make(dice: random.Random, host: int, how: str) -> str:
        return (odd if how else text).format(n=dice.randrange(10, 99), own=host) + "\n"

    return make


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("10.0.0.{own}:8080 is served", "10.0.0.{own}:8081 is served"),
        ("{n} GB free of 100 GB", "0 GB free of 100 GB"),
        ("expires in 3{n} days", "expires in 3 days"),
        ("GET /{n} 200 0.{n}", "GET /{n} 500 0.{n}"),
        ("3 packets, 0% lost, {n} ms", "3 packets, 66% lost, {n} ms"),
        ("etag 0badcafe, {n} s", "etag ffffffff, {n} s"),
        ("2026-11-30 03:{n}:11", "2025-11-30 03:{n}:11"),
        ("valid for {n} s until 2027-02-1{n.real!s:.1}", "valid for {n} s until 2026-02-01"),
        ("replica is 00:00:00.0{n} behind", "replica is 04:12:33.120 behind"),
        ("replica is 00:00:00.0{n} behind", "replica is 72:49:05.120 behind"),
        ("kernel 5.14.0-427.el9 up {n} min", "kernel 5.14.0-362.el9 up {n} min"),
        ("服务 {n} 正常", "服务 {n} 异常"),
        ("ok {n}", "ok {n}\nwarning: quota"),
        ("first {n}\nsecond {n}", "first {n}"),
    ],
)
def test_a_value_or_a_line_that_few_have_sets_them_apart(text: str, odd: str) -> None:
    planted = dict.fromkeys((7, 123, 333), "odd")
    assert small_groups(groups_of(logs_of(line(text, odd), 500, planted))) == [[7, 123, 333]]


def test_a_random_name_that_reads_like_a_word_sets_nobody_apart() -> None:
    def text(dice: random.Random, host: int, how: str) -> str:
        return f"working in /mnt/snap/{dice.randrange(36**4):x}\nok\n"

    named = logs_of(text, 300, {})
    named[8] = named[8]._replace(data=b"working in /mnt/snap/quux\nok\n")
    named[9] = named[9]._replace(data=b"working in /mnt/snap/zyx\nok\n")
    assert small_groups(groups_of(named)) == []


def test_ten_ways_to_fail_with_one_exit_code_are_ten_groups() -> None:
    def text(dice: random.Random, host: int, how: str) -> str:
        return f"step {dice.randrange(10, 99)}\n" + (f"error: {how}\nexit\n" if how else "done\n")

    planted = {host: CAUSES[host % 10] for host in range(100, 140)}
    groups = groups_of(logs_of(text, 500, planted), list(planted))
    assert [len(own) for own in small_groups(groups)] == [4] * 10


def test_ways_to_fail_are_apart_where_nothing_succeeded() -> None:
    def text(dice: random.Random, host: int, how: str) -> str:
        return f"step {dice.randrange(10, 99)}\nerror: {CAUSES[host % 10]}\nexit\n"

    groups = groups_of(logs_of(text, 200, {}), range(200))
    assert [len(group.hosts) for group in groups] == [20] * 10


PACKAGES = ("curl", "nginx", "openssl", "rsync", "sudo", "tar", "vim", "wget", "zlib", "bash")


def test_lists_that_differ_everywhere_do_not_part_hosts_that_failed_alike() -> None:
    def text(dice: random.Random, host: int, how: str) -> str:
        packages = sorted(dice.sample(PACKAGES, dice.randrange(3, 8)))
        log = f"to be upgraded:\n  {' '.join(packages)}\nReading {host} files\n"
        return log + (f"nginx: {how}\nfailed\n" if how else "done\n")

    planted = {host: CAUSES[host % 2] for host in range(100, 110)}
    groups = groups_of(logs_of(text, 500, planted), list(planted))
    failed = [own for own in small_groups(groups) if set(own) <= planted.keys()]
    assert failed == [[100, 102, 104, 106, 108], [101, 103, 105, 107, 109]]


def test_an_early_cause_of_one_host_sets_it_apart_from_those_that_end_alike() -> None:
    def text(dice: random.Random, host: int, how: str) -> str:
        early = "warning: no licence found\n" if how == "licence" else ""
        return f"start {host}\n{early}Reading files\n" + ("gave up\n" if how else "done\n")

    planted = dict.fromkeys(range(100, 110), "plain") | {105: "licence"}
    groups = groups_of(logs_of(text, 500, planted), list(planted))
    assert [105] in small_groups(groups)


FILES = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "iris", "lemon")


def files(dice: random.Random, host: int, how: str) -> str:
    """A list of files, another on each host; one of them may tell something else."""
    lines = [
        f"{dice.choice(FILES)}/{dice.choice(FILES)}{dice.choice(('.html', '.css', '.png'))}"
        for _ in range(dice.randrange(6, 25))
    ]
    if how:
        lines.insert(len(lines) // 2, how)
    return "\n".join(["sending the list", *lines, f"sent {dice.randrange(9999)} bytes", ""])


@pytest.mark.parametrize(
    "odd", ["file has vanished: '/srv/lemon/iris.tmp'", "the list was cut by another program"]
)
@pytest.mark.parametrize("hosts", [12, 60, 500, 2000])
def test_a_line_unlike_those_that_differ_on_every_host_sets_its_host_apart(
    hosts: int, odd: str
) -> None:
    assert small_groups(groups_of(logs_of(files, hosts, {7: odd}))) == [[7]]


@pytest.mark.parametrize("hosts", [5, 6, 9])
@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("agent 2.3.4 runs, pid {n}", "agent 2.3.1 runs, pid {n}"),
        ("mtu 9000 on eth0, {n} packets", "mtu 1500 on eth0, {n} packets"),
        ("up {n} min\nclock is right", "up {n} min"),
        ("up {n} min", "up {n} min\nwarning: the clock is wrong"),
        ("{n} dead rows", "48123456 dead rows"),
        ("moved in 4{n} ms", "moved in 8031{n} ms"),
        ("certificate expires on 2027-02-1{own}", "certificate expires on 2026-12-01"),
        ("certificate expires on 2027-02-1{own}", "certificate expires on 2027-12-01"),
    ],
)
def test_one_of_a_few_hosts_that_does_otherwise_is_apart(text: str, odd: str, hosts: int) -> None:
    assert small_groups(groups_of(logs_of(line(text, odd), hosts, {3: "odd"}))) == [[3]]


@pytest.mark.parametrize("hosts", [5, 9])
def test_a_small_count_sets_none_of_a_few_hosts_apart(hosts: int) -> None:
    logs = logs_of(line("2 users, load {n}", "3 users, load {n}"), hosts, {3: "odd"})
    assert small_groups(groups_of(logs)) == []


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("64238 MB in all, {n} used", "32119 MB in all, {n} used"),
        ("3 replicas, load {n}", "1 replicas, load {n}"),
    ],
)
def test_another_number_than_all_others_have_sets_one_of_nine_hosts_apart(
    text: str, odd: str
) -> None:
    assert small_groups(groups_of(logs_of(line(text, odd), 9, {3: "odd"}))) == [[3]]


def test_values_of_many_of_a_few_hosts_set_nobody_apart() -> None:
    def make(dice: random.Random, host: int, how: str) -> str:
        return f"up {(22, 3, 410)[host % 3]} days, {(9, 80_000_000)[host % 2]} rows\n"

    assert len(groups_of(logs_of(make, 8, {}))) == 1


NAMES = ["lxd", "chromium", "slack", "redis", "nginx", "keepalived"]


@pytest.mark.parametrize(
    "text",
    [
        'error: cannot refresh "{0}": snap "{0}" has running apps ({0}), pid 7\n',
        "service {0} gave no answer\nerror: health check is over\n",
    ],
)
def test_names_of_what_failed_do_not_part_hosts_that_failed_alike(text: str) -> None:
    def make(dice: random.Random, host: int, how: str) -> str:
        return "fetched\n" + (text.format(NAMES[host % 6]) if how else "refreshed\n")

    failed = list(range(20, 38))
    groups = groups_of(logs_of(make, 200, dict.fromkeys(failed, "busy")), failed)
    assert small_groups(groups) == [failed]


def test_a_list_behind_another_heading_is_noise_as_elsewhere() -> None:
    def make(dice: random.Random, host: int, how: str) -> str:
        new = (f" * [new branch] feature/{dice.choice(CAUSES)} -> x/{dice.choice(CAUSES)}\n",)
        branch = "release" if how else "main"
        return f"From shop\n * branch {branch} -> FETCH_HEAD\n" + "".join(new * (host % 4 > 0))

    groups = groups_of(logs_of(make, 500, dict.fromkeys((3, 17, 200, 401), "branch")))
    assert small_groups(groups) == [[3, 17, 200, 401]]


@pytest.mark.parametrize(
    "text",
    [
        "link/ether {mac} brd\ninet6 fe80::{v6}/64 scope link",
        "loading |{bar}| {n}%",
        "r {few} b {few}\nr {few} b {few}\nr {few} b {few}\nr {few} b {few}",
        "{zero} tiles were skipped",
    ],
)
def test_values_that_only_look_different_set_nobody_apart(text: str) -> None:
    def make(dice: random.Random, host: int, how: str) -> str:
        def hexadecimal(groups: int, digits: int) -> str:
            return ":".join(f"{dice.randrange(16**digits):0{digits}x}" for _ in range(groups))

        return text.replace("{few}", "{}").format(
            *(dice.randrange(2) for _ in range(8)),
            mac=hexadecimal(6, 2),
            v6=hexadecimal(4, 3),
            bar="\u2588" * dice.randrange(1, 20) + " " * dice.randrange(4),
            n=dice.randrange(99),
            zero=dice.randrange(90),
        )

    assert small_groups(groups_of(logs_of(make, 500, {}))) == []
