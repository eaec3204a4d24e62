"""Reading of spans of packed logs."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence

from .. import codec
from ..pieces import CHUNK_MAX_BYTES, Hole, Piece, join
from .packs import keys_of, places_of, stored_packs
from .spans import PACK_MAX_BYTES, PackKey, Span


class PackedSpans:
    """Reader of spans of packed logs of one day, which fetches and decodes each pack once.

    Decoded packs are kept as long as further spans need them; the caller limits their number.
    """

    def __init__(self, day: datetime.date, spans: Sequence[Span]) -> None:
        self._uses = Counter(key for span in spans for key in keys_of(span))
        self._stored = stored_packs(day, self._uses)
        self._texts: dict[PackKey, bytes] = {}
        # Often only a few hosts are requested: the rest of a pack after them is not decoded.
        self._ends: dict[PackKey, int] = {}
        for span in spans:
            for key, _, stop in places_of(span):
                self._ends[key] = max(stop, self._ends.get(key, 0))

    def parts(self, span: Span) -> list[bytes]:
        """Return the bytes of one of the spans, as parts to be joined. Raises Hole and other
        Unreadable errors."""
        place = span.place
        assert place is not None  # noqa: S101 - the caller asks for packed spans only
        pieces = []
        for key in keys_of(span):
            offset = (key.number - place.number) * CHUNK_MAX_BYTES - place.start
            text = self._text(key)
            if text is None:
                raise Hole(max(span.start, offset), None)
            pieces.append(Piece(offset, text))
        return join((span.start, span.stop), pieces)

    def _text(self, key: PackKey) -> bytes | None:
        text = self._texts.get(key)
        if text is None:
            stored = self._stored.get(key)
            if stored is None:
                return None
            end = self._ends[key]
            # Decoding everything at once is faster per byte.
            is_little = end <= PACK_MAX_BYTES // 2
            text = codec.decode_beginning(*stored, end) if is_little else codec.decode(*stored)
            self._texts[key] = text
        self._uses[key] -= 1
        if self._uses[key] <= 0:
            self._texts.pop(key)
            self._stored.pop(key, None)
        return text
