"""Queries: everything that readers need of what is stored.

Callers pass jobs that `access` narrowed. The number of statements does not grow with the number
of hosts; text comes in groups of bounded size.
"""

from .changes import step_facts
from .completeness import Completeness, State, completeness
from .follow import CURSOR_MAX_BYTES, Cursor, LogNews, News, news_since, read_cursor
from .host_texts import every_text_of
from .hosts import (
    HOSTS_MAX,
    Address,
    Attempts,
    Page,
    StepHost,
    holders,
    hosts_as,
    hosts_named,
    hosts_of,
)
from .jobs import (
    find_job,
    find_step,
    find_step_of_job,
    list_jobs,
    page_of_jobs,
    steps_of,
)
from .log_reader import BytesText, Text, script_text, settled_text, unsettled_size
from .logs import FileLogs, expected_offsets, file_logs, script_logs
from .ranges import (
    Range,
    files_state,
    is_growing,
    log_state,
    readable_size,
    result_state,
    script_range,
    worst,
)
from .reachable import Lost, out_of_reach, read_what_is_there
from .results import Result
from .status import ResultGroup, TargetResult, grouped, latest_batch, target_results
from .task_context import (
    FailedTransfer,
    TransferFailures,
    files_in_run,
    host_in_run,
    transfer_failures,
)
from .transfers import FileSource, file_sources, target_directory
from .window import END, Place, ShownLine, Window, window_at

__all__ = [
    "CURSOR_MAX_BYTES",
    "END",
    "HOSTS_MAX",
    "Address",
    "Attempts",
    "BytesText",
    "Completeness",
    "News",
    "LogNews",
    "Lost",
    "Cursor",
    "FailedTransfer",
    "FileLogs",
    "FileSource",
    "Page",
    "Place",
    "Range",
    "ResultGroup",
    "ShownLine",
    "State",
    "StepHost",
    "Result",
    "TargetResult",
    "Text",
    "TransferFailures",
    "Window",
    "completeness",
    "every_text_of",
    "expected_offsets",
    "file_logs",
    "file_sources",
    "files_in_run",
    "files_state",
    "find_job",
    "find_step",
    "find_step_of_job",
    "grouped",
    "holders",
    "host_in_run",
    "hosts_as",
    "hosts_named",
    "hosts_of",
    "is_growing",
    "latest_batch",
    "list_jobs",
    "page_of_jobs",
    "log_state",
    "news_since",
    "read_cursor",
    "out_of_reach",
    "read_what_is_there",
    "readable_size",
    "result_state",
    "script_logs",
    "script_range",
    "script_text",
    "settled_text",
    "unsettled_size",
    "step_facts",
    "steps_of",
    "target_directory",
    "target_results",
    "transfer_failures",
    "window_at",
    "worst",
]
