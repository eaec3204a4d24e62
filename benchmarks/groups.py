"""How many groups output of 500 hosts makes, by kind of output, with deviants planted among them.

    python -m benchmarks.groups                # all kinds, and planted steps of up to 20,000 hosts
    python -m benchmarks.groups uptime "apt"   # those kinds
    python -m benchmarks.groups failing        # kinds with failures whose lines differ by a word

*wanted*: groups there ought to be, one for each way to do otherwise and each kind of ordinary host;
*planted*: deviants that are in a group without ordinary hosts; *false*: ordinary hosts outside of
theirs. The last columns are what is kept of a log, the speed of computing it in batches, and the
time that the groups took.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from joblogs.grouping.features import LogSample, features_of
from joblogs.grouping.groups import Outcome, group_hosts
from joblogs.grouping.tables import Table

from .failing_kinds import FAILING
from .group_kinds import KINDS, Kind

HOSTS = 500
STEPS = {"deployment": (2_000, 20_000)}
"""Kinds that are also tried on so many hosts."""
FAILING_HOSTS = (10, 50, 500, 2_000)


class Figures(NamedTuple):
    """What came of one kind."""

    name: str
    wanted: int
    groups: int
    apart: int
    planted: int
    false: int
    kept: float
    """Bytes of features of a log."""
    megabytes_per_second: float
    milliseconds: float

    def row(self) -> str:
        cells = (
            *(self.name, self.wanted, self.groups, f"{self.apart}/{self.planted}", self.false),
            *(f"{self.kept:.0f}", f"{self.megabytes_per_second:.1f}", f"{self.milliseconds:.0f}"),
        )
        return f"| {' | '.join(map(str, cells))} |\n"


def tried(kind: Kind, hosts: int = HOSTS) -> Figures:
    """The groups of a kind's output on so many hosts, held against what was planted."""
    logs = [LogSample(kind.text(host).encode(), (b"web-%03d" % host,)) for host in range(hosts)]
    began = time.process_time()
    features = list(features_of(logs))
    computed = time.process_time()
    table = Table([[one] for one in features])
    outcomes = [Outcome(kind.failed(host), kind.failed(host)) for host in range(hosts)]
    groups = group_hosts(table, outcomes, lambda rows: {row: logs[row] for row in rows})
    ended = time.process_time()
    group_of = {host: at for at, group in enumerate(groups) for host in group.hosts.tolist()}
    planted = [host for host in range(hosts) if kind.planted(host)]
    ordinary = [host for host in range(hosts) if not kind.planted(host)]
    with_ordinary = {group_of[host] for host in ordinary}
    main = _main_groups(kind, ordinary, group_of)
    return Figures(
        name=kind.name if hosts == HOSTS else f"{kind.name}, {hosts:,} hosts",
        wanted=len({kind.planted(host) for host in planted}) + len(main),
        groups=len(groups),
        apart=sum(group_of[host] not in with_ordinary for host in planted),
        planted=len(planted),
        false=sum(group_of[host] != main[kind.variant(host)] for host in ordinary),
        kept=sum(map(len, features)) / hosts,
        megabytes_per_second=sum(len(log.data) for log in logs) / 1e6 / (computed - began),
        milliseconds=(ended - computed) * 1000,
    )


def _main_groups(kind: Kind, ordinary: Sequence[int], group_of: dict[int, int]) -> dict[str, int]:
    """The group that most ordinary hosts of each variant are in."""
    counts: dict[str, Counter[int]] = {}
    for host in ordinary:
        counts.setdefault(kind.variant(host), Counter())[group_of[host]] += 1
    return {variant: groups.most_common(1)[0][0] for variant, groups in counts.items()}


def main() -> None:
    words = sys.argv[1:]
    write = sys.stdout.write
    write("| output | wanted | groups | planted | false | kept, B | MB/s | groups, ms |\n")
    write("|---|---|---|---|---|---|---|---|\n")
    if words == ["failing"]:
        steps = [(kind.on(hosts), hosts) for kind in FAILING for hosts in FAILING_HOSTS]
    else:
        steps = [
            (kind, hosts)
            for kind in KINDS
            if not words or any(word in kind.name for word in words)
            for hosts in (HOSTS, *STEPS.get(kind.name, ()))
        ]
    sums: Counter[str] = Counter()
    for kind, hosts in steps:
        figures = tried(kind, hosts)
        write(figures.row())
        sums.update(
            wanted=figures.wanted,
            groups=figures.groups,
            apart=figures.apart,
            planted=figures.planted,
            false=figures.false,
        )
    write(
        f"\n{sums['groups']} groups of {sums['wanted']} wanted, {sums['apart']} of "
        f"{sums['planted']} deviants apart, {sums['false']} ordinary hosts outside of theirs\n"
    )


if __name__ == "__main__":
    main()
