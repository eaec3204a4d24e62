"""The tables (DESIGN §2): one file per subject."""

from .access import App, AppGrant, Scope
from .audit import LogRead, Redaction, Removal
from .hosts import DIGESTS, Host, HostResult
from .jobs import JobInstance, StepInstance
from .logins import FailedLogins
from .logs import FileLog, LogConflict, ScriptChunk
from .maintenance import StoreKey, UpkeepRun

__all__ = [
    "DIGESTS",
    "App",
    "AppGrant",
    "FailedLogins",
    "FileLog",
    "Host",
    "HostResult",
    "JobInstance",
    "LogConflict",
    "LogRead",
    "Redaction",
    "Removal",
    "Scope",
    "ScriptChunk",
    "StepInstance",
    "StoreKey",
    "UpkeepRun",
]
