"""Metrics from the database: sizes, notices, and the last maintenance run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db import Error
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from joblogs import database, maintenance, notices
from joblogs.database import readiness
from joblogs.database.replica import REPLICA
from joblogs.logtext import store
from joblogs.models import MaintenanceRun

SIZES_SECONDS = 300.0


class Sizes:
    """Sizes on disk, measured at most every five minutes, since they sum the files of all days."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._measured_at = -math.inf
        self._sizes: tuple[int, int | None] = (0, None)

    def __call__(self) -> tuple[int, int | None]:
        """Return the bytes of the database, and of log text in it or None if unknown."""
        with self._lock:
            if self._clock() - self._measured_at >= SIZES_SECONDS:
                self._sizes = database.size(), store.PARTITIONS.size()
                self._measured_at = self._clock()
            return self._sizes


_sizes = Sizes()


class StoreCollector(Collector):
    """Collector that queries the database at each scrape.

    The metrics are the same from every process, except sizes, which each measures at its own time.
    """

    def collect(self) -> Iterator[Metric]:
        up = readiness.fault() is None
        if up:
            try:
                yield from list(_gauges())
            except Error:
                up = False
        if REPLICA in settings.DATABASES:
            usable = database.replica_usable()
            yield _gauge("replica_used", "Whether reads ask the replica, not the primary.", usable)
        yield _gauge("database_up", "Whether the database answers with this code's tables.", up)


def _gauges() -> Iterator[Metric]:
    size, chunks = _sizes()
    yield _gauge("database_bytes", "Size of the database.", size)
    if chunks is not None:
        yield _gauge("chunks_bytes", "Size of the stored log text, indexes included.", chunks)
    waiting, work = notices.waiting()
    yield _gauge("notices_waiting", "Notices that are to be sent.", waiting)
    yield _gauge(
        "notice_work_rows",
        "Transactions whose text the saved searches have not searched yet.",
        work,
    )
    run = maintenance.last_run()
    if run is not None:
        yield from _run_metrics(run)


def _run_metrics(run: MaintenanceRun) -> Iterator[Metric]:
    started = run.started_at.timestamp()
    yield _gauge("maintenance_started_seconds", "When maintain_logs last started.", started)
    if run.finished_at is None:
        return
    finished = run.finished_at.timestamp()
    yield _gauge(
        "maintenance_finished_seconds", "When maintain_logs last came to its end.", finished
    )
    yield _gauge("maintenance_took_seconds", "How long that run took.", run.seconds)
    did = GaugeMetricFamily("joblogs_maintenance_did", "What that run did.", labels=["what"])
    for what, count in sorted(run.did.items()):
        did.add_metric([what], count)
    yield did


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"joblogs_{name}", meaning, value=float(value))
