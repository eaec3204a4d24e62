"""Whose an object store is: an object of its own names the store that may write and delete there.

A copy of a store has the same rows, and would delete the original's logs when its own expire. So
that object also says where the store's database lies (`database.place`), which a copy does not
share.
"""

from __future__ import annotations

import hashlib
import json
import logging

from django.conf import settings

from joblogs import database
from joblogs.models import ObjectToDelete, StoredObject, StoreId

from .client import Client
from .faults import Fault, ForeignStore, ObjectUnreachable

logger = logging.getLogger(__name__)

KEY = "joblogs-store.json"


def claim(client: Client) -> None:
    """See that the object store is this store's; one that is nobody's becomes so.

    To be asked before anything is written or deleted there. Raises ForeignStore, and
    ObjectUnreachable.
    """
    own = _own()
    held = client.find(KEY)
    if held is None and not _has_objects():
        try:
            client.put(KEY, own)
        except ObjectUnreachable as error:
            # Another store may have made it at the same time: the first one counts.
            if error.fault is not Fault.TORN:
                raise
        held = client.find(KEY)
    if held == own:
        return
    if settings.OBJECT_STORE_ADOPT:
        client.overwrite(KEY, own)
        logger.warning("OBJECT_STORE_ADOPT: the object store is this store's from now on")
        return
    raise ForeignStore(_why(held, own))


def _has_objects() -> bool:
    """Whether objects of this store lie somewhere, also such as only wait to be deleted."""
    return StoredObject.objects.written().exists() or ObjectToDelete.objects.exists()


def _own() -> bytes:
    # The place itself names files and systems, which are nobody's business there.
    place = hashlib.sha256(database.place().encode()).hexdigest()
    return json.dumps({"store": StoreId.of_this_store(), "place": place}).encode()


def _why(held: bytes | None, own: bytes) -> str:
    if held is None:
        return "this store has objects, and there are none of it."
    if b'"store"' in held and _store(held) == _store(own):
        return "it belongs to this store's original, of which this is a copy or a backup."
    return "it belongs to another store."


def _store(content: bytes) -> object:
    try:
        return json.loads(content).get("store")
    except (ValueError, AttributeError):
        return None
