"""Lines of a window in the requested view."""

from __future__ import annotations

from joblogs.query import Window

from .host_log import HostLog
from .lines import lines_as_bytes
from .request import LogRequest
from .seen import SeenLines, lines_as_seen


def window_lines(
    log: HostLog,
    window: Window,
    request: LogRequest,
    encoding: str,
    *,
    target: int | None = None,
    to_end: bool = False,
) -> SeenLines:
    """Return the lines as a terminal last showed them, or with all their bytes visible."""
    if request.as_bytes:
        lines = lines_as_bytes(window.lines, encoding, target=target, pattern=request.pattern)
        return SeenLines(lines, window.start)
    return lines_as_seen(
        log.text,
        window,
        encoding,
        mixed=request.is_mixed,
        target=target,
        to_end=to_end,
        run_seconds=log.seconds,
        pattern=request.pattern,
    )
