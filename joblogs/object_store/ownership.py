"""Ownership of an object store: a special object names the store that may write and delete there.

A copy of a store has the same rows, and would delete the original's logs when its own expire.
Therefore the object also has the place of the store's database (`database.place`), which most
copies do not share, and a random token, which changes with each run that writes or deletes. A
cloned disk shares everything but later changes: of two stores with the same token, the first one to
renew it continues, and the other one is refused.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets

from django.conf import settings

from joblogs import database
from joblogs.models import ObjectToDelete, StoredObject, StoreId

from .client import Client
from .faults import Fault, ForeignStore, ObjectUnreachable

logger = logging.getLogger(__name__)

KEY = "joblogs-store.json"
ATTEMPTS = 10
"""Attempts to renew a token while other processes of this store renew it, too."""


def claim(client: Client) -> None:
    """Check that the object store belongs to this store, and renew its token.

    An object store without an owner is taken over. To be called at the beginning of everything that
    writes or deletes there. Raises ForeignStore or ObjectUnreachable.
    """
    for _ in range(ATTEMPTS):
        if _renew(client):
            return
    raise ObjectUnreachable(Fault.UNREACHABLE, KEY)


def confirm(client: Client) -> None:
    """Check that the object store still belongs to this store, before each write or deletion.

    Raises ForeignStore or ObjectUnreachable.
    """
    before: set[str] | None = None
    while True:
        # The object is read first: a token that another process of this store wrote there is
        # already in the row by then.
        held, row = client.find(KEY), StoreId.row()
        if held is not None and _is_of(row, held.data):
            return
        if row.tokens == before:
            break
        before = row.tokens
    raise ForeignStore(_why(held.data if held else None, row))


def _renew(client: Client) -> bool:
    """Write the next token; return False if it has to be tried again, since another process wrote
    one meanwhile or an earlier run was interrupted."""
    row = StoreId.row()
    held = client.find(KEY)
    if not (_is_of(row, held.data) if held else not _has_objects()):
        if StoreId.row().tokens != row.tokens:
            return False
        if not settings.OBJECT_STORE_ADOPT:
            raise ForeignStore(_why(held.data if held else None, row))
        logger.warning("OBJECT_STORE_ADOPT: the object store is this store's from now on")
    elif held and row.next_token and _read(held.data).get("token") == row.next_token:
        # A run was killed after it wrote the token, maybe in the original of this copy.
        row.settle_token(row.next_token)
        return False
    token = row.intend_token(secrets.token_hex(16))
    if token is None or not client.swap(KEY, _content(row, token), held=held):
        return False
    row.settle_token(token)
    return True


def _has_objects() -> bool:
    """Return whether this store has any objects, including those that wait for deletion."""
    return StoredObject.objects.written().exists() or ObjectToDelete.objects.exists()


def _content(row: StoreId, token: str) -> bytes:
    return json.dumps({"store": row.value, "place": _place(), "token": token}).encode()


def _place() -> str:
    # Hashed, because the place names files and systems that must not be disclosed there.
    return hashlib.sha256(database.place().encode()).hexdigest()


def _is_of(row: StoreId, content: bytes) -> bool:
    held = _read(content)
    place, token = held.get("place"), held.get("token", "")
    return held.get("store") == row.value and place == _place() and token in row.tokens


def _why(content: bytes | None, row: StoreId) -> str:
    if content is None:
        return "this store has objects, and there are none of it."
    if _read(content).get("store") == row.value:
        return (
            "it belongs to this store's original, of which this is a copy or a backup, or to a "
            "copy of this one that has gone on in its place."
        )
    return "it belongs to another store."


def _read(content: bytes) -> dict[str, object]:
    try:
        held = json.loads(content)
    except ValueError:
        return {}
    return held if isinstance(held, dict) else {}
