"""Steps that were made up: what ordinary hosts print, and hosts that did otherwise."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from joblogs.grouping.failure_keys import failure_key, telling_lines
from joblogs.grouping.features import LogSample, features_of
from joblogs.grouping.groups import HostGroup, Outcome, group_hosts, lines_of_successes
from joblogs.grouping.tables import Table

Text = Callable[[random.Random, int, str], str]


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same every time is what is wanted


def logs_of(text: Text, hosts: int, planted: Mapping[int, str]) -> list[LogSample]:
    """What each host prints; `planted` says which did otherwise, and how."""
    return [
        LogSample(text(_dice(host), host, planted.get(host, "")).encode(), (b"web-%d" % host,))
        for host in range(hosts)
    ]


def groups_of(logs: Sequence[LogSample], failed: Sequence[int] = ()) -> list[HostGroup]:
    """The groups of hosts that printed these logs, some of which failed."""
    return _table_and_groups(logs, failed)[1]


def failure_keys_of(logs: Sequence[LogSample], failed: Sequence[int]) -> set[bytes]:
    """The keys of the failures among hosts that printed these logs."""
    table, groups = _table_and_groups(logs, failed)
    successes = table.with_alike(lines_of_successes(table, _outcomes(logs, failed)))
    return {
        failure_key(104, 1, telling_lines(table, group.hosts, successes))
        for group in groups
        if int(group.hosts[0]) in failed
    }


def _outcomes(logs: Sequence[LogSample], failed: Sequence[int]) -> list[Outcome]:
    bad = set(failed)
    return [Outcome(host in bad, host in bad) for host in range(len(logs))]


def _table_and_groups(
    logs: Sequence[LogSample], failed: Sequence[int]
) -> tuple[Table, list[HostGroup]]:
    table = Table([[packed] for packed in features_of(logs)])
    outcomes = _outcomes(logs, failed)
    return table, group_hosts(table, outcomes, lambda rows: {row: logs[row] for row in rows})


def small_groups(groups: Sequence[HostGroup]) -> list[list[int]]:
    """The hosts of each group but the largest, smallest first."""
    return sorted((group.hosts.tolist() for group in groups), key=lambda own: (len(own), own))[:-1]


def deploy(dice: random.Random, host: int, how: str) -> str:
    """A deployment: times, ids, sizes and durations differ everywhere."""
    second = dice.randrange(3600)

    def line(text: str) -> str:
        nonlocal second
        second += dice.randrange(1, 5)
        time = f"03:{second // 60 % 60:02d}:{second % 60:02d}"
        return f"2026-11-30 {time} [{dice.randrange(900, 65000)}] {text}\n"

    version = "4.2.0" if how == "version" else "4.2.1"
    start = line(f"web-{host} fetches app-{version}.tar.gz from 10.0.0.{dice.randrange(1, 250)}")
    start += line(f"{dice.randrange(10**6, 10**8)} bytes in {dice.uniform(0.2, 9):.2f}s")
    if how == "disk":
        return start + line(f"write /srv/app/{dice.randrange(16**6):06x}: No space left on device")
    if how == "auth":
        return start + line(f"login to registry.example.com failed after {dice.randrange(9)} tries")
    if how == "killed":
        return (
            start
            + "".join(line(f"unpacked part {k} of 12") for k in range(dice.randrange(9)))
            + "Killed\n"
        )
    rest = "".join(line(f"unpacked part {k} of 12") for k in range(12))
    checksum = "0badcafe99" if how == "checksum" else "c0ffee7711"
    return start + rest + line(f"config {checksum} is in place") + line("restarted, healthy")
