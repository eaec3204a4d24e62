"""Models: one file per subject."""

from .access import App, AppGrant, AppToken, FailedLogins, Scope
from .audit import LogRead, Redaction, Removal
from .file_logs import FileLog
from .hosts import DIGESTS, Host, HostResult
from .jobs import JobInstance, StepInstance
from .logs import LogChunk, LogConflict, LogFeatures, StoredLog
from .maintenance import MaintenanceRun, StoreKey

__all__ = [
    "DIGESTS",
    "App",
    "AppGrant",
    "AppToken",
    "FailedLogins",
    "FileLog",
    "Host",
    "HostResult",
    "JobInstance",
    "LogConflict",
    "LogFeatures",
    "LogRead",
    "Redaction",
    "Removal",
    "Scope",
    "LogChunk",
    "StepInstance",
    "StoreKey",
    "StoredLog",
    "MaintenanceRun",
]
