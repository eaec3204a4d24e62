"""Columns of a step's task as its producer states them, without secrets.

They are returned by the API and never interpreted. If any record of a step declares its parameters
sensitive, they are hidden for good, in whichever order the records arrive.
"""

from __future__ import annotations

from typing import Any

import msgspec

from joblogs import records
from joblogs.models import StepInstance

from . import masking

COLUMNS = (
    "script_language",
    "account",
    "timeout",
    "script_param",
    "script_param_sensitive",
    "file_sources",
    "file_target_path",
)
HIDDEN = "******"
"""Replacement of sensitive parameters, as in BlueKing JOB."""
_MASKED = ("account", "script_param", "file_target_path")
_encode = msgspec.json.Encoder().encode


def values(record: records.Step, held: StepInstance | None) -> dict[str, Any]:
    """Return a record's values of the columns, None if not stated; `held` is the stored row."""
    stated = {column: getattr(record, column) for column in COLUMNS}
    if all(value is None for value in stated.values()):
        return stated
    for column in _MASKED:
        stated[column] = masking.mask_name(stated[column], getattr(held, column, None))
    if record.file_sources is not None:
        masked = [_without_secrets(source) for source in record.file_sources]
        stated["file_sources"] = _encode(masked).decode()
    if held is not None and held.script_param_sensitive:
        stated["script_param_sensitive"] = True
    if stated["script_param_sensitive"] and stated["script_param"] is not None:
        stated["script_param"] = HIDDEN
    return stated


def hide_param(record: records.Step, held: StepInstance) -> bool:
    """Hide a row's parameters if a record declares them sensitive; return whether that changed it.

    This also applies to a record that is older than the row.
    """
    if not record.script_param_sensitive or held.script_param_sensitive:
        return False
    held.script_param_sensitive = True
    if held.script_param is not None:
        held.script_param = HIDDEN
    return True


def _without_secrets(source: records.FileSource) -> records.FileSource:
    files = source.files and [masking.mask_name(file, None) or "" for file in source.files]
    account = masking.mask_name(source.account, None)
    return msgspec.structs.replace(source, account=account, files=files)
