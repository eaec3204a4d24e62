"""Records the demo's archive from real runs: `python -m docs.demo.record [--output PATH]`.

Ansible runs real scripts on the 240 hosts of `fleet` and copies real files between them. What a
script prints goes to a file for each host and attempt and is taken from there byte for byte; times,
exit codes and failures are those that Ansible saw. Only the names and numbers of jobs are chosen
here. Takes about two minutes; needs Linux (`/dev/full`), bash, coreutils and the dev requirements.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Final, Literal

from docs.demo.fleet import COLLECTED, HERE, Fleet, fleet
from docs.demo.playing import Report, now, play
from docs.demo.transfers import Transfers
from joblogs.record_json import encode
from joblogs.records import FORMAT, Archive, HostResult, Job, Record, ScriptLog, Step

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ARCHIVE = HERE.parents[1] / "joblogs" / "demo" / "archive.ndjson.zst"
COMPRESSION_LEVEL = 19
PIECE_BYTES = 64 * 1024
SCRIPT_SECONDS = 8
SHARE_TO_APPROVE = 0.9

# Numbers of `joblogs.choices`, which needs Django.
PLAN, ONE_SCRIPT = 0, 1
STARTED_BY_API = 2
SCRIPT_STEP: Final = 1
FILE_STEP: Final = 2
APPROVAL_STEP: Final = 3
SUCCEEDED, FAILED, ERROR_IGNORED = 3, 4, 6
HOST_SUCCEEDED, HOST_TIMED_OUT, HOST_EXIT_CODE = 9, 102, 104
HOST_STATUS = {0: HOST_SUCCEEDED, 124: HOST_TIMED_OUT}  # 124 is how `timeout` says it


class JobRun:
    """A job while it runs: each call runs a step and keeps its records."""

    def __init__(
        self, fleet: Fleet, id: int, name: str, *, operator: str, task_type: int = PLAN
    ) -> None:
        self._fleet = fleet
        self._steps: list[tuple[Step, list[Record]]] = []
        self._step_began = created = now()
        self._job = Job(
            job_instance_id=id,
            bk_scope_type="biz",
            bk_scope_id="2",
            name=name,
            operator=operator,
            source="ansible",
            launch_mode=STARTED_BY_API,
            task_type=task_type,
            create_time=created,
            start_time=created,
            execute_count=0,
            scope_name="蓝鲸",
        )

    def run_script(
        self,
        name: str,
        script: str,
        *,
        hosts: Sequence[str] = ("all",),
        repair: AbstractContextManager[None] | None = None,
        go_on: bool = False,
    ) -> float:
        """Run a script on hosts, and once more where it failed if there is a repair.

        Returns the share of the hosts that it succeeded on.
        """
        step = self._begin(name, SCRIPT_STEP)
        results = self._attempt(step, script, 0, ",".join(hosts))
        if repair is not None:
            with repair:
                results += self._attempt(step, script, 1, f"@{self._fleet.root}/run_script.retry")
            step.execute_count = self._job.execute_count = 1
        latest = {result.bk_host_id: result.status for result, _ in results}
        share = sum(status == HOST_SUCCEEDED for status in latest.values()) / len(latest)
        status = SUCCEEDED if share == 1 else ERROR_IGNORED if go_on else FAILED
        below: list[Record] = []
        # Sorting is stable: the attempts on a host stay in their order.
        for result, log in sorted(results, key=lambda item: item[0].bk_host_id):
            below += [result, *_pieces(result, log)]
        self._end(step, status, below)
        return share

    def approve(self, name: str, share: float) -> None:
        """Go on if the step before succeeded on enough hosts."""
        step = self._begin(name, APPROVAL_STEP)
        if share < SHARE_TO_APPROVE:
            raise SystemExit(f"Only {share:.0%} of the hosts succeeded: not approved.")
        self._end(step, SUCCEEDED, [])

    def distribute(self, name: str) -> None:
        """Copy files from the hosts that hold them to all."""
        step = self._begin(name, FILE_STEP)
        reports = play(self._fleet, "distribute.yml")
        transfers = Transfers(self._fleet, step, reports)
        failed = any(report.failed for report in reports)
        below: list[Record] = [*transfers.host_results(), *transfers.file_logs()]
        self._end(step, FAILED if failed else SUCCEEDED, below)

    def records(self) -> Iterator[Record]:
        """The job and all below it, in the order of an archive."""
        yield self._job
        for step, below in self._steps:
            yield step
            yield from below

    def _begin(self, name: str, step_type: Literal[1, 2, 3]) -> Step:
        position = len(self._steps) + 1
        self._step_began = now()
        return Step(
            job_instance_id=self._job.job_instance_id,
            step_instance_id=self._job.job_instance_id * 10 + position,
            name=name,
            step_type=step_type,
            position=position,
            execute_count=0,
            create_time=self._job.create_time,
            start_time=self._step_began,
        )

    def _end(self, step: Step, status: int, below: list[Record]) -> None:
        end = now()
        step.status, step.end_time, step.total_time = status, end, end - self._step_began
        # A job stands where its last step does: one that failed is passed only if that is ignored.
        job = self._job
        job.status = FAILED if status == FAILED else SUCCEEDED
        job.end_time, job.total_time = end, end - job.create_time
        self._steps.append((step, below))

    def _attempt(
        self, step: Step, script: str, attempt: int, limit: str
    ) -> list[tuple[HostResult, bytes]]:
        log = f"step-{step.step_instance_id}-{attempt}.log"
        variables: dict[str, str | int] = {"script": script, "seconds": SCRIPT_SECONDS, "log": log}
        reports = play(self._fleet, "run_script.yml", variables, limit=limit)
        return [self._result(step, attempt, report, log) for report in reports]

    def _result(
        self, step: Step, attempt: int, report: Report, log: str
    ) -> tuple[HostResult, bytes]:
        host = self._fleet.hosts[report.host]
        printed = (host.home / log).read_bytes()
        tag = host.shop / "tag"
        result = HostResult(
            job_instance_id=step.job_instance_id,
            step_instance_id=step.step_instance_id,
            execute_count=attempt,
            batch=0,
            bk_host_id=host.id,
            bk_cloud_id=0,
            ip=host.ip,
            ipv6=host.ipv6,
            host_name=host.name,
            status=HOST_STATUS.get(report.rc, HOST_EXIT_CODE),
            tag=tag.read_text().strip() if tag.exists() else None,
            exit_code=report.rc,
            start_time=report.start,
            end_time=report.end,
            total_time=report.end - report.start,
            log_size=len(printed),
            log_sha256=hashlib.sha256(printed).hexdigest(),
            role="target",
        )
        return result, printed


def _pieces(result: HostResult, log: bytes) -> Iterator[ScriptLog]:
    """A log as one who polls would get it, a buffer at a time."""
    for offset in range(0, len(log), PIECE_BYTES):
        piece = ScriptLog(
            job_instance_id=result.job_instance_id,
            step_instance_id=result.step_instance_id,
            execute_count=result.execute_count,
            batch=result.batch,
            bk_host_id=result.bk_host_id,
            offset=offset,
            content_base64=log[offset : offset + PIECE_BYTES],
        )
        with suppress(UnicodeDecodeError):  # text, if it is text by itself
            piece.content, piece.content_base64 = piece.data().decode(), None
        yield piece


def record(fleet: Fleet) -> Iterator[Record]:
    """Run the jobs, one after the other."""
    yield Archive(format=FORMAT, version=1, created=now(), generator="docs.demo.record")
    first = JobRun(fleet, 1000, "roll out prices", operator="zoe")
    share = first.run_script("apply prices", "apply_prices.sh", go_on=True)
    first.approve("approve: 9 of 10 shops are ready", share)
    first.distribute("distribute the campaign")
    yield from first.records()

    fleet.break_overnight()
    second = JobRun(fleet, 1001, "roll out prices", operator="zoe")
    share = second.run_script(
        "apply prices", "apply_prices.sh", repair=fleet.repaired(), go_on=True
    )
    second.approve("approve: 9 of 10 shops are ready", share)
    second.distribute("distribute the campaign")
    yield from second.records()

    third = JobRun(fleet, 1002, "collect uptime and disk", operator="li.wei", task_type=ONE_SCRIPT)
    third.run_script("collect", "collect.sh", hosts=COLLECTED)
    yield from third.records()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ARCHIVE)
    output: Path = parser.parse_args().output
    with tempfile.TemporaryDirectory(prefix="joblogs-demo-") as root, fleet(Path(root)) as hosts:
        lines = b"".join(encode(each) + b"\n" for each in record(hosts))
    if root.encode() in lines:
        raise SystemExit("A path of this machine got into the archive.")
    output.write_bytes(zstd.compress(lines, COMPRESSION_LEVEL))
    sys.stdout.write(f"{output.name}: {output.stat().st_size:,} bytes, {len(lines):,} unpacked\n")


if __name__ == "__main__":
    main()
