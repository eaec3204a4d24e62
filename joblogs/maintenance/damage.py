"""Kinds of damage of stored logs, with messages that contain no log text."""

from __future__ import annotations

from enum import StrEnum


class Damage(StrEnum):
    """Kind of damage of a stored log, and its message."""

    MISSING = "bytes are missing between or behind chunks, or in packs"
    OVERLAP = "chunks overlap"
    BEYOND = "chunks lie behind what is held"
    UNREADABLE = "a chunk or pack cannot be decoded"
    UNREACHABLE = "the object that holds the text cannot be read now"
    TWICE = "a packed log has chunks too"
    CHUNK_SIZE = "a chunk has another size than its row says"
    CHUNK_NEWLINES = "a chunk has other newlines than its row says"
    NEWLINES = "the log has other newlines than its host result says"
    DIGEST = "the text is not that of the fingerprint"
    DECLARED = "the text is not what the producer declared"
    SIZES = "more is held than was received"
    MASKS = "masked ranges show text"
    DAY = "the host result has another day than its job"
    ORPHAN = "chunks have no host result"
    PACK_ORPHAN = "packs of a step hold no log"
    PACK_BYTES = "a pack holds bytes that are no log's, or several logs'"
    PACK_SIZE = "a pack has another size or other newlines than its row says"
    EXPIRED = "text is left of jobs whose logs expired"
    FILE_SIZE = "a file log has another size than its row says"
