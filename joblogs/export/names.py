"""Names of files in an archive: a person finds the host, and every system can unpack them.

No two are equal, whatever case a file system keeps: numbers tell them apart, and what is free text
holds no separator that could imitate one. The longest path has less than the 260 characters that
Windows takes.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from joblogs.choices import FileMode
from joblogs.models import FileLog, JobInstance, StepInstance
from joblogs.query import StepHost

SCOPE_MAX, TITLE_MAX, HOST_MAX, FILE_MAX = 16, 28, 48, 24
_REFUSED = re.compile(r'[<>:"/\\|?*\s_]+')
SEPARATOR = "__"
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])", re.IGNORECASE)
_BYTES_PER_CHARACTER = 3
"""Names are bounded in bytes too: most systems take 255 of them."""


def safe(text: str, length: int) -> str:
    """What a name may hold of a text; empty if that is nothing."""
    text = unicodedata.normalize("NFC", text)
    # Not only what systems refuse: what cannot be seen, or turns the direction, hides an ending.
    text = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in text)
    text = _REFUSED.sub("_", text).lstrip("._-~")
    text = text[:length].encode()[: length * _BYTES_PER_CHARACTER].decode(errors="ignore")
    text = text.rstrip("._")
    base, dot, rest = text.partition(".")
    return f"{base}-{dot}{rest}" if _RESERVED.fullmatch(base) else text


def folder(step: StepInstance) -> str:
    """Where the logs of a step are, with a slash at its end."""
    job = step.job
    return f"{_scope(job)}/{_titled(job.job_instance_id, job.name)}/{_step(step)}/"


def _step(step: StepInstance) -> str:
    return _titled(step.step_instance_id, step.name)


def _scope(job: JobInstance) -> str:
    number = job.scope.scope_id
    name = safe(number, SCOPE_MAX)
    if name != number or name != name.lower() or "~" in name:
        # Ids are any text: two that differ in what cannot be kept stay two.
        name += "~" + hashlib.sha256(number.encode()).hexdigest()[:8]
    return f"{job.scope.scope_type}-{name}"


def _titled(number: int, title: str) -> str:
    name = safe(title, TITLE_MAX)
    return f"{number}-{name}" if name else str(number)


def host_file(
    run: StepHost, *, every_attempt: bool, file: FileLog | None = None, number: int = 0
) -> str:
    """The name of a host's log, or of the log of one of its files, the `number`th."""
    host = run.newest.host_id
    name = safe(run.name, HOST_MAX)
    parts = [name] if name and name != str(host) else []
    parts.append(str(host))
    if every_attempt:
        parts.append(f"attempt-{run.newest.execute_count}")
    if file is not None:
        path = (file.dest_path or file.src_path).replace("\\", "/").rstrip("/")
        parts += [f"{FileMode(file.mode).name.lower()}-{number}"]
        parts += filter(None, [safe(path.rpartition("/")[2], FILE_MAX)])
    return SEPARATOR.join(parts) + ".log"


def download_name(extension: str, *parts: object) -> str:
    """What an export is saved as: `joblogs-biz-2-100.zip`."""
    names = [safe(str(part), HOST_MAX) for part in ("joblogs", *parts)]
    return "-".join(filter(None, names)) + f".{extension}"
