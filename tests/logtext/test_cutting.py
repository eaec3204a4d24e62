"""How an export cuts logs: at the same places whatever the chunks, never within a character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext.export_pieces import PIECE_BYTES, pieces
from joblogs.logtext.pieces import Piece

TEXTS = st.one_of(
    st.binary(max_size=60), st.text(max_size=40).map(str.encode), st.text("é中😀a").map(str.encode)
)


def _split(data: bytes, cuts: list[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[a:b] for a, b in zip(borders, borders[1:], strict=False)]


@given(TEXTS, st.lists(st.integers(0, 60)), st.integers(4, 9))
def test_pieces_join_to_the_log_and_do_not_depend_on_how_it_came(
    data: bytes, cuts: list[int], size: int
) -> None:
    found = list(pieces(_split(data, cuts), size))
    assert b"".join(piece.data for piece in found) == data
    assert found == list(pieces([data], size))
    position = 0
    for piece in found:
        assert (piece.offset, bool(piece.data)) == (position, True)
        position = piece.end


@given(TEXTS, st.integers(4, 9))
def test_a_border_is_at_a_multiple_or_at_most_3_bytes_before_it(data: bytes, size: int) -> None:
    for number, piece in enumerate(list(pieces([data], size))[:-1], 1):
        assert 0 <= number * size - piece.end <= 3


@given(st.text("é中😀a"), st.integers(4, 9))
def test_each_piece_of_utf_8_is_utf_8_by_itself(text: str, size: int) -> None:
    assert "".join(piece.data.decode() for piece in pieces([text.encode()], size)) == text


def test_a_log_of_exactly_one_piece_is_one_and_an_empty_log_is_none() -> None:
    assert list(pieces([b"x" * PIECE_BYTES])) == [Piece(0, b"x" * PIECE_BYTES)]
    assert [p.offset for p in pieces([b"x" * PIECE_BYTES, b"y"])] == [0, PIECE_BYTES]
    assert list(pieces([b"", b""])) == []
