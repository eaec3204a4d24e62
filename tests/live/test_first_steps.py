"""The first steps of docs/api.md, run as they stand there, one after the other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import Server

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("document", ["docs/api.md", "docs/api.zh.md"])
def test_the_documented_first_steps_work_as_written(
    document: str, server: Server, tmp_path: Path
) -> None:
    (script,) = re.findall(r"^```sh\n(.*?)^```$", (ROOT / document).read_text("utf-8"), re.M | re.S)
    # Another job and another app for each document: the tests of this folder share a server.
    number = {"docs/api.md": "901", "docs/api.zh.md": "902"}[document]
    script = script.replace("first", f"first-{number}").replace("manage.py", f"{ROOT}/manage.py")
    script = re.sub(r"(\"job_instance_id\": |jobs/|job=)1\b", rf"\g<1>{number}", script)
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=tmp_path,
        env={
            **server.environment,
            "STORE": f"http://127.0.0.1:{server.port}",
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"accepted":4' in done.stdout.replace(" ", "")
    assert r'"log_content":"hello from 10.0.0.7\n"' in done.stdout.replace('": "', '":"')
    assert "}hello from 10.0.0.7\nfrom 10.0.0.7\n" in done.stdout, "the log, and from byte 6 on"
    assert done.stdout.endswith(f"10.0.0.7 {number}/1 | hello from 10.0.0.7\n"), "the export"
