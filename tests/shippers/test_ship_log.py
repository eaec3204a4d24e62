"""`ship_log.py`, run as others run it: against a server, through connections that break."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import joblogs
from joblogs.shippers import ship_log
from tests.builders import job, lines, script_log
from tests.serving import Server, manage
from tests.shippers.conftest import ANSWER, FILES, Limiter, Proxy, holds, rows, variables

SHIP_LOG = FILES / "ship_log.py"
TIMEOUT_SECONDS = 30
NOT_FOUND = 127
# No UTF-8 by itself anywhere near, and nothing that gzip could make short.
NOISE = hashlib.shake_128(b"noise").digest(3_000_000)
COPY = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"


class Shipped(NamedTuple):
    """A run as the store has it."""

    job: int
    step: int
    host: int
    job_status: int
    step_status: int
    host_status: int
    exit_code: int | None
    declared: int | None


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-W", "error", str(SHIP_LOG), *map(str, arguments)]


def ship(
    environment: dict[str, str], *arguments: str | Path, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run it to its end, with nothing in its environment but what it needs."""
    return subprocess.run(
        command(*arguments),
        env={"PATH": os.environ["PATH"], **environment},
        input=given,
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
    )


def shipped(server: Server, name: str) -> Shipped:
    """The only run of this name."""
    found = rows(
        server,
        "SELECT j.job_instance_id, s.step_instance_id, r.bk_host_id, j.status, s.status, r.status,"
        " r.exit_code, r.declared_size FROM joblogs_hostresult r"
        " JOIN joblogs_stepinstance s ON s.id = r.step_id"
        " JOIN joblogs_jobinstance j ON j.id = s.job_id WHERE j.name = ?",
        name,
    )
    assert len(found) == 1, found
    return Shipped(*found[0])


def has(server: Server, name: str, data: bytes) -> bool:
    run = shipped(server, name)
    return holds(server, data, job=run.job, step=run.step, host=run.host)


def waited_for(condition: Any) -> Iterator[None]:
    """Poll: what is waited for happens in another process."""
    until = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
        yield


def spooled(spool: Path) -> bytes:
    """What the only spool holds so far."""
    logs = list(spool.glob("ship-*/log"))
    return logs[0].read_bytes() if logs else b""


def test_a_command_is_shipped_with_its_output_and_exit_code(server: Server, spool: Path) -> None:
    script = "printf '部署 ok\\n'; printf 'bad \\377\\n' >&2; printf 'no newline'; exit 3"
    run = ship(variables(server, spool), "--job-name=both", "--", "sh", "-c", script)
    printed = "部署 ok\n".encode() + b"bad \xff\nno newline"
    assert (run.returncode, run.stdout, run.stderr) == (3, printed, b"")
    assert has(server, "both", printed)
    assert shipped(server, "both")[3:] == (4, 4, 104, 3, len(printed))
    assert list(spool.iterdir()) == []


def test_standard_input_is_shipped_and_passed_on(server: Server, spool: Path) -> None:
    run = ship(variables(server, spool), "--job-name=piped", given=NOISE[:100_000])
    assert (run.returncode, run.stdout, run.stderr) == (0, NOISE[:100_000], b"")
    assert has(server, "piped", NOISE[:100_000])
    assert shipped(server, "piped")[3:] == (3, 3, 9, None, 100_000)


def test_a_connection_that_is_cut_three_times_costs_no_byte(
    server: Server, spool: Path, tmp_path: Path
) -> None:
    (tmp_path / "noise").write_bytes(NOISE)
    with Proxy(server.port, cuts=[100, 1_000_000, ANSWER]) as proxy:
        copy = [sys.executable, "-c", COPY, str(tmp_path / "noise")]
        where = variables(server, spool, proxy.port)
        run = ship(where, "--job-name=cut", "--wait=25", "--", *copy)
        assert proxy.left == 0
    assert (run.returncode, run.stdout == NOISE, run.stderr) == (0, True, b"")
    assert has(server, "cut", NOISE)
    assert shipped(server, "cut").declared == len(NOISE)


