"""Text on object storage: packs that have grown old, many in one object (docs/operations.md).

Facts stay in the database, and it alone says what lies where. This package reads and writes
objects, and keeps the tables that say which there are and which are to go; what a pack is, only
`logtext.store` knows.
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
from .reader import Part, cache, checksum, client, read
from .upload import Upload

__all__ = [
    "Fault",
    "ForeignStore",
    "ObjectUnreachable",
    "Part",
    "Upload",
    "cache",
    "checksum",
    "claim",
    "client",
    "confirm",
    "due_deletions",
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
