"""Ansible callback: each play is a job of a joblogs store, each task a step (docs/ansible.md).

Copy this file into a `callback_plugins` folder as `joblogs.py`. Records are written to a spool and
sent from there by a thread, so a slow or missing store does not hold up a play.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import difflib
import encodings.idna  # noqa: F401 - else the thread imports it, perhaps during a fork
import errno
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

from ansible import constants
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: joblogs
type: notification
author:
  - The joblogs authors
version_added: 1.0.0
short_description: sends what hosts print to a joblogs store
requirements:
  - A joblogs store, and an app of it that may write.
  - As a part of a collection, being named in C(callbacks_enabled).
description:
  - Each play is a job, each task a step, and what a task prints on a host is that host's log.
  - Records that cannot be sent wait in a spool and go with the next run. A play never fails by it.
  - The spool holds what was printed as it was printed. What C(no_log) hides is not in it.
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

EXAMPLES = """
# ansible.cfg
# [defaults]
# callbacks_enabled = joblogs.store.joblogs
#
# [callback_joblogs]
# url = https://logs.example.com
# scope = biz:2
# app_secret_file = /etc/joblogs/secret
"""

Record = dict[str, Any]

EVERY_SECONDS = 2
PAUSE_SECONDS = 10
BATCH_BYTES = 1 << 20
MEMORY_BYTES = 8 << 20
SPOOL_BYTES = 1 << 30
PIECE_BYTES = 256 * 1024
ANSWER_BYTES = 1 << 20
TIMED_OUT = (
    "in the expected time frame",
    "did not complete within the requested time",
    "maximum time limit",
    "timeout when waiting for",
    "timeout exceeded",
)
HIDDEN = "the output is hidden by no_log"
NOISE = "non-zero return code"
# What Ansible puts in the place of the value of a no_log argument.
CENSORED = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
STARS = "********"
SECRET_NAME = re.compile("pass(word|wd|phrase)?$|secret|token|credential|api_?key", re.IGNORECASE)
SHORTEST_SECRET = 4
RETRIED_BYTES = 1 << 20
# Error codes of the store: the app's credentials are wrong; the app may not write anywhere.
WRONG_CREDENTIALS = 1640001
NO_GRANT = 9900403
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
# Errors that a result of an unexpected shape can raise here: the play continues without it.
MISHAPS = (
    *(ArithmeticError, AttributeError, LookupError),
    *(OSError, RuntimeError, TypeError, ValueError),
)


class Unsent(Exception):
    """The store did not accept a batch, which is kept.

    `everywhere`: it would accept no other batch either; `after`: the seconds that it asks to wait.
    """

    def __init__(self, message: str, *, everywhere: bool = True, after: float = 0.0) -> None:
        self.everywhere, self.after = everywhere, after
        super().__init__(message)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Handler that follows no redirects: they would send the secret to another server."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass
class Store:
    """Client of the store's endpoint for records."""

    url: str
    credentials: dict[str, str]
    timeout: float
    scope: str
    pages: dict[int, str] = field(default_factory=dict)  # addresses of pages by job

    def take(self, body: bytes) -> str | None:
        """Send a batch; return the reason if some of it was refused for good. Raises Unsent."""
        app = self.credentials["bk_app_code"]
        granting = f"on the store: manage.py create_app {app} --scope {self.scope} --write"
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
                reason = error.headers.get("X-Bkapi-Error-Message") or error.reason
            if error.code == http.client.REQUEST_ENTITY_TOO_LARGE:
                return f"HTTP 413: {reason}"
            if error.headers.get("X-Bkapi-Error-Code") == str(WRONG_CREDENTIALS):
                reason += f"; look at app_code, which is {app}, and app_secret or app_secret_file"
            after = error.headers.get("Retry-After") or ""
            seconds = float(after) if re.fullmatch("[0-9]{1,4}", after) else 0.0
            raise Unsent(f"HTTP {error.code}: {reason}", after=seconds) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unsent(f"{getattr(error, 'reason', error)}") from None
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or "refused_total" not in data:
            if isinstance(answer, dict) and answer.get("code") == NO_GRANT:
                raise Unsent(f"the app {app} may write nowhere; {granting}")
            raise Unsent(f"unexpected answer: {json.dumps(answer)[:200]}")
        for page in data.get("pages") or []:
            if re.fullmatch("https?://[!-~]+", url := str(page.get("url"))):
                self.pages[page.get("job_instance_id")] = url
        if not data["refused_total"]:
            return None
        first = data["refused"][0]
        refusal = f"{data['refused_total']} refused, first a {first['type']}: {first['message']}"
        if any(refused["reason"] == "forbidden" for refused in data["refused"]):
            raise Unsent(f"{refusal}; {granting}", everywhere=False)
        return refusal


