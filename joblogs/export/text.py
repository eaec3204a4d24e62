"""Export as one stream of text, with each line prefixed by its host."""

from __future__ import annotations

from collections.abc import Iterator

from joblogs.query import StepHost

from .walk import Group, Walk

PART_BYTES = 64 * 1024
"""Bytes of a log to prefix at a time: with lines of one byte the prefixes take much memory."""


def stream(walk: Walk, *, prefix: bool) -> Iterator[bytes]:
    """Yield the logs one after another; each log begins on a new line.

    If there may be more than one step, the prefix names the step after the host.
    """
    open_line = False
    for group in walk.items():
        if not isinstance(group, Group):
            continue
        runs = group.runs
        for run, logs in zip(runs, walk.logs(group.step, runs), strict=True):
            lead = _lead(walk, group, run) if prefix else b""
            for log in logs:
                has_begun = False
                for part in log.parts:
                    if part and open_line and not has_begun:
                        yield b"\n"
                        open_line = False
                    has_begun = True
                    yield from _led(part, lead, open_line) if lead else [part]
                    open_line = not part.endswith(b"\n") if part else open_line
                if log.missing and lead:
                    yield b"\n" if open_line else b""
                    yield lead + f"[{log.missing} bytes cannot be read now]\n".encode()
                    open_line = False


def _led(part: bytes, lead: bytes, open_line: bool) -> Iterator[bytes]:
    for at in range(0, len(part), PART_BYTES):
        data = part[at : at + PART_BYTES]
        closed = data.endswith(b"\n")
        body = data[:-1] if closed else data
        led = body.replace(b"\n", b"\n" + lead) + (b"\n" if closed else b"")
        yield led if open_line else lead + led
        open_line = not closed


def _lead(walk: Walk, group: Group, run: StepHost) -> bytes:
    name = "".join(c if c.isprintable() else "?" for c in run.name)
    if walk.selection.every_attempt:
        name += f" #{run.newest.execute_count}"
    if not walk.selection.one_step:
        step = group.step
        name += f" {step.job.job_instance_id}/{step.step_instance_id}"
    return f"{name} | ".encode()
