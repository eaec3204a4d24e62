"""Metrics from the database: sizes, and when maintenance last ran."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db import Error
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from joblogs import database, maintenance
from joblogs.database import readiness
from joblogs.database.replica import REPLICA
from joblogs.logtext import store
from joblogs.models import MaintenanceRun


class StoreCollector(Collector):
    """Collector that reads them at each scrape; every process returns the same."""

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
    yield _gauge("database_bytes", "Size of the database.", database.size())
    chunks = store.PARTITIONS.size()
    if chunks is not None:
        yield _gauge("chunks_bytes", "Size of the stored log text, indexes included.", chunks)
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
