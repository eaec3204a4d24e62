"""Records of a sorted dump: jobs, steps, host results and logs, parents before children."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from joblogs import records
from joblogs.choices import FINISHED, HostStatus, StepType, host_rank

from .addresses import Addresses
from .files import FILE, SCRIPT
from .findings import Finding, Findings
from .logs import Where, file_logs, script_logs
from .rows import SOURCE
from .scopes import Scopes
from .sorting import Sorter

Days = Mapping[str, set[str]]
"""Days of the collections in the dump, by SCRIPT or FILE."""

_UNKNOWN = HostStatus.UNKNOWN.value


def job_records(
    sorter: Sorter, *, scopes: Scopes, days: Days, findings: Findings
) -> Iterator[records.Stated]:
    """Yield each job with its steps, their host results and logs."""
    _note_orphans(sorter, findings)
    for job, app, text in sorter.read("SELECT id, app, fields FROM job ORDER BY id"):
        fields, scope = json.loads(text), scopes(app)
        if scope is None:
            findings.note(Finding.NO_SCOPE, f"app_id {app}")
            continue
        if fields["create_time"] is None:
            findings.note(Finding.NO_CREATE_TIME, f"job {job}")
            continue
        yield records.Job(
            job_instance_id=job,
            bk_scope_type=cast(records.ScopeTypeName, scope[0]),
            bk_scope_id=scope[1],
            source="bk-job",
            **fields,
        )
        # A job has few steps, so all of their records are yielded before the first host result.
        steps: list[tuple[Where, dict[str, Any]]] = []
        for step, step_text in sorter.read("SELECT id, fields FROM step WHERE job = ?", job):
            step_fields = json.loads(step_text)
            if step_fields["step_type"] not in StepType.values:
                findings.note(Finding.STEP_TYPE, f"step {step}: {step_fields['step_type']}")
                continue
            where = {"job_instance_id": job, "step_instance_id": step}
            yield records.Step(**where, **step_fields)
            steps.append((where, step_fields))
        for where, step_fields in steps:
            step_records = _Step(sorter, where, findings)
            step_records.note_collections(step_fields, {fields["create_time"]}, days)
            yield from step_records.all()


def _note_orphans(sorter: Sorter, findings: Findings) -> None:
    """Note steps without a job, and logs and host rows without a step."""
    for step, job in sorter.read("SELECT id, job FROM step WHERE job NOT IN (SELECT id FROM job)"):
        findings.note(Finding.NO_JOB, f"step {step} of job {job}")
    for (step,) in sorter.read(
        """SELECT step FROM (SELECT DISTINCT step FROM script UNION SELECT DISTINCT step FROM file
        UNION SELECT DISTINCT step FROM result) WHERE step NOT IN (SELECT id FROM step)"""
    ):
        findings.note(Finding.NO_STEP, f"step {step}")


class _Step:
    """Records of one step's host results and logs."""

    def __init__(self, sorter: Sorter, where: Where, findings: Findings) -> None:
        self._sorter, self._where, self._findings = sorter, where, findings
        self._number = where["step_instance_id"]
        self._addresses = Addresses(sorter, job=where["job_instance_id"], step=self._number)
        if self._addresses.snapshot.broken:
            findings.note(Finding.SNAPSHOT, f"step {self._number}")
        for address in sorter.named_by_address(self._number):
            host = self._addresses.number(address)
            sorter.number(self._number, address, host)
            if host >= 2**52:
                findings.note(Finding.ADDRESS_ONLY, f"{address} in step {self._number}")
        self._written: set[int] = set()
        self._left_out: set[int] = set()
        self._logs_expected = True

    def note_collections(self, fields: Mapping[str, Any], created: set[int], days: Days) -> None:
        """Note the collections that may hold the step's logs and are missing in the dump.

        bk-job writes logs by the day of the job and reads them by the day of the step, both in UTC.
        The days differ for a step created after midnight, and either collection may have its logs.
        """
        if fields["step_type"] == StepType.APPROVAL:
            return
        kind = FILE if fields["step_type"] == StepType.FILE else SCRIPT
        times = created | ({fields["create_time"]} - {None})
        missing = {_day(time) for time in times} - days.get(kind, set())
        found = self._sorter.read(
            """SELECT EXISTS (SELECT 1 FROM script WHERE step = ?1)
            OR EXISTS (SELECT 1 FROM file WHERE step = ?1),
            EXISTS (SELECT 1 FROM result WHERE step = ?1)""",
            self._number,
        )
        has_logs, has_results = next(found)
        if missing and has_results and not has_logs:
            self._logs_expected = False
            for day in sorted(missing):
                self._findings.note(Finding.NO_COLLECTION, f"{kind}_{day}")

    def all(self) -> Iterator[records.Stated]:
        yield from self._stored_results()
        yield from self._missing_results()
        yield from script_logs(self._sorter, self._where, self._left_out, self._findings)
        yield from file_logs(
            self._sorter, self._where, self._addresses, self._left_out, self._findings
        )

    def _stored_results(self) -> Iterator[records.HostResult]:
        rows = self._sorter.read(
            """SELECT object, count, batch, role, fields,
            EXISTS (SELECT 1 FROM script AS s WHERE r.role = 0 AND s.step = r.step
                AND s.object = r.object AND s.count = r.count AND s.batch = r.batch)
            OR EXISTS (SELECT 1 FROM file AS f WHERE f.step = r.step AND f.object = r.object
                AND f.count = r.count AND f.batch = r.batch AND f.role = r.role)
            FROM result AS r WHERE step = ? ORDER BY object, count, batch, role""",
            self._number,
        )
        for host, count, batch, role, text, has_log in rows:
            fields = json.loads(text)
            if not has_log and self._logs_expected and _should_have_log(fields, count):
                self._findings.note(Finding.NO_LOG, self._name(host, count))
            yield from self._result(host, count, batch, role, fields)

    def _missing_results(self) -> Iterator[records.HostResult]:
        rows = self._sorter.read(
            """SELECT object, count, batch, 0 FROM script WHERE step = ?1
            UNION SELECT object, count, batch, role FROM file WHERE step = ?1
            EXCEPT SELECT object, count, batch, role FROM result WHERE step = ?1
            ORDER BY 1, 2, 3, 4""",
            self._number,
        )
        for host, count, batch, role in rows:
            self._findings.note(Finding.NO_RESULT, self._name(host, count))
            yield from self._result(host, count, batch, role, {"status": _UNKNOWN})

    def _result(
        self, host: int, count: int, batch: int, role: int, fields: dict[str, Any]
    ) -> Iterator[records.HostResult]:
        address = self._addresses.of(host)
        if address is None:
            if host not in self._left_out:
                self._findings.note(Finding.NO_ADDRESS, f"host {host} in step {self._number}")
            self._left_out.add(host)
            return
        if address.bk_cloud_id is None and host not in self._written:
            self._findings.note(Finding.NO_CLOUD, f"host {host} in step {self._number}")
        self._written.add(host)
        yield records.HostResult(
            **self._where,
            execute_count=count,
            batch=batch,
            bk_host_id=host,
            bk_cloud_id=address.bk_cloud_id,
            ip=address.ip,
            ipv6=address.ipv6,
            role="source" if role == SOURCE else "target",
            **fields,
        )

    def _name(self, host: int, count: int) -> str:
        again = f" (execution {count})" if count else ""
        return f"step {self._number} host {host}{again}"


def _should_have_log(fields: Mapping[str, Any], count: int) -> bool:
    """Return whether a host was executed to the end in this attempt."""
    status, actual = fields["status"], fields["actual_execute_count"]
    if status is None or host_rank(status) != FINISHED:
        return False
    return status != HostStatus.SUCCEEDED_LAST_TIME and (actual is None or actual >= count)


def _day(milliseconds: int) -> str:
    moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
    return f"{moment:%Y_%m_%d}"
