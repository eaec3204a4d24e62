"""The store beside BlueKing JOB, behind the documented nginx: one base URL for both.

JOB is a stand-in that executes, and knows one job that the store does not.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from bkapi_client_core.apigateway import APIGatewayClient, Operation, OperationGroup, bind_property
from bkapi_component.open.client import Client as ComponentClient

from tests.builders import job, lines, result, script_log, step
from tests.serving import Server, serving

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "beside-job.md"
SCOPE = {"bk_scope_type": "biz", "bk_scope_id": "2"}
HERE, ONLY_JOB = 1000, 5000
"""A job that the store has, and one that only the stand-in has."""
WAIT_SECONDS = 30

pytestmark = pytest.mark.skipif(
    NGINX is None,
    reason="NOT TESTED that the store works beside BlueKing JOB: nginx is missing "
    "(Debian: nginx-light)",
)


class StandIn(BaseHTTPRequestHandler):
    """Handler of requests as BlueKing JOB takes them: it executes, and knows ONLY_JOB."""

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        self._answer({key: value[0] for key, value in parse_qs(urlsplit(self.path).query).items()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(json.loads(body) if body else {})

    def _answer(self, given: dict[str, Any]) -> None:
        name = urlsplit(self.path).path.rstrip("/").rpartition("/")[2]
        self.asked.append((self.command, name))
        data: Any = None
        if name == "fast_execute_script":
            data = {"job_instance_id": HERE, "job_instance_name": given["task_name"]}
        elif int(given.get("job_instance_id", 0)) == ONLY_JOB and name.startswith("batch_"):
            hosts = given["host_id_list"]
            logs = [{"host_id": host, "log_content": "of JOB\n"} for host in hosts]
            data = {"script_task_logs": logs}
        elif int(given.get("job_instance_id", 0)) == ONLY_JOB:
            data = {"finished": False, "job_instance": {"job_instance_id": ONLY_JOB}}
        code = 0 if data else 1244006
        answer = {"result": not code, "code": code, "message": "", "data": data}
        text = json.dumps(answer | {"job_request_id": "of JOB"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@dataclass(frozen=True)
class Site:
    """The base URL of both, whom the store lets in, and what the stand-in was asked."""

    root: str
    keys: dict[str, str]
    asked: list[tuple[str, str]]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _configuration(folder: Path, *, port: int, store: int, stand_in: int) -> str:
    """The documented one with the ports of this run, in what nginx needs to run as anybody."""
    (documented,) = re.findall(r"```nginx\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for there, here in (
        ("127.0.0.1:8000", f"127.0.0.1:{store}"),
        ("job.example.com:80", f"127.0.0.1:{stand_in}"),
        ("127.0.0.1:8080", f"127.0.0.1:{port}"),
    ):
        assert documented.count(there) == 1
        documented = documented.replace(there, here)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log warn;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{documented} }}\n"
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("beside")
    asked: list[tuple[str, str]] = []
    handler = type("Handler", (StandIn,), {"asked": asked})
    stand_in = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=stand_in.serve_forever, daemon=True).start()
    (folder / "nginx").mkdir()
    with serving(folder, workers=1, TRUSTED_PROXIES="1") as server:
        _fill(server)
        port, file = _free_port(), folder / "nginx.conf"
        ports = {"port": port, "store": server.port, "stand_in": stand_in.server_port}
        file.write_text(_configuration(folder / "nginx", **ports), "utf-8")
        assert NGINX is not None
        nginx = subprocess.Popen([NGINX, "-p", str(folder), "-e", "stderr", "-c", str(file)])
        try:
            _wait_for(port, nginx)
            keys = json.loads(server.headers["X-Bkapi-Authorization"])
            yield Site(f"http://127.0.0.1:{port}", keys, asked)
        finally:
            nginx.terminate()
            nginx.wait(WAIT_SECONDS)
    stand_in.shutdown()
    stand_in.server_close()


def _fill(server: Server) -> None:
    run = (job(HERE, status=3), step(HERE, job=HERE), result(1, job=HERE, step=HERE, status=9))
    assert server.post(lines(*run, script_log("of the store\n", host=1, job=HERE, step=HERE)))[
        "result"
    ]


def _wait_for(port: int, nginx: subprocess.Popen[bytes]) -> None:
    """Until nginx takes connections."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end and nginx.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise AssertionError("nginx does not start")


def _operation(name: str, method: str) -> Any:
    return bind_property(Operation, name=name, method=method, path=f"/api/v3/{name}/")


class JobApis(OperationGroup):  # type: ignore[misc]
    fast_execute_script = _operation("fast_execute_script", "POST")
    get_job_instance_status = _operation("get_job_instance_status", "GET")
    batch_get_job_instance_ip_log = _operation("batch_get_job_instance_ip_log", "POST")
    get_job_instance_list = _operation("get_job_instance_list", "GET")


class GatewayClient(APIGatewayClient):  # type: ignore[misc]
    _api_name = "bk-job"
    api = bind_property(JobApis, name="api")


@pytest.fixture(params=["gateway", "component"])
def api(request: pytest.FixtureRequest, site: Site) -> Iterator[Any]:
    """The operations of an unmodified SDK that knows one base URL."""
    if request.param == "gateway":
        client: Any = GatewayClient(endpoint=site.root + "/api/{api_name}", stage="prod")
        group = client.api
    else:
        client = ComponentClient(endpoint=site.root, bk_api_ver="v2")
        group = client.jobv3
    client.update_bkapi_authorization(**site.keys)
    site.asked.clear()
    with client.session:
        yield group


def test_a_client_executes_at_job_and_reads_from_the_store(api: Any, site: Site) -> None:
    made = api.fast_execute_script({**SCOPE, "task_name": "nightly"})["data"]
    assert made["job_instance_name"] == "nightly"
    asked = {**SCOPE, "job_instance_id": made["job_instance_id"]}
    status = api.get_job_instance_status({**asked, "return_ip_result": True})["data"]
    (one,) = status["step_instance_list"]
    hosts = [host["bk_host_id"] for host in one["step_ip_result_list"]]
    named = {**asked, "step_instance_id": one["step_instance_id"], "host_id_list": hosts}
    (log,) = api.batch_get_job_instance_ip_log(named)["data"]["script_task_logs"]
    assert log["log_content"] == "of the store\n"
    assert site.asked == [("POST", "fast_execute_script")]


def test_a_job_that_only_job_knows_goes_on_working_by_get_and_post(api: Any, site: Site) -> None:
    asked = {**SCOPE, "job_instance_id": ONLY_JOB}
    status = api.get_job_instance_status(asked)
    assert (status["result"], status["job_request_id"]) == (True, "of JOB")
    named = {**asked, "step_instance_id": 7, "host_id_list": [1]}
    (log,) = api.batch_get_job_instance_ip_log(named)["data"]["script_task_logs"]
    assert log["log_content"] == "of JOB\n"
    assert site.asked == [
        ("GET", "get_job_instance_status"),
        ("POST", "batch_get_job_instance_ip_log"),
    ]


def test_a_job_that_nobody_knows_is_what_job_says(api: Any, site: Site) -> None:
    answer = api.get_job_instance_status({**SCOPE, "job_instance_id": 99})
    assert (answer["code"], answer["job_request_id"]) == (1244006, "of JOB")


def test_lists_of_jobs_stay_with_job(api: Any, site: Site) -> None:
    api.get_job_instance_list({**SCOPE, "create_time_start": 1, "create_time_end": 2})
    assert site.asked == [("GET", "get_job_instance_list")]
