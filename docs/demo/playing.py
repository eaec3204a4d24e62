"""Running Ansible on the fleet and hearing what it says of each task on each host."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec

from docs.demo.fleet import HERE, Fleet

FORKS = 10
SOME_HOSTS_FAILED = 2


class Report(msgspec.Struct):
    """What Ansible says of one task on one host (`playbooks/callback_plugins/recording.py`)."""

    host: str
    task: str
    start: int
    end: int
    failed: bool
    rc: int = 0
    size: int = 0
    msg: str = ""


def play(
    fleet: Fleet,
    playbook: str,
    variables: Mapping[str, str | int] | None = None,
    *,
    limit: str = "all",
) -> list[Report]:
    """Run a playbook in an environment of its own. Hosts may fail, Ansible may not."""
    reports = fleet.root / "reports.ndjson"
    reports.unlink(missing_ok=True)
    command = [sys.executable, "-m", "ansible", "playbook", str(HERE / "playbooks" / playbook)]
    command += ["--inventory", str(fleet.root / "inventory.json"), "--limit", limit]
    command += ["--extra-vars", msgspec.json.encode(variables or {}).decode()]
    environment = _environment(fleet) | {"JOBLOGS_RECORDING": str(reports)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode not in (0, SOME_HOSTS_FAILED):
        raise SystemExit(
            f"ansible-playbook {playbook} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return msgspec.json.Decoder(Report).decode_lines(reports.read_bytes())


def _environment(fleet: Fleet) -> dict[str, str]:
    """Nothing of the user's own: no settings, no language, no time zone."""
    settings = fleet.root / "ansible.cfg"
    settings.touch()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(fleet.root),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "ANSIBLE_CONFIG": str(settings),
        "ANSIBLE_FORKS": str(FORKS),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_RETRY_FILES_ENABLED": "true",
        "ANSIBLE_RETRY_FILES_SAVE_PATH": str(fleet.root),
    }


def span(reports: Sequence[Report]) -> tuple[int, int]:
    """From the first start to the last end, in milliseconds."""
    return min(report.start for report in reports), max(report.end for report in reports)


def now() -> int:
    """The time in milliseconds since the epoch, as records have it."""
    return time.time_ns() // 1_000_000
