"""Jobs of some days ago whose packed logs can be moved to object storage."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from joblogs.logtext import store
from joblogs.maintenance import packing
from joblogs.models import HostResult
from joblogs.object_store.ownership import KEY
from tests.builders import job, load, result, script_log, step

DAY_MS = 24 * 3600 * 1000


def text_of(host: int, *, lines: int = 200) -> str:
    return "".join(f"host {host} line {n} {n * 7919 % 10007}\n" for n in range(lines))


def old_job(
    number: int = 100, *, hosts: int = 5, days: int = 100, lines: int = 200, **fields: Any
) -> None:
    """A job of so many days ago, with packed logs of some hosts in one step."""
    created = int(timezone.now().timestamp() * 1000) - days * DAY_MS
    place = {"job": number, "step": number * 2}
    load(
        *(job(number, create_time=created, status=3, **fields), step(number * 2, job=number)),
        *(result(host, **place, status=9) for host in range(1, hosts + 1)),
        *(
            script_log(text_of(host, lines=lines), host=host, **place)
            for host in range(1, hosts + 1)
        ),
    )
    pack_all()


def pack_all() -> None:
    for row in HostResult.objects.filter(pack=None, held_size__gt=0).select_related("step"):
        packing.pack_step(row.step)


def stored() -> dict[int, bytes]:
    """All logs that are held, by host result."""
    rows = HostResult.objects.filter(held_size__gt=0, step__job__expired_at=None).order_by("pk")
    found = {}
    for row in list(rows):
        parts = store.read(row.day, [store.span_of(row)])
        found[row.pk] = b"".join(part for _, some in parts for part in some)
    return found


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != KEY)


def maintain(*arguments: str) -> str:
    out = io.StringIO()
    call_command("maintain_logs", *arguments, stdout=out)
    return out.getvalue()
