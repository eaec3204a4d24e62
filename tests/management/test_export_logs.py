"""export_logs as people run it: what it writes where, and what it leaves behind."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import signal
import stat
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from joblogs import export
from joblogs.export import Format
from joblogs.logtext import codec
from joblogs.management import output
from joblogs.management.commands import export_logs
from joblogs.models import LogChunk, LogRead
from tests.builders import file_log, job, load, result, script_log, step
from tests.export.exporting import export as exported

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: Any, terminal: bool = False) -> tuple[bytes, str, int]:
    """Standard output, standard error and exit code of export_logs."""
    raw, err = io.BytesIO(), io.StringIO()
    out = io.TextIOWrapper(raw)
    out.isatty = lambda: terminal  # type: ignore[method-assign]
    try:
        call_command("export_logs", *map(str, arguments), stdout=out, stderr=err)
    except CommandError as error:
        return raw.getvalue(), err.getvalue() + str(error), error.returncode
    except SystemExit as ended:
        return raw.getvalue(), err.getvalue(), int(ended.code or 0)
    return raw.getvalue(), err.getvalue(), 0


@pytest.fixture(autouse=True)
def _one_log() -> None:
    load(job(), step(), result(host_name="web-1", status=9), script_log("hello\n"))


def test_standard_output_holds_the_export_and_nothing_else() -> None:
    out, err, code = _run("--format", "txt", "--no-prefix")
    assert (out, code) == (b"hello\n", 0)
    assert "Exported 1 job, 1 step, 1 host and 6 bytes of text." in err
    assert _run("--format", "txt", "--step", 200, "--output", "-")[0] == b"web-1 | hello\n"


def test_what_went_well_is_not_said_in_the_colour_of_errors() -> None:
    err = io.StringIO()
    err.isatty = lambda: True  # type: ignore[method-assign]
    out = io.TextIOWrapper(io.BytesIO())
    call_command(export_logs.Command(stdout=out, stderr=err, force_color=True), "--format", "txt")
    assert err.getvalue().startswith("Exported 1 job")


@pytest.mark.parametrize("format", list(Format))
def test_the_closing_sentence_tells_of_logs_of_files_that_are_not_whole(format: Format) -> None:
    load(
        *(step(201, step_type=2), result(101, step=201, status=9)),
        file_log(101, step=201, status=4, src_path="/a", truncated=True, received_size=50),
        file_log(101, step=201, status=4, src_path="/b"),
        file_log(101, step=201, status=3, src_path="/c"),
    )
    _, err, code = _run("--format", format, "--step", 201)
    assert code == 0
    assert "; of their logs 1 truncated, 1 still being received." in err


def test_a_file_is_written_though_standard_output_is_closed(tmp_path: Path) -> None:
    target = tmp_path / "logs"
    closed: dict[str, Any] = {"stdout": io.StringIO(), "stderr": io.StringIO()}  # takes no bytes
    with pytest.raises(CommandError, match="closed: --output PATH"):
        call_command("export_logs", "--format", "txt", **closed)
    call_command("export_logs", "--format", "txt", "--no-prefix", "--output", str(target), **closed)
    assert target.read_bytes() == b"hello\n"


@pytest.mark.parametrize("format", list(Format))
def test_a_file_holds_what_standard_output_would_and_nothing_is_beside_it(
    tmp_path: Path, format: Format
) -> None:
    target = tmp_path / "logs"
    out, err, code = _run("--format", format, "--output", target)
    assert (out, code, list(tmp_path.iterdir())) == (b"", 0, [target])
    assert f"to {target}" in err
    whole = exported(format, every_attempt=format == "ndjson")
    # An archive has its day, a file of records the time, in it.
    assert len(target.read_bytes()) == pytest.approx(len(whole), abs=20)
    if format in (Format.TXT, Format.CSV):
        assert target.read_bytes() == whole
    assert target.stat().st_mode & 0o777 == 0o600


def test_ndjson_has_all_attempts_and_the_others_the_latest_unless_one_is_said() -> None:
    load(result(execute_count=1, status=9), script_log("again\n", execute_count=1))
    assert _run("--format", "ndjson")[0].count(b'"script_log"') == 2
    assert _run("--format", "ndjson", "--attempt", "latest")[0].count(b'"script_log"') == 1
    assert _run("--format", "txt", "--no-prefix")[0] == b"again\n"
    assert _run("--format", "txt", "--no-prefix", "--attempt", "0")[0] == b"hello\n"
    assert _run("--format", "txt", "--no-prefix", "--attempt", "all")[0] == b"hello\nagain\n"


def test_every_option_narrows() -> None:
    load(job(101, bk_scope_id="3"), step(210, job=101), result(7, job=101, step=210))
    narrowing = [
        ["--scope", "biz:3"],
        ["--job", "101"],
        ["--step", "210"],
        ["--host", "7"],
        ["--ip", "0:10.0.0.7"],
        ["--status", "running"],
    ]
    for options in narrowing:
        assert _run("--format", "csv", *options)[0].count(b"\r\n") == 2, options
    for options in (["--contains", "hell"], ["--since", "2023-11-14", "--until", "2023-11-14"]):
        assert b"web-1" in _run("--format", "csv", *options)[0], options
    both = ["--host", "7", "--host", "101"]
    assert _run("--format", "csv", *both)[0].count(b"\r\n") == 3


def test_nothing_selected_is_said_and_makes_no_file(tmp_path: Path) -> None:
    for format in Format:
        arguments = ("--format", format, "--contains", "absent", "--output", tmp_path / "x")
        out, err, code = _run(*arguments)
        assert (out, code, list(tmp_path.iterdir())) == (b"", 1, [])
        assert "nothing was exported" in err
    assert _run("--format", "csv", "--since", "2030-01-01")[::2] == (b"", 1)


@pytest.mark.parametrize(
    "named",
    [
        ["--scope", "biz:9"],
        ["--job", "9"],
        ["--step", "9"],
        ["--host", "9"],
        ["--ip", "1:10.0.0.1"],
    ],
)
def test_what_is_not_there_is_named_with_its_option(named: list[str]) -> None:
    _, err, code = _run("--format", "zip", *named)
    assert (code, " ".join(named) in err) == (1, True)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["--format", "pdf"],
        ["--format", "csv", "--job", "x"],
        ["--format", "csv", "--job", "0"],
        ["--format", "csv", "--host", str(2**53)],
        ["--format", "csv", "--ip", "10.0.0.1"],
        ["--format", "csv", "--ip", "0:web-1"],
        ["--format", "csv", "--status", "lost"],
        ["--format", "csv", "--since", "yesterday"],
        ["--format", "csv", "--attempt", "-1"],
        ["--format", "csv", "--contains", ""],
        ["--format", "csv", "--scope", "2"],
        ["--format", "csv", "--no-prefix"],
    ],
)
def test_wrong_arguments_are_usage_errors(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    # As from a command line: there the parser itself ends the process.
    with pytest.raises((SystemExit, CommandError)) as ended:
        _from_command_line(wrong)
    caught: Any = ended.value
    assert getattr(caught, "code", None) == 2 or caught.returncode == 2
    assert capsys.readouterr().out == ""


def _from_command_line(arguments: list[str]) -> None:
    command = export_logs.Command()
    command._called_from_command_line = True  # type: ignore[attr-defined]
    parser = command.create_parser("manage.py", "export_logs")
    command.handle(**vars(parser.parse_args(arguments)))


def test_an_archive_is_not_written_on_a_terminal() -> None:
    assert _run("--format", "zip", terminal=True)[2] == 2
    assert _run("--format", "txt", terminal=True)[2] == 0


def test_a_file_that_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    target = tmp_path / "logs"
    target.write_text("mine")
    _, err, code = _run("--format", "txt", "--output", target)
    assert (code, target.read_text(), "--force" in err) == (1, "mine", True)
    assert _run("--format", "txt", "--no-prefix", "--output", target, "--force")[2] == 0
    assert (target.read_text(), list(tmp_path.iterdir())) == ("hello\n", [target])


def test_a_file_that_appears_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "logs"
    _while_writing(monkeypatch, lambda: target.write_text("theirs"))
    assert _run("--format", "txt", "--output", target)[2] == 1
    assert (target.read_text(), list(tmp_path.iterdir())) == ("theirs", [target])


@pytest.mark.parametrize("path", ["none/logs", "", "pipe"])
def test_where_nothing_can_be_written_is_said(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    _, err, code = _run("--format", "txt", "--output", tmp_path / path, "--force")
    assert (code, str(tmp_path) in err) == (1, True)
    assert [file.name for file in tmp_path.iterdir()] == ["pipe"]


def _while_writing(monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Let something happen when some of the export has been written."""
    parts = export.parts

    def interrupted(*arguments: Any, **named: Any) -> Any:
        yield from parts(*arguments, **named)
        happens()
        yield b"more"

    monkeypatch.setattr(export, "parts", interrupted)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_file_and_the_one_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    target = tmp_path / "logs"
    target.write_text("mine")
    before = signal.getsignal(number)
    _while_writing(monkeypatch, lambda: os.kill(os.getpid(), number))
    _, err, code = _run("--format", "txt", "--output", target, "--force")
    assert (code, "was not written" in err) == (128 + number, True)
    assert (target.read_text(), list(tmp_path.iterdir())) == ("mine", [target])
    assert signal.getsignal(number) == before


