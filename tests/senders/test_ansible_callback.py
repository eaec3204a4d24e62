"""`ansible_callback.py` in real `ansible-playbook` runs."""

from __future__ import annotations

import ast
import base64
import gzip
import hashlib
import html
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from joblogs.senders import ansible_callback, ship_log
from joblogs.senders.ansible_callback import HIDDEN, host_number
from tests.builders import BATCH, asking
from tests.senders.conftest import FILES, Proxy, rows, variables
from tests.senders.test_ship_log import imported, waited_for
from tests.serving import Server, manage

PATIENCE_SECONDS = 120
SOME_HOSTS_FAILED = 2
SECRET = "swordfish-7h1s-1s-n0t-t0-b3-s33n"
SOURCE = "tests"

FLEET = """
- name: {name}
  hosts: all
  gather_facts: false
  vars:
    secret: "{secret}"
    broken: "{{{{ inventory_hostname.endswith('7') }}}}"
  tasks:
    - name: report
      ansible.builtin.raw: >-
        printf '%s 部署\\n\\377\\n' {{{{ inventory_hostname }}}}; printf 'warned\\n' >&2;
        exit {{{{ 3 if broken else 0 }}}}
    - name: a secret
      ansible.builtin.raw: "printf '%s %s' {{{{ secret }}}} {{{{ inventory_hostname }}}}"
      no_log: true
    - name: a secret in a loop
      ansible.builtin.debug:
        msg: "{{{{ secret }}}} {{{{ item }}}}"
      loop: [1, 2]
      no_log: true
    - name: each
      ansible.builtin.debug:
        msg: "{{{{ item }}}} on {{{{ inventory_hostname }}}}"
      loop: [first, second]
    - name: copy a file
      ansible.builtin.copy:
        content: "hello"
        dest: "{folder}/{{{{ inventory_hostname }}}}"
      when: inventory_hostname in ['host-01', 'host-02']
"""

MISHAPS = """
- name: mishaps
  hosts: all:!gone
  gather_facts: false
  tasks:
    - name: ignored
      ansible.builtin.raw: printf oops; exit 5
      ignore_errors: true
    - name: until
      ansible.builtin.raw: >-
        printf x >> {folder}/tries; printf 'try %s' "$(wc -c < {folder}/tries | tr -d ' ')";
        test "$(wc -c < {folder}/tries)" -ge 3
      register: tried
      until: tried.rc == 0
      retries: 4
      delay: 0
    - name: skipped
      ansible.builtin.raw: echo never
      when: false
    - name: rescued
      block:
        - name: fails
          ansible.builtin.fail:
            msg: no good
      rescue:
        - name: rescue
          ansible.builtin.debug:
            msg: better
    - name: fetch
      ansible.builtin.fetch:
        src: {folder}/tries
        dest: {folder}/fetched/
    - ansible.builtin.include_tasks: more.yml
      loop: [1, 2]
- name: unreachable
  hosts: gone
  gather_facts: false
  tasks:
    - name: reach
      ansible.builtin.raw: echo never
"""

STOPPED = """
- name: stopped
  hosts: host-00
  gather_facts: false
  tasks:
    - name: sleep
      ansible.builtin.raw: sleep 20
"""


@dataclass(frozen=True)
class Step:
    """A step as the store has it, with the results of its hosts by name."""

    number: int
    kind: int
    status: int
    hosts: dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@dataclass(frozen=True)
