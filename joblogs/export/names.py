"""Names of files in an archive, which show the host and can be unpacked on every system.

They are unique even on file systems that ignore case: they contain ids, and free text in them
cannot contain the separator. The longest path is below the 260 characters that Windows allows.
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
"""Names are limited in bytes too: most systems allow 255."""


def safe(text: str, length: int) -> str:
    """Return a text reduced to what is safe in a file name, which may be nothing."""
    text = unicodedata.normalize("NFC", text)
    # Not only what systems refuse: invisible and bidirectional characters can hide an extension.
    text = "".join("_" if unicodedata.category(c)[0] == "C" else c for c in text)
    text = _REFUSED.sub("_", text).lstrip("._-~")
    text = text[:length].encode()[: length * _BYTES_PER_CHARACTER].decode(errors="ignore")
    text = text.rstrip("._")
    base, dot, rest = text.partition(".")
    return f"{base}-{dot}{rest}" if _RESERVED.fullmatch(base) else text


def folder(step: StepInstance) -> str:
    """Return the folder of a step's logs, with a final slash."""
    job = step.job
    return f"{_scope(job)}/{_titled(job.job_instance_id, job.name)}/{_step(step)}/"


def _step(step: StepInstance) -> str:
    return _titled(step.step_instance_id, step.name)


def _scope(job: JobInstance) -> str:
    number = job.scope.scope_id
    name = safe(number, SCOPE_MAX)
    if name != number or name != name.lower() or "~" in name:
        # Ids are any text: ids that differ only in removed characters or in case stay distinct.
        name += "~" + hashlib.sha256(number.encode()).hexdigest()[:8]
    return f"{job.scope.scope_type}-{name}"


def _titled(number: int, title: str) -> str:
    name = safe(title, TITLE_MAX)
    return f"{number}-{name}" if name else str(number)


def host_file(
    run: StepHost, *, every_attempt: bool, file: FileLog | None = None, number: int = 0
) -> str:
    """Return the name of a host's log or, with `file`, of the log of its `number`th file."""
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
    """Return the file name of a download, such as `joblogs-biz-2-100.zip`."""
    names = [safe(str(part), HOST_MAX) for part in ("joblogs", *parts)]
    return "-".join(filter(None, names)) + f".{extension}"
