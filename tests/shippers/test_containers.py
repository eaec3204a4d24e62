"""`docs/containers.md`, tried with stand-ins that behave as `kubectl` and `docker` do."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.serving import Server
from tests.shippers.conftest import FILES, variables
from tests.shippers.test_ship_log import command, has, shipped

PAGE = (FILES.parents[1] / "docs" / "containers.md").read_text("utf-8")
TIMEOUT_SECONDS = 60
# `logs` ends with 0 whatever becomes of the job; `get` tells that a moment later.
KUBECTL = """#!/bin/sh
case "$1" in
logs) [ "$2 $4" = "--follow job/import" ] || exit 9
    echo started; sleep 0.2; echo imported 7 files ;;
get) [ "$2" = job/import ] || exit 9
    [ -e "$0.asked" ] && printf 'FailureTarget {0}'; touch "$0.asked" ;;
esac
"""
DOCKER = """#!/bin/sh
[ "$1" = run ] || exit 9
trap 'echo stopping; exit 143' TERM
echo Unable to find image locally >&2
echo running
{0}
exit 7
"""


def stand_in(folder: Path, name: str, script: str) -> dict[str, str]:
    """A program of this name, and where it is found."""
    (folder / name).write_text(script, "utf-8")
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


@pytest.mark.parametrize(("end", "code", "status"), [("Failed", 1, 4), ("Complete", 0, 3)])
def test_a_followed_job_ends_as_it_does_in_kubernetes(
    server: Server, tmp_path: Path, end: str, code: int, status: int
) -> None:
    [script] = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    stand_in(tmp_path, "follow-job", script)
    environment = stand_in(tmp_path, "kubectl", KUBECTL.format(end))
    name = f"kubernetes {end}"
    run = subprocess.run(
        command("--job-name", name, "--", tmp_path / "follow-job", "import"),
        env=variables(server, tmp_path / "spool") | environment,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )
    printed = b"started\nimported 7 files\n"
    assert (run.returncode, run.stdout, run.stderr) == (code, printed, b"")
    assert has(server, name, printed)
    assert shipped(server, name)[3:5] == (status, status)


def test_the_exit_code_of_a_container_is_the_runs(server: Server, tmp_path: Path) -> None:
    environment = stand_in(tmp_path, "docker", DOCKER.format(""))
    run = subprocess.run(
        command("--job-name=docker", "--", "docker", "run", "--rm", "backup:7"),
        env=variables(server, tmp_path / "spool") | environment,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert run.returncode == 7
    assert has(server, "docker", b"Unable to find image locally\nrunning\n")


def test_a_container_that_is_stopped_is_told_to_stop(server: Server, tmp_path: Path) -> None:
    environment = stand_in(tmp_path, "docker", DOCKER.format("while :; do sleep 0.05; done"))
    with subprocess.Popen(
        command("--job-name=stopped container", "--", "docker", "run", "--rm", "backup:7"),
        env=variables(server, tmp_path / "spool") | environment,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"Unable to find image locally\n"
        assert process.stdout.readline() == b"running\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b"stopping\n"
    assert process.returncode == 143
    assert has(server, "stopped container", b"Unable to find image locally\nrunning\nstopping\n")


def test_as_an_entrypoint_it_is_process_one(server: Server, tmp_path: Path) -> None:
    [line] = re.findall(r"^ENTRYPOINT (\[.*\])$", PAGE, re.MULTILINE)
    options = re.findall('"([^"]*)"', line)[2:]
    isolated = ["unshare", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*isolated, "true"], capture_output=True).returncode:
        pytest.skip("no namespace of processes may be made here")
    run = subprocess.run(
        [*isolated, *command(*options), "sh", "-c", "echo $PPID; sleep 30 & exit 5"],
        env=variables(server, tmp_path / "spool") | {"PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert (run.returncode, run.stdout, run.stderr) == (5, b"1\n", b"")
    assert has(server, "nightly import", b"1\n")