class Control:
    """A control node: the callback beside the playbooks, and nothing of the user's own."""

    folder: Path

    def start(
        self, playbook: str, *options: str, hosts: int, variables: dict[str, str]
    ) -> subprocess.Popen[str]:
        (self.folder / "playbook.yml").write_text(playbook, encoding="utf-8")
        names = "".join(f"{name} ansible_connection=local\n" for name in names_of(hosts))
        # A stand-in for ssh that reaches nobody: 255 is how ssh says that.
        (self.folder / "ssh").write_text("#!/bin/sh\necho no route >&2\nexit 255\n", "utf-8")
        (self.folder / "ssh").chmod(0o700)
        gone = f"gone ansible_host=192.0.2.1 ansible_ssh_executable={self.folder}/ssh\n"
        (self.folder / "inventory").write_text(names + gone, encoding="utf-8")
        command = [sys.executable, "-m", "ansible", "playbook", "--inventory=inventory"]
        return subprocess.Popen(
            [*command, *options, "playbook.yml"],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "LANG": "C.UTF-8",
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_CALLBACK_PLUGINS": str(self.folder / "callback_plugins"),
                "ANSIBLE_FORKS": "5",
                "ANSIBLE_LOCALHOST_WARNING": "false",
                "ANSIBLE_PIPELINING": "true",
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
                "JOBLOGS_SOURCE": SOURCE,
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def play(
        self,
        playbook: str,
        *options: str,
        hosts: int,
        variables: dict[str, str],
        limit: str = "!gone",
    ) -> Played:
        with self.start(
            playbook, *options, f"--limit={limit}", hosts=hosts, variables=variables
        ) as process:
            out, warnings = process.communicate(timeout=PATIENCE_SECONDS)
        return Played(process.returncode, re.sub(r"\s+", " ", warnings), out)


@dataclass(frozen=True)
class Played:
    """How a playbook ended, and what it said on standard error, on one line."""

    code: int
    warnings: str
    out: str


@pytest.fixture
def control(tmp_path: Path) -> Control:
    plugins = tmp_path / "callback_plugins"
    plugins.mkdir()
    shutil.copy(FILES / "ansible_callback.py", plugins / "joblogs.py")
    return Control(tmp_path)


def jobs(server: Server, name: str) -> list[tuple[int, int]]:
    """Number and status of the jobs of this name."""
    return [
        (number, status)
        for number, status in rows(
            server,
            "SELECT job_instance_id, status FROM joblogs_jobinstance WHERE name = ? ORDER BY id",
            name,
        )
    ]


def steps(server: Server, job: int) -> dict[str, Step]:
    found: dict[str, Step] = {}
    for name, number, kind, status, *result in rows(
        server,
        "SELECT s.name, s.step_instance_id, s.step_type, s.status, r.host_name, r.status, r.tag,"
        " r.exit_code, r.execute_count, r.role FROM joblogs_hostresult r"
        " JOIN joblogs_stepinstance s ON s.id = r.step_id"
        " JOIN joblogs_jobinstance j ON j.id = s.job_id WHERE j.job_instance_id = ?"
        " ORDER BY s.position, r.host_name, r.role, r.execute_count",
        job,
    ):
        step = found.setdefault(name, Step(number, kind, status, {}))
        step.hosts.setdefault(result[0], []).append(tuple(result[1:]))
    return found


def logs(server: Server, job: int, step: int) -> dict[str, Any]:
    """What each host printed, or which files it got, as the batch endpoint tells it."""
    envelope = server.post(json.dumps(asking(job, step)).encode(), BATCH)
    assert envelope["result"], envelope
    data = envelope["data"]
    names = {host_number(SOURCE, name): name for name in [*names_of(60), "gone"]}
    return {
        names[entry["bk_host_id"]]: entry.get("log_content", entry.get("file_logs"))
        for entry in data.get("script_task_logs", data.get("file_task_logs"))
    }


def exported(server: Server, job: int, step: int) -> dict[str, bytes]:
    """What each host printed, as an export has it: a file for each."""
    path = f"/api/v1/biz/2/export?format=zip&job={job}&step={step}"
    with server.answer("GET", path) as response:
        archive = zipfile.ZipFile(io.BytesIO(response.read()))
    files = json.loads(archive.read("manifest.json"))["files"]
    return {file["host_name"]: archive.read(file["path"]) for file in files}


def shown_on_pages(server: Server, job: int, step: int, texts: dict[str, bytes]) -> set[str]:
    """The hosts whose page shows what they printed, to somebody who logs in with a browser."""
    environment = server.environment | {"DJANGO_SUPERUSER_PASSWORD": SECRET}
    who = f"reader-{job}"
    manage(environment, "createsuperuser", "--noinput", f"--username={who}", "--email=")
    root = f"http://127.0.0.1:{server.port}"
    with requests.Session() as browser:
        login = f"{root}/admin/login/"
        browser.get(login)
        token = browser.cookies["csrftoken"]
        said = {"username": who, "password": SECRET, "csrfmiddlewaretoken": token}
        assert browser.post(login, said | {"next": "/logs/"}).url == f"{root}/logs/"
        pages = f"{root}/logs/biz/2/jobs/{job}/steps/{step}/hosts"
        return {
            name
            for name, text in texts.items()
            if _lines(browser.get(f"{pages}/{host_number(SOURCE, name)}/").text)
            == text.decode(errors="backslashreplace").splitlines()
        }


def _lines(page: str) -> list[str]:
    """The lines of a log that a page shows."""
    lines = re.findall(r'<code dir="ltr">(.*?)</code>', page, re.DOTALL)
    return [html.unescape(re.sub("<[^>]+>", "", line)) for line in lines]


def names_of(count: int) -> list[str]:
    return [f"host-{number:02}" for number in range(count)]


def everything(server: Server, spool: Path) -> bytes:
    """The text of all logs and the names of all else in the store, and what lies in the spool."""
    held = [gzip.decompress(file.read_bytes()) for file in spool.rglob("*.gz*")]
    stored = rows(server, "SELECT job_instance_id, step_instance_id FROM joblogs_jobinstance j"
                  " JOIN joblogs_stepinstance s ON s.job_id = j.id")  # fmt: skip
    for number, step in stored:
        with server.answer("POST", BATCH, json.dumps(asking(number, step)).encode()) as response:
            held.append(response.read())
    for table in ("jobinstance", "stepinstance", "hostresult", "filelog", "host"):
        held.append(repr(rows(server, f"SELECT * FROM joblogs_{table}")).encode())  # noqa: S608
    return b"\n".join(held)


def test_a_play_on_fifty_hosts_is_a_job(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    text = FLEET.format(name="fleet", secret=SECRET, folder=tmp_path)
    with Proxy(server.port) as proxy:
        run = control.play(text, hosts=50, variables=variables(server, spool, proxy.port))
    assert run.code == SOME_HOSTS_FAILED, run
    assert "joblogs" not in run.warnings
    assert list(spool.iterdir()) == []
    [(job, status)] = jobs(server, "fleet")
    assert status == 4
    told = steps(server, job)
    assert list(told) == ["report", "a secret", "a secret in a loop", "each", "copy a file"]
    names = names_of(50)
    broken = {name for name in names if name.endswith("7")}
    whole = [name for name in names if name not in broken]

    report = logs(server, job, told["report"].number)
    assert report == {name: f"{name} 部署\n\ufffd\n[stderr]\nwarned\n" for name in names}
    assert told["report"].status == 4
    assert told["report"].hosts == {
        name: [(104, "failed", 3, 0, 0) if name in broken else (9, "changed", 0, 0, 0)]
        for name in names
    }
    each = logs(server, job, told["each"].number)
    loop = "[item: first] ok\nfirst on {0}\n[item: second] ok\nsecond on {0}\n"
    assert each == {name: loop.format(name) for name in whole}

    assert logs(server, job, told["a secret"].number) == dict.fromkeys(whole, f"{HIDDEN}\n")
    assert logs(server, job, told["a secret in a loop"].number) == dict.fromkeys(
        whole, f"[item] ok\n{HIDDEN}\n" * 2
    )
    assert SECRET.encode() not in everything(server, spool)

    copied = logs(server, job, told["copy a file"].number)
    assert told["copy a file"].kind == 2
    assert {name for name in copied if copied[name]} == {"host-01", "host-02"}
    [moved] = copied["host-01"]
    assert (moved["mode"], moved["src_path"], moved["status"]) == (1, "(content)", 4)
    assert (moved["dest_path"], moved["size"]) == (f"{tmp_path}/host-01", "5.0 Bytes")
    raw = {name: f"{name} 部署\n".encode() + b"\xff\n[stderr]\nwarned\n" for name in names}
    assert exported(server, job, told["report"].number) == raw
    assert shown_on_pages(server, job, told["report"].number, raw) == set(names)
    # Hundreds of records; how many requests that is depends on how long the play takes.
    assert 0 < proxy.connections < 40


def test_while_the_store_is_away_the_play_goes_on_and_the_next_run_brings_it_all(
    server: Server, control: Control, spool: Path, tmp_path: Path, dead_port: int
) -> None:
    text = FLEET.format(name="away", secret=SECRET, folder=tmp_path)
    run = control.play(text, hosts=5, variables=variables(server, spool, dead_port))
    assert run.code == 0, run
    assert run.warnings.count("[WARNING]: joblogs") == 1
    assert "goes with the next run" in run.warnings
    assert SECRET not in run.warnings
    assert jobs(server, "away") == []
    waiting = list(spool.glob("ansible-*/*.ndjson.gz"))
    assert waiting
    assert all(file.stat().st_mode & 0o77 == 0 for file in waiting)
    assert SECRET.encode() not in everything(server, spool)

    for name in ("host-01", "host-02"):
        (tmp_path / name).unlink()
    again = text.replace("name: away", "name: back")
    assert control.play(again, hosts=5, variables=variables(server, spool)).code == 0
    assert list(spool.iterdir()) == []
    assert control.play(again, hosts=1, variables=variables(server, spool)).code == 0
    assert [status for _, status in jobs(server, "away")] == [3]
    assert [status for _, status in jobs(server, "back")] == [3, 3]
    found = [steps(server, job) for name in ("away", "back") for job, _ in jobs(server, name)[:1]]
    away, back = found
    assert {name: step.hosts for name, step in away.items()} == {
        name: step.hosts for name, step in back.items()
    }
    [(job, _)] = jobs(server, "away")
    expected = {name: f"{name} 部署\n\ufffd\n[stderr]\nwarned\n" for name in names_of(5)}
    assert logs(server, job, away["report"].number) == expected


def test_what_is_refused_is_set_aside_and_holds_up_nothing(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    earlier = spool / "ansible-0000000000001-left"
    earlier.mkdir(parents=True)
    (earlier / "000001.ndjson.gz").write_bytes(gzip.compress(b'{"type": "job"}'))
    text = FLEET.format(name="refused", secret=SECRET, folder=tmp_path)
    run = control.play(text, hosts=1, variables=variables(server, spool))
    assert (run.code, "1 refused, first a job" in run.warnings) == (0, True)
    assert [status for _, status in jobs(server, "refused")] == [3]
    assert [file.name for file in spool.rglob("*.gz")] == ["000001.refused.gz"]
    assert "joblogs" not in control.play(text, hosts=1, variables=variables(server, spool)).warnings


def test_mishaps_keep_their_statuses(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    more = "- name: included\n  ansible.builtin.debug:\n    msg: more\n"
    (tmp_path / "more.yml").write_text(more, encoding="utf-8")
    text = MISHAPS.format(folder=tmp_path)
    where = variables(server, spool)
    run = control.play(text, hosts=1, variables=where, limit="all")
    assert run.code != 0
    [(job, status)] = jobs(server, "mishaps")
    [(lost, lost_status)] = jobs(server, "unreachable")
    told, host = steps(server, job), "host-00"
    assert {name: (step.status, step.hosts[host]) for name, step in told.items()} == {
        "ignored": (6, [(104, "ignored", 5, 0, 0)]),
        "until": (
            3,
            [(104, "retried", 1, 0, 0), (104, "retried", 1, 1, 0), (9, "changed", 0, 2, 0)],
        ),
        "skipped": (5, [(9, "skipped", None, 0, 0)]),
        "fails": (6, [(11, "rescued", None, 0, 0)]),
        "rescue": (3, [(9, "ok", None, 0, 0)]),
        "fetch": (3, [(9, "changed", None, 0, 0), (9, "changed", None, 0, 1)]),
        "included": (3, [(9, "ok", None, 0, 0)] * 2),
    }
    texts = {name: logs(server, job, step.number)[host] for name, step in told.items()}
    assert texts["ignored"] == "oops\n"
    assert texts["until"] == "try 3\n"
    assert texts["fails"] == "no good\n"
    [sent] = texts["fetch"]
    assert (sent["mode"], sent["src_path"], sent["status"]) == (0, f"{tmp_path}/tries", 4)
    reach = steps(server, lost)["reach"]
    assert (reach.status, lost_status) == (4, 4)
    assert [(row[0], row[1]) for row in reach.hosts["gone"]] == [(1, "unreachable")]
    assert logs(server, lost, reach.number)["gone"].endswith("no route\n")
    assert status == 3


def test_a_play_that_is_stopped_is_told_as_stopped(
    server: Server, control: Control, spool: Path
) -> None:
    text = STOPPED
    with control.start(text, hosts=1, variables=variables(server, spool)) as process:
        for _ in waited_for(lambda: jobs(server, "stopped")):
            pass
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it, to workers too
        process.communicate(timeout=PATIENCE_SECONDS)
    [(job, status)] = jobs(server, "stopped")
    told = steps(server, job)["sleep"]
    assert (status, told.status, told.hosts["host-00"]) == (11, 4, [(403, "stopped", None, 0, 0)])


def test_what_was_forbidden_is_kept_and_goes_when_it_is_granted(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    made = manage(server.environment, "create_app", "narrow", "--scope=biz:9", "--write")
    keys = {"JOBLOGS_APP_CODE": "narrow", "JOBLOGS_APP_SECRET": made.splitlines()[-1]}
    where = variables(server, spool) | keys
    text = FLEET.format(name="forbidden", secret=SECRET, folder=tmp_path)
    run = control.play(text, hosts=1, variables=where)
    assert (run.code, "scope biz:2 is not granted" in run.warnings) == (0, True)
    assert jobs(server, "forbidden") == []
    manage(server.environment, "create_app", "narrow", "--scope=biz:2", "--write")
    assert "joblogs" not in control.play(text, hosts=1, variables=where).warnings
    assert [status for _, status in jobs(server, "forbidden")] == [3, 3]
    assert list(spool.iterdir()) == []


def test_check_mode_says_so_and_moves_nothing(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    text = FLEET.format(name="checked", secret=SECRET, folder=tmp_path)
    where = variables(server, spool)
    assert control.play(text, "--check", hosts=2, variables=where).code == 0
    [(job, status)] = jobs(server, "checked [check mode]")
    copied = steps(server, job)["copy a file"]
    assert (status, copied.hosts["host-01"]) == (3, [(9, "changed (check mode)", None, 0, 0)])
    [moved] = logs(server, job, copied.number)["host-01"]
    assert (moved["status"], moved["process"]) == (1, "--")
    assert "nothing was moved" in moved["log_content"]
    assert not (tmp_path / "host-01").exists()


def test_without_configuration_it_does_nothing(control: Control, tmp_path: Path) -> None:
    text = FLEET.format(name="unknown", secret=SECRET, folder=tmp_path)
    run = control.play(text, hosts=1, variables={})
    assert (run.code, "joblogs" in run.warnings) == (0, False)
    assert not (tmp_path / ".joblogs").exists()


def test_it_is_configured_by_three_lines(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    rights = ("--scope=biz:2", "--write")
    secret = manage(server.environment, "create_app", "ansible", *rights).splitlines()[-1]
    (tmp_path / "secret").write_text(f"{secret}\n", encoding="utf-8")
    url = variables(server, spool)["JOBLOGS_URL"]
    lines = f"url = {url}\nscope = biz:2\napp_secret_file = {tmp_path}/secret\n"
    (tmp_path / "ansible.cfg").write_text(f"[callback_joblogs]\n{lines}", encoding="utf-8")
    text = FLEET.format(name="configured", secret=SECRET, folder=tmp_path)
    assert control.play(text, hosts=1, variables={}).code == 0
    assert [status for _, status in jobs(server, "configured")] == [3]
    assert list((tmp_path / ".joblogs").iterdir()) == []


def test_ansible_can_document_it(control: Control, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ansible", "doc", "--type=callback", "joblogs", "--json"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CALLBACK_PLUGINS": str(tmp_path / "callback_plugins"),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    options = json.loads(done.stdout)["joblogs"]["doc"]["options"]
    page = (FILES.parents[1] / "docs" / "ansible.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z_]+)` \| `JOBLOGS_", page, re.MULTILINE)) == set(options)


def test_the_number_of_a_host_is_made_of_source_and_name() -> None:
    digest = hashlib.sha256(b"ansible\0web-1").hexdigest()
    assert host_number("ansible", "web-1") == 2**52 + int(digest[:13], 16)
    assert ship_log.host_number("ansible", "web-1") == host_number("ansible", "web-1")


@pytest.mark.parametrize("sender", [ansible_callback, ship_log])
def test_pieces_are_text_where_the_whole_is(sender: Any) -> None:
    for data in ("部".encode() * 200_000, b"x" + "😀".encode() * 200_000):
        parts = list(sender.pieces(data))
        assert "".join(content["content"] for _, content in parts).encode() == data
        assert all(len(content["content"].encode()) <= 1 << 18 for _, content in parts)
    data = b"\x80\xff" * 300_000
    parts = list(sender.pieces(data))
    assert b"".join(base64.b64decode(part["content_base64"]) for _, part in parts) == data
    assert [start for start, _ in parts] == sorted({start for start, _ in parts})


def test_it_imports_nothing_but_ansible_and_the_standard_library() -> None:
    tree = ast.parse((FILES / "ansible_callback.py").read_text("utf-8"), feature_version=(3, 10))
    assert imported(tree) <= sys.stdlib_module_names | {"ansible"}
