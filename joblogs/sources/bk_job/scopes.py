"""Scopes of app_ids, which job-manage knows and a dump does not contain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from joblogs.choices import ScopeType

from .files import DumpFault, DumpFile, json_values, opened
from .findings import Findings
from .tables import rows

Scope = tuple[str, str]
Scopes = Callable[[int], Scope | None]
"""Function that returns the scope of an app_id, or None if it is not known."""

_ID = ("app_id", "id")
_TYPE = ("bk_scope_type", "scope_type")
_SCOPE_ID = ("bk_scope_id", "scope_id")


def read_map(path: Path) -> Scopes:
    """Read scopes by app_id from a file. Raise DumpFault.

    CSV or tab-separated rows or JSON objects with app_id (or id), bk_scope_type and bk_scope_id, as
    in job_manage.application; or one JSON object, {"1": "biz:2", …}.
    """
    scopes: dict[int, Scope] = {}
    form = {".csv": "csv", ".tsv": "tsv", ".txt": "tsv"}.get(path.suffix, "json")
    with opened(path) as file:
        if form == "json":
            entries = list(json_values(file, path))
        else:
            table = rows(DumpFile(path, "application", form), file, Findings())
            entries = [dict(row.cells) for row in table]
    for entry in entries:
        if not isinstance(entry, dict):
            raise DumpFault(f"{path}: {entry!r} is no object")
        if any(key in entry for key in _ID):
            app, scope = _first(entry, _ID), (_first(entry, _TYPE), _first(entry, _SCOPE_ID))
            scopes[_app(app, path)] = _scope(*scope, path)
            continue
        for app, named in entry.items():
            scopes[_app(app, path)] = _scope(*str(named).partition(":")[::2], path)
    if not scopes:
        raise DumpFault(f"{path}: names no app_id")
    return scopes.get


def _first(entry: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def _app(value: Any, path: Path) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise DumpFault(f"{path}: {value!r} is no app_id") from None


def _scope(kind: Any, number: Any, path: Path) -> Scope:
    text = "" if number is None else str(number)
    if kind not in ScopeType.values or not 1 <= len(text) <= 64:
        scopes = ", ".join(ScopeType.values)
        raise DumpFault(f"{path}: {kind}:{text} is no scope; its type is one of {scopes}")
    return str(kind), text
