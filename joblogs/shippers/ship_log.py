#!/usr/bin/env python3
"""Ship what a command prints to a joblogs store (docs/shipping.md). Needs only Python 3.8.

    ship_log.py --job-name backup -- pg_dumpall --file=/backup/all.sql
    make 2>&1 | ship_log.py --job-name build
    ship_log.py --resume

The output goes to a spool on disk and to standard output; a thread sends the spool, so a slow or
missing store does not hold up the command. This file works on its own.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import errno
import fcntl
import getpass
import gzip
import hashlib
import http.client
import json
import os
import re
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VERSION = "1.0.0"
READ_BYTES, PIECE_BYTES, BATCH_BYTES = 64 * 1024, 256 * 1024, 4 << 20
ANSWER_BYTES = 1 << 20
EVERY_SECONDS, PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 0.5, 30.0
LEFTOVER_SECONDS = 3600.0
LINGER_SECONDS = 2.0
NOT_EXECUTABLE, NOT_FOUND, BY_SIGNAL = 126, 127, 128
# Status of a job and a step, of a host result (the numbers of bk-job).
RUNNING, SUCCEEDED, FAILED, ABNORMAL = 2, 3, 4, 9
HOST_RUNNING, HOST_SUCCEEDED, HOST_UNKNOWN = 7, 9, 500
HOST_NOT_STARTED, HOST_TERMINATED, HOST_EXIT_CODE = 101, 103, 104
# Error codes of the store: the app's credentials are wrong; the app may not write anywhere.
WRONG_CREDENTIALS, NO_GRANT = 1640001, 9900403
OURS = ("JOBLOGS_APP_SECRET", "JOBLOGS_APP_SECRET_FILE")
# Errors that a damaged spool can raise: the spools after it are sent all the same.
MISHAPS = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)


class Unsent(Exception):
    """The store did not answer or could not accept a request now; a retry may succeed.

    `after`: the seconds that the store asks to wait.
    """

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        self.after = after
        super().__init__(message)


class Refused(Exception):
    """The store does not accept this log.

    `of`: what it refuses: "app" (the credentials), "scope" (the scope that the log is sent to), or
    "log" (the log itself, which can never be sent).
    """

    def __init__(self, message: str, *, of: str) -> None:
        self.of = of
        super().__init__(message)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Handler that follows no redirects: they would send the secret to another server."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Store:
    """Client of the store's endpoint for records."""

    def __init__(self, url: str, credentials: dict[str, str], timeout: float) -> None:
        self._address = url.rstrip("/") + "/api/v1/records"
        self._credentials = json.dumps(credentials)
        self._app = credentials["bk_app_code"]
        self._timeout = timeout
        self.not_before = 0.0
        """Monotonic time until which the store asked for no requests."""

    def post(
        self, records: list[dict[str, Any]]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Send records; return the refused ones, and the pages of the jobs.

        Raises Unsent or Refused.
        """
        # A spool of an older version may have names that cannot be encoded.
        lines = (json.dumps(one, ensure_ascii=False).encode(errors="replace") for one in records)
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Blueking-Language": "en",
            "X-Bkapi-Authorization": self._credentials,
        }
        body = gzip.compress(b"\n".join(lines), 6)
        try:
            request = urllib.request.Request(self._address, body, headers)  # noqa: S310 - as given
            opener = urllib.request.build_opener(NoRedirect)
            with opener.open(request, timeout=self._timeout) as response:
                answer = json.loads(response.read(ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                problem = failure(error, self._app)
            if isinstance(problem, Unsent):
                self.not_before = time.monotonic() + problem.after
            raise problem from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unsent(str(getattr(error, "reason", error))) from None
        answer = answer if isinstance(answer, dict) else {"answer": answer}
        data = answer.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("refused"), list):
            if answer.get("code") == NO_GRANT:
                reason = f"the app {self._app} may write nowhere; {self.granting('biz:2')}"
                raise Refused(reason, of="app")
            raise Unsent(f"unexpected answer: {json.dumps(answer)[:200]}")
        return data["refused"], data.get("pages") or []

    def granting(self, scope: str) -> str:
        """Return the command that grants a scope."""
        return f"on the store: manage.py create_app {self._app} --scope {scope} --write"


def failure(error: urllib.error.HTTPError, app: str) -> Exception:
    """Return the exception for an HTTP error: Refused or Unsent."""
    reason = f"HTTP {error.code}: {error.headers.get('X-Bkapi-Error-Message') or error.reason}"
    denied = (http.client.UNAUTHORIZED, http.client.FORBIDDEN)
    if error.code in denied or error.headers.get("X-Bkapi-Error-Code") == str(WRONG_CREDENTIALS):
        todo = f"look at JOBLOGS_APP_CODE, which is {app}, and JOBLOGS_APP_SECRET; a new secret: "
        todo += f"manage.py create_app {app} --rotate, on the store"
        return Refused(f"{reason}; {todo}", of="app")
    if error.code == http.client.REQUEST_ENTITY_TOO_LARGE:
        return Refused(reason, of="log")
    after = error.headers.get("Retry-After") or ""
    return Unsent(reason, after=float(after) if re.fullmatch("[0-9]{1,4}", after) else 0.0)


class Spool:
    """Folder of a run: `run.json` and `end.json` have its records, `log` its output.

    It is locked while it is written or sent. `refused.json` has the reason if the store refused it.
    The output is unmasked, so only its owner may read it.
    """

    def __init__(self, folder: Path) -> None:
        """Raises OSError if another user owns it, and BlockingIOError if it is locked."""
        self._move(folder)
        self.is_gone = False
        self._lock = open_own(folder)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise

    @classmethod
    def make(cls, parent: Path, records: list[dict[str, Any]]) -> Spool:
        """Create the spool of a new run."""
        name = f"ship-{now():013d}-{secrets.token_hex(4)}"
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(open_own(parent))
        # Under another name until it is complete, so that it is not taken for an abandoned one.
        folder = parent / f".{name}"
        folder.mkdir(mode=0o700)
        spool = cls(folder)
        os.close(os.open(str(spool.log), os.O_CREAT | os.O_EXCL, 0o600))
        spool.write("run", records)
        spool._move(folder.rename(parent / name))
        return spool

    def _move(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"

    def write(self, name: str, value: Any) -> None:
        """Write a JSON file atomically."""
        part = self.folder / f"{name}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with open(os.open(str(part), flags, 0o600), "w", encoding="utf-8") as stream:
            json.dump(value, stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(self.folder / f"{name}.json")

    def read(self, name: str) -> Any:
        """Return the value of a JSON file. Raises OSError, or ValueError if it is damaged."""
        file = os.open(str(self.folder / f"{name}.json"), os.O_RDONLY | os.O_NOFOLLOW)
        with open(file, encoding="utf-8") as stream:
            return json.load(stream)

    def open_log(self) -> int:
        """Return a descriptor of the output, for reading."""
        return os.open(str(self.log), os.O_RDONLY | os.O_NOFOLLOW)

    def refusal(self) -> Refused | None:
        """Return the stored reason why the store refused it; None if there is none."""
        try:
            refused = self.read("refused")
            return Refused(str(refused["why"]), of=str(refused["of"]))
        except MISHAPS:
            return None

    def refuse(self, refusal: Refused) -> None:
        """Store the reason why the store refused it."""
        with contextlib.suppress(OSError):
            self.write("refused", {"of": refusal.of, "why": str(refusal)})

    def remove(self) -> None:
        """Remove a spool that is no longer needed."""
        with contextlib.suppress(OSError):
            # Under another name, so that the rest of it is not taken for an abandoned one.
            self._move(self.folder.rename(self.folder.parent / f".{self.folder.name}"))
            self.is_gone = True
            self.empty()

    def empty(self) -> None:
        """Remove the files and the folder. Raises OSError."""
        for file in self.folder.iterdir():
            file.unlink()
        self.folder.rmdir()

    def close(self) -> None:
        """Release the lock."""
        os.close(self._lock)


def open_own(folder: Path) -> int:
    """Return a descriptor of our own folder. Raises OSError if it is a link or another user's."""
    descriptor = os.open(str(folder), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.close(descriptor)
        raise PermissionError(errno.EPERM, "belongs to somebody else", str(folder))
    return descriptor


def whole(records: Any) -> list[dict[str, Any]]:
    """Return the records if they are a job, step and host result. Raises ValueError otherwise."""
    ids = ("job_instance_id", "step_instance_id", "bk_host_id")
    if not isinstance(records, list) or [type(one) for one in records] != [dict] * 3:
        raise ValueError("no job, step and host result")
    if any(type(records[2].get(key)) is not int for key in ids):
        raise ValueError("a host result without numbers")
    return records


class Shipper(threading.Thread):
    """Thread that sends a spool, which may still grow; what the store already has is skipped."""

    def __init__(self, spool: Spool, store: Store, *, is_known: bool = False) -> None:
        """`is_known`: a refusal was already reported. Raises OSError or ValueError, like `read`."""
        super().__init__(name="ship_log", daemon=True)
        self.is_known = is_known
        self.problem = self.page = ""
        self.refusal: Refused | None = None
        self.done = False
        self.sent = 0
        self._spool, self._store = spool, store
        self._records: list[dict[str, Any]] = whole(spool.read("run"))
        self._ending: list[dict[str, Any]] = []
        self._size = 0
        self._changed = threading.Condition()

    def grow(self, size: int) -> None:
        """Set the number of bytes in the spool."""
        with self._changed:
            self._size = size
            if size - self.sent >= BATCH_BYTES:
                self._changed.notify()

    def end(self, size: int, records: list[dict[str, Any]]) -> None:
        """Set the final number of bytes in the spool, and the records that end the run."""
        with self._changed:
            self._size, self._ending = size, records
            self._changed.notify()

    def wait(self, seconds: float, *, since_progress: bool) -> None:
        """Wait until everything is sent or refused, or until the time is over.

        `since_progress`: the time counts from the last progress.
        """
        sent, since = self.sent, time.monotonic()
        while self.is_alive() and time.monotonic() - since < seconds:
            self.join(0.05)
            if since_progress and self.sent != sent:
                sent, since = self.sent, time.monotonic()

    def run(self) -> None:
        """Send new output every EVERY_SECONDS. After failures the pauses grow, and the store gets
        no request before the time that it asked for."""
        pause, announced = 0.0, False
        while not self.done:
            with self._changed:
                ended, size = bool(self._ending), self._size
                if pause or (announced and not ended and size - self.sent < BATCH_BYTES):
                    self._changed.wait(pause or EVERY_SECONDS)
                while (left := self._store.not_before - time.monotonic()) > 0:
                    self._changed.wait(left)
                ended, size = bool(self._ending), self._size
            try:
                if not announced or self.sent < size or ended:
                    self._send(size, ended=ended)
                announced, pause, self.problem = True, 0.0, ""
            except Unsent as error:
                self.problem = str(error)
                pause = min(max(PAUSE_SECONDS, pause * 2), LONGEST_PAUSE_SECONDS)
            except Refused as error:
                self.refusal = error
                if not self.is_known:
                    complain(f"refused: {error}")
                return
            except MISHAPS as error:
                self.problem = f"{type(error).__name__}: {error}"
                return

    def _send(self, size: int, *, ended: bool) -> None:
        """Send the next pieces, and with the last of them the records that end the run."""
        start = self.sent
        with open(self._spool.open_log(), "rb") as stream:
            stream.seek(start)
            data = stream.read(min(size - start, BATCH_BYTES))
        ids = ("job_instance_id", "step_instance_id", "bk_host_id")
        place = {"type": "script_log", **{key: self._records[2][key] for key in ids}}
        sending = [{**place, "offset": start + at, **content} for at, content in pieces(data)]
        end = start + len(data)
        is_last = ended and end == size
        ending = self._ending if is_last else []
        refused, pages = self._store.post([*self._records, *sending, *ending])
        self._show(pages)
        self.sent = self._goes_on(refused, start, end, size)
        self.done = is_last and self.sent == size

    def _show(self, pages: list[dict[str, Any]]) -> None:
        """Print the address of the log's page once."""
        for page in pages:
            url, job = str(page.get("url")), page.get("job_instance_id")
            mine = job == self._records[0]["job_instance_id"]
            if mine and not self.page and re.fullmatch("https?://[!-~]+", url):
                self.page = url
                complain(f"the log can be seen at {url}")

    def _goes_on(self, refused: list[dict[str, Any]], start: int, end: int, size: int) -> int:
        """Return the offset to continue at: the one that the store expects, otherwise `end`.

        Raises Refused.
        """
        for record in refused:
            expected = record.get("expected_offset")
            if record["reason"] == "forbidden":
                scope = "{bk_scope_type}:{bk_scope_id}".format(**self._records[0])
                raise Refused(f"{record['message']}; {self._store.granting(scope)}", of="scope")
            if record["reason"] not in ("gap", "conflict") or expected is None:
                raise Refused(f"{record['type']}: {record['message']}", of="log")
            if not 0 <= expected <= size or expected == start:
                raise Refused(f"the store holds another log: {record['message']}", of="log")
            return int(expected)
        return end


def pieces(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield bytes cut into contents of records, with their offsets."""
    start = 0
    while start < len(data):
        end = min(start + PIECE_BYTES, len(data))
        # A border moves back to the start of a character, so that each piece can be decoded.
        while len(data) > end > start + PIECE_BYTES - 4 and data[end] & 0xC0 == 0x80:
            end -= 1
        part = data[start:end]
        try:
            yield start, {"content": part.decode()}
        except UnicodeDecodeError:
            yield start, {"content_base64": base64.b64encode(part).decode()}
        start = end


class Output:
    """Destination of the output: first the spool, then standard output."""

    def __init__(self, spool: Spool | None, shipper: Shipper | None) -> None:
        self.size = self.held = 0
        self.digest = hashlib.sha256()
        self.problem = ""
        self._shipper = shipper
        self._passed = -1 if sys.stdout is None else sys.stdout.fileno()
        self._file = -1
        if spool is not None:
            self._file = os.open(str(spool.log), os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)

    def write(self, data: bytes) -> None:
        """Write to the spool and to standard output. If the spool fails, only the latter is
        written."""
        self.size += len(data)
        self.digest.update(data)
        if self._file >= 0:
            try:
                for written in write_all(self._file, data):
                    self.held += written
            except OSError as error:
                self.problem = f"from byte {self.held} on the log could not be kept: {error}"
                self._file = -1
            if self._shipper is not None:
                self._shipper.grow(self.held)
        if self._passed >= 0:
            try:
                for _ in write_all(self._passed, data):
                    pass
            except OSError:  # the reader is gone; the log continues
                self._passed = -1


def write_all(descriptor: int, data: bytes) -> Iterator[int]:
    """Write bytes, and yield the number of bytes that each system call has written."""
    rest = memoryview(data)
    while rest:
        written = os.write(descriptor, rest)
        rest = rest[written:]
        yield written


class Signals:
    """Handler of our signals: those that the command would not receive itself are forwarded."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self.stopped = 0
        self.woken, waking = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        # From a terminal, the command receives SIGINT and SIGQUIT itself.
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGCHLD):
            signal.signal(number, lambda number, frame: None)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._hand_on)

    def _hand_on(self, number: int, frame: object) -> None:
        self.stopped = number
        if self.child is not None:
            self.child.send_signal(number)

    def pump(self, source: int, output: Output) -> None:
        """Copy a source to the output until it ends, or LINGER_SECONDS after the command ended."""
        until: float | None = None
        while until is None or time.monotonic() < until:
            ready, _, _ = select.select([source, self.woken], [], [], 0.1 if until else None)
            if self.woken in ready:
                os.read(self.woken, READ_BYTES)
                if self.child is None and self.stopped:
                    return
                if until is None and self.child is not None and self.child.poll() is not None:
                    # Background processes of the command may keep the pipe open for ever.
                    until = time.monotonic() + LINGER_SECONDS
            if source in ready:
                data = os.read(source, READ_BYTES)
                if not data:
                    return
                output.write(data)


def now() -> int:
    """Return the milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def host_number(source: str, name: str) -> int:
    """Return the id for a host that has none, always the same for a name within a source."""
    digest = hashlib.sha256(f"{source}\0{name}".encode(errors="replace")).digest()
    return 2**52 + (int.from_bytes(digest[:7], "big") >> 4)


def word(value: str, limit: int) -> str:
    """Return text that the store accepts as a name: invalid UTF-8 becomes question marks."""
    return value.encode(errors="replace").decode().replace("\0", "")[:limit]


def beginning(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the job, step and host result of a new run."""
    start, kind = now(), word(options.scope, 128).partition(":")
    times = {"start_time": start, "update_time": start}
    ids = {
        "job_instance_id": 2**52 + secrets.randbelow(2**52),
        "step_instance_id": 2**52 + secrets.randbelow(2**52),
    }
    host = {"bk_host_id": options.host_id or host_number(options.source, options.host_name)}
    if options.ip:
        host["ip"] = word(options.ip, 64)
    job = {
        "type": "job",
        "job_instance_id": ids["job_instance_id"],
        "bk_scope_type": kind[0],
        "bk_scope_id": kind[2],
        "name": word(options.job_name, 512),
        "operator": user_name(),
        "source": word(options.source, 256),
        "create_time": start,
        "status": RUNNING,
        **times,
    }
    program = word(os.path.basename(options.command[0]), 512) if options.command else "stdin"
    step = {"type": "step", **ids, "name": program, "step_type": 1, "status": RUNNING, **times}
    name = {"host_name": word(options.host_name, 256), "status": HOST_RUNNING}
    return [job, step, {"type": "host_result", **ids, **host, **name, **times}]


def ended(
    records: list[dict[str, Any]], end: int, statuses: tuple[int, int], **more: Any
) -> list[dict[str, Any]]:
    """Return the records at the end of a run. `statuses`: of the job and step, and of the host."""
    start = records[0]["start_time"]
    end = max(start, end)
    times = {"end_time": end, "total_time": end - start, "update_time": end}
    job, step, host = ({**record, **times, "status": statuses[0]} for record in records)
    host.update(more, status=statuses[1])
    # The host's end comes first: a job that has ended has no running host.
    return [host, step, job]


def user_name() -> str:
    """Return the name of the current user, or the numeric id if it has no name."""
    try:
        return word(getpass.getuser(), 256)
    except (KeyError, OSError):
        return str(os.getuid())


def outcome_of(code: int | None, *, started: bool) -> tuple[tuple[int, int], dict[str, int]]:
    """Return the statuses and exit code of a command. None: its code is not known, since we were
    only given its output."""
    if not code:
        return (SUCCEEDED, HOST_SUCCEEDED), {} if code is None else {"exit_code": 0}
    by_signal = HOST_TERMINATED if code > BY_SIGNAL else HOST_EXIT_CODE
    return (FAILED, by_signal if started else HOST_NOT_STARTED), {"exit_code": code}


def ship(options: argparse.Namespace, store: Store) -> int:
    """Run the command, or read standard input, and ship the output. Return the exit code."""
    spool: Spool | None = None
    shipper: Shipper | None = None
    records = beginning(options)
    try:
        spool = Spool.make(options.spool, records)
        shipper = Shipper(spool, store)
        shipper.start()
        output = Output(spool, shipper)
    except OSError as error:  # the command matters more than its log
        complain(f"nothing is kept or sent: {error}")
        spool, shipper, output = None, None, Output(None, None)
    signals = Signals()
    code: int | None = None
    started = True
    if options.command:
        source, printed = os.pipe()  # one for both streams, so that lines keep their order
        try:
            # The command has no need for our secrets.
            others = {name: value for name, value in os.environ.items() if name not in OURS}
            child = subprocess.Popen(options.command, stdout=printed, stderr=printed, env=others)
        except OSError as error:
            output.write(f"ship_log: {options.command[0]}: {error.strerror}\n".encode())
            started = False
            code = NOT_FOUND if error.errno == errno.ENOENT else NOT_EXECUTABLE
        else:
            os.close(printed)
            signals.child = child
            if signals.stopped:  # the signal arrived while the command was being started
                child.send_signal(signals.stopped)
            signals.pump(source, output)
            code = child.wait()
            code = BY_SIGNAL - code if code < 0 else code
    else:
        signals.pump(0, output)
        code = BY_SIGNAL + signals.stopped if signals.stopped else None
    if spool is not None and shipper is not None:
        statuses, fields = outcome_of(code, started=started)
        whole = {"log_size": output.size, "log_sha256": output.digest.hexdigest()}
        ending = ended(records, now(), statuses, **whole, **fields)
        with contextlib.suppress(OSError):  # then a resumed run has no known end
            spool.write("end", ending)
        if output.problem:
            complain(output.problem)
        shipper.end(output.held, ending)
        shipper.wait(options.wait, since_progress=False)
        tidy(spool, shipper)
        spool.close()
    return code or 0


def resume(options: argparse.Namespace, store: Store | None) -> int:
    """Send every spool that is not locked; return 1 if any is left that a retry may send, else 0.

    Refused spools are listed; a refusal makes only the first run fail. Without a store nothing is
    sent; `options.drop` removes refused spools.
    """
    try:
        os.close(open_own(options.spool))
    except FileNotFoundError:
        return 0
    except OSError as error:
        complain(f"the spool is left alone: {error}")
        return 1
    left = 0
    for folder in sorted(options.spool.glob("ship-*")):
        try:
            spool = Spool(folder)
        except (BlockingIOError, FileNotFoundError):  # still running, or already sent
            continue
        except OSError as error:
            complain(f"{folder}: {error}")
            left += 1
            continue
        known = spool.refusal()
        if store is not None and (known is None or known.of != "log"):
            outcome = send(spool, store, options.wait, is_known=known is not None)
            if outcome is not None and outcome.of == "app":  # the same for all others
                spool.close()
                return 1
            left += not (spool.is_gone or (outcome and known))
        if not spool.is_gone and (known := spool.refusal()):
            if options.drop:
                spool.remove()
            say(f"{'dropped' if options.drop else 'refused'}: {folder}: {known}")
        spool.close()
    sweep(options.spool)
    return 1 if left else 0


def send(spool: Spool, store: Store, wait: float, *, is_known: bool) -> Refused | None:
    """Send the spool of a finished run and remove it; return the refusal if there is one."""
    try:
        log = spool.open_log()
        try:
            state = os.fstat(log)
        finally:
            os.close(log)
        shipper = Shipper(spool, store, is_known=is_known)
        try:
            ending = spool.read("end")
        except (OSError, ValueError):
            end = int(state.st_mtime * 1000)
            tag = "ship_log ended before the command"
            ending = ended(whole(spool.read("run")), end, (ABNORMAL, HOST_UNKNOWN), tag=tag)
    except PermissionError as error:
        complain(f"{spool.folder}: {error}")
        return None
    except MISHAPS as error:
        damaged = Refused(f"the spool is damaged: {type(error).__name__}: {error}", of="log")
        complain(f"{spool.folder}: {damaged}")
        spool.refuse(damaged)
        return damaged
    shipper.end(state.st_size, ending)
    shipper.start()
    shipper.wait(wait, since_progress=True)
    tidy(spool, shipper)
    return shipper.refusal


def sweep(parent: Path) -> None:
    """Remove remains of runs that were killed while they created or removed their spools."""
    for folder in parent.glob(".ship-*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.lstat().st_mtime > LEFTOVER_SECONDS:
                spool = Spool(folder)
                spool.empty()
                spool.close()


def tidy(spool: Spool, shipper: Shipper) -> None:
    """Remove the spool if everything was sent, otherwise print where it is."""
    if shipper.done:
        spool.remove()
        return
    where = f"the log waits in {spool.folder}"
    if shipper.refusal is None:
        complain(f"{where} ({shipper.problem or 'no time left'}); --resume sends it")
        return
    if shipper.refusal.of != "app":
        spool.refuse(shipper.refusal)
    if shipper.is_known:
        return
    if shipper.refusal.of == "log":
        complain(f"the log is kept in {spool.folder}; --drop drops it")
    else:
        complain(f"{where}; --resume sends it when that is done")


def say(message: str) -> None:
    """Print a line to standard output, if it is open."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(f"{message.encode(errors='replace').decode()}\n")
        sys.stdout.flush()


def complain(message: str) -> None:
    """Print a line to standard error, if it is open."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"ship_log: {message}\n")
        sys.stderr.flush()


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options, completed from the environment. Exits with 2 if they are invalid."""
    given = os.environ.get
    parser = argparse.ArgumentParser(
        description="Ship what a command, or standard input, prints to a joblogs store.",
        epilog="The secret: JOBLOGS_APP_SECRET, or JOBLOGS_APP_SECRET_FILE, a file that holds it. "
        "The options up to --timeout but --job-name have a variable each, such as JOBLOGS_URL.",
    )
    add = parser.add_argument
    add("--url", default=given("JOBLOGS_URL"), help="where the store is")
    add("--app-code", default=given("JOBLOGS_APP_CODE", "ship_log"), help="the app that sends")
    add("--scope", default=given("JOBLOGS_SCOPE"), help="whose the job is, such as biz:2")
    add("--job-name", help="what the job is called")
    add("--source", default=given("JOBLOGS_SOURCE", "ship_log"), help="what names these hosts")
    host = given("JOBLOGS_HOST_NAME") or socket.gethostname()
    add("--host-name", default=host, help="this host's name")
    add("--host-id", type=int, default=given("JOBLOGS_HOST_ID"), help="bk_host_id, if it has one")
    add("--ip", default=given("JOBLOGS_IP"), help="this host's IPv4 address")
    add("--spool", type=Path, default=given("JOBLOGS_SPOOL", "~/.joblogs"), help="where logs wait")
    add(
        "--timeout",
        type=float,
        default=given("JOBLOGS_TIMEOUT", "10"),
        help="seconds for a request",
    )
    add("--wait", type=float, default=10.0, help="seconds for the last pieces")
    add("--resume", action="store_true", help="send every log that was not sent to its end")
    add("--drop", action="store_true", help="drop the logs that the store will not have")
    add("--version", action="version", version=f"ship_log {VERSION}")
    add("command", nargs=argparse.REMAINDER, metavar="-- command", help="else standard input")
    options = parser.parse_args(arguments)
    if options.command[:1] == ["--"]:
        del options.command[0]
    only_drops = options.drop and not options.resume
    if only_drops and options.command:
        parser.error("--drop runs no command")
    if not only_drops and not re.match("https?://", options.url or ""):
        parser.error("say where the store is: --url http… or JOBLOGS_URL")
    runs = not (options.resume or options.drop)
    if runs and not re.fullmatch("[a-z_]+:.{1,64}", options.scope or ""):
        parser.error("say whose the job is: --scope biz:2 or JOBLOGS_SCOPE")
    if runs and not options.job_name:
        parser.error("say what the job is called: --job-name")
    options.spool = options.spool.expanduser()
    options.app_code = word(options.app_code, 256)
    return options


def app_secret() -> str:
    """Return the app secret, or an empty one if it cannot be read: then the store refuses the
    request, and the log waits."""
    file = os.environ.get("JOBLOGS_APP_SECRET_FILE")
    if not file:
        return os.environ.get("JOBLOGS_APP_SECRET", "")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        complain(f"JOBLOGS_APP_SECRET_FILE: {error}")
        return ""


def main(arguments: list[str]) -> int:
    """Run or resume according to the arguments; return the exit code."""
    options = parse(arguments)
    if options.drop and not options.resume:
        return resume(options, None)
    keys = {"bk_app_code": options.app_code, "bk_app_secret": app_secret()}
    store = Store(options.url, {**keys, "bk_username": user_name()}, options.timeout)
    return resume(options, store) if options.resume else ship(options, store)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
