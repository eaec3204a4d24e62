"""Records in while many saved searches wait for them, and while none does."""

from __future__ import annotations

import itertools
import time

from django.contrib.auth.models import User

from joblogs.models import NoticeWork, SavedSearch, Scope

from . import corpus, filling
from .measuring import Finding, interleaved, ratio

SEARCHES, HOSTS, PIECES = 100, 500, 4
BODIES_OF_A_RUN = 1


def ingest_with_searches(database: str, *, first_job: int, rounds: int) -> list[Finding]:
    """Bodies of 2,000 pieces of 1 KB of 500 hosts, applied in this process: its CPU time with the
    searches, that without being 1, and the time by the clock."""
    owner, _ = User.objects.get_or_create(username="notices", is_staff=True, is_superuser=True)
    scope, _ = Scope.objects.get_or_create(scope_type="biz", scope_id="2")
    SavedSearch.objects.bulk_create(
        SavedSearch(name=f"search {n}", owner=owner, scope=scope, pattern=f"text {n}", target="x")
        for n in range(SEARCHES)
    )
    logs = {host: corpus.log(host, PIECES * corpus.PIECE) for host in range(1, HOSTS + 1)}
    jobs = itertools.count(first_job)
    by_clock: dict[bool, list[float]] = {True: [], False: []}

    def run(active: bool) -> float:
        SavedSearch.objects.update(active=active)
        bodies = []
        for _ in range(BODIES_OF_A_RUN):
            job = next(jobs)
            pieces = filling.pieces(job, corpus.in_turn(logs))
            bodies.append(b"\n".join([*filling.parents(job, logs), *pieces]))
        started, used = time.perf_counter(), time.process_time()
        for body in bodies:
            filling.load(body)
        by_clock[active].append(time.perf_counter() - started)
        return time.process_time() - used

    taken = interleaved({"with": lambda: run(True), "without": lambda: run(False)}, rounds=rounds)
    rows = NoticeWork.objects.count()
    NoticeWork.objects.all().delete()
    SavedSearch.objects.all().delete()
    # Of the fastest runs: what else the machine does makes runs slower, never faster.
    against = min(taken["with"]) / min(taken["without"])
    clock = ratio(by_clock[True][1:], by_clock[False][1:])
    return [
        Finding(
            database,
            f"ingest with {SEARCHES} saved searches",
            "≤ 1.03 × the CPU time without",
            f"{against:.3f}, by the clock {clock.shown(3)}",
            against <= 1.03,
            f"{rows} rows wait for them",
        )
    ]
