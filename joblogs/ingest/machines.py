"""Machines as the newest job saw them."""

from __future__ import annotations

from django.db import transaction

from joblogs import database, records
from joblogs.models import Host, JobInstance

from . import merge

Machines = dict[int, tuple[records.HostResult, int]]
"""By bk_host_id: what a job says of a machine, and when that job was created (ms)."""

_COLUMNS = ("bk_cloud_id", "ip", "ipv6", "name", "seen_at")


def note(record: records.HostResult, job: JobInstance, machines: Machines) -> None:
    """Remember what a job says of a machine, unless a newer job said it already."""
    held = machines.get(record.bk_host_id)
    if held is None or held[1] <= job.create_time:
        machines[record.bk_host_id] = (record, job.create_time)


def settle(machines: Machines) -> None:
    """Write what is new of these machines; nothing is locked if nothing is."""
    if not machines:
        return
    stored = Host.objects.in_bulk(list(machines))
    if not any(_differs(stored.get(number), *said) for number, said in machines.items()):
        return

    def write() -> None:
        with transaction.atomic():
            numbers = sorted(machines)
            Host.objects.bulk_create(
                [Host(bk_host_id=number) for number in numbers if number not in stored],
                ignore_conflicts=True,
            )
            rows = Host.objects.filter(pk__in=numbers).select_for_update(no_key=True).order_by("pk")
            changed = [row for row in rows if _describe(row, *machines[row.pk])]
            database.save_columns(Host, _COLUMNS, changed)

    database.retrying(write)


def _differs(host: Host | None, record: records.HostResult, seen_at: int) -> bool:
    return host is None or host.seen_at < seen_at or not (host.name or not record.host_name)


def _describe(host: Host, record: records.HostResult, seen_at: int) -> bool:
    """Let a job say what a machine is; a newer job's word replaces an older one's."""
    said = {
        "bk_cloud_id": record.bk_cloud_id,
        "ip": record.ip,
        "ipv6": record.ipv6,
        "name": record.host_name,
    }
    newer = seen_at > host.seen_at
    changed = {
        column: value
        for column, value in said.items()
        if value is not None and (newer or getattr(host, column) in (None, ""))
    }
    if newer:
        changed["seen_at"] = seen_at
    return merge.apply(host, changed)
