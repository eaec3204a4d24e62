"""Tables of signatures give back what was put into them, a row or a column at a time."""

from __future__ import annotations

import random

import pytest

from joblogs.signatures import Signature, Table
from joblogs.signatures.bitmaps import PAGE_BYTES
from joblogs.signatures.grams import TOP_BITS


@pytest.mark.parametrize("columns", [1, 2, 7, 8, 9, 100, 999, 1001, 1007, 4096])
def test_rows_and_columns(columns: int) -> None:
    numbers = random.Random(columns)  # noqa: S311 - not for secrets
    signatures = [Signature(10, numbers.randbytes(128)) for _ in range(columns)]
    table, rows = Table.of(signatures)
    pages = dict(table.pages(rows))
    assert b"".join(pages.values()) == rows
    assert max(map(len, pages.values())) <= PAGE_BYTES
    assert list(table.signatures(rows, range(columns))) == signatures
    for place in numbers.sample(range(1 << TOP_BITS), 40):
        page, at = table.where(place)
        row = table.row(pages[page], at)
        expected = [signature.row(place) for signature in signatures]
        found = [row >> (table.width - 1 - column) & 1 for column in range(columns)]
        assert found == expected


def test_a_table_of_few_signatures_takes_no_more_than_they_do() -> None:
    signatures = [Signature(16, bytes(8192))] * 3
    assert len(Table.of(signatures)[1]) == 3 * 8192
