"""How the bytes of a chunk are written down."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext import codec

NOISE = random.Random(1).randbytes(9999)  # noqa: S311 - the same in every run
LEVELS = [codec.LIVE_LEVEL, codec.MERGED_LEVEL, codec.PACKED_LEVEL]


@given(st.binary(max_size=300), st.sampled_from(LEVELS), st.integers(1, 30))
def test_it_gives_back_the_same_bytes(data: bytes, level: int, times: int) -> None:
    assert codec.decode(*codec.encode(data * times, level=level)) == data * times


@given(st.binary(max_size=400), st.sampled_from(LEVELS))
def test_the_stored_form_is_never_longer(data: bytes, level: int) -> None:
    assert len(codec.encode(data, level=level)[1]) <= len(data)


@pytest.mark.parametrize("level", LEVELS)
def test_a_log_becomes_smaller(level: int) -> None:
    kind, packed = codec.encode(b"2018-03-15 14:39:30 job_start\n" * 1000, level=level)
    assert kind == codec.ZSTD
    assert len(packed) < 1000


@pytest.mark.parametrize("data", [b"", b"a" * (codec.WORTH_TRYING - 1), NOISE])
def test_what_compression_would_not_shrink_is_kept_as_it_is(data: bytes) -> None:
    assert codec.encode(data) == (codec.RAW, data)


def test_it_reads_the_memoryviews_that_a_database_gives() -> None:
    data = b"line\n" * 100
    kind, packed = codec.encode(data)
    assert codec.decode(kind, memoryview(packed)) == data
    assert codec.decode(codec.RAW, memoryview(data)) == data


def test_a_chunk_of_an_unknown_codec_is_an_error() -> None:
    with pytest.raises(codec.UnknownCodec, match="2"):
        codec.decode(2, b"from the future")


def test_threads_do_not_disturb_each_other() -> None:
    texts = [f"line {number}\n".encode() * 2000 for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        packed = list(pool.map(codec.encode, texts))
    assert [codec.decode(*stored) for stored in packed] == texts


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", [0, 1, 70, 131_072, 200_000, 300_000])
def test_the_beginning_of_a_text_is_decoded_without_the_rest(level: int, size: int) -> None:
    data = b"".join(b"%07d line\n" % number for number in range(20_000))
    kind, packed = codec.encode(data, level=level)
    assert codec.decode_beginning(kind, packed, size)[:size] == data[:size]
    assert codec.decode_beginning(codec.RAW, data, size)[:size] == data[:size]


def test_a_beginning_that_is_cut_is_damaged() -> None:
    kind, packed = codec.encode(b"0123456789" * 50_000)
    with pytest.raises(codec.Damaged):
        codec.decode_beginning(kind, packed[: len(packed) // 2], 500_000)
    with pytest.raises(codec.Damaged):
        codec.decode_beginning(kind, b"no frame", 5)
