"""Reading of the logs of hosts for an export, in groups; unreadable logs may be left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from joblogs import query
from joblogs.choices import StepType
from joblogs.logtext.codec import Unreadable
from joblogs.models import FileLog, StepInstance
from joblogs.query import FileLogs, StepHost

LeftOut = Callable[[StepInstance, StepHost, Unreadable], object]
"""Called with a host whose log, or the rest of it, cannot be read now, and the error."""

ProgressCallback = Callable[[int], object]
"""Called with the number of bytes of text that were read since the last call."""


def ignore(*sizes: object) -> None:
    """Do nothing."""


@dataclass(slots=True)
class ExportedLog:
    """Log of a script or of one file transfer. Its parts can be read once."""

    size: int
    parts: Iterator[bytes] = iter(())
    file: FileLog | None = None
    missing: int = 0
    """Bytes that cannot be read now; for a long log known only after its parts were read."""


def logs_of(
    step: StepInstance,
    hosts: Sequence[StepHost],
    taken: ProgressCallback = ignore,
    *,
    left_out: LeftOut | None = None,
) -> Iterator[Iterator[ExportedLog]]:
    """Yield the logs of each host: the script's log, then file logs by batch, mode and task key.

    Text is fetched in groups of bounded size; read a host's logs before taking the next host.
    """
    lost: dict[int, Unreadable] = {}
    scripts = query.script_logs(step, hosts, None if left_out is None else lost.__setitem__)
    files = query.file_logs(step, hosts, masks=True)
    for (host, parts), (_, own) in zip(scripts, files, strict=True):
        script = ExportedLog(query.readable_size(step, host))
        script.parts = _counted(_whole(script, parts, host, lost), taken)
        if _error(host, lost) is not None:
            script.missing = script.size
        yield _logs_of_host(step, host, script, own, taken)
        error = _error(host, lost)
        if left_out is not None and script.missing and error is not None:
            left_out(step, host, error)


def _whole(
    log: ExportedLog, parts: Iterable[bytes], host: StepHost, lost: Mapping[int, Unreadable]
) -> Iterator[bytes]:
    """Yield the parts of a log up to the first one that cannot be read."""
    left = log.size
    for part in parts:
        if _error(host, lost) is not None:
            break
        left -= len(part)
        yield part
    if _error(host, lost) is not None:
        log.missing = left


def _error(host: StepHost, lost: Mapping[int, Unreadable]) -> Unreadable | None:
    errors = (lost.get(result.pk) for result in host.results)
    return next((error for error in errors if error is not None), None)


def _logs_of_host(
    step: StepInstance,
    host: StepHost,
    script: ExportedLog,
    files: FileLogs,
    taken: ProgressCallback,
) -> Iterator[ExportedLog]:
    if script.size or step.step_type != StepType.FILE:
        yield script
    for file in files:
        yield ExportedLog(file.held_size, _counted([bytes(file.content)], taken), file)


def _counted(parts: Iterable[bytes], taken: ProgressCallback) -> Iterator[bytes]:
    for part in parts:
        # Before the yield: a caller that stops here has read this part too.
        taken(len(part))
        yield part
