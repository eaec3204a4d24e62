"""Models: one file per subject."""

from .access import App, AppGrant, AppToken, FailedLogins, Scope
from .audit import LogRead, Redaction, Removal, SearchRead
from .base import distinct_days, distinct_values
from .failures import FailureRun, FailureSeen
from .file_logs import FileLog
from .hosts import DIGESTS, Host, HostResult
from .jobs import JobInstance, StepInstance
from .logs import KeptGroups, LogChunk, LogConflict, LogFeatures, LogPack, StoredLog
from .maintenance import ChangedStep, MaintenanceRun, StoreKey
from .notices import Notice, NoticeChannel, NoticeState, NoticeWork, SavedSearch
from .object_store import ObjectToDelete, StoredObject, StoreId
from .signatures import SignatureRow, SignedPart

__all__ = [
    "DIGESTS",
    "App",
    "AppGrant",
    "AppToken",
    "ChangedStep",
    "FailedLogins",
    "FailureRun",
    "FailureSeen",
    "FileLog",
    "Host",
    "HostResult",
    "JobInstance",
    "KeptGroups",
    "LogConflict",
    "LogFeatures",
    "LogPack",
    "LogRead",
    "ObjectToDelete",
    "Notice",
    "NoticeChannel",
    "NoticeState",
    "NoticeWork",
    "Redaction",
    "SavedSearch",
    "Removal",
    "Scope",
    "SearchRead",
    "SignatureRow",
    "SignedPart",
    "LogChunk",
    "StepInstance",
    "StoreId",
    "StoreKey",
    "StoredObject",
    "StoredLog",
    "MaintenanceRun",
    "distinct_days",
    "distinct_values",
]