class Outbox(threading.Thread):
    """Thread that collects records in memory, writes them to the spool, and sends them in order.

    Each run has its own folder, which is locked while it runs; a later run that gets the lock sends
    what is left in it.
    """

    def __init__(self, store: Store, spool: Path) -> None:
        super().__init__(name="joblogs", daemon=True)
        self.problem = self.refused = ""
        self._store, self.spool = store, spool
        self._folder = spool / f"ansible-{now():013d}-{secrets.token_hex(4)}"
        self._changed, self._writing = threading.Condition(), threading.Lock()
        self._lines: list[bytes] = []
        self._size = self._number = self._wanted = self._done = 0
        self._queue: deque[Path | bytes] = deque()
        self._free = SPOOL_BYTES
        self._again = self._not_before = 0.0

    def add(self, record: Record) -> None:
        """Add a record. It is encoded at once, since the caller may change it afterwards."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
        with self._changed:
            self._lines.append(line)
            self._size += len(line)
            if self._size >= BATCH_BYTES:
                self._changed.notify()
        if self._size >= MEMORY_BYTES:
            self._write_out()

    def finish(self, seconds: float) -> None:
        """Write everything to the spool, and wait until it is sent, cannot be sent, or the time is
        over."""
        self._write_out()
        with self._changed:
            self._wanted += 1
            self._changed.notify()
            until = time.monotonic() + seconds
            self._changed.wait_for(
                lambda: self._done >= self._wanted or self._not_before > until,
                seconds,
            )

    def left(self) -> int:
        """Return the number of batches of this run that are not sent."""
        return len(self._queue)

    def run(self) -> None:
        """Write and send every EVERY_SECONDS, when a batch is full, or when `finish` waits."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._wanted > self._done or self._size >= BATCH_BYTES,
                    EVERY_SECONDS,
                )
                wanted = self._wanted
            self._write_out()
            if wanted > self._done or time.monotonic() >= self._again:
                self._try_to_send()
            with self._changed:
                if (left := self._not_before - time.monotonic()) > 0:
                    self._changed.notify_all()
                    self._changed.wait(min(left, EVERY_SECONDS))
                else:
                    self._done = wanted
                    self._changed.notify_all()

    def _try_to_send(self) -> None:
        """Send, unless the store asked to wait longer; errors are kept in `problem`."""
        if time.monotonic() < self._not_before:
            return
        try:
            self._send()
        except (*MISHAPS, Unsent) as error:
            self.problem = f"{error}"
            after = error.after if isinstance(error, Unsent) else 0.0
            self._not_before = time.monotonic() + after
            self._again = time.monotonic() + PAUSE_SECONDS

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
                os.close(open_own(self.spool))
                write_file(file, body)
            except OSError as error:
                self.problem = f"the spool {self.spool}: {error.strerror}"
                self._free = min(self._free, MEMORY_BYTES)  # kept in memory until it is sent
                self._queue.append(body)
            else:
                self._queue.append(file)

    def _open(self) -> None:
        try:
            held = sum(file.stat().st_size for file in self.spool.glob("ansible-*/*"))
            self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(open_own(self.spool))
            # Locked under another name, so that it is not taken for an abandoned one.
            new = self.spool / f".{self._folder.name}"
            new.mkdir(mode=0o700)
            lock(new)
            new.rename(self._folder)
        except OSError:
            return  # `write_file` fails with a better message
        self._free = max(0, SPOOL_BYTES - held)

    def _send(self) -> None:
        """Send all batches, those of earlier runs first. Raises Unsent if one is not accepted."""
        kept = ""
        for folder in self._left_behind():
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

    def _left_behind(self) -> list[Path]:
        with contextlib.suppress(OSError):
            os.close(open_own(self.spool))
            return sorted(self.spool.glob("ansible-*"))
        return []

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
    """Lock a run's folder; return the descriptor that holds the lock, None if it is locked or
    cannot be opened."""
    try:
        descriptor = open_own(folder)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def open_own(folder: Path) -> int:
    """Return a descriptor of our own folder. Raises OSError if it is a link or another user's."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if os.fstat(descriptor).st_uid != os.geteuid():
        os.close(descriptor)
        raise PermissionError(errno.EPERM, "it belongs to somebody else")
    return descriptor


def remove(folder: Path) -> None:
    """Remove a run's folder if nothing is left in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def write_file(file: Path, data: bytes) -> None:
    """Write a file atomically, readable only by its owner."""
    part = file.with_suffix(".part")
    with open(part, "wb", opener=functools.partial(os.open, mode=0o600)) as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)


