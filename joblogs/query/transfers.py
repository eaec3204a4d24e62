"""Sources and target directory of a file step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from joblogs.models import FileLog, StepInstance


class Machine(NamedTuple):
    """Host and its addresses at run time."""

    bk_host_id: int
    bk_cloud_id: int | None
    ip: str | None
    ipv6: str | None


@dataclass(slots=True)
class FileSource:
    """Source of a file step and its files; the machine is None for a third-party source."""

    machine: Machine | None
    paths: list[str] = field(default_factory=list)


def file_sources(step: StepInstance) -> list[FileSource]:
    """Return the sources of a file step by ascending host id, third-party sources last."""
    columns = ("src_host_id", "src_cloud_id", "src_ip", "src_ipv6", "src_path")
    sources: dict[int | None, FileSource] = {}
    rows = FileLog.objects.for_step(step).order_by().values_list(*columns).distinct()
    # Sorted here: databases order nulls and letters differently.
    for host, cloud, ip, ipv6, path in sorted(rows, key=lambda row: (row[0] or 0, row[4])):
        machine = None if host is None else Machine(host, cloud, ip, ipv6)
        source = sources.setdefault(host, FileSource(machine))
        # A machine whose addresses changed meanwhile lists its files more than once.
        if path not in source.paths[-1:]:
            source.paths.append(path)
    third_parties = sources.pop(None, None)
    return [*sources.values(), third_parties] if third_parties else list(sources.values())


def target_directory(step: StepInstance) -> str | None:
    """Return the directory into which all files of a step went; None if there are none, or several
    directories."""
    downloads = FileLog.objects.for_step(step).downloads().order_by()
    directories: set[str] = set()
    for path in downloads.values_list("dest_path", flat=True).distinct().iterator():
        if path is not None:
            directories.add(path[: max(path.rfind("/"), path.rfind("\\")) + 1])
        if len(directories) > 1:
            return None
    return directories.pop() if directories else None