def test_what_a_killed_run_had_spooled_is_sent_by_resume(server: Server, spool: Path) -> None:
    where = variables(server, spool)
    script = "head -c 300000 /dev/urandom; sleep 20"
    process = subprocess.Popen(
        command("--job-name=killed", "--", "sh", "-c", script),
        env={"PATH": os.environ["PATH"], **where},
        stdout=subprocess.DEVNULL,
    )
    for _ in waited_for(lambda: len(spooled(spool)) == 300_000):
        pass
    busy = ship(where, "--resume")
    assert (busy.returncode, len(spooled(spool))) == (0, 300_000), (
        "a run that goes on is left alone"
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    held = spooled(spool)
    assert ship(where, "--resume").returncode == 0
    assert has(server, "killed", held)
    assert shipped(server, "killed")[3:] == (9, 9, 500, None, None)
    assert list(spool.iterdir()) == []
    assert ship(where, "--resume").returncode == 0


def test_a_store_that_is_away_only_delays_the_log(
    server: Server, spool: Path, dead_port: int
) -> None:
    away = variables(server, spool, dead_port)
    run = ship(away, "--job-name=later", "--wait=0", "--", "sh", "-c", "echo one; exit 5")
    assert (run.returncode, run.stdout) == (5, b"one\n")
    assert len(run.stderr.splitlines()) == 1
    assert ship(away, "--resume", "--wait=0").returncode == 1
    assert ship(variables(server, spool), "--resume").returncode == 0
    assert has(server, "later", b"one\n")
    assert shipped(server, "later")[3:] == (4, 4, 104, 5, 4)


def test_a_store_that_is_asked_too_often_is_asked_again_when_it_says(
    server: Server, spool: Path, tmp_path: Path
) -> None:
    (tmp_path / "noise").write_bytes(NOISE * 3)  # so much that each write would wake what sends
    with Limiter(server.port, refusals=2, seconds=2) as limiter:
        where = variables(server, spool, limiter.port)
        copy = [sys.executable, "-c", COPY, str(tmp_path / "noise")]
        run = ship(where, "--job-name=limited", f"--wait={TIMEOUT_SECONDS}", "--", *copy)
    assert (run.returncode, run.stderr, list(spool.iterdir())) == (0, b"", [])
    assert (limiter.early, limiter.requests > 2) == (0, True)
    assert has(server, "limited", NOISE * 3)


def test_what_is_left_is_not_sent_before_the_store_wants_it(
    server: Server, spool: Path, dead_port: int
) -> None:
    for name in ("left-1", "left-2"):
        ship(variables(server, spool, dead_port), f"--job-name={name}", "--wait=0", "--", "true")
    with Limiter(server.port, refusals=1, seconds=2) as limiter:
        run = ship(variables(server, spool, limiter.port), "--resume", "--wait=1")
        assert (run.returncode, limiter.early) == (1, 0)
        assert ship(variables(server, spool, limiter.port), "--resume").returncode == 0
    assert list(spool.iterdir()) == []


def test_a_store_that_never_answers_does_not_hold_up_the_command(
    server: Server, spool: Path, tmp_path: Path
) -> None:
    (tmp_path / "noise").write_bytes(NOISE)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        where = variables(server, spool, silent.getsockname()[1])
        copy = [sys.executable, "-c", COPY, str(tmp_path / "noise")]
        run = ship(where, "--job-name=silent", "--timeout=60", "--wait=0", "--", *copy)
    assert (run.returncode, run.stdout == NOISE) == (0, True)
    assert spooled(spool) == NOISE


def test_a_gap_is_closed_from_where_the_store_says(server: Server, spool: Path) -> None:
    """The spool believes that more was sent than the store has: as after the store's restore."""
    run = ship(variables(server, spool), "--job-name=gap", "--", "echo", "0123456789")
    assert run.returncode == 0
    there = shipped(server, "gap")
    ids = {"job_instance_id": there.job, "step_instance_id": there.step}
    created = rows(server, "SELECT create_time FROM joblogs_jobinstance WHERE name = ?", "gap")
    records = [
        job(there.job, name="gap", create_time=created[0][0]),
        {"type": "step", **ids, "name": "echo", "step_type": 1},
        {"type": "host_result", **ids, "bk_host_id": there.host},
    ]
    keys = json.loads(server.headers["X-Bkapi-Authorization"])
    left = ship_log.Spool.make(spool, records)
    left.log.write_bytes(b"0123456789\nand more\n")
    shipper = ship_log.Shipper(left, ship_log.Store(f"http://127.0.0.1:{server.port}", keys, 10))
    shipper.sent = 17
    shipper.end(20, [records[2]])
    shipper.start()
    shipper.join(TIMEOUT_SECONDS)
    left.close()
    assert (shipper.done, shipper.problem) == (True, "")
    assert has(server, "gap", b"0123456789\nand more\n")


def test_another_log_in_its_place_is_not_fought(server: Server, spool: Path) -> None:
    run = ship(variables(server, spool), "--job-name=other", "--", "echo", "0123456789")
    assert run.returncode == 0
    there = shipped(server, "other")
    assert not has(server, "other", b"012345678X\n")
    piece = script_log("0123X", job=there.job, step=there.step, host=there.host)
    keys = json.loads(server.headers["X-Bkapi-Authorization"])
    store = ship_log.Store(f"http://127.0.0.1:{server.port}", keys, 10)
    refused, _ = store.post([piece])
    assert [(one["reason"], one["expected_offset"]) for one in refused] == [("conflict", 11)]


@pytest.mark.parametrize(
    ("script", "code"),
    [("true", 0), ("exit 42", 42), ("kill -TERM $$", 128 + 15), ("kill -KILL $$", 128 + 9)],
)
def test_the_exit_code_is_the_commands(
    server: Server, spool: Path, dead_port: int, script: str, code: int
) -> None:
    away = variables(server, spool, dead_port)
    run = ship(away, "--job-name=code", "--wait=0", "--", "sh", "-c", script)
    assert run.returncode == code


def test_a_command_that_is_not_there_is_a_failed_run(server: Server, spool: Path) -> None:
    run = ship(variables(server, spool), "--job-name=missing", "--", "/no/such/command")
    assert run.returncode == 127
    assert run.stdout == b"ship_log: /no/such/command: No such file or directory\n"
    assert shipped(server, "missing")[3:7] == (4, 4, 101, 127)


def test_a_signal_to_end_is_handed_on_to_the_command(server: Server, spool: Path) -> None:
    script = "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        command("--job-name=signal", "--", "sh", "-c", script),
        env={"PATH": os.environ["PATH"], **variables(server, spool)},
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b"bye\n"
    assert process.returncode == 7
    assert has(server, "signal", b"ready\nbye\n")


def test_what_a_command_leaves_running_does_not_hold_it_up(
    server: Server, spool: Path, dead_port: int
) -> None:
    away = variables(server, spool, dead_port)
    run = ship(
        away, "--job-name=daemon", "--wait=0", "--", "sh", "-c", "echo on; sleep 40 & exit 4"
    )
    assert (run.returncode, run.stdout) == (4, b"on\n")


def test_without_a_spool_the_command_runs_all_the_same(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = ship(variables(server, tmp_path / "file"), "--job-name=x", "--", "echo", "hello")
    assert (run.returncode, run.stdout) == (0, b"hello\n")
    assert b"nothing is kept or sent" in run.stderr


def test_a_refused_scope_is_told_and_the_log_is_kept(server: Server, spool: Path) -> None:
    where = variables(server, spool) | {"JOBLOGS_APP_SECRET": "wrong"}
    run = ship(where, "--job-name=wrong", "--wait=3", "--", "echo", "hello")
    assert (run.returncode, run.stdout) == (0, b"hello\n")
    assert b"bk_app_secret is incorrect" in run.stderr
    assert spooled(spool) == b"hello\n"
    assert spool.stat().st_mode & 0o77 == 0


def test_wrong_credentials_fail_at_once_with_what_to_do(server: Server, spool: Path) -> None:
    where = variables(server, spool) | {"JOBLOGS_APP_SECRET": "wrong"}
    # It would wait longer than the test has time.
    wait = f"--wait={10 * TIMEOUT_SECONDS}"
    run = ship(where, "--job-name=credentials", wait, "--", "echo", "hello")
    assert run.returncode == 0
    assert b"JOBLOGS_APP_SECRET" in run.stderr
    assert b"create_app live --rotate" in run.stderr
    resumed = ship(where, "--resume", wait)
    assert (resumed.returncode, b"--rotate" in resumed.stderr) == (1, True)
    assert ship(variables(server, spool), "--resume").returncode == 0
    assert has(server, "credentials", b"hello\n")


def test_a_scope_that_is_not_granted_fails_at_once_and_goes_when_it_is(
    server: Server, spool: Path
) -> None:
    made = manage(server.environment, "create_app", "narrow-ship", "--scope=biz:9", "--write")
    keys = {"JOBLOGS_APP_CODE": "narrow-ship", "JOBLOGS_APP_SECRET": made.splitlines()[-1]}
    where = variables(server, spool) | keys
    wait = f"--wait={10 * TIMEOUT_SECONDS}"
    run = ship(where, "--job-name=ungranted", wait, "--", "echo", "hello")
    assert run.returncode == 0
    assert b"create_app narrow-ship --scope biz:2 --write" in run.stderr
    later = ship(where, "--resume")
    assert (later.returncode, later.stderr) == (0, b""), "told before, it fails no cron line"
    assert later.stdout.count(b"refused: ") == 1
    manage(server.environment, "create_app", "narrow-ship", "--scope=biz:2", "--write")
    granted = ship(where, "--resume")
    assert (granted.returncode, granted.stdout, granted.stderr) == (0, b"", b"")
    assert has(server, "ungranted", b"hello\n")


def test_what_can_never_be_sent_is_listed_dropped_and_holds_up_nothing(
    server: Server, spool: Path, dead_port: int
) -> None:
    where = variables(server, spool)
    for number, damage in enumerate([b"{", b"[]", b'[{}, {}, {"bk_host_id": "x"}]', None]):
        folder = spool / f"ship-000000000000{number}-damaged"
        folder.mkdir(parents=True, mode=0o700)
        (folder / "log").write_bytes(b"printed")
        if damage is not None:
            (folder / "run.json").write_bytes(damage)
    away = variables(server, spool, dead_port)
    run = ship(away, "--job-name=behind", "--wait=0", "--", "echo", "hello")
    assert run.returncode == 0
    first = ship(where, "--resume")
    assert (first.returncode, first.stdout.count(b"refused: ")) == (1, 4)
    assert has(server, "behind", b"hello\n")
    again = ship(where, "--resume")
    assert (again.returncode, again.stdout.count(b"refused: "), again.stderr) == (0, 4, b"")
    dropped = ship({"JOBLOGS_SPOOL": str(spool)}, "--drop")
    assert (dropped.returncode, dropped.stdout.count(b"dropped: ")) == (0, 4)
    assert list(spool.iterdir()) == []
    assert ship(where, "--resume").stdout == b""


def test_a_log_whose_place_another_one_took_is_refused_for_good(
    server: Server, spool: Path, dead_port: int
) -> None:
    away = variables(server, spool, dead_port)
    ship(away, "--job-name=taken", "--wait=0", "--", "echo", "0123456789")
    [folder] = spool.glob("ship-*")
    records = json.loads((folder / "run.json").read_text("utf-8"))
    ids = {key: records[2][key] for key in ("job_instance_id", "step_instance_id", "bk_host_id")}
    other = {"type": "script_log", **ids, "offset": 0, "content": "another log\n"}
    server.post(lines(*records, other))
    where = variables(server, spool)
    first = ship(where, "--resume", f"--wait={10 * TIMEOUT_SECONDS}")
    assert (first.returncode, b"holds another log" in first.stderr) == (1, True)
    assert ship(where, "--resume").returncode == 0
    assert b"dropped: " in ship(where, "--resume", "--drop").stdout
    assert list(spool.iterdir()) == []


def test_names_of_any_bytes_are_shipped(server: Server, spool: Path, tmp_path: Path) -> None:
    name = "备份".encode("gbk")
    program = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(program)).symlink_to("/bin/echo")
    where = variables(server, spool) | {
        "LC_ALL": "C.UTF-8",
        "JOBLOGS_HOST_NAME": os.fsdecode(b"web-" + name),
        "JOBLOGS_SOURCE": os.fsdecode(b"lab-" + name),
    }
    run = ship(
        where, "--job-name", os.fsdecode(name + b" nightly"), "--", os.fsdecode(program), "x"
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, b"x\n", b"")
    assert has(server, "???? nightly", b"x\n")
    assert list(spool.iterdir()) == []


def test_a_name_of_any_bytes_that_an_older_version_spooled_is_sent(
    server: Server, spool: Path, dead_port: int
) -> None:
    away = variables(server, spool, dead_port)
    ship(away, "--job-name=older", "--wait=0", "--", "echo", "hello")
    for file in spool.glob("ship-*/*.json"):
        file.write_text(file.read_text("utf-8").replace('"older"', '"\\udcb1 older"'), "utf-8")
    assert ship(variables(server, spool), "--resume").returncode == 0
    assert has(server, "? older", b"hello\n")


def test_it_says_once_where_the_log_can_be_seen(public_server: Server, spool: Path) -> None:
    where = variables(public_server, spool)
    # Long enough for two requests.
    run = ship(where, "--job-name=seen", "--", "sh", "-c", "echo one; sleep 1.5; echo two")
    number = shipped(public_server, "seen").job
    url = f"https://logs.example.com/logs/biz/2/jobs/{number}/"
    assert (run.returncode, run.stdout) == (0, b"one\ntwo\n")
    assert run.stderr.decode() == f"ship_log: the log can be seen at {url}\n"


def test_the_command_does_not_see_our_credentials(
    server: Server, spool: Path, tmp_path: Path
) -> None:
    where = variables(server, spool)
    (tmp_path / "secret").write_text(where.pop("JOBLOGS_APP_SECRET"), "utf-8")
    where["JOBLOGS_APP_SECRET_FILE"] = str(tmp_path / "secret")
    run = ship(where | {"OTHER": "kept"}, "--job-name=environment", "--", "env")
    assert b"OTHER=kept" in run.stdout
    assert b"JOBLOGS_URL=" in run.stdout
    assert b"JOBLOGS_APP_SECRET" not in run.stdout
    assert has(server, "environment", run.stdout)


def test_a_spool_is_for_its_owner_alone(server: Server, spool: Path, dead_port: int) -> None:
    away = variables(server, spool, dead_port)
    script = f'umask 0; exec "$@"; exit {NOT_FOUND}'
    process = subprocess.run(
        ["/bin/sh", "-c", script, "-", *command("--job-name=mode", "--wait=0", "--", "echo", "x")],
        env={"PATH": os.environ["PATH"], **away},
        capture_output=True,
    )
    assert process.returncode == 0
    [folder] = spool.glob("ship-*")
    modes = {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}
    assert modes == {"run.json": 0o600, "log": 0o600, "end.json": 0o600}
    assert [file.stat().st_mode & 0o777 for file in (spool, folder)] == [0o700, 0o700]


def test_a_spool_behind_a_link_is_left_alone(
    server: Server, spool: Path, tmp_path: Path, dead_port: int
) -> None:
    ship(variables(server, spool, dead_port), "--job-name=linked", "--wait=0", "--", "echo", "x")
    link = tmp_path / "link"
    link.symlink_to(spool)
    run = ship(variables(server, link), "--job-name=link", "--", "echo", "hello")
    assert (run.returncode, run.stdout) == (0, b"hello\n")
    assert b"nothing is kept or sent" in run.stderr
    assert len(list(spool.iterdir())) == 1
    assert ship(variables(server, link), "--resume").returncode == 1
    [folder] = spool.glob("ship-*")
    (tmp_path / "passwords").write_text("root:x", "utf-8")
    (folder / "log").unlink()
    (folder / "log").symlink_to(tmp_path / "passwords")
    assert ship(variables(server, spool), "--resume").returncode == 1
    assert rows(server, "SELECT name FROM joblogs_jobinstance WHERE name = ?", "linked") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what belongs to somebody else")
def test_a_spool_of_somebody_else_is_left_alone(server: Server, spool: Path) -> None:
    spool.mkdir()
    os.chown(spool, 12345, 12345)
    run = ship(variables(server, spool), "--job-name=foreign", "--", "echo", "hello")
    assert (run.returncode, run.stdout) == (0, b"hello\n")
    assert b"belongs to somebody else" in run.stderr
    assert list(spool.iterdir()) == []
    assert ship(variables(server, spool), "--resume").returncode == 1


def test_its_version_is_the_projects() -> None:
    run = ship({}, "--version")
    assert (run.returncode, run.stdout.decode()) == (0, f"ship_log {joblogs.__version__}\n")


@pytest.mark.parametrize("missing", ["JOBLOGS_URL", "JOBLOGS_SCOPE"])
def test_it_says_what_it_was_not_told(server: Server, spool: Path, missing: str) -> None:
    where = variables(server, spool)
    del where[missing]
    run = ship(where, "--job-name=x", "--", "echo", "hello")
    assert (run.returncode, run.stdout) == (2, b"")
    assert missing in run.stderr.decode()


def test_it_needs_nothing_but_an_old_python() -> None:
    tree = ast.parse(SHIP_LOG.read_text(encoding="utf-8"), feature_version=(3, 8))
    assert imported(tree) <= sys.stdlib_module_names


def imported(tree: ast.Module) -> set[str]:
    """The packages that a file imports."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or "").split(".")[0])
    return names
