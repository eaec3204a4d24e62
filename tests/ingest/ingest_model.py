"""What a producer knows of a job, and a model of what a store answers to any part of it.

The model is RECORDS in a few lines: a record changes a row only forwards, a piece adds only where
the log ends, a parent comes first. It predicts what becomes of each record.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.builders import Fields, file_log, job, result, script_log, step

SCRIPTS, FILES = 200, 201
LAST = 1
"""Rows are told twice: as begun (0) and as finished (1)."""

Place = tuple[int, int, int, int, str]
"""Step, host, execute_count, batch, role."""
PLACES: tuple[Place, ...] = (
    *((SCRIPTS, host, run, 0, "target") for host in (1, 2) for run in (0, 1)),
    (SCRIPTS, 2, 0, 1, "target"),
    (FILES, 1, 0, 0, "target"),
    (FILES, 3, 0, 0, "source"),
    (FILES, 3, 0, 1, "target"),
)
Task = tuple[Place, str]
Log = Place | Task
LOGS: tuple[Log, ...] = tuple(place for place in PLACES if place[0] == SCRIPTS)
TASKS: tuple[Log, ...] = tuple(
    (place, name) for place in PLACES if place[0] == FILES for name in ("a", "b")
)
TEXTS: Mapping[Log, bytes] = {
    log: "".join(f"{number} of {log}: 密\t\0\r\n" for number in range(size)).encode() + b"\xff\xc3"
    for size, log in enumerate((*LOGS, *TASKS))
}


class Sent(NamedTuple):
    """One thing that a producer may say: of a row, how far it is; of a log, which bytes."""

    kind: str
    of: Any = None
    version: int = LAST
    span: tuple[int, int] | None = None

    def record(self) -> Fields:
        """The line that says it."""
        done = self.version == LAST
        news: Fields = {"update_time": 5 + self.version, "status": 3 if done else 2}
        if self.kind == "job":
            return job(**news, start_time=5 + self.version, scope_name=f"name {self.version}")
        if self.kind == "step":
            return step(self.of, step_type=1 + (self.of == FILES), **news, position=self.of)
        number, host, run, batch, role = self.of if self.kind != "file" else self.of[0]
        ids: Fields = {"host": host, "step": number, "execute_count": run, "batch": batch}
        if self.kind == "result":
            state = {"update_time": 5 + self.version, "status": 104 if done else 7}
            return result(**ids, role=role, **state, exit_code=self.version, tag="t" * done)
        content: Fields = {}
        if self.span is not None:
            part = TEXTS[self.of][slice(*self.span)]
            content = {"content_base64": base64.b64encode(part).decode(), "offset": self.span[0]}
        if self.kind == "piece":
            return script_log(None, **ids, **content)
        news = {"update_time": 5 + self.version, "status": 4 if done else 3}
        paths: Fields = {"src_path": f"/{self.of[1]}", "process": f"{self.version}%"}
        return file_log(**ids, mode=int(role == "target"), **paths, **news, **content)


def everything(cuts: Sequence[int] = ()) -> list[Sent]:
    """The whole story in its plain order, with logs cut at these places."""
    story = [Sent("job", version=0), *(Sent("step", number, 0) for number in (SCRIPTS, FILES))]
    story += [Sent("result", place, 0) for place in PLACES]
    story += [Sent("piece", log, span=span) for log in LOGS for span in spans(log, cuts)]
    story += [Sent("file", task, 0, span) for task in TASKS for span in spans(task, cuts)]
    story += [Sent("file", task) for task in TASKS]
    story += [Sent("result", place) for place in PLACES]
    return [*story, *(Sent("step", number) for number in (SCRIPTS, FILES)), Sent("job")]


def spans(log: Log, cuts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """A log's pieces, if it is cut there."""
    borders = sorted({0, len(TEXTS[log]), *(cut for cut in cuts if cut < len(TEXTS[log]))})
    yield from zip(borders, borders[1:], strict=False)


@dataclass
class Model:
    """What a store holds of the story: how far each row is, and how long each log."""

    rows: dict[Any, int] = field(default_factory=dict)
    sizes: dict[Log, int] = field(default_factory=dict)

    def take(self, told: Sent) -> str:
        """What becomes of a record: accepted, duplicate, or the reason why it is refused."""
        if not self._parent_of(told) <= self.rows.keys():
            return "unknown_parent"
        grown = False
        if told.span is not None:
            held = self.sizes.get(told.of, 0)
            if told.span[0] > held:
                return "gap"
            self.sizes[told.of] = max(held, told.span[1])
            grown = told.span[1] > held
        newer = False
        if told.kind != "piece":
            key = (told.kind, told.of)
            newer = told.version > self.rows.get(key, -1)
            self.rows[key] = max(told.version, self.rows.get(key, -1))
        return "accepted" if newer or grown else "duplicate"

    def _parent_of(self, told: Sent) -> set[Any]:
        if told.kind == "job":
            return set()
        if told.kind == "step":
            return {("job", None)}
        if told.kind == "result":
            return {("step", told.of[0])}
        return {("result", told.of if told.kind == "piece" else told.of[0])}
