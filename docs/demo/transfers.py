"""What a file step leaves behind: a log of every file on every host, and how each host fared."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from docs.demo.fleet import CAMPAIGN_SOURCE, CAMPAIGN_TARGET, Fleet, Host
from docs.demo.playing import Report, span
from joblogs.records import FileLog, HostRef, HostResult, RoleName, Step, default_task_key

# Numbers of `joblogs.choices`, which needs Django.
UPLOAD: Final = 0
DOWNLOAD: Final = 1
FILE_DONE: Final = 4
FILE_FAILED: Final = 5
HOST_SUCCEEDED, HOST_FILE_FAILED, HOST_SOURCE_MISSING = 9, 202, 203


class Transfers:
    """The copies that a playbook made. A task of the playbook is named for its file."""

    def __init__(self, fleet: Fleet, step: Step, reports: Sequence[Report]) -> None:
        self._fleet, self._step = fleet, step
        self._downloads: dict[str, list[Report]] = defaultdict(list)
        self._uploads: dict[str, dict[str, list[Report]]] = defaultdict(lambda: defaultdict(list))
        for report in reports:
            self._downloads[report.host].append(report)
            self._uploads[fleet.hosts[report.host].source][report.task].append(report)

    def host_results(self) -> Iterator[HostResult]:
        """One for every target and one for every source, in the order of an archive."""
        for name, host in self._fleet.hosts.items():
            if copies := self._downloads.get(name):
                yield self._host_result(host, "target", copies)
            if files := self._uploads.get(name):
                yield self._host_result(
                    host, "source", [copy for copies in files.values() for copy in copies]
                )

    def file_logs(self) -> Iterator[FileLog]:
        """Uploads of the sources and downloads of the targets, in the order of an archive."""
        hosts = self._fleet.hosts
        uploads = (
            self._file_log(source=hosts[name], target=None, file=file, copies=copies)
            for name, files in self._uploads.items()
            for file, copies in files.items()
        )
        downloads = (
            self._file_log(
                source=hosts[hosts[name].source], target=hosts[name], file=copy.task, copies=[copy]
            )
            for name, copies in self._downloads.items()
            for copy in copies
        )
        yield from sorted(uploads, key=FileLog.key)
        yield from sorted(downloads, key=FileLog.key)

    def _host_result(self, host: Host, role: RoleName, copies: Sequence[Report]) -> HostResult:
        start, end = span(copies)
        status = HOST_SUCCEEDED
        if any(self._lacks(self._fleet.hosts[copy.host].source, copy.task) for copy in copies):
            status = HOST_SOURCE_MISSING
        elif role == "target" and any(copy.failed for copy in copies):
            status = HOST_FILE_FAILED
        return HostResult(
            job_instance_id=self._step.job_instance_id,
            step_instance_id=self._step.step_instance_id,
            execute_count=0,
            batch=0,
            bk_host_id=host.id,
            bk_cloud_id=0,
            ip=host.ip,
            ipv6=host.ipv6,
            host_name=host.name,
            status=status,
            start_time=start,
            end_time=end,
            total_time=end - start,
            role=role,
        )

    def _lacks(self, source: str, file: str) -> bool:
        return not (self._fleet.hosts[source].home / CAMPAIGN_SOURCE / file).exists()

    def _file_log(
        self, *, source: Host, target: Host | None, file: str, copies: Sequence[Report]
    ) -> FileLog:
        """A download is one copy; an upload is all copies of a file, done if one of them was."""
        mode: Literal[0, 1] = UPLOAD if target is None else DOWNLOAD
        src_path = f"/{CAMPAIGN_SOURCE / file}"
        dest_path = None if target is None else f"/{CAMPAIGN_TARGET / file}"
        done = [copy for copy in copies if not copy.failed]
        start, end = span(done or copies)
        when = datetime.fromtimestamp(end / 1000, UTC)
        content = f"[{when:%F %T}] FileName: {dest_path or src_path}"
        size = speed = process = None
        if done:
            size, process = _size(done[0].size), "100%"
            speed = _speed(sum(copy.size for copy in done), end - start)
            content += f" FileSize: {size} Status: {FILE_DONE} Speed: {speed} Progress: {process}\n"
        else:
            content += f" Status: {FILE_FAILED} Detail: {self._fleet.as_seen(copies[0].msg)}\n"
        return FileLog(
            job_instance_id=self._step.job_instance_id,
            step_instance_id=self._step.step_instance_id,
            execute_count=0,
            batch=0,
            bk_host_id=(target or source).id,
            mode=mode,
            task_key=default_task_key(
                mode=mode,
                src_host_id=source.id,
                src_path=src_path,
                dest_host_id=target.id if target else None,
                dest_path=dest_path,
            ),
            src=_reference(source),
            src_path=src_path,
            dest=_reference(target) if target else None,
            dest_path=dest_path,
            status=FILE_DONE if done else FILE_FAILED,
            size=size,
            speed=speed,
            process=process,
            offset=0,
            content=content,
        )


def _reference(host: Host) -> HostRef:
    return HostRef(bk_host_id=host.id, bk_cloud_id=0, ip=host.ip, ipv6=host.ipv6)


def _size(count: float) -> str:
    """As bk-job writes sizes: `9.0 Bytes`, `198.102 KB`."""
    count = float(count)
    for unit in ("Bytes", "KB"):
        if count < 1024:
            return f"{round(count, 3)} {unit}"
        count /= 1024
    return f"{round(count, 3)} MB"


def _speed(count: int, milliseconds: int) -> str:
    return f"{count / 1024 * 1000 / max(milliseconds, 1):,.0f} KB/s"
