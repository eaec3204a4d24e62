"""Enumerations of BlueKing JOB, shared by the API, records and pages.

Numbers and names are those of BlueKing JOB (`docs/api.md` lists them). A number that is not listed
here is stored and returned unchanged.
"""

from __future__ import annotations

from enum import StrEnum

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class ScopeType(TextChoices):
    BIZ = "biz", _("business")
    BIZ_SET = "biz_set", _("business set")
    TENANT_SET = "tenant_set", _("tenant set")


class LaunchMode(IntegerChoices):
    WEB = 1, _("web page")
    API = 2, _("API")
    CRON = 3, _("schedule")


class TaskType(IntegerChoices):
    PLAN = 0, _("job plan")
    SCRIPT = 1, _("script")
    FILE = 2, _("file transfer")


class StepType(IntegerChoices):
    SCRIPT = 1, _("script")
    FILE = 2, _("file transfer")
    APPROVAL = 3, _("approval")
    SQL = 4, _("SQL")


class ScriptLanguage(IntegerChoices):
    SHELL = 1, "shell"
    BAT = 2, "bat"
    PERL = 3, "perl"
    PYTHON = 4, "python"
    POWERSHELL = 5, "powershell"
    SQL = 6, "sql"


class RunStatus(IntegerChoices):
    """Choices of the status of a job or a step."""

    WAITING = 1, _("waiting")
    RUNNING = 2, _("running")
    SUCCEEDED = 3, _("succeeded")
    FAILED = 4, _("failed")
    SKIPPED = 5, _("skipped")
    ERROR_IGNORED = 6, _("error ignored")
    WAITING_CONFIRMATION = 7, _("waiting for confirmation")
    ENDED_BY_HAND = 8, _("stopped manually")
    ABNORMAL = 9, _("abnormal")
    TERMINATING = 10, _("terminating")
    TERMINATED = 11, _("terminated")
    CONFIRMATION_ENDED = 13, _("stopped at confirmation")
    ABANDONED = 14, _("abandoned")
    ROLLING_WAITING = 15, _("waiting for the next batch")


class HostStatus(IntegerChoices):
    """Choices of the status of one attempt of a step on one host."""

    UNKNOWN_ERROR = 0, _("unknown error")
    AGENT_ABNORMAL = 1, _("agent abnormal")
    INVALID_HOST = 2, _("invalid host")
    SUCCEEDED_LAST_TIME = 3, _("succeeded last time")
    WAITING = 5, _("waiting")
    RUNNING = 7, _("running")
    SUCCEEDED = 9, _("succeeded")
    FAILED = 11, _("failed")
    SEND_FAILED = 12, _("could not be dispatched")
    TIMED_OUT = 13, _("timed out")
    LOG_ERROR = 15, _("error in the log")
    SCRIPT_LOG_TIMED_OUT = 16, _("script log timed out")
    FILE_LOG_TIMED_OUT = 17, _("file log timed out")
    AGENT_NOT_INSTALLED = 18, _("agent not installed")
    SCRIPT_FAILED = 101, _("script failed")
    SCRIPT_TIMED_OUT = 102, _("script timed out")
    SCRIPT_TERMINATED = 103, _("script terminated")
    EXIT_CODE_NOT_ZERO = 104, _("exit code not zero")
    FILE_FAILED = 202, _("file transfer failed")
    SOURCE_FILE_MISSING = 203, _("source file missing")
    FILE_UNCLASSIFIED = 301, _("unclassified file failure")
    FILE_TIMED_OUT = 303, _("file transfer timed out")
    FILE_AGENT_ABNORMAL = 310, _("agent abnormal")
    USER_MISSING = 311, _("user does not exist")
    USER_PASSWORD_WRONG = 312, _("user's password incorrect")
    FILE_PULL_FAILED = 320, _("file could not be fetched")
    FILE_TOO_LARGE = 321, _("file too large")
    FILE_TRANSFER_ERROR = 329, _("file transfer error")
    EXECUTION_ERROR = 399, _("execution error")
    FORCE_TERMINATED = 403, _("force terminated")
    FORCE_TERMINATE_FAILED = 404, _("force termination failed")
    UNKNOWN = 500, _("unknown")


class Role(IntegerChoices):
    """Choices of a host's role in a step. Targets sort first, since their addresses are shown."""

    TARGET = 0, _("target")
    SOURCE = 1, _("source")


class Inherited(IntegerChoices):
    """Choices of the fields that a host result takes from its host's other results in the step."""

    NOTHING = 0
    ADDRESSES = 1
    CLOUD_TOO = 2


class FileMode(IntegerChoices):
    UPLOAD = 0, _("upload")
    DOWNLOAD = 1, _("download")

    @property
    def owner_role(self) -> Role:
        """Role of the host that owns a file log: target of a download, source of an upload."""
        return Role.TARGET if self is FileMode.DOWNLOAD else Role.SOURCE


class FileStatus(IntegerChoices):
    PULLING = 0, _("fetching from source")
    WAITING = 1, _("waiting")
    UPLOADING = 2, _("uploading")
    DOWNLOADING = 3, _("downloading")
    DONE = 4, _("done")
    FAILED = 5, _("failed")


# Ranks of statuses (docs/records.md): 0 waiting, 1 running; every other status is finished, 2.
_RUN_RANK = {1: 0, 2: 1, 7: 1, 10: 1, 15: 1}
_HOST_RANK = {5: 0, 7: 1}
_FILE_RANK = {1: 0, 0: 1, 2: 1, 3: 1}
RUNNING, FINISHED = 1, 2

HOST_UNFINISHED = (HostStatus.WAITING, HostStatus.RUNNING)
HOST_SUCCEEDED = (HostStatus.SUCCEEDED, HostStatus.SUCCEEDED_LAST_TIME)
RUN_UNFINISHED = tuple(RunStatus(status) for status in _RUN_RANK)


class Outcome(StrEnum):
    """Choices of the outcome of a step on a host, by the status of its newest result."""

    FAILED = "failed"
    SUCCEEDED = "succeeded"
    RUNNING = "running"

    @classmethod
    def of(cls, status: int) -> Outcome:
        if status in HOST_SUCCEEDED:
            return cls.SUCCEEDED
        return cls.RUNNING if status in HOST_UNFINISHED else cls.FAILED


def run_rank(status: int) -> int:
    """Rank of a job's or step's status: 0 waiting, 1 running, 2 finished."""
    return _RUN_RANK.get(status, FINISHED)


def host_rank(status: int) -> int:
    """Rank of a host result's status: 0 waiting, 1 running, 2 finished."""
    return _HOST_RANK.get(status, FINISHED)


def file_rank(status: int) -> int:
    """Rank of a file log's status: 0 waiting, 1 running, 2 finished."""
    return _FILE_RANK.get(status, FINISHED)
