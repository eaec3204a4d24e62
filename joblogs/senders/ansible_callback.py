"""Ansible callback: each play is a job of a joblogs store, each task a step (docs/ansible.md).

Copy this one file into a `callback_plugins` folder as `joblogs.py`. Records are written to a spool
and sent from there by a thread, so that neither a slow store nor a missing one holds up a play.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import encodings.idna  # noqa: F401 - else the thread imports it, and a fork may catch it half-way
import fcntl
import functools
import getpass
import gzip
import hashlib
import http.client
import ipaddress
import json
import os
import re
import secrets
import socket
import threading
import time
import traceback
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: joblogs
type: notification
short_description: sends what hosts print to a joblogs store
description:
  - Each play is a job, each task a step, and what a task prints on a host is that host's log.
  - Records that cannot be sent wait in a spool and go with the next run. A play never fails by it.
options:
  url:
    description: Where the store is, such as https://logs.example.com. Without it nothing is sent.
    env: [{name: JOBLOGS_URL}]
    ini: [{section: callback_joblogs, key: url}]
  scope:
    description: The business that the jobs belong to, as type and id, such as biz:2.
    env: [{name: JOBLOGS_SCOPE}]
    ini: [{section: callback_joblogs, key: scope}]
  app_code:
    description: The app that sends. It needs the right to write in the scope.
    default: ansible
    env: [{name: JOBLOGS_APP_CODE}]
    ini: [{section: callback_joblogs, key: app_code}]
  app_secret:
    description: Its secret. A file is better, other processes do not see it.
    env: [{name: JOBLOGS_APP_SECRET}]
    ini: [{section: callback_joblogs, key: app_secret}]
  app_secret_file:
    description: A file that holds the secret.
    type: path
    env: [{name: JOBLOGS_APP_SECRET_FILE}]
    ini: [{section: callback_joblogs, key: app_secret_file}]
  source:
    description: Names this inventory. Hosts of one name are one machine only within a source.
    default: ansible
    env: [{name: JOBLOGS_SOURCE}]
    ini: [{section: callback_joblogs, key: source}]
  spool:
    description: The folder where records wait to be sent.
    type: path
    default: ~/.joblogs
    env: [{name: JOBLOGS_SPOOL}]
    ini: [{section: callback_joblogs, key: spool}]
  timeout:
    description: Seconds that a request, and the wait for the last ones after the play, may take.
    type: float
    default: 10
    env: [{name: JOBLOGS_TIMEOUT}]
    ini: [{section: callback_joblogs, key: timeout}]
"""

Record = dict[str, Any]

EVERY_SECONDS, PAUSE_SECONDS = 2, 10
BATCH_BYTES, MEMORY_BYTES, SPOOL_BYTES = 1 << 20, 8 << 20, 1 << 30
PIECE_BYTES = 256 * 1024
ANSWER_BYTES = 1 << 20
HIDDEN = "the output is hidden by no_log"
PLACE = ("job_instance_id", "step_instance_id", "execute_count", "batch", "bk_host_id")
INCLUDES = {"include_role", "include_tasks", "import_role", "import_tasks"}
UPLOADS = {"fetch"}
FILE_ACTIONS = UPLOADS | {"assemble", "copy", "get_url", "synchronize", "template", "unarchive"}
FILE_ACTIONS |= {"win_copy", "win_get_url", "win_template"}
COUNTS_AS = {
    "changed": "ok",
    "rescued": "ignored",
    "unreachable": "failed",
    "unreachable, ignored": "ignored",
}
# What a result of a shape that nobody foresaw can raise in here: the play goes on without it.
MISHAPS = (
    *(ArithmeticError, AttributeError, LookupError),
    *(OSError, RuntimeError, TypeError, ValueError),
)


class Unsent(Exception):
    """The store did not take a batch, which is kept. `everywhere`: it would take no other."""

    def __init__(self, message: str, *, everywhere: bool = True) -> None:
        self.everywhere = everywhere
        super().__init__(message)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Following one would carry the secret to wherever it leads."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass
