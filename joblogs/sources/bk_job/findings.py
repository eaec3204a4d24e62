"""Findings about a dump: missing or duplicate data, counted and named, never guessed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from enum import StrEnum

EXAMPLES = 5


class Finding(StrEnum):
    """Choices of the kind of a finding, for the user of an import."""

    # Left out: the data is not imported.
    NO_SCOPE = "jobs whose app_id the scope map does not name"
    NO_CREATE_TIME = "jobs without create_time"
    NO_JOB = "steps whose job is not among the task_instance rows"
    STEP_TYPE = "steps of a type that is not known"
    NO_STEP = "steps with logs or host rows, but without a step_instance row"
    CONTAINER = "log documents and host rows of containers"
    NO_ADDRESS = (
        "hosts in steps, of which neither target_servers, file_source, task_instance_host "
        "nor a log tells an address"
    )
    UNREADABLE = "log documents and host rows that do not say what they belong to"
    # Noted: the data is imported, but differs from that of a complete dump.
    FILE = "files not read: their names tell no collection and no table that is needed"
    NO_COLLECTION = "steps whose logs are in a collection that was not given"
    NO_LOG = "finished host results without a log"
    NO_RESULT = "logs without a host row; their host results have status 500, unknown"
    NO_CLOUD = "hosts in steps with an address but no cloud area; 0 stands in"
    ADDRESS_ONLY = "hosts in steps known by address alone; their number is made from it"
    SNAPSHOT = "steps whose target_servers or file_source is not JSON"
    BYTES_MISSING = "logs with bytes missing between two chunks, by their offsets"
    OVERLAP = "chunks that overlap the one before, by their offsets; both are kept"
    REPEATED_CHUNK = "chunks written twice, with one offset and content; stored once"
    REPEATED_DOCUMENT = "documents given more than once"
    TIMES_UNUSED = "file logs whose timeLogList is not as long as contentList, so not used"
    CONTAINER_SOURCE = "files that came from a container; they have no source host"
    VALUE = "values that no column takes, such as a negative duration; left empty"
    ONE_SCOPE = "app_ids whose jobs were all put into the one scope of --scope"


LEFT_OUT = frozenset(
    {
        Finding.NO_SCOPE,
        Finding.NO_CREATE_TIME,
        Finding.NO_JOB,
        Finding.STEP_TYPE,
        Finding.NO_STEP,
        Finding.CONTAINER,
        Finding.NO_ADDRESS,
        Finding.UNREADABLE,
    }
)


class Findings:
    """Counts of findings by kind, with the first few examples."""

    def __init__(self) -> None:
        self.counts: Counter[Finding] = Counter()
        self.examples: dict[Finding, list[str]] = defaultdict(list)
        self._unnamed: set[Finding] = set()

    def note(self, finding: Finding, example: str, *, count: int = 1) -> None:
        """Count a finding; `example` names what it is about."""
        self.counts[finding] += count
        examples = self.examples[finding]
        if example in examples:
            return
        if len(examples) < EXAMPLES:
            examples.append(example)
        else:
            self._unnamed.add(finding)

    @property
    def left_out(self) -> int:
        """Number of findings whose data was not imported."""
        return sum(count for finding, count in self.counts.items() if finding in LEFT_OUT)

    def sentences(self) -> Iterator[str]:
        """Yield a line for each kind, beginning with data that was left out."""
        for finding in Finding:
            if count := self.counts[finding]:
                named = self.examples[finding]
                lead = "Left out" if finding in LEFT_OUT else "Note"
                rest = ", …" if finding in self._unnamed else ""
                yield f"{lead}: {count:,} {finding.value}: {', '.join(named)}{rest}"
