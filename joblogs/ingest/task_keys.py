"""Masking of secrets in the paths and task keys of file logs, before they are used.

Two files may differ only in a secret, so their masked keys would be equal. A digest of the original
key keeps them distinct. It is keyed with a random key of the store, without which nobody can test
guesses of the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec
from django.db.models import Q
from django.db.models.functions import Right

from joblogs import records
from joblogs.models import FileLog, HostResult, StepInstance, StoreKey

from . import masking

Entry = tuple[int, records.FileLog, HostResult]

PATHS: Final = ("src_path", "dest_path")

_DIGITS: Final = 16
_END_SIZE: Final = _DIGITS + len("~")
_MASKED_KEY: Final = re.compile(rf"~[0-9a-f]{{{_DIGITS}}}\Z")


class _Masked(NamedTuple):
    """NamedTuple of a record with masked paths, its original key, and its masked key."""

    number: int
    record: records.FileLog
    sent: str
    masked: str


def masked(step: StepInstance, entries: list[Entry]) -> list[Entry]:
    """Return the entries with masked paths, and with masked task keys where there was a secret.

    Only entries with secrets need queries, of which there is a constant number.
    """
    found = masking.secrets_masked()
    if found.absent("\n".join(_texts(record for _, record, _ in entries)).encode()):
        return entries
    result, due = list(entries), list[_Masked]()
    for number, (line, record, owner) in enumerate(entries):
        clean, key = _without_secrets(record), record.key()
        masked = _key_without_secrets(record, clean)
        if masked != key:
            due.append(_Masked(number, clean, key, masked))
        elif clean is not record:
            result[number] = (line, clean, owner)
    if not due:
        return result
    store_key = StoreKey.of_this_store()
    ends = {each.sent: _end(each.sent, store_key) for each in due}
    held = _held_keys(step, ends)
    for number, record, sent, masked in due:
        line, _, owner = entries[number]
        attempt = (record.execute_count or 0, record.batch or 0)
        ours = masked[: records.TASK_KEY_MAX - _END_SIZE] + ends[sent]
        key = held.get((*attempt, ends[sent])) or held.get((*attempt, sent)) or ours
        result[number] = (line, msgspec.structs.replace(record, task_key=key), owner)
    return result


def _texts(file_logs: Iterable[records.FileLog]) -> Iterator[str]:
    for record in file_logs:
        yield from (record.src_path, record.dest_path or "", record.task_key or "")


def _without_secrets(record: records.FileLog) -> records.FileLog:
    values = {path: getattr(record, path) for path in PATHS}
    masked = {path: masking.mask_name(value, None) for path, value in values.items()}
    return record if masked == values else msgspec.structs.replace(record, **masked)


def _key_without_secrets(record: records.FileLog, clean: records.FileLog) -> str:
    """Return a record's masked key; a key that is masked already, as in exports, is unchanged."""
    if record.task_key is None:
        return clean.key()
    if _MASKED_KEY.search(record.task_key):
        return record.task_key
    return masking.mask_name(record.task_key, None) or ""


def _end(sent: str, store_key: bytes) -> str:
    return "~" + hmac.new(store_key, sent.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def _held_keys(step: StepInstance, ends: dict[str, str]) -> dict[tuple[int, int, str], str]:
    """Return keys of the step's existing rows, by attempt, batch and digest or original key.

    They may have been stored when there were fewer rules, and be masked less or not at all.
    """
    hashes = [hashlib.sha256(sent.encode()).digest() for sent in ends]
    rows = FileLog.objects.for_step(step).alias(end=Right("task_key", _END_SIZE))
    rows = rows.filter(Q(end__in=set(ends.values())) | Q(task_hash__in=hashes))
    found: dict[tuple[int, int, str], str] = {}
    for count, batch, key in rows.values_list("execute_count", "batch", "task_key"):
        is_masked = _MASKED_KEY.search(key)
        found[count, batch, key[-_END_SIZE:] if is_masked else key] = key
    return found