def test_a_file_that_was_written_leaves_no_part_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "logs"
    assert _run("--format", "txt", "--no-prefix", "--output", target)[2] == 0
    assert _run("--format", "txt", "--no-prefix", "--output", target)[2] == 1
    assert _run("--format", "txt", "--no-prefix", "--output", target, "--force")[2] == 0
    assert (target.read_text(), list(tmp_path.iterdir())) == ("hello\n", [target])


def test_a_process_that_is_killed_leaves_nothing_but_a_hidden_part(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, joblogs.management.output as output\n"
        "with output.whole_file(pathlib.Path(sys.argv[1]), force=False) as file:\n"
        "    file.write(b'half'); file.flush(); print('ready', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "logs")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.kill()
    (part,) = tmp_path.iterdir()
    assert (part.name[:6], part.suffix) == (".logs.", ".part")
    assert stat.S_IMODE(part.stat().st_mode) == 0o600


def test_a_reader_that_goes_away_ends_it_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise BrokenPipeError

    descriptor = os.dup(1)
    try:
        _while_writing(monkeypatch, gone)
        _, err, code = _run("--format", "txt")
    finally:
        os.dup2(descriptor, 1)
        os.close(descriptor)
    assert (err, code) == ("", 141)


def test_a_wish_to_end_waits_for_a_good_moment_unless_it_is_said_twice() -> None:
    stopping = output.Stopping()
    stopping.check()
    stopping.ask(signal.SIGTERM)
    for moment in (stopping.check, stopping.at_once().__enter__):
        with pytest.raises(output.Stopped):
            moment()
    with pytest.raises(output.Stopped):
        stopping.ask(signal.SIGTERM)
    with output.Stopping().at_once():
        pass
    waiting = output.Stopping()
    with pytest.raises(output.Stopped), waiting.at_once():
        waiting.ask(signal.SIGINT)


def test_what_was_read_before_a_signal_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _while_writing(monkeypatch, lambda: os.kill(os.getpid(), signal.SIGTERM))
    _run("--format", "txt", "--output", tmp_path / "logs")
    assert LogRead.objects.get().size == 6


def test_threads_that_run_it_are_not_asked_for_signals() -> None:
    found: list[str] = []

    def run() -> None:
        with output.stoppable():
            found.append("ran")

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == ["ran"]


def test_what_is_read_is_recorded_by_step() -> None:
    load(step(201), result(102, step=201), script_log("x", host=102, step=201))
    _run("--format", "zip", "--output", os.devnull)
    assert LogRead.objects.count() == 0
    _run("--format", "txt")
    reads = LogRead.objects.order_by("step_instance_id")
    columns = ("channel", "app_code", "step_instance_id", "host_count", "size")
    assert list(reads.values_list(*columns)) == [
        ("export_logs", "", 200, 1, 6),
        ("export_logs", "", 201, 1, 1),
    ]


def _everything(terminal: int) -> Iterator[bytes]:
    """What was written to a terminal whose other end is closed; Linux ends it with an error."""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 1000):
            yield part


def test_progress_is_shown_on_a_terminal_on_standard_error_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x18\0\x78\0\0\0\0\0")
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        out, _, code = _run("--format", "txt", "--no-prefix")
    shown = b"".join(_everything(ours))
    os.close(ours)
    assert (out, code) == (b"hello\n", 0)
    assert b"export" in shown
    assert b"6.00/6.00" in shown


@pytest.mark.parametrize("format", list(Format))
def test_a_damaged_log_is_told_and_leaves_no_file(format: Format, tmp_path: Path) -> None:
    LogChunk.objects.update(codec=codec.ZSTD, data=b"damaged")
    target = tmp_path / "out"
    out, err, code = _run("--format", format, "--output", target)
    assert (out, code) == (b"", 1)
    assert "damaged" in err
    assert "verify_logs tells which" in err
    assert list(tmp_path.iterdir()) == []