def now() -> int:
    """Return the milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def draw_number() -> int:
    """Return a random id for a job or step, outside the range of job systems."""
    return 2**52 + secrets.randbelow(2**52)


def host_number(source: str, name: str) -> int:
    """Return the id for a host that has none, always the same for a name within a source."""
    digest = hashlib.sha256(f"{source}\0{name}".encode(errors="replace")).digest()
    return 2**52 + (int.from_bytes(digest[:7], "big") >> 4)


def word(value: Any, limit: int) -> str:
    """Return a value as text that the store accepts as a name or path."""
    return str(value).encode(errors="replace").decode().replace("\0", "")[:limit]


def as_text(value: Any) -> str:
    """Return a value of a result as Ansible shows it."""
    if isinstance(value, str):
        return value
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    return json.dumps(value, ensure_ascii=False, default=as_text)


def as_bytes(value: Any) -> bytes:
    """Return a value of a result as lines. Ansible represents invalid UTF-8 as surrogates."""
    if value is None or value == "":
        return b""
    text = as_text(value)
    try:
        data = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        data = text.encode(errors="replace")
    return data if data.endswith(b"\n") else data + b"\n"


def as_lines(value: Any) -> bytes:
    """Return output as lines; network modules return a list of texts."""
    return b"".join(map(as_lines, value)) if isinstance(value, list) else as_bytes(value)


def is_hidden(result: Record, task: Any) -> bool:
    """Return whether no_log is on. Ansible has already emptied the result in this case."""
    return bool(
        "censored" in result
        or result.get("_ansible_no_log")
        # A template that is not rendered yet may have any value.
        or (task.no_log and "_ansible_no_log" not in result)
    )


def printed(result: Record, end: str, *, with_diff: bool) -> bytes:
    """Return the output of a result: stdout unchanged, then the other parts under headings."""
    found = {
        key: as_lines(result.get(key))
        for key in ("stdout", "module_stdout", "stderr", "module_stderr")
    }
    found["msg"] = b"" if result.get("msg") == NOISE else as_bytes(result.get("msg"))
    found["reason"] = as_bytes(result.get("reason"))
    if "assertion" in result:
        evaluated = as_text(result.get("evaluated_to"))
        found["assertion"] = as_bytes(f"{as_text(result['assertion'])} evaluated to {evaluated}")
    found["failures"] = as_lines(result.get("failures"))
    listed = result.get("results")  # of a package module; a loop's results are its items
    if isinstance(listed, list) and all(isinstance(line, str) for line in listed):
        found["results"] = as_lines(listed)
    if end not in ("ok", "changed", "skipped"):
        found["exception"] = cause(result, found["module_stderr"])
    if with_diff and end == "changed":
        found["diff"] = as_bytes(difference(result.get("diff")))
    parts: list[bytes] = []
    for key, data in found.items():
        if data:
            if parts or key not in ("stdout", "module_stdout", "msg", "reason", "diff"):
                parts.append(f"[{key}]\n".encode())
            parts.append(data)
    if not parts and result.get("_ansible_verbose_always"):  # `debug` with `var`
        shown = {k: v for k, v in result.items() if k != "changed" and not k.startswith("_ansible")}
        parts.append(as_bytes(json.dumps(shown, ensure_ascii=False, indent=2, default=as_text)))
    return b"".join(parts)


def cause(result: Record, stderr: bytes) -> bytes:
    """Return the exception behind a failure; empty if it is already shown."""
    data = as_bytes(result.get("exception")).strip()
    shown = stderr + as_bytes(result.get("msg")).replace(b".", b"")
    # Without an exception, modules report Python's text for none.
    is_none = data == b"NoneType: None" or b"traceback unavailable" in data
    reason = data.rpartition(b": ")[2].replace(b".", b"")
    is_shown = data in stderr or (b"\n" not in data and reason in shown)
    return b"" if not data or is_none or is_shown else data + b"\n"


def reasons(event: Any) -> str:
    """Return the messages and tracebacks of an ansible-core 2.19 error and its causes."""
    messages, traces = [], []
    while event is not None:
        messages.append(str(event.msg or "").rstrip("."))
        traces.append(event.formatted_traceback or "")
        event = getattr(event.chain, "event", None)
    messages = list(filter(None, messages))
    says_nothing = messages[-1:] in ([], ["Action failed"], ["Module failed"], ["Task failed"])
    message = "" if says_nothing else ": ".join(messages)
    return "\n".join(filter(None, [message, *traces]))


def difference(found: Any) -> str:
    """Return what `--diff` shows for a result."""
    shown = []
    for one in found if isinstance(found, list) else [found]:
        if not isinstance(one, dict):
            continue
        for side, name in (("dst", "destination"), ("src", "source")):
            if f"{side}_binary" in one:
                shown.append(f"diff skipped: {name} file appears to be binary\n")
            if f"{side}_larger" in one:
                limit = one[f"{side}_larger"]
                shown.append(f"diff skipped: {name} file size is greater than {limit}\n")
        if "before" in one and "after" in one:
            names = {side: one.get(f"{side}_header") for side in ("before", "after")}
            old, new = (s if head is None else f"{s}: {head}" for s, head in names.items())
            before, after = side_lines(one["before"]), side_lines(one["after"])
            lines = difflib.unified_diff(before, after, old, new, n=constants.DIFF_CONTEXT)
            shown.append("".join(lines))
        if "prepared" in one:
            shown.append(as_text(one["prepared"]))
    return "\n".join(text for text in shown if text)


def side_lines(side: Any) -> list[str]:
    """Return one side of a difference as lines."""
    if isinstance(side, (dict, list)):
        side = json.dumps(side, sort_keys=True, indent=4, default=as_text) + "\n"
    lines = ("" if side is None else as_text(side)).splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n\\ No newline at end of file\n"
    return lines


def secrets_of(result: Record, args: Record, *, by_name: bool) -> list[str]:
    """Return the values of no_log arguments, which Ansible censors; the longest first.

    `by_name`: include arguments with the name of a secret. They are always included if a task
    failed before its module ran, since its censored arguments are not known then.
    """
    invoked = (result.get("invocation") or {}).get("module_args")
    found = set()
    for key, value in args.items():
        # The content of a file is no_log only to keep it out of the system log.
        if key != "content" and isinstance(value, (str, int)) and not isinstance(value, bool):
            text = str(value)
            is_censored = isinstance(invoked, dict) and invoked.get(key) == CENSORED
            asks = by_name or not isinstance(invoked, dict)
            named = asks and SECRET_NAME.search(key) and len(text) >= SHORTEST_SECRET
            if text and (is_censored or named):
                found.add(text)
    return sorted(found, key=len, reverse=True)


def censored(text: str, hidden: list[str]) -> str:
    """Return a text with these values replaced by stars."""
    for value in hidden:
        text = text.replace(value, STARS)
    return text


def without_password(address: str) -> str:
    """Return a URL without user and password, which may have any character, even `@` and `/`."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    place = re.split("[/?#]", rest, maxsplit=1)[0]
    name, colon, port = place.partition(":")
    # `bob:1/2@host` has a password; `host.example:80/a@b` and `host:80/@scope` do not.
    path = rest[len(place) :].partition("?")[0]
    is_host = "." in name or name.startswith("[") or not re.search("[^/]@", path)
    if "@" not in place and (not colon or (is_host and re.fullmatch("[0-9]*", port))):
        return address
    if not colon:
        return f"{scheme}://{place.rpartition('@')[2]}{rest[len(place) :]}"
    # A query string may have an `@` too, unless the password itself has a question mark.
    before = rest.partition("?")[0]
    cut = before if "@" in before else rest
    return f"{scheme}://{rest[cut.rfind('@') + 1 :]}"


def without_password_of(address: str, text: bytes) -> bytes:
    """Return a text, which may quote a URL or a part of it, without the URL's password."""
    plain = without_password(address)
    if plain == address:
        return text
    rest, host = address.partition("://")[2], plain.partition("://")[2]
    password = rest[: len(rest) - len(host) - 1].partition(":")[2]
    text = text.replace(address.encode(errors="replace"), plain.encode(errors="replace"))
    for part in (password, *re.split("[@/?#]", password)):
        if len(part) >= SHORTEST_SECRET:
            text = text.replace(part.encode(errors="replace"), STARS.encode())
    return text


def skip_reason(result: Record) -> str:
    """Return the reason why a host or an item was skipped."""
    condition = result.get("false_condition")
    reason = result.get("skip_reason") or result.get("skipped_reason") or result.get("msg") or ""
    return f"skipped: {reason}" + (f" ({condition})" if condition is not None else "")


def pieces(data: bytes) -> Iterator[tuple[int, Record]]:
    """Yield a text cut into contents of records, with their offsets."""
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


def human_size(count: float) -> str:
    """Return a size as bk-job formats it: `9.0 Bytes`, `198.102 KB`."""
    count = float(count)
    for unit in ("Bytes", "KB", "MB"):
        if count < 1024:
            return f"{round(count, 3)} {unit}"
        count /= 1024
    return f"{round(count, 3)} GB"


def is_in_rescued_block(task: Any) -> bool:
    """Return whether a failure of the task is handled by the `rescue` of a block around it."""
    inside, block = {task._uuid}, task._parent
    while block is not None:
        tried = getattr(block, "block", None) or []
        if getattr(block, "rescue", None) and inside & {one._uuid for one in tried}:
            return True
        inside.add(block._uuid)  # for imported tasks, the block has the import
        block = block._parent
    return False


def place_of(task: Any) -> tuple[Any, ...]:
    """Return the key of a task's step: its place, with the includes and items that led there.

    Not just the task's id: strategies that do not wait include a file again for each group of
    hosts, and each batch of a rolling play gathers facts again.
    """
    leads = []
    parent = task._parent
    while parent is not None:
        is_include = hasattr(parent, "action") and short_name(parent) in INCLUDES
        if is_include and not getattr(parent, "statically_loaded", False):
            variables = parent.vars
            item = variables.get(variables.get("ansible_loop_var"))
            leads.append((parent.get_path(), json.dumps(item, sort_keys=True, default=str)))
        parent = parent._parent
    if leads:
        return (task.get_path(), task.action, task.name, *leads)
    if task.action == "gather_facts":
        return (task.action, task.name)
    return (task._uuid,)


def failure_status(values: Record, *, is_file: bool) -> int:
    """Return the bk-job status for a task that failed on a host."""
    reason = f"{values.get('msg', '')}".lower()
    if "timedout" in values or any(sign in reason for sign in TIMED_OUT):
        return 303 if is_file else 102
    if is_file:
        return 203 if "could not find or access" in reason or "does not exist" in reason else 202
    return 104 if values.get("rc") else 11


def ending(record: Record) -> Record:
    """Return the fields that a record gets when its job, step or host result ends."""
    end = now()
    took = max(0, end - record["start_time"])
    return {"end_time": end, "total_time": took, "update_time": max(end, record["update_time"])}


def short_name(task: Any) -> str:
    """Return a task's action without its collection."""
    return str(task.action).rpartition(".")[2]


def loops(task: Any) -> bool:
    """Return whether a task runs once for each item of a list."""
    return bool(task.loop or task.loop_with)


@dataclass
class Step:
    """Step for a task: its record, and the outcomes of its hosts."""

    record: Record
    action: str
    running: int = 0
    closed: bool = False
    is_for_all: bool = True  # every host should run it: no handler, no include and not `run_once`
    hosts: set[str] = field(default_factory=set)
    ends: set[str] = field(default_factory=set)

    @property
    def is_file(self) -> bool:
        return bool(self.record["step_type"] == 2)

    def status(self) -> int:
        """Return the bk-job status: failed, stopped, error ignored, skipped or succeeded."""
        if "failed" in self.ends:
            return 4
        if "not run" in self.ends:
            return 11
        if "ignored" in self.ends:
            return 6
        return 5 if self.ends == {"skipped"} else 3


@dataclass
class Attempt:
    """Attempt of a task on a host: its record, and the size of its log."""

    step: Step
    record: Record
    size: int = 0
    items: int = 0
    fault: Record | None = None  # values of the first item that failed
    places: list[str] = field(default_factory=list)  # other hosts that its items ran on
    retried: list[bytes] = field(default_factory=list)  # earlier output of the current item
    uploads: bool = False
    moved: list[tuple[str, str]] = field(default_factory=list)
    digest: Any = field(default_factory=hashlib.sha256)


@dataclass
class Result:
    """Result of a task, or of one item of its loop, on a host."""

    host: Any
    task: Any
    values: Record

    @classmethod
    def of(cls, result: Any) -> Result:
        """Return the parts of an Ansible result, whose names changed in ansible-core 2.19."""
        parts = ("host", "task", "result")
        names = (part if hasattr(result, part) else f"_{part}" for part in parts)
        found = cls(*(getattr(result, name) for name in names))
        if event := getattr(getattr(result, "exception", None), "event", None):
            found.values = {**found.values, "exception": reasons(event)}
        return found

    @property
    def ran_on(self) -> str:
        """Host that it was delegated to; empty if it was not or if that is not known."""
        name = str(self.task.delegate_to or "")
        if "{{" in name:
            known = self.values.get("_ansible_delegated_vars") or {}
            name = str(known.get("ansible_host") or "")
        return "" if "{{" in name or name.startswith("__omit_place_holder__") else name

    @property
    def place(self) -> tuple[str, str]:
        """Key of the task on the host."""
        return self.task._uuid, self.host.get_name()


Event = Callable[..., None]


def guarded(event: Event) -> Event:
    """Decorator of callbacks: errors do not reach the play, but are reported at its end."""

    @functools.wraps(event)
    def run(self: CallbackModule, *args: Any, **kwargs: Any) -> None:
        if self.outbox is not None:
            try:
                event(self, *args, **kwargs)
            except MISHAPS as error:
                # Without its text, which may quote secrets.
                line = traceback.extract_tb(error.__traceback__)[-1].lineno
                self.mishap = f"{event.__name__}: {type(error).__name__} in line {line}"

    return run


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core ships no types
    """Callback that turns the events of a play into records."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "joblogs"

    outbox: Outbox | None = None
    mishap = ""

    def set_options(self, *args: Any, **kwargs: Any) -> None:
        """Read the options and start the outbox. Ansible calls this once, before any event."""
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
        self._playing: Any = None
        self._jobs: dict[int, str] = {}  # names of jobs whose page was not printed yet
        self._marks: dict[str, int | None] = {}
        self._lost: set[str] = set()
        self._all: list[Any] = []
        self._reached: set[str] = set()
        self._batch = self._position = 0
        self._failed = self._unmatched = False
        self._steps: dict[tuple[Any, ...], list[Step]] = {}
        self._visits: dict[tuple[tuple[Any, ...], str], int] = {}
        self._open: list[Step] = []
        self._attempts: dict[tuple[str, str], Attempt] = {}
        self._addresses: dict[str, Record] = {}
        keys |= {"bk_username": self._user}
        store = Store(url, keys, self._timeout, word(":".join(scope), 128))
        self._pages = store.pages
        self.outbox = Outbox(store, Path(self.get_option("spool")).expanduser())
        self.outbox.start()
        atexit.register(self._leave, os.getpid())

    @guarded
    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._playing = play
        self._marks.clear()
        self._print_pages()
        if play._uuid == self._play:  # the next hosts of a play with `serial`
            self._batch += 1
            self._reach(play)
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
        self._jobs[self._job["job_instance_id"]] = self._job["name"]
        self._all, self._reached = [], set()
        self._reach(play)

    def _reach(self, play: Any) -> None:
        """Update all hosts of a play with `serial`, and those that it has reached."""
        if play.serial:
            with contextlib.suppress(AttributeError):
                inventory = play.get_variable_manager()._inventory
                self._all = inventory.get_hosts(play.hosts, ignore_restrictions=True)
                self._reached |= {host.get_name() for host in inventory.get_hosts(play.hosts)}

    def _print_pages(self) -> None:
        """Print the page of each job once. Called in the main thread: a fork would keep the
        display's lock."""
        for job in [job for job in self._jobs if job in self._pages]:
            line = f"joblogs: {self._jobs.pop(job)}: {self._pages[job]}"
            self._display.display(line, stderr=True)

    @guarded
    def v2_playbook_on_no_hosts_matched(self) -> None:
        self._unmatched = True

    @guarded
    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._close_steps()
        self._print_pages()

    @guarded
    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        self._close_steps()

    @guarded
    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        self._marks[host.get_name()] = self._failures(host)
        if short_name(task) not in INCLUDES:
            self._begin(host, task)

    @guarded
    def v2_runner_on_ok(self, result: Any) -> None:
        outcome = Result.of(result)
        self._take(outcome, "changed" if outcome.values.get("changed") else "ok")

    @guarded
    def v2_runner_on_skipped(self, result: Any) -> None:
        outcome = Result.of(result)
        self._take(outcome, "skipped")

    @guarded
    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        outcome = Result.of(result)
        rescued = "rescued" if self._is_rescued(outcome) else "failed"
        self._take(outcome, "ignored" if ignore_errors else rescued)

    def _failures(self, host: Any) -> int | None:
        """Return how often Ansible counts the host as failed: one more after an unrescued failure.

        None if that is not known.
        """
        failed = getattr(self._playing, "_removed_hosts", None)
        return None if failed is None else failed.count(host.get_name())

    def _is_rescued(self, result: Result) -> bool:
        before, after = self._marks.get(result.host.get_name()), self._failures(result.host)
        # A file that cannot be included is reported before it counts as a failure.
        if before is None or after is None or short_name(result.task) in INCLUDES:
            return is_in_rescued_block(result.task)
        return after <= before

    @guarded
    def v2_runner_on_unreachable(self, result: Any) -> None:
        outcome = Result.of(result)
        ignored = ", ignored" if outcome.task.ignore_unreachable else ""
        self._take(outcome, f"unreachable{ignored}")

    @guarded
    def v2_runner_item_on_ok(self, result: Any) -> None:
        outcome = Result.of(result)
        self._take_item(outcome, "changed" if outcome.values.get("changed") else "ok")

    @guarded
    def v2_runner_item_on_failed(self, result: Any) -> None:
        outcome = Result.of(result)
        self._take_item(outcome, "failed")

    @guarded
    def v2_runner_item_on_skipped(self, result: Any) -> None:
        outcome = Result.of(result)
        self._take_item(outcome, "skipped")

    @guarded
    def v2_runner_retry(self, result: Any) -> None:
        outcome = Result.of(result)
        if loops(outcome.task):
            self._retry_item(outcome)
            return
        attempt = self._attempt(outcome)
        self._write(attempt, outcome, "retried")
        self._end(attempt, outcome, "retried")
        record = {**attempt.record, "execute_count": attempt.record["execute_count"] + 1}
        self._attempts[outcome.place] = self._start(attempt.step, record)

    @guarded
    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end_job()
        self._finish(self._timeout)

    @guarded
    def _leave(self, pid: int) -> None:
        # After a normal end there is no job left. Ansible's workers are forks and must not end it.
        if self._job and os.getpid() == pid:
            self._end_job(stopped=True)
            self._finish(min(self._timeout, EVERY_SECONDS))

    def _finish(self, seconds: float) -> None:
        outbox = self.outbox
        if outbox is None:
            return
        outbox.finish(seconds)
        self._print_pages()
        messages = [self.mishap, outbox.refused and f"{outbox.refused} (kept as *.refused.gz)"]
        if left := outbox.left():
            why = outbox.problem or "no time left"
            messages.append(f"not sent, goes with the next run (batches: {left}): {why}")
        else:
            messages.append(outbox.problem)
        if any(messages):
            where = f"joblogs (spool {outbox.spool})"
            self._display.warning(f"{where}: " + "; ".join(filter(None, messages)))

    def _add(self, record: Record) -> None:
        if self.outbox is not None:
            self.outbox.add(record)

    def _end_job(self, *, stopped: bool = False) -> None:
        if not self._job:
            return
        for attempt in self._attempts.values():
            self._write_retried(attempt, f" {attempt.items + 1}")
            self._send_result(attempt, {"status": 403, "tag": "stopped"})
            attempt.step.running -= 1
            attempt.step.ends.add("failed")
        self._attempts.clear()
        self._add_not_run()
        self._close_steps()
        status = 4 if self._failed else 3
        self._job |= ending(self._job)
        self._job["status"] = 11 if stopped else 5 if self._unmatched else status
        self._add(self._job)
        self._job = {}
        self._steps.clear()
        self._visits.clear()

    def _add_not_run(self) -> None:
        """Add results for the hosts that a stopped rolling play has not reached, in every step for
        all hosts."""
        missed = [h for h in self._all if h.get_name() not in self._reached | self._lost]
        for step in [step for steps in self._steps.values() for step in steps if step.is_for_all]:
            for host in missed:
                record = self._result_record(step, host) | {"batch": self._batch + 1}
                end = now()
                record |= {"status": 403, "tag": "not run", "end_time": end, "update_time": end}
                if not step.is_file:
                    record |= {"log_size": 0, "log_sha256": hashlib.sha256().hexdigest()}
                self._add(record)
            if missed:
                step.ends.add("not run")
                if step.closed:
                    step.closed = False
                    self._open.append(step)
        self._all = []

    def _close_steps(self) -> None:
        """Close the steps that run on no host; with `serial` they may be reopened."""
        for step in self._open:
            if not step.running:
                step.record |= {**ending(step.record), "status": step.status()}
                step.closed = True
                self._add(step.record)
        self._open = [step for step in self._open if not step.closed]

    def _begin(self, host: Any, task: Any) -> Attempt:
        """Start a task on a host. A task that ran there before, such as a handler, gets a new
        step."""
        name = host.get_name()
        step = self._step_of(task, name)
        if step.closed:
            step.closed = False
            step.record |= {"status": 2, "update_time": max(now(), step.record["update_time"] + 1)}
            self._open.append(step)
            self._add(step.record)
        step.hosts.add(name)
        step.running += 1
        attempt = self._start(step, self._result_record(step, host))
        self._attempts[task._uuid, name] = attempt
        return attempt

    def _step_of(self, task: Any, name: str) -> Step:
        """Return the step of a task for its first, second or later run on a host.

        For handlers, which run when notified, hosts that run at the same time share a step.
        """
        place = place_of(task)
        steps = self._steps.setdefault(place, [])
        is_handler = hasattr(task, "listen")
        if is_handler and steps and not steps[-1].closed and name not in steps[-1].hosts:
            return steps[-1]
        visit = self._visits.get((place, name), 0)
        while visit < len(steps) and name in steps[visit].hosts:
            visit += 1
        self._visits[place, name] = visit + 1
        if visit == len(steps):
            is_for_all = not is_handler and len(place) <= 2 and task.run_once is not True
            steps.append(self._new_step(task, is_for_all=is_for_all))
        return steps[visit]

    def _result_record(self, step: Step, host: Any) -> Record:
        return {
            "type": "host_result",
            "job_instance_id": self._job["job_instance_id"],
            "step_instance_id": step.record["step_instance_id"],
            "execute_count": 0,
            "batch": self._batch,
            "bk_host_id": host_number(self._source, host.get_name()),
            "host_name": word(host.get_name(), 256),
            **self._address(host),
        }

    def _new_step(self, task: Any, *, is_for_all: bool) -> Step:
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
        step = Step(record, action, is_for_all=is_for_all)
        self._open.append(step)
        return step

    def _start(self, step: Step, values: Record) -> Attempt:
        start = now()
        kept = {k: values[k] for k in ("type", *PLACE, "host_name", "ip", "ipv6") if k in values}
        record = kept | {"status": 7, "start_time": start, "update_time": start}
        self._add(record)
        return Attempt(step, record)

    def _address(self, host: Any) -> Record:
        """Return a host's address from its own facts, otherwise from the inventory."""
        name = host.get_name()
        if name not in self._addresses:
            for known in (host.vars.get("ansible_host"), name):
                self._learn(name, known)
        return self._addresses.get(name, {})

    def _learn(self, name: str, address: Any, *, is_newer: bool = False) -> None:
        if address is not None and (is_newer or name not in self._addresses):
            with contextlib.suppress(ValueError):
                found = ipaddress.ip_address(str(address))
                kind = "ip" if found.version == 4 else "ipv6"
                self._addresses[name] = {kind: str(found)}

    def _learn_facts(self, result: Result) -> None:
        """Learn the host's address from its facts; those of a delegated task are another host's."""
        facts = result.values.get("ansible_facts")
        if not isinstance(facts, dict) or result.task.delegate_to:
            return
        for version in ("ansible_default_ipv6", "ansible_default_ipv4"):  # IPv4 is preferred
            known = facts.get(version)
            if isinstance(known, dict):
                self._learn(result.host.get_name(), known.get("address"), is_newer=True)

    def _attempt(self, result: Result) -> Attempt:
        found = self._attempts.get(result.place)
        return found or self._begin(result.host, result.task)

    def _take(self, result: Result, end: str) -> None:
        """Process the result of a task on a host."""
        if short_name(result.task) in INCLUDES and end in ("ok", "changed", "skipped"):
            return  # the included tasks have their own results
        attempt = self._attempt(result)
        if not attempt.items:
            self._write(attempt, result, end)
        self._end(attempt, result, end)
        del self._attempts[result.place]
        plain = COUNTS_AS.get(end, end)
        attempt.step.ends.add(plain)
        attempt.step.running -= 1
        self._failed = self._failed or plain == "failed"
        if plain == "failed":
            self._lost.add(result.host.get_name())
        self._learn_facts(result)

    def _take_item(self, result: Result, end: str) -> None:
        """Process the result of one item of a loop, which is a part of the host's log."""
        if short_name(result.task) in INCLUDES:
            return
        attempt = self._attempt(result)
        attempt.items += 1
        values = result.values
        if end == "failed" and attempt.fault is None:
            attempt.fault = {key: values[key] for key in ("rc", "msg", "timedout") if key in values}
        where = "" if end == "skipped" else result.ran_on
        if where and where not in attempt.places:
            attempt.places.append(where)
        item = values.get(values.get("ansible_loop_var", "item"))
        label = values.get("_ansible_item_label", item)
        if is_hidden(values, result.task):
            label = None
        hidden = secrets_of(values, result.task.args or {}, by_name=False)
        shown = "" if label is None else f": {censored(word(label, 200), hidden)}"
        shown = shown.replace("\n", " ")
        self._write_retried(attempt, shown)
        if not attempt.step.is_file:
            on = f", on {where}" if where else ""
            self._append(attempt, as_bytes(f"[item{shown}] {end}{on}"))
        self._write(attempt, result, end)

    def _retry_item(self, result: Result) -> None:
        """Keep the output of a retried item of a loop; its label is only known at its end."""
        attempt = self._attempt(result)
        if not attempt.step.is_file:
            attempt.retried.append(self._text(result, "retried"))
            if sum(map(len, attempt.retried)) > RETRIED_BYTES:
                self._write_retried(attempt, f" {attempt.items + 1}")

    def _write_retried(self, attempt: Attempt, label: str) -> None:
        for text in attempt.retried:
            self._append(attempt, as_bytes(f"[item{label}] retried") + text)
        attempt.retried.clear()

    def _text(self, result: Result, end: str) -> bytes:
        """Return the output of a result, without what Ansible hides."""
        values, task = result.values, result.task
        if is_hidden(values, task):
            return as_bytes(HIDDEN)
        if end == "skipped":
            return as_bytes(skip_reason(values))
        text = printed(values, end, with_diff=task.diff is True)
        args = task.args or {}
        for value in secrets_of(values, args, by_name=False):
            text = text.replace(value.encode(errors="surrogateescape"), STARS.encode())
        for value in args.values():
            if isinstance(value, str):
                text = without_password_of(value, text)
        return text

    def _write(self, attempt: Attempt, result: Result, end: str) -> None:
        """Write the output of a result to the host's log."""
        text = self._text(result, end)
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
        """Send the status of an attempt that has ended."""
        values, task, is_file = result.values, result.task, attempt.step.is_file
        values = values if attempt.fault is None else attempt.fault
        tag = f"{end} (check mode)" if task.check_mode is True else end
        places = attempt.places if attempt.items else [result.ran_on]
        if end != "skipped" and any(places):
            tag += f", on {', '.join(places)}"
        if end.startswith("unreachable"):
            status = 310 if is_file else 1
        elif end in ("ok", "changed", "skipped"):
            status = 9
        else:
            status = failure_status(values, is_file=is_file)
        more: Record = {"status": status, "tag": word(tag, 256)}
        code = values.get("rc")
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
        """Add a file that was transferred to the host or, with `fetch`, from it."""
        hidden = is_hidden(result.values, result.task)
        args: Record = {} if hidden else result.task.args or {}
        source = args.get("src") or args.get("url") or (HIDDEN if hidden else "(content)")
        secret = secrets_of(result.values, args, by_name=True)
        source = without_password(censored(word(source, 8192), secret))
        found = result.values.get("dest") or args.get("dest") or args.get("path") or ""
        dest = HIDDEN if hidden else without_password(censored(word(found, 8192), secret))
        place = {key: attempt.record[key] for key in PLACE}
        owner = ("bk_host_id", "ip", "ipv6")
        here = {key: attempt.record[key] for key in owner if key in attempt.record}
        checked = result.task.check_mode is True
        status = 4 if end in ("ok", "changed") else 5  # nothing more comes, in check mode too
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
        if (source, dest) in attempt.moved:  # the same file again, from another item of a loop
            again = hashlib.sha256(f"{source}\0{dest}".encode()).hexdigest()
            record["task_key"] = f"{record['mode']}_{len(attempt.moved)}_sha256:{again}"
        attempt.moved.append((source, dest))
        line = time.strftime("[%Y-%m-%d %H:%M:%S +0000]", time.gmtime()) + f" FileName: {dest}"
        if isinstance(size := result.values.get("size"), int):
            record["size"] = human_size(size)
            line += f" FileSize: {record['size']}"
        if status == 4 and not checked:
            record["process"] = "100%"
        line += f" {end}" + (" (check mode: nothing was moved)" if status == 4 and checked else "")
        record["update_time"] = now()
        for start, content in pieces(f"{line}\n".encode() + text):
            self._add({**record, "offset": start, **content})
