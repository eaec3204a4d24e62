"""Ansible callback: a line of JSON per task and host, with the times that Ansible does not keep."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core ships no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recording"

    def __init__(self) -> None:
        super().__init__()
        self._file = open(os.environ["JOBLOGS_RECORDING"], "a")  # noqa: SIM115 (open as long as the run)
        self._started: dict[tuple[str, str], int] = {}

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._started[host.get_name(), task._uuid] = time.time_ns() // 1_000_000

    def v2_runner_on_ok(self, result: Any) -> None:
        self._write(result, failed=False)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._write(result, failed=True)

    def _write(self, result: Any, *, failed: bool) -> None:
        host, task, said = result._host.get_name(), result._task, result._result
        report = {
            "host": host,
            "task": task.get_name(),
            "start": self._started[host, task._uuid],
            "end": time.time_ns() // 1_000_000,
            "failed": failed,
            **{key: said[key] for key in ("rc", "size", "msg") if key in said},
        }
        self._file.write(json.dumps(report) + "\n")
        self._file.flush()
