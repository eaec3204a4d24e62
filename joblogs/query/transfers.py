"""What a file step moved: from where, and into which directory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from joblogs.models import FileLog, StepInstance


class Machine(NamedTuple):
    """A host and its addresses as of the run."""

    bk_host_id: int
    bk_cloud_id: int | None
    ip: str | None
    ipv6: str | None


@dataclass(slots=True)
class FileSource:
    """A source and the files that came from it; the machine is None for a third party."""

    machine: Machine | None
    paths: list[str] = field(default_factory=list)


def file_sources(step: StepInstance) -> list[FileSource]:
    """The sources of a file step by ascending host id, third parties last."""
    columns = ("src_host_id", "src_cloud_id", "src_ip", "src_ipv6", "src_path")
    sources: dict[int | None, FileSource] = {}
    rows = FileLog.objects.for_step(step).order_by().values_list(*columns).distinct()
    # Sorted here: where nulls and letters come differs between databases.
    for host, cloud, ip, ipv6, path in sorted(rows, key=lambda row: (row[0] or 0, row[4])):
        machine = None if host is None else Machine(host, cloud, ip, ipv6)
        source = sources.setdefault(host, FileSource(machine))
        # A machine whose addresses changed meanwhile names its files more than once.
        if path not in source.paths[-1:]:
            source.paths.append(path)
    third_parties = sources.pop(None, None)
    return [*sources.values(), third_parties] if third_parties else list(sources.values())


def target_directory(step: StepInstance) -> str | None:
    """The directory that all files of a step went into; None if there is none, or several."""
    downloads = FileLog.objects.for_step(step).downloads().order_by()
    directories: set[str] = set()
    for path in downloads.values_list("dest_path", flat=True).distinct().iterator():
        if path is not None:
            directories.add(path[: max(path.rfind("/"), path.rfind("\\")) + 1])
        if len(directories) > 1:
            return None
    return directories.pop() if directories else None
