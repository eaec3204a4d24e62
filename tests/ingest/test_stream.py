"""Bytes become numbered lines, packed or not, in bounded memory."""

from __future__ import annotations

import gzip
import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from joblogs.ingest.stream import (
    BODY_WINDOW_LOG,
    CUT,
    LONG_BYTES,
    TOO_LONG,
    Block,
    Read,
    RecordLine,
    encoding_of,
    numbered_lines,
)
from joblogs.record_json import LINE_MAX_BYTES
from joblogs.refusals import BodyTooLarge

TEXT = b"one\n\n  \ntwo\r\nthree"
WANTED = [(1, b"one"), (4, b"two\r"), (5, b"three")]


def _apart(read: Read, **how: Any) -> list[RecordLine]:
    return [line for part in numbered_lines(read, **how) for line in part.apart()]


def _lines(data: bytes, **how: Any) -> list[RecordLine]:
    return _apart(io.BytesIO(data).read, **how)


def _plain(lines: list[RecordLine]) -> list[tuple[int, bytes]]:
    return [(line.number, line.data) for line in lines if not line.fault]


def test_lines_count_from_one_and_blank_ones_are_counted_and_left_out() -> None:
    assert _plain(_lines(TEXT)) == WANTED


@given(
    st.binary(max_size=300).map(lambda data: data.replace(b"\r", b"\n")),
    st.integers(1, 50),
)
def test_how_the_bytes_arrive_changes_nothing(data: bytes, size: int) -> None:
    pieces = iter([data[n : n + size] for n in range(0, len(data), size)])
    dripped = _apart(lambda _: next(pieces, b""))
    assert dripped == _lines(data)
    expected = [(n, line) for n, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    assert _plain(dripped) == expected


def test_lines_as_long_as_records_come_in_blocks_and_others_one_by_one() -> None:
    record, other = b"x" * 40, b"y" * 39
    pieces = iter([b"\n".join([record, record, b""]), b"\n".join([record, other, record, b""])])
    found = list(numbered_lines(lambda _: next(pieces, b"")))
    assert found == [
        Block(1, [record] * 2),
        RecordLine(3, record),
        RecordLine(4, other),
        RecordLine(5, record),
    ]


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzip.compress(TEXT)),
        ("gzip", gzip.compress(TEXT[:6]) + gzip.compress(TEXT[6:])),
        ("gzip", gzip.compress(TEXT) + b"\0" * 700_000),
        ("zstd", zstd.compress(TEXT)),
        ("zstd", zstd.compress(TEXT[:6]) + zstd.compress(TEXT[6:])),
    ],
)
def test_members_and_frames_are_read_to_the_end(encoding: str, data: bytes) -> None:
    assert _plain(_lines(data, encoding=encoding)) == WANTED
    assert encoding_of(data[:4]) == encoding


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_what_is_cut_gives_what_is_whole_and_one_fault(encoding: str, pack: Any) -> None:
    text = b"".join(b"%d %s\n" % (n, bytes([65 + n * n % 26]) * 40) for n in range(30_000))
    data = pack(text)
    found = _lines(data[: len(data) * 2 // 3], encoding=encoding)
    *whole, last = found
    assert last.fault == CUT
    assert _plain(whole) == list(enumerate(text.split(b"\n")[: len(whole)], 1))
    assert 0 < len(whole) < 30_000


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_what_is_not_packed_as_said_is_one_fault(encoding: str) -> None:
    assert [line.fault for line in _lines(TEXT * 3, encoding=encoding)] == [CUT]


def test_garbage_behind_a_gzip_member_is_a_fault_after_its_lines() -> None:
    found = _lines(gzip.compress(b"one\n") + b"garbage", encoding="gzip")
    assert [line.fault for line in found] == ["", CUT]


def test_a_line_too_long_is_skipped_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.ingest.stream.LINE_MAX_BYTES", 1_000_000)

    def body() -> Iterator[bytes]:
        yield b"first\n"
        for _ in range(500):
            yield b"x" * 100_000
        yield b"\nlast\n"

    pieces = body()
    tracemalloc.start()
    found = _apart(lambda _: next(pieces, b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(line.number, line.fault) for line in found] == [(1, ""), (2, TOO_LONG), (3, "")]
    assert peak < 5_000_000


@pytest.mark.parametrize(
    ("encoding", "part"),
    [
        ("gzip", gzip.compress(b"")),
        ("zstd", zstd.compress(b"")),
        ("zstd", zstd.compress(b"x")),
        ("zstd", b"\x50\x2a\x4d\x18\0\0\0\0"),  # a frame to be skipped
    ],
)
def test_thousands_of_parts_of_next_to_nothing_are_a_fault(encoding: str, part: bytes) -> None:
    (fault,) = _lines(part * 1001, encoding=encoding)
    assert (fault.fault, fault.data) == (CUT, b"the packed data is in parts of next to nothing")


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_as_many_parts_of_a_record_each_are_read(encoding: str, pack: Any) -> None:
    records = [b"%06d" % n + b"x" * 60 + b"\n" for n in range(3000)]
    found = _lines(b"".join(map(pack, records)), encoding=encoding)
    assert b"".join(line.data + b"\n" for line in found) == b"".join(records)


def test_of_lines_that_cannot_be_records_so_many_are_named_and_no_more() -> None:
    found = _lines(b"x\n" * 100_002 + b"y" * 99)
    assert len(found) == 100_001
    assert (found[-1].number, found[-1].fault) == (100_001, CUT)
    assert len(_lines(b"\n" * 200_000 + b"x\n" * 100_000)) == 100_000


def test_zstd_reaches_back_no_further_than_it_may() -> None:
    text = b"".join(b"%09d\n" % n for n in range(1_000_000))
    far: dict[int, int] = {zstd.CompressionParameter.window_log: 24}
    packer = zstd.ZstdCompressor(options=far)
    data = packer.compress(text) + packer.flush()
    (fault,) = _lines(data, encoding="zstd", window_log=BODY_WINDOW_LOG)
    assert fault.fault == CUT
    assert _lines(data, encoding="zstd")[0].data == text[:9]


def test_a_limit_on_the_decoded_bytes_holds() -> None:
    with pytest.raises(BodyTooLarge):
        _lines(gzip.compress(b"x\n" * 1000), encoding="gzip", max_bytes=1999)
    assert len(_lines(gzip.compress(b"x\n" * 1000), encoding="gzip", max_bytes=2000)) == 1000


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_a_bomb_is_stopped_early(encoding: str, pack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("joblogs.ingest.stream.BOMB_AFTER_BYTES", 1_000_000)
    monkeypatch.setattr("joblogs.ingest.stream.BOMB_RATIO", 100)
    with pytest.raises(BodyTooLarge):
        _lines(pack(b"\n" * 30_000_000), encoding=encoding)


LONG = b'{"long": "' + b"x" * (3 * LONG_BYTES) + b'"}'
SHORT = b'{"short": "' + b"y" * 100 + b'"}'


@pytest.mark.parametrize("size", [1000, 256 * 1024])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_lines_of_any_length_come_whole_and_numbered(size: int, end: bytes) -> None:
    told = [SHORT, LONG, b"", SHORT, b" " * len(LONG), LONG, LONG, SHORT, LONG]
    data = b"\n".join(told) + end
    source = io.BytesIO(data)
    found = numbered_lines(lambda _: source.read(size))
    apart = [(line.number, line.data, line.fault) for part in found for line in part.apart()]
    assert apart == [(n, line, "") for n, line in enumerate(told, 1) if line.strip()]


def test_a_line_past_the_limit_is_told_and_the_next_ones_come() -> None:
    data = b"\n".join([LONG, b"z" * (LINE_MAX_BYTES + 1), SHORT, LONG])
    found = [line for part in numbered_lines(io.BytesIO(data).read) for line in part.apart()]
    assert [(line.number, line.fault) for line in found] == [
        (1, ""),
        (2, TOO_LONG),
        (3, ""),
        (4, ""),
    ]
    assert (found[2].data, found[3].data) == (SHORT, LONG)


def test_a_stream_that_is_left_within_a_long_line_stands_in_nobodys_way() -> None:
    left = numbered_lines(io.BytesIO(LONG + b"\n" + SHORT).read)
    assert next(left)
    left.close()  # type: ignore[attr-defined]
    assert len(list(numbered_lines(io.BytesIO(LONG).read))) == 1
