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

from joblogs.shippers import ansible_callback, ship_log
from joblogs.shippers.ansible_callback import HIDDEN, host_number
from tests.builders import BATCH, asking
from tests.serving import Server, manage
from tests.shippers.conftest import FILES, Limiter, Proxy, rows, variables
from tests.shippers.test_ship_log import imported, waited_for

TIMEOUT_SECONDS = 120
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
            out, warnings = process.communicate(timeout=TIMEOUT_SECONDS)
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


def test_a_play_on_twenty_hosts_is_a_job(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    text = FLEET.format(name="fleet", secret=SECRET, folder=tmp_path)
    with Proxy(server.port) as proxy:
        run = control.play(text, hosts=20, variables=variables(server, spool, proxy.port))
    assert run.code == SOME_HOSTS_FAILED, run
    assert "joblogs" not in run.warnings
    assert list(spool.iterdir()) == []
    [(job, status)] = jobs(server, "fleet")
    assert status == 4
    told = steps(server, job)
    assert list(told) == ["report", "a secret", "a secret in a loop", "each", "copy a file"]
    names = names_of(20)
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
    run = control.play(text, hosts=3, variables=variables(server, spool, dead_port))
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
    assert control.play(again, hosts=3, variables=variables(server, spool)).code == 0
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
    expected = {name: f"{name} 部署\n\ufffd\n[stderr]\nwarned\n" for name in names_of(3)}
    assert logs(server, job, away["report"].number) == expected


def test_a_store_that_is_asked_too_often_is_asked_again_when_it_says(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    text = FLEET.format(name="often", secret=SECRET, folder=tmp_path)
    with Limiter(server.port, refusals=2, seconds=3) as limiter:
        run = control.play(text, hosts=1, variables=variables(server, spool, limiter.port))
    assert (run.code, "joblogs" in run.warnings) == (0, False)
    assert (limiter.early, limiter.requests > 2) == (0, True)
    assert [status for _, status in jobs(server, "often")] == [3]
    assert list(spool.iterdir()) == []


def test_a_play_does_not_wait_for_a_store_that_wants_to_be_asked_much_later(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    text = FLEET.format(name="asked much later", secret=SECRET, folder=tmp_path)
    with Limiter(server.port, refusals=1, seconds=9000) as limiter:
        run = control.play(text, hosts=1, variables=variables(server, spool, limiter.port))
    assert (run.code, limiter.requests, limiter.early) == (0, 1, 0)
    assert "goes with the next run" in run.warnings
    assert "HTTP 429" in run.warnings
    assert jobs(server, "asked much later") == []


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
        process.communicate(timeout=TIMEOUT_SECONDS)
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
    assert (moved["status"], moved["process"]) == (4, "--")
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


OUTPUT = r"""
- name: output
  hosts: all
  gather_facts: false
  vars: {pw: hunter2-w0rd, key: t0ken-0f-n0body}
  tasks:
    - name: nested
      ansible.builtin.shell: echo started; echo 'worker exited with a non-zero return code'
    - name: both
      ansible.builtin.shell: echo out; echo 'a non-zero return code' >&2; exit 4
      ignore_errors: true
    - name: list
      said: {stdout: ["a\nb", "c"]}
    - name: assertion
      ansible.builtin.assert: {that: ["1 == 1", "inventory_hostname == 'db-9'"]}
      ignore_errors: true
    - name: packages
      said: {fail: true, msg: some failed, failures: [no nginx-9], results: ["installed: curl"]}
      ignore_errors: true
    - name: exception
      said: {fail: true, msg: could not parse, raises: true}
      ignore_errors: true
    - name: async
      ansible.builtin.shell: sleep 9
      async: 1
      poll: 1
      ignore_errors: true
    - name: items
      ansible.builtin.shell: "echo out-{{ item }}; test {{ item }} = a"
      loop: [a, b]
      register: tried
      until: tried.rc == 0
      retries: 1
      delay: 0
      ignore_errors: true
    - name: secret arguments
      ansible.builtin.get_url:
        url: "http://127.0.0.1:9/f?token={{ key }}"
        dest: "{{ playbook_dir }}/{{ key }}"
        url_username: me
        url_password: "{{ key }}"
      ignore_errors: true
    - name: at sign
      ansible.builtin.get_url: {url: "http://bob:Half@{{ pw }}@127.0.0.1:9/f", dest: x}
      ignore_errors: true
    - name: slash
      ansible.builtin.get_url: {url: "http://bob:Sl/{{ pw }}@127.0.0.1:9/f", dest: x}
      ignore_errors: true
    - block:
        - name: missing
          ansible.builtin.include_tasks: no_such_file.yml
      rescue:
        - name: instead
          ansible.builtin.debug: {msg: "{{ day }}"}
          vars: {day: 2017-03-07T10:20:49Z}
"""
SAID = """
from ansible.module_utils.basic import AnsibleModule
options = dict(stdout="raw", fail="bool", msg="str", failures="list", results="list",
               raises="bool", diff="raw", facts="dict")
module = AnsibleModule({k: {"type": v} for k, v in options.items()}, supports_check_mode=True)
said = {k: v for k, v in module.params.items() if v is not None}
if said.pop("raises", None):
    try:
        int("x")
    except ValueError as error:
        said["exception"] = error
if isinstance(said.get("stdout"), list):
    said["stdout_lines"] = [text.split("\\n") for text in said["stdout"]]
if "facts" in said:
    said["ansible_facts"] = said.pop("facts")
(module.fail_json if said.pop("fail", None) else module.exit_json)(**said)
"""


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """A module that says what it is told to."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "said.py").write_text(f"#!/usr/bin/python\n{SAID}", "utf-8")
    return tmp_path


def texts_of(server: Server, job: int) -> dict[str, dict[str, Any]]:
    """What each host printed, by the names of the steps."""
    return {name: logs(server, job, step.number) for name, step in steps(server, job).items()}


def test_output_and_causes_are_told_as_they_are(
    server: Server, control: Control, spool: Path, modules: Path
) -> None:
    where = variables(server, spool) | {"ANSIBLE_ASYNC_DIR": str(modules / "async")}
    run = control.play(OUTPUT, hosts=1, variables=where)
    assert (run.code, "joblogs" in run.warnings) == (0, False), run
    [(job, _)] = jobs(server, "output")
    told, host = texts_of(server, job), "host-00"
    texts = {name: text[host] for name, text in told.items() if isinstance(text[host], str)}
    assert texts["nested"] == "started\nworker exited with a non-zero return code\n"
    assert texts["both"] == "out\n[stderr]\na non-zero return code\n"
    assert texts["list"] == "a\nb\nc\n"
    assert "inventory_hostname == 'db-9' evaluated to false" in texts["assertion"]
    assert texts["packages"].endswith("[failures]\nno nginx-9\n[results]\ninstalled: curl\n")
    assert "invalid literal" in texts["exception"]
    assert texts["items"].splitlines() == [
        *("[item: a] changed", "out-a"),
        *("[item: b] retried", "out-b", "[item: b] failed", "out-b"),
    ]
    assert "no_such_file.yml" in texts["missing"]
    assert texts["instead"] in ("2017-03-07T10:20:49+00:00\n", "2017-03-07 10:20:49+00:00\n")
    found = steps(server, job)
    assert found["async"].hosts[host][0][:2] == (102, "ignored")
    assert found["missing"].hosts[host][0][:2] == (11, "rescued")
    sources = {
        name: told[name][host][0]["src_path"] for name in ("secret arguments", "at sign", "slash")
    }
    assert sources == {
        "secret arguments": "http://127.0.0.1:9/f?token=********",
        "at sign": "http://127.0.0.1:9/f",
        "slash": "http://127.0.0.1:9/f",
    }
    held = everything(server, spool)
    assert [word for word in (b"hunter2-w0rd", b"t0ken-0f-n0body") if word in held] == []


DIFFS = """
- name: diffs
  hosts: all
  gather_facts: false
  tasks:
    - name: file
      ansible.builtin.copy: {content: "port = 80\\n", dest: "{{ playbook_dir }}/conf"}
    - name: line
      ansible.builtin.lineinfile: {path: "{{ playbook_dir }}/conf", line: "{{ item }}"}
      loop: [one, two]
    - name: prepared
      said: {diff: [{prepared: "+ vlan 7"}, {before: {a: 1}, after: {a: 2}}]}
      changed_when: true
    - name: unchanged
      said: {diff: {prepared: "+ never-shown"}}
    - name: hidden
      ansible.builtin.copy: {content: never-shown, dest: "{{ playbook_dir }}/other"}
      no_log: true
    - name: turned off
      said: {diff: {prepared: "+ never-shown"}}
      diff: false
      changed_when: true
    - name: checked
      ansible.builtin.copy: {content: "port = 81\\n", dest: "{{ playbook_dir }}/conf"}
      check_mode: true
"""


def test_what_diff_shows_is_a_part_of_the_log(
    server: Server, control: Control, spool: Path, modules: Path
) -> None:
    where = variables(server, spool)
    assert control.play(DIFFS, "--diff", hosts=1, variables=where).code == 0
    [(job, _)] = jobs(server, "diffs")
    told = {name: text["host-00"] for name, text in texts_of(server, job).items()}
    [moved] = told["file"]
    conf = f"{modules}/conf"
    assert moved["log_content"].endswith(
        f"changed\n--- before\n+++ after: {conf}\n@@ -0,0 +1 @@\n+port = 80\n"
    )
    change = f"--- before: {conf} (content)\n+++ after: {conf} (content)\n"
    first = f"[item: one] changed\nline added\n[diff]\n{change}@@ -1 +1,2 @@\n port = 80\n+one\n"
    second = f"[item: two] changed\nline added\n[diff]\n{change}@@ -1,2 +1,3 @@\n port = 80\n one\n"
    assert told["line"] == f"{first}{second}+two\n"
    assert told["prepared"] == (
        '+ vlan 7\n--- before\n+++ after\n@@ -1,3 +1,3 @@\n {\n-    "a": 1\n+    "a": 2\n }\n'
    )
    assert (told["unchanged"], told["turned off"]) == ("", "")
    assert b"never-shown" not in everything(server, spool)
    [checked] = told["checked"]
    assert "nothing was moved" in checked["log_content"]
    assert checked["log_content"].endswith("-port = 80\n-one\n-two\n+port = 81\n")
    (modules / "conf").unlink()
    again = DIFFS.replace("name: diffs", "name: no diffs")
    assert control.play(again, hosts=1, variables=where).code == 0
    [(job, _)] = jobs(server, "no diffs")
    assert "@@" not in json.dumps(texts_of(server, job))


FACTS = """
- name: facts
  hosts: all
  gather_facts: false
  tasks:
    - name: of another
      said: {facts: {ansible_default_ipv4: {address: 10.20.0.99}}}
      delegate_to: host-02
      delegate_facts: "{{ inventory_hostname == 'host-00' }}"
      when: inventory_hostname != 'host-02'
    - name: own
      said: {facts: {ansible_default_ipv4: {address: "10.20.0.{{ item }}"}}}
      vars: {item: "{{ 10 + groups['all'].index(inventory_hostname) }}"}
    - name: later
      said: {facts: {ansible_default_ipv4: {address: "10.20.1.{{ item }}"}}}
      vars: {item: "{{ 10 + groups['all'].index(inventory_hostname) }}"}
    - name: looped
      ansible.builtin.raw: echo "for {{ item }}"
      delegate_to: "{{ item }}"
      loop: [host-01, host-02]
    - name: skipped
      ansible.builtin.raw: echo never
      delegate_to: "{{ nowhere | default('host-01') }}"
      when: false
    - name: by a variable
      ansible.builtin.raw: echo drained
      delegate_to: "{{ groups['all'][1] }}"
"""


def test_addresses_are_of_own_facts_and_tags_say_where_it_ran(
    server: Server, control: Control, spool: Path, modules: Path
) -> None:
    assert control.play(FACTS, hosts=3, variables=variables(server, spool)).code == 0
    [(job, _)] = jobs(server, "facts")
    known = rows(
        server,
        "SELECT s.name, r.ip FROM joblogs_hostresult r"
        " JOIN joblogs_stepinstance s ON s.id = r.step_id"
        " JOIN joblogs_jobinstance j ON j.id = s.job_id"
        " WHERE j.job_instance_id = ? AND r.host_name = 'host-00' ORDER BY s.position",
        job,
    )
    before, between, after = [None, None], ["10.20.0.10"], ["10.20.1.10"] * 3
    assert [ip or None for _, ip in known] == [*before, *between, *after]
    found = steps(server, job)
    tags = {name: step.hosts["host-00"][0][1] for name, step in found.items()}
    assert tags["of another"].endswith("ok, on host-02")
    assert tags["looped"] == "changed, on host-01, host-02"
    assert (tags["skipped"], tags["by a variable"]) == ("skipped", "changed, on host-01")
    assert "[item: host-02] changed, on host-02" in texts_of(server, job)["looped"]["host-00"]


RESCUES = """
- name: rescued
  hosts: host-01
  gather_facts: false
  tasks:
    - block:
        - block:
            - ansible.builtin.import_role: {name: failing}
          rescue:
            - name: fails inside another block
              ansible.builtin.command: "false"
      rescue:
        - ansible.builtin.debug: {msg: fine}
- name: rescues
  hosts: host-00
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.import_tasks: outer.yml
      rescue:
        - name: fails in rescue
          ansible.builtin.command: "false"
      always:
        - name: inside always
          block:
            - name: fails in a block of always
              ansible.builtin.command: "false"
          rescue:
            - ansible.builtin.debug: {msg: fine}
        - name: fails in always
          ansible.builtin.command: "false"
"""


def test_it_tells_which_failures_were_rescued(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    failing = "- name: {}\n  ansible.builtin.command: 'false'\n"
    (tmp_path / "outer.yml").write_text("- ansible.builtin.import_tasks: inner.yml\n", "utf-8")
    (tmp_path / "inner.yml").write_text(failing.format("imported twice"), "utf-8")
    role = tmp_path / "roles" / "failing" / "tasks"
    role.mkdir(parents=True)
    (role / "main.yml").write_text(failing.format("in the role"), "utf-8")
    where = variables(server, spool)
    run = control.play(RESCUES, hosts=2, variables=where)
    assert run.code == SOME_HOSTS_FAILED, run
    assert "joblogs" not in run.warnings
    [(job, status)], [(other, well)] = jobs(server, "rescues"), jobs(server, "rescued")
    tags = {
        name: result[1]
        for number in (job, other)
        for name, step in steps(server, number).items()
        for [result] in step.hosts.values()
        if result[0] != 9
    }
    assert tags == {
        "imported twice": "rescued",
        "fails in rescue": "failed",
        "fails in a block of always": "rescued",
        "fails in always": "failed",
        "failing : in the role": "rescued",
        "fails inside another block": "rescued",
    }
    assert (status, well) == (4, 3)


ROLLING = """
- name: rolling
  hosts: all
  gather_facts: false
  serial: 1
  tasks:
    - name: deploy
      ansible.builtin.command: echo {{ inventory_hostname }}
    - name: check
      ansible.builtin.command: test {{ inventory_hostname }} != host-01
"""


def test_hosts_that_a_stopped_rolling_play_did_not_reach_are_not_run(
    server: Server, control: Control, spool: Path
) -> None:
    where = variables(server, spool)
    assert control.play(ROLLING, hosts=4, variables=where).code == SOME_HOSTS_FAILED
    [(job, status)] = jobs(server, "rolling")
    told = {
        name: (step.status, {host: result[0][1] for host, result in step.hosts.items()})
        for name, step in steps(server, job).items()
    }
    missed = dict.fromkeys(["host-02", "host-03"], "not run")
    deployed = {"host-00": "changed", "host-01": "changed"}
    assert told == {
        "deploy": (11, deployed | missed),
        "check": (4, deployed | {"host-01": "failed"} | missed),
    }
    assert status == 4
    text = ROLLING.replace("!= host-01", "!= gone").replace("name: rolling", "name: rolled")
    assert control.play(text, hosts=3, variables=where).code == 0
    [(job, status)] = jobs(server, "rolled")
    found = steps(server, job)
    assert (status, [(step.status, len(step.hosts)) for step in found.values()]) == (
        3,
        [(3, 3)] * 2,
    )


FREE = """
- name: steps {strategy}
  hosts: all
  gather_facts: true
  gather_subset: "!all,!min"
  strategy: {strategy}
  tasks:
    - name: uneven
      ansible.builtin.raw: "sleep 0.{{{{ groups['all'].index(inventory_hostname) }}}}"
      notify: handle
    - ansible.builtin.include_tasks: more.yml
      loop: [a, a, b]
    - ansible.builtin.include_tasks: more.yml
      when: inventory_hostname != 'host-01'
    - name: last
      ansible.builtin.raw: echo last
  handlers:
    - name: handle
      ansible.builtin.raw: echo handled
"""


@pytest.mark.parametrize("strategy", ["linear", "free", "host_pinned"])
def test_a_task_is_one_step_under_every_strategy(
    server: Server, control: Control, spool: Path, tmp_path: Path, strategy: str
) -> None:
    (tmp_path / "more.yml").write_text("- name: more\n  ansible.builtin.raw: echo x\n", "utf-8")
    text = FREE.format(strategy=strategy)
    assert control.play(text, hosts=4, variables=variables(server, spool)).code == 0
    [(job, _)] = jobs(server, f"steps {strategy}")
    counted = rows(
        server,
        "SELECT s.name, COUNT(*), MIN(s.status) FROM joblogs_hostresult r"
        " JOIN joblogs_stepinstance s ON s.id = r.step_id"
        " JOIN joblogs_jobinstance j ON j.id = s.job_id WHERE j.job_instance_id = ?"
        " GROUP BY s.id, s.name ORDER BY MIN(s.position)",
        job,
    )
    assert sorted(counted) == sorted([
        *(("Gathering Facts", 4, 3), ("uneven", 4, 3), ("last", 4, 3), ("handle", 4, 3)),
        *[("more", 4, 3)] * 3,
        ("more", 3, 3),
    ])  # fmt: skip


def test_it_says_once_where_each_play_can_be_seen(
    public_server: Server, control: Control, spool: Path
) -> None:
    text = ROLLING.replace("!= host-01", "!= gone")
    run = control.play(text, hosts=2, variables=variables(public_server, spool))
    [(job, _)] = jobs(public_server, "rolling")
    url = f"https://logs.example.com/logs/biz/2/jobs/{job}/"
    assert run.warnings.count(f"joblogs: rolling: {url}") == 1


def test_wrong_credentials_are_told_with_what_to_do(
    server: Server, control: Control, spool: Path
) -> None:
    where = variables(server, spool) | {"JOBLOGS_APP_SECRET": "wrong", "JOBLOGS_TIMEOUT": "60"}
    run = control.play(ROLLING, hosts=1, variables=where)
    assert "look at app_code, which is live" in run.warnings


def test_a_spool_behind_a_link_is_not_used(
    server: Server, control: Control, spool: Path, tmp_path: Path, dead_port: int
) -> None:
    spool.mkdir()
    (tmp_path / "link").symlink_to(spool)
    run = control.play(ROLLING, hosts=1, variables=variables(server, tmp_path / "link", dead_port))
    assert (run.code, list(spool.iterdir())) == (0, [])
    assert "joblogs" in run.warnings


@pytest.mark.parametrize(
    ("address", "plain"),
    [
        ("https://bob:Half@Pw@host:9/f", "https://host:9/f"),
        ("https://bob:Sl/Pw@host/f", "https://host/f"),
        ("https://bob:Q?w@host/f", "https://host/f"),
        ("https://bob:1/2@host/f", "https://host/f"),
        ("https://bob:pw@host/f?mail=a@b", "https://host/f?mail=a@b"),
        ("https://token@host/f", "https://host/f"),
        ("https://host/@scope/f", "https://host/@scope/f"),
        ("https://host:8443/@scope/f", "https://host:8443/@scope/f"),
        ("https://host.example:80/a@b", "https://host.example:80/a@b"),
        ("https://host/f?mail=a@b", "https://host/f?mail=a@b"),
        ("/data/a@b", "/data/a@b"),
    ],
)
def test_an_address_loses_its_whole_password(address: str, plain: str) -> None:
    assert ansible_callback.without_password(address) == plain


def test_it_is_a_collection_that_can_be_built_read_and_used(
    server: Server, control: Control, spool: Path, tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    collections = tmp_path / "collections"

    def ansible(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "ansible", *arguments],
            cwd=tmp_path,
            env=environment | {"ANSIBLE_COLLECTIONS_PATH": str(collections)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    ansible("galaxy", "collection", "build", str(FILES / "collection"))
    [archive] = tmp_path.glob("joblogs-store-*.tar.gz")
    ansible("galaxy", "collection", "install", "--offline", f"-p={collections}", str(archive))
    [plugin] = collections.rglob("joblogs.py")
    assert plugin.read_bytes() == (FILES / "ansible_callback.py").read_bytes()
    assert not plugin.is_symlink()
    page = ansible("doc", "--type=callback", "joblogs.store.joblogs", "--json")
    doc = json.loads(page)["joblogs.store.joblogs"]["doc"]
    assert (doc["collection"], "app_secret_file" in doc["options"]) == ("joblogs.store", True)
    shutil.rmtree(control.folder / "callback_plugins")
    where = variables(server, spool) | {
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CALLBACKS_ENABLED": "joblogs.store.joblogs",
    }
    text = ROLLING.replace("name: rolling", "name: collected").replace("!= host-01", "!= gone")
    assert control.play(text, hosts=1, variables=where).code == 0
    assert [status for _, status in jobs(server, "collected")] == [3]
