"""Keys of failures: the same on another day, on other hosts, with other names."""

from __future__ import annotations

import random

import pytest

from joblogs.grouping.features import LogSample

from .planted import failure_keys_of, logs_of

NAMES = ("nginx", "redis", "mysqld", "kafka", "haproxy", "consul", "amber", "birch", "cedar")


def keys_of_day(day: int, line: str, *, hosts: int = 60) -> set[bytes]:
    """Of a run on which one to nine hosts fail with a line that holds names, ids and times."""
    dice = random.Random(day)  # noqa: S311 - the same every time is what is wanted
    failed = dice.sample(range(hosts), (1, 2, 9, 1, 4)[day])

    def text(own: random.Random, host: int, how: str) -> str:
        rows = [f"Unpacking {own.choice(NAMES)} ({own.randrange(9)}.2)" for _ in range(5)]
        names = {"a": own.choice(NAMES), "b": own.choice(NAMES), "n": own.randrange(999)}
        end = line.format(**names) if how else "done"
        return "\n".join(["Reading lists", *rows, end, ""])

    logs = logs_of(lambda own, host, how: text(random.Random(f"{day} {host}"), host, how), hosts,  # noqa: S311
                   dict.fromkeys(failed, "fails"))  # fmt: skip
    return failure_keys_of(logs, failed)


@pytest.mark.parametrize(
    "line",
    [
        "E: Unable to locate package {a}",
        "Job for {a}.service failed because the control process exited with code {n}",
        'level=error caller={a}.go:{n} msg="lease expired" peer={b}-{n}',
        "ERROR: unable to select packages:\n  {a}-1.{n}:",
        "tar: data/{a}/{b}.key: Cannot open: Permission denied",
        "com.example.{a}.OutOfMemoryError: Java heap space in worker {b}",
        "[严重] 证书 {a}.example.com 已过期 {n} 天",
        "Killed",
    ],
)
def test_a_failure_has_the_same_key_in_every_run(line: str) -> None:
    assert len(set.union(*(keys_of_day(day, line) for day in range(5)))) == 1


def test_other_failures_have_other_keys() -> None:
    lines = (
        "E: Unable to locate package {a}",
        "E: Unable to fetch some archives of {a}",
        "cannot open {a}: Permission denied",
        "cannot open {a}: No space left on device",
        "java.lang.OutOfMemoryError in {a}",
        "java.lang.StackOverflowError in {a}",
        "Killed",
    )
    assert len({key for line in lines for key in keys_of_day(0, line)}) == len(lines)


@pytest.mark.parametrize("word", ["x", "A", "a.", "tmp.", "a/", "~"])
def test_one_long_line_is_as_quick_as_many_short_ones(word: str) -> None:
    line = word * (20_000 // len(word))
    logs = [LogSample(f"{line}{end}\n".encode(), ()) for end in ("q", "q", "q", " failed", "z")]
    assert len(failure_keys_of(logs, [3])) == 1
