"""Streams in which finishes stand before the logs, or behind them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from random import Random

from tests.faults.expectations import Job
from tests.faults.site import Site
from tests.serving import manage

Sent = tuple[Sequence[Job], bytes]
"""Jobs, and the stream that tells all of them."""


def _exported(site: Site, job: Job, random: Random) -> Sent:
    """A job of several batches, as `export_logs` writes it."""
    return _exports(site, Job(next(site.numbers), job.seed, size=3_000_000), random, count=1)


def _many(site: Site, job: Job, random: Random) -> Sent:
    return _exports(site, Job(next(site.numbers), job.seed, size=20_000), random, count=60)


def _finishing_last(site: Site, job: Job, random: Random) -> Sent:
    return [job], b"".join(job.stream())


def _exports(site: Site, job: Job, random: Random, *, count: int) -> Sent:
    """The export of a job under so many other numbers."""
    answer = site.server.post(b"".join(job.stream(cut=64_000)))
    assert answer["result"], answer
    command = ["export_logs", "--job", str(job.number), "--format", "ndjson"]
    archive, *lines = manage(site.server.environment, *command).encode().splitlines()
    jobs = [job.again(next(site.numbers)) for _ in range(count)]
    own = b'"job_instance_id":%d,'
    told = [[line.replace(own % job.number, own % each.number) for line in lines] for each in jobs]
    rounds = zip(*told, strict=True) if random.random() < 0.5 else told
    return jobs, b"\n".join([archive, *itertools.chain.from_iterable(rounds)]) + b"\n"


STREAMS: Sequence[Callable[[Site, Job, Random], Sent]] = (_exported, _many, _finishing_last)