class Store:
    """The store's door for records."""

    url: str
    credentials: dict[str, str]
    timeout: float

    def take(self, body: bytes) -> str | None:
        """Send a batch: why some of it was refused for good, if it was. Raises Unsent."""
        headers = {
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
            "Blueking-Language": "en",
            "X-Bkapi-Authorization": json.dumps(self.credentials),
        }
        address = self.url.rstrip("/") + "/api/v1/records"
        try:
            request = urllib.request.Request(address, body, headers)  # noqa: S310 - set by the user
            opener = urllib.request.build_opener(NoRedirect)
            with opener.open(request, timeout=self.timeout) as response:
                answer = json.loads(response.read(ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                said = error.headers.get("X-Bkapi-Error-Message") or error.reason
            if error.code == http.client.REQUEST_ENTITY_TOO_LARGE:
                return f"HTTP 413: {said}"
            raise Unsent(f"HTTP {error.code}: {said}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unsent(f"{getattr(error, 'reason', error)}") from None
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or "refused_total" not in data:
            raise Unsent(f"unexpected answer: {json.dumps(answer)[:200]}")
        if not data["refused_total"]:
            return None
        first = data["refused"][0]
        told = f"{data['refused_total']} refused, first a {first['type']}: {first['message']}"
        if any(refused["reason"] == "forbidden" for refused in data["refused"]):
            raise Unsent(told, everywhere=False)
        return told


class Outbox(threading.Thread):
    """Records on their way: gathered in memory, written to the spool, sent from there in order.

    A run has a folder of its own, locked while it lives: whoever gets the lock sends what is left.
    """

    def __init__(self, store: Store, spool: Path) -> None:
        super().__init__(name="joblogs", daemon=True)
        self.problem = self.refused = ""
        self._store, self.spool = store, spool
        self._folder = spool / f"ansible-{now():013d}-{secrets.token_hex(4)}"
        self._changed, self._writing = threading.Condition(), threading.Lock()
        self._lines: list[bytes] = []
        self._size = self._number = self._asked = self._answered = 0
        self._queue: deque[Path | bytes] = deque()
        self._free = SPOOL_BYTES
        self._again = 0.0

    def add(self, record: Record) -> None:
        """Take a record. It is encoded now: what it says may change afterwards."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
        with self._changed:
            self._lines.append(line)
            self._size += len(line)
            if self._size >= BATCH_BYTES:
                self._changed.notify()
        if self._size >= MEMORY_BYTES:
            self._write_out()

    def finish(self, seconds: float) -> None:
        """Write everything out and wait, at most so long, until it is sent or cannot be."""
        self._write_out()
        with self._changed:
            self._asked += 1
            self._changed.notify()
            self._changed.wait_for(lambda: self._answered >= self._asked, seconds)

    def left(self) -> int:
        """Batches of this run that are not sent."""
        return len(self._queue)

    def run(self) -> None:
        """Write and send every few seconds, or when somebody waits for it."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._asked > self._answered or self._size >= BATCH_BYTES, EVERY_SECONDS
                )
                asked = self._asked
            self._write_out()
            if asked > self._answered or time.monotonic() >= self._again:
                try:
                    self._send()
                except (*MISHAPS, Unsent) as error:
                    self.problem = f"{error}"
                    self._again = time.monotonic() + PAUSE_SECONDS
            with self._changed:
                self._answered = asked
                self._changed.notify_all()

    def _write_out(self) -> None:
        with self._writing:
            with self._changed:
                lines, self._lines, self._size = self._lines, [], 0
            if not lines:
                return
            body = gzip.compress(b"\n".join(lines), 6, mtime=0)
            if not self._number:
                self._open()
            self._number += 1
            if self._free < len(body):
                self.refused, self._free = f"the spool {self.spool} is full, records are lost", 0
                return
            self._free -= len(body)
            file = self._folder / f"{self._number:06d}.ndjson.gz"
            try:
                write_file(file, body)
            except OSError as error:
                self.problem = f"the spool {self.spool}: {error.strerror}"
                self._free = min(self._free, MEMORY_BYTES)  # it lies in memory until it is sent
                self._queue.append(body)
            else:
                self._queue.append(file)

    def _open(self) -> None:
        try:
            held = sum(file.stat().st_size for file in self.spool.glob("ansible-*/*"))
            self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Locked under another name, so that nobody takes it for one that was left behind.
            new = self.spool / f".{self._folder.name}"
            new.mkdir(mode=0o700)
            lock(new)
            new.rename(self._folder)
        except OSError:
            return  # `write_file` says it better
        self._free = max(0, SPOOL_BYTES - held)

    def _send(self) -> None:
        """Earlier runs first. Raises Unsent at the first batch that is not taken."""
        kept = ""
        for folder in sorted(self.spool.glob("ansible-*")):
            if folder != self._folder and (held := lock(folder)) is not None:
                try:
                    for file in sorted(folder.glob("*.ndjson.gz")):
                        self._deliver(file)
                except Unsent as error:
                    if error.everywhere:
                        raise
                    kept = str(error)
                finally:
                    remove(folder)
                    os.close(held)
        while self._queue:
            self._deliver(self._queue[0])
            self._queue.popleft()
        self.problem = kept
        remove(self._folder)

    def _deliver(self, batch: Path | bytes) -> None:
        body = batch if isinstance(batch, bytes) else batch.read_bytes()
        refused = self._store.take(body)
        self._free += len(body)
        if refused:
            self.refused = refused
        if isinstance(batch, Path):
            if refused:
                batch.rename(batch.with_suffix("").with_suffix(".refused.gz"))
            else:
                batch.unlink()


def lock(folder: Path) -> int | None:
    """A lock on a run's folder for as long as the descriptor is open, None if somebody has it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def remove(folder: Path) -> None:
    """Remove a run's folder if nothing is left in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def write_file(file: Path, data: bytes) -> None:
    """Write a file that is there as a whole or not at all, for nobody else to read."""
    part = file.with_suffix(".part")
    with open(part, "wb", opener=functools.partial(os.open, mode=0o600)) as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def draw_number() -> int:
    """A number for a job or step that no job system gives and nobody else draws."""
    return 2**52 + secrets.randbelow(2**52)


def host_number(source: str, name: str) -> int:
    """The number of a host that has none: always the same for a name within a source."""
    digest = hashlib.sha256(f"{source}\0{name}".encode(errors="replace")).digest()
    return 2**52 + (int.from_bytes(digest[:7], "big") >> 4)


def word(value: Any, limit: int) -> str:
    """Text that the store takes as a name or a path."""
    return str(value).encode(errors="replace").decode().replace("\0", "")[:limit]


def as_bytes(value: Any) -> bytes:
    """A value of a result as lines. Ansible carries bytes that are no UTF-8 as surrogates."""
    if value is None or value == "":
        return b""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    try:
        data = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        data = text.encode(errors="replace")
    return data if data.endswith(b"\n") else data + b"\n"


def is_hidden(result: Record, task: Any) -> bool:
    """Whether no_log is on. Ansible has emptied such results already; nothing else is looked at."""
    return bool(
        "censored" in result
        or result.get("_ansible_no_log")
        # A template that nobody has filled in yet may come to anything.
        or (task.no_log and "_ansible_no_log" not in result)
    )


def printed(result: Record) -> bytes:
    """What a result says: stdout as it is, then the rest, each under a line that names it."""
    parts: list[bytes] = []
    for key in ("stdout", "module_stdout", "stderr", "module_stderr", "msg"):
        data = as_bytes(result.get(key))
        if data and not data.endswith((b"non-zero return code\n", b"non-zero return code.\n")):
            if parts or "stderr" in key:
                parts.append(f"[{key}]\n".encode())
            parts.append(data)
    if not parts and result.get("_ansible_verbose_always"):  # `debug` with `var`
        shown = {k: v for k, v in result.items() if k != "changed" and not k.startswith("_ansible")}
        parts.append(as_bytes(json.dumps(shown, ensure_ascii=False, indent=2, default=str)))
    return b"".join(parts)


def skip_reason(result: Record) -> str:
    """Why a host or an item was left out."""
    condition = result.get("false_condition")
    reason = result.get("skip_reason") or result.get("skipped_reason") or result.get("msg") or ""
    return f"skipped: {reason}" + (f" ({condition})" if condition is not None else "")


def pieces(data: bytes) -> Iterator[tuple[int, Record]]:
    """A text cut into contents of records, and where in it each starts."""
    start = 0
    while start < len(data):
        end = min(start + PIECE_BYTES, len(data))
        # A border moves back to the start of a character, so that pieces of text are text.
        while len(data) > end > start + PIECE_BYTES - 4 and data[end] & 0xC0 == 0x80:
            end -= 1
        part = data[start:end]
        try:
            yield start, {"content": part.decode()}
        except UnicodeDecodeError:
            yield start, {"content_base64": base64.b64encode(part).decode()}
        start = end


def human_size(count: float) -> str:
    """As bk-job writes sizes: `9.0 Bytes`, `198.102 KB`."""
    count = float(count)
    for unit in ("Bytes", "KB", "MB"):
        if count < 1024:
            return f"{round(count, 3)} {unit}"
        count /= 1024
    return f"{round(count, 3)} GB"


def is_rescued(task: Any) -> bool:
    """Whether a failure of the task is answered for by the `rescue` of a block around it."""
    child, block = task, task._parent
    while block is not None:
        if getattr(block, "rescue", None) and child._uuid in {one._uuid for one in block.block}:
            return True
        child, block = block, block._parent
    return False


def failure_status(said: Record, *, is_file: bool) -> int:
    """Why a task failed on a host, in the numbers of bk-job."""
    reason = f"{said.get('msg', '')}".lower()
    if "timedout" in said or "in the expected time frame" in reason:
        return 303 if is_file else 102
    if is_file:
        return 203 if "could not find or access" in reason or "does not exist" in reason else 202
    return 104 if said.get("rc") else 11


def ending(record: Record) -> Record:
    """What a record says when that which it is about has ended."""
    end = now()
    took = max(0, end - record["start_time"])
    return {"end_time": end, "total_time": took, "update_time": max(end, record["update_time"])}


def short_name(task: Any) -> str:
    """A task's action without its collection."""
    return str(task.action).rpartition(".")[2]


def loops(task: Any) -> bool:
    """Whether a task runs once for each item of a list."""
    return bool(task.loop or task.loop_with)


@dataclass
class Step:
    """A task: its record, and how its hosts fared."""

    record: Record
    action: str
    running: int = 0
    closed: bool = False
    hosts: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)

    @property
    def is_file(self) -> bool:
        return bool(self.record["step_type"] == 2)

    def status(self) -> int:
        """Failed, error ignored, skipped or succeeded."""
        if "failed" in self.ends:
            return 4
        if "ignored" in self.ends:
            return 6
        return 5 if self.ends == {"skipped"} else 3


@dataclass
class Attempt:
    """A task on a host, once: its record, and how much of its log there is."""

    step: Step
    record: Record
    size: int = 0
    items: int = 0
    fault: Record | None = None  # what the first item that failed says
    uploads: bool = False
    moved: list[tuple[str, str]] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)


