"""Counters of this process for Prometheus (docs/operations.md, "Metrics").

The value of a label is a word of the code, never data such as a job, host, app, scope or user, so
that the number of series is bounded.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Histogram, disable_created_metrics

# Otherwise each counter has a second series with its creation time.
disable_created_metrics()  # type: ignore[no-untyped-call]

_RECORDS = Counter("joblogs_records", "Records that were read, by outcome.", ["outcome"])
_REFUSED = Counter("joblogs_records_refused", "Records that were refused, by reason.", ["reason"])
_OVERLAPS = Counter(
    "joblogs_overlaps_refused",
    "Repeats by apps that may not read, refused as a whole: compared, or not any more.",
    ["compared"],
)
_RECORD_BYTES = Counter("joblogs_record_bytes", "Bytes of the lines of records, decompressed.")
_READS = Counter("joblogs_reads", "Answers with log text, by channel.", ["channel"])
_READ_HOSTS = Counter("joblogs_read_hosts", "Hosts whose log text was read.", ["channel"])
_READ_BYTES = Counter("joblogs_read_bytes", "Bytes of log text that were read.", ["channel"])
_READS_LOST = Counter("joblogs_audit_lost", "Reads of log text that could not be recorded.")
_REQUESTS = Histogram(
    "joblogs_request_seconds",
    "From a request's start to the start of its answer, by route and HTTP status.",
    ["route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60),
)
_ANSWER_BYTES = Counter("joblogs_answer_bytes", "Bytes of answers, by route.", ["route"])
_FAILURES = Counter("joblogs_failures", "Answers of the API with an error, by its code.", ["code"])

for _outcome in ("accepted", "duplicate", "refused"):
    _RECORDS.labels(_outcome)  # zero from the start: a rate needs something to rise from


def records_read(*, accepted: int, duplicates: int, refused: Iterable[str], size: int) -> None:
    """Count the records of a committed batch; `refused` has the reason of each refused record."""
    _RECORDS.labels("accepted").inc(accepted)
    _RECORDS.labels("duplicate").inc(duplicates)
    for reason in refused:
        _RECORDS.labels("refused").inc()
        _REFUSED.labels(reason).inc()
    _RECORD_BYTES.inc(size)


def overlap_refused(*, compared: bool) -> None:
    """Count a refusal of all pieces of a log from an app that may not read the log."""
    _OVERLAPS.labels("yes" if compared else "no").inc()


def text_read(*, channel: str, hosts: int, size: int) -> None:
    """Count a response with log text."""
    _READS.labels(channel).inc()
    _READ_HOSTS.labels(channel).inc(hosts)
    _READ_BYTES.labels(channel).inc(size)


def read_lost() -> None:
    """Count a read of log text that could not be recorded."""
    _READS_LOST.inc()


def answered(*, route: str, status: int, code: int | None, seconds: float, size: int) -> None:
    """Count a response that was sent. `seconds`: until its first byte; `code`: of its error."""
    _REQUESTS.labels(route, str(status)).observe(seconds)
    if code is not None:
        _FAILURES.labels(str(code)).inc()
    _ANSWER_BYTES.labels(route).inc(size)
