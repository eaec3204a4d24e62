"""Old packs on object storage, many in one object (docs/operations.md).

All facts stay in the database, including where each pack is. This package reads and writes objects,
and maintains the tables of existing objects and of objects to delete; only `logtext.store` knows
what a pack is.
"""

from .faults import Fault, ForeignStore, ObjectUnreachable
from .ledger import (
    due_deletions,
    forget_deletion,
    give_up,
    hasten,
    intend,
    recount,
    release,
    settle,
    unknown,
)
from .ownership import claim, confirm
from .reader import ObjectPart, cache, checksum, client, forget_cached, read
from .upload import Upload

__all__ = [
    "Fault",
    "ForeignStore",
    "ObjectUnreachable",
    "ObjectPart",
    "Upload",
    "cache",
    "checksum",
    "claim",
    "client",
    "confirm",
    "due_deletions",
    "forget_cached",
    "forget_deletion",
    "give_up",
    "hasten",
    "intend",
    "release",
    "read",
    "recount",
    "settle",
    "unknown",
]