@dataclass
class Result:
    """What Ansible tells of a task, or of one item of its loop, on a host."""

    host: Any
    task: Any
    said: Record

    @classmethod
    def of(cls, told: Any) -> Result:
        """Read the parts by their names since ansible-core 2.19, else by those before."""
        names = ("host", "task", "result")
        return cls(*(getattr(told, name if hasattr(told, name) else f"_{name}") for name in names))

    @property
    def place(self) -> tuple[str, str]:
        """Which task on which host."""
        return self.task._uuid, self.host.get_name()


Event = Callable[..., None]


def guarded(event: Event) -> Event:
    """Nothing that goes wrong here may reach the play; it is told at its end."""

    @functools.wraps(event)
    def run(self: CallbackModule, *args: Any, **kwargs: Any) -> None:
        if self.outbox is not None:
            try:
                event(self, *args, **kwargs)
            except MISHAPS as error:
                # Not its text: that may quote what must not be shown.
                line = traceback.extract_tb(error.__traceback__)[-1].lineno
                self.mishap = f"{event.__name__}: {type(error).__name__} in line {line}"

    return run


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core ships no types
    """What Ansible tells of a play, as records."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "joblogs"

    outbox: Outbox | None = None
    mishap = ""

    def set_options(self, *args: Any, **kwargs: Any) -> None:
        """Ansible calls this once, before anything happens."""
        super().set_options(*args, **kwargs)
        url, scope = self.get_option("url") or "", (self.get_option("scope") or "").split(":")
        if not url:
            return
        if not re.match("https?://", url) or len(scope) != 2:
            self._display.warning("joblogs: nothing is sent: url is http…, scope is like biz:2")
            return
        secret = self.get_option("app_secret") or ""
        if file := self.get_option("app_secret_file"):
            try:
                secret = Path(file).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                self.mishap = f"app_secret_file: {error}"
        try:
            self._user = word(getpass.getuser(), 256)
        except (KeyError, OSError):
            self._user = str(os.getuid())
        keys = {"bk_app_code": self.get_option("app_code"), "bk_app_secret": secret}
        self._timeout = float(self.get_option("timeout"))
        self._source, self._scope = word(self.get_option("source"), 256), scope
        self._controller = {"bk_host_id": host_number(self._source, socket.gethostname())}
        self._job: Record = {}
        self._play = ""
        self._batch = self._position = 0
        self._failed = self._unmatched = False
        self._steps: dict[str, Step] = {}
        self._open: list[Step] = []
        self._attempts: dict[tuple[str, str], Attempt] = {}
        self._addresses: dict[str, Record] = {}
        store = Store(url, keys | {"bk_username": self._user}, self._timeout)
        self.outbox = Outbox(store, Path(self.get_option("spool")).expanduser())
        self.outbox.start()
        atexit.register(self._leave, os.getpid())

    @guarded
    def v2_playbook_on_play_start(self, play: Any) -> None:
        if play._uuid == self._play:  # the next hosts of a play with `serial`
            self._batch += 1
            return
        self._end_job()
        self._play, self._batch, self._position = play._uuid, 1 if play.serial else 0, 0
        self._failed = self._unmatched = False
        start = now()
        name = f"{play.get_name()} [check mode]" if play.check_mode is True else play.get_name()
        self._job = {
            "type": "job",
            "job_instance_id": draw_number(),
            "bk_scope_type": self._scope[0],
            "bk_scope_id": self._scope[1],
            "name": word(name, 512),
            "operator": self._user,
            "source": self._source,
            "task_type": 0,
            "status": 2,
            **{"create_time": start, "start_time": start, "update_time": start},
        }
        self._add(self._job)

    @guarded
    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._unmatched = True

    @guarded
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._close_steps()

    @guarded
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._close_steps()

    @guarded
    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        if short_name(task) not in INCLUDES:
            self._begin(host, task)

    @guarded
    def v2_runner_on_ok(self, result: Any) -> None:
        told = Result.of(result)
        self._take(told, "changed" if told.said.get("changed") else "ok")

    @guarded
    def v2_runner_on_skipped(self, result: Any) -> None:
        told = Result.of(result)
        self._take(told, "skipped")

    @guarded
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        told = Result.of(result)
        rescued = "rescued" if is_rescued(told.task) else "failed"
        self._take(told, "ignored" if ignore_errors else rescued)

    @guarded
    def v2_runner_on_unreachable(self, result: Any) -> None:
        told = Result.of(result)
        ignored = ", ignored" if told.task.ignore_unreachable else ""
        self._take(told, f"unreachable{ignored}")

    @guarded
    def v2_runner_item_on_ok(self, result: Any) -> None:
        told = Result.of(result)
        self._take_item(told, "changed" if told.said.get("changed") else "ok")

    @guarded
    def v2_runner_item_on_failed(self, result: Any) -> None:
        told = Result.of(result)
        self._take_item(told, "failed")

    @guarded
    def v2_runner_item_on_skipped(self, result: Any) -> None:
        told = Result.of(result)
        self._take_item(told, "skipped")

    @guarded
    def v2_runner_retry(self, result: Any) -> None:
        told = Result.of(result)
        if loops(told.task):
            self._take_item(told, "retried")
            return
        attempt = self._attempt(told)
        self._write(attempt, told, "retried")
        self._end(attempt, told, "retried")
        said = {**attempt.record, "execute_count": attempt.record["execute_count"] + 1}
        self._attempts[told.place] = self._start(attempt.step, said)

    @guarded
    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end_job()
        self._finish(self._timeout)

    @guarded
    def _leave(self, pid: int) -> None:
        # After an ordinary end there is no job left; Ansible's workers are forks, they have none.
        if self._job and os.getpid() == pid:
            self._end_job(stopped=True)
            self._finish(min(self._timeout, EVERY_SECONDS))

    def _finish(self, seconds: float) -> None:
        outbox = self.outbox
        if outbox is None:
            return
        outbox.finish(seconds)
        told = [self.mishap, outbox.refused and f"{outbox.refused} (kept as *.refused.gz)"]
        if left := outbox.left():
            why = outbox.problem or "no time left"
            told.append(f"not sent, goes with the next run (batches: {left}): {why}")
        else:
            told.append(outbox.problem)
        if any(told):
            where = f"joblogs (spool {outbox.spool})"
            self._display.warning(f"{where}: " + "; ".join(filter(None, told)))

    def _add(self, record: Record) -> None:
        if self.outbox is not None:
            self.outbox.add(record)

    def _end_job(self, *, stopped: bool = False) -> None:
        if not self._job:
            return
        for attempt in self._attempts.values():
            self._send_result(attempt, {"status": 403, "tag": "stopped"})
            attempt.step.running -= 1
            attempt.step.ends.add("failed")
        self._attempts.clear()
        self._close_steps()
        status = 4 if self._failed else 3
        self._job |= ending(self._job)
        self._job["status"] = 11 if stopped else 5 if self._unmatched else status
        self._add(self._job)
        self._job = {}
        self._steps.clear()

    def _close_steps(self) -> None:
        """Tell how the steps ended on which no host is at work; `serial` may open them again."""
        for step in self._open:
            if not step.running:
                step.record |= {**ending(step.record), "status": step.status()}
                step.closed = True
                self._add(step.record)
        self._open = [step for step in self._open if not step.closed]

    def _begin(self, host: Any, task: Any) -> Attempt:
        """A task begins on a host. If it had been there before, as a handler, it is a new step."""
        name = host.get_name()
        step = self._steps.get(task._uuid)
        if step is None or name in step.hosts:
            step = self._steps[task._uuid] = self._new_step(task)
        elif step.closed:
            step.closed = False
            step.record |= {"status": 2, "update_time": max(now(), step.record["update_time"] + 1)}
            self._open.append(step)
            self._add(step.record)
        step.hosts.add(name)
        step.running += 1
        said = {
            "type": "host_result",
            "job_instance_id": self._job["job_instance_id"],
            "step_instance_id": step.record["step_instance_id"],
            "execute_count": 0,
            "batch": self._batch,
            "bk_host_id": host_number(self._source, name),
            "host_name": word(name, 256),
            **self._address(host),
        }
        attempt = self._attempts[task._uuid, name] = self._start(step, said)
        return attempt

    def _new_step(self, task: Any) -> Step:
        self._position += 1
        action, start = short_name(task), now()
        record = {
            "type": "step",
            "job_instance_id": self._job["job_instance_id"],
            "step_instance_id": draw_number(),
            "name": word(task.get_name(), 512),
            "step_type": 2 if action in FILE_ACTIONS else 1,
            "position": self._position,
            "status": 2,
            **{"create_time": start, "start_time": start, "update_time": start},
        }
        self._add(record)
        step = Step(record, action)
        self._open.append(step)
        return step

    def _start(self, step: Step, said: Record) -> Attempt:
        start = now()
        kept = {k: said[k] for k in ("type", *PLACE, "host_name", "ip", "ipv6") if k in said}
        record = kept | {"status": 7, "start_time": start, "update_time": start}
        self._add(record)
        return Attempt(step, record)

    def _address(self, host: Any) -> Record:
        """What the inventory, or a fact that was gathered, says of the host's address."""
        name = host.get_name()
        for known in (host.vars.get("ansible_host"), name):
            if name not in self._addresses and known is not None:
                with contextlib.suppress(ValueError):
                    address = ipaddress.ip_address(str(known))
                    kind = "ip" if address.version == 4 else "ipv6"
                    self._addresses[name] = {kind: str(address)}
        return self._addresses.get(name, {})

    def _attempt(self, result: Result) -> Attempt:
        found = self._attempts.get(result.place)
        return found or self._begin(result.host, result.task)

    def _take(self, result: Result, end: str) -> None:
        """The result of a task on a host."""
        if short_name(result.task) in INCLUDES and end in ("ok", "changed", "skipped"):
            return  # what is included speaks for itself
        attempt = self._attempt(result)
        if not attempt.items:
            self._write(attempt, result, end)
        self._end(attempt, result, end)
        del self._attempts[result.place]
        plain = COUNTS_AS.get(end, end)
        attempt.step.ends.add(plain)
        attempt.step.running -= 1
        self._failed = self._failed or plain == "failed"
        facts = result.said.get("ansible_facts") or {}
        if found := (facts.get("ansible_default_ipv4") or {}).get("address"):
            self._addresses.setdefault(result.host.get_name(), {"ip": str(found)})

    def _take_item(self, result: Result, end: str) -> None:
        """The result of one item of a loop: a part of the host's log."""
        if short_name(result.task) in INCLUDES:
            return
        attempt = self._attempt(result)
        attempt.items += 1
        said = result.said
        if end == "failed" and attempt.fault is None:
            attempt.fault = {key: said[key] for key in ("rc", "msg", "timedout") if key in said}
        label = said.get("_ansible_item_label", said.get(said.get("ansible_loop_var", "item")))
        shown = "" if label is None else f": {word(label, 200)}".replace("\n", " ")
        if not attempt.step.is_file:
            self._append(attempt, f"[item{shown}] {end}\n".encode())
        self._write(attempt, result, end)

    def _write(self, attempt: Attempt, result: Result, end: str) -> None:
        """Write what a result says into the host's log."""
        said = result.said
        hidden = is_hidden(said, result.task)
        text = as_bytes(HIDDEN) if hidden else printed(said)
        if end == "skipped" and not hidden:
            text = as_bytes(skip_reason(said))
        if not attempt.step.is_file:
            self._append(attempt, text)
        elif end != "skipped":
            self._add_file(attempt, result, text, end)

    def _append(self, attempt: Attempt, text: bytes) -> None:
        place = {key: attempt.record[key] for key in PLACE}
        for start, content in pieces(text):
            piece = {"type": "script_log", **place, "offset": attempt.size + start, **content}
            self._add(piece)
        attempt.size += len(text)
        attempt.digest.update(text)

    def _end(self, attempt: Attempt, result: Result, end: str) -> None:
        """Tell how an attempt ended."""
        said, task, is_file = result.said, result.task, attempt.step.is_file
        said = said if attempt.fault is None else attempt.fault
        tag = f"{end} (check mode)" if task.check_mode is True else end
        if task.delegate_to:
            tag += f", on {task.delegate_to}"
        if end.startswith("unreachable"):
            status = 310 if is_file else 1
        elif end in ("ok", "changed", "skipped"):
            status = 9
        else:
            status = failure_status(said, is_file=is_file)
        more: Record = {"status": status, "tag": word(tag, 256)}
        code = said.get("rc")
        if isinstance(code, int) and abs(code) < 2**31:
            more["exit_code"] = int(code)
        self._send_result(attempt, more)

    def _send_result(self, attempt: Attempt, more: Record) -> None:
        record = attempt.record
        record.update(more | ending(record))
        if attempt.uploads:
            self._add({**record, "role": "source"})
        if not attempt.step.is_file:
            record |= {"log_size": attempt.size, "log_sha256": attempt.digest.hexdigest()}
        self._add(record)

    def _add_file(self, attempt: Attempt, result: Result, text: bytes, end: str) -> None:
        """A file that went to the host or, with `fetch`, came from it."""
        hidden = is_hidden(result.said, result.task)
        args: Record = {} if hidden else result.task.args or {}
        source = args.get("src") or args.get("url") or (HIDDEN if hidden else "(content)")
        source = re.sub("(?<=://)[^/@]*@", "", word(source, 8192))
        found = result.said.get("dest") or args.get("dest") or args.get("path") or ""
        dest = HIDDEN if hidden else word(found, 8192)
        place = {key: attempt.record[key] for key in PLACE}
        owner = ("bk_host_id", "ip", "ipv6")
        here = {key: attempt.record[key] for key in owner if key in attempt.record}
        done = 1 if result.task.check_mode is True else 4
        status = done if end in ("ok", "changed") else 5
        record: Record = {"type": "file_log", **place, "src_path": source, "status": status}
        if attempt.step.action in UPLOADS or args.get("mode") == "pull":
            record.update(mode=0, src=here)
            if not attempt.uploads:
                attempt.uploads = True
                self._add({**attempt.record, "role": "source"})
        else:
            record.update(mode=1, dest=here, dest_path=dest)
            if "://" not in source:
                record["src"] = here if args.get("remote_src") else self._controller
        if (source, dest) in attempt.moved:  # the same file again, by another item of a loop
            again = hashlib.sha256(f"{source}\0{dest}".encode()).hexdigest()
            record["task_key"] = f"{record['mode']}_{len(attempt.moved)}_sha256:{again}"
        attempt.moved.append((source, dest))
        line = time.strftime("[%Y-%m-%d %H:%M:%S +0000]", time.gmtime()) + f" FileName: {dest}"
        if isinstance(size := result.said.get("size"), int):
            record["size"] = human_size(size)
            line += f" FileSize: {record['size']}"
        if status == 4:
            record["process"] = "100%"
        line += f" {end}" + (" (check mode: nothing was moved)" if status == 1 else "")
        record["update_time"] = now()
        for start, content in pieces(f"{line}\n".encode() + text):
            self._add({**record, "offset": start, **content})
