"""An import that is killed and run again: every byte there once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders import job, lines, result, step
from tests.live.printing import pieces, printed
from tests.serving import ROOT, Server, manage

HOSTS = range(1, 41)
SIZE = 200_000


@pytest.mark.parametrize("killed_after", [0.2, 0.5, 0.9])
def test_a_killed_import_run_again_brings_every_byte_once(
    server: Server, number: int, tmp_path: Path, killed_after: float
) -> None:
    texts = {host: printed(host, size=SIZE) for host in HOSTS}
    ids = {"job": number, "step": number}
    records = [job(number), step(number, job=number)]
    records += [result(host, **ids, status=9, log_size=len(texts[host])) for host in HOSTS]
    for host in HOSTS:
        records += pieces(texts[host], cut=1000, host=host, **ids)
    archive = tmp_path / "records"
    archive.write_bytes(lines(*records))
    size = archive.stat().st_size

    command = [sys.executable, "manage.py", "import_logs", "-"]
    importing = subprocess.Popen(
        command,
        cwd=ROOT,
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert importing.stdin is not None
    with archive.open("rb") as file, importing.stdin:
        # What the pipe holds beyond what was read is lost with the process, as in a real cut.
        importing.stdin.write(file.read(int(size * killed_after)))
        importing.stdin.flush()
        importing.kill()
        importing.wait()

    said = manage(server.environment, "import_logs", str(archive))
    accepted, there, refused = map(int, re.findall(r"\b\d+\b", said.replace(",", "")))
    assert (accepted + there, refused) == (len(records), 0)
    again = manage(server.environment, "import_logs", str(archive))
    assert f"Accepted 0 records, {len(records):,} already stored" in again
    found = server.logs(**ids)
    assert {host: text.encode() for host, text in found.items()} == texts
