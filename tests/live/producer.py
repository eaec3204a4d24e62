"""A producer as a process: `python -m tests.live.producer http|ingest FILE…`.

It says "ready", waits for a line that says where to (port and headers), sends each file as a body,
by HTTP or straight into `ingest`, and prints what became of each. `producers.py` starts several.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
from pathlib import Path
from typing import Any

import django
import msgspec

django.setup()

from joblogs.access import OPERATOR  # noqa: E402 - models can only be imported now
from joblogs.api.v1.records import report_data  # noqa: E402
from joblogs.ingest import ingest  # noqa: E402
from joblogs.ingest.stream import numbered_lines  # noqa: E402


def by_http(file: Path, where: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", where["port"], timeout=120)
    with contextlib.closing(connection):
        connection.request("POST", "/api/v1/records", file.read_bytes(), where["headers"])
        with connection.getresponse() as response:
            envelope: dict[str, Any] = json.load(response)
            return envelope


def by_ingest(file: Path, where: dict[str, Any]) -> dict[str, Any]:
    with file.open("rb") as stream:
        data = report_data(ingest(numbered_lines(stream.read), writer=OPERATOR))
    return {"result": not data.refused_total, "data": msgspec.to_builtins(data)}


def main(door: str, *files: str) -> None:
    send = {"http": by_http, "ingest": by_ingest}[door]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    where = json.loads(sys.stdin.readline())
    json.dump([send(Path(file), where) for file in files], sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
