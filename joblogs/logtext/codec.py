"""How the bytes of a chunk are written down: as they are, or as zstd."""

from __future__ import annotations

import sys
import threading

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RAW, ZSTD = 0, 1
LIVE_LEVEL = 1
"""What arrives is compressed quickly; merging compresses again, harder. Level 3 would take a third
longer, often twice as long, and save a few per cent of it at best."""
MERGED_LEVEL = 9
PACKED_LEVEL = 100
"""No level of zstd, but what was found to suit text of 256 KiB (`_PACKED`): in the time of level 9
some 4 % smaller."""
WORTH_TRYING = 64
"""Below this many bytes a frame's header eats what compression could save."""

_PACKED: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 9,
    zstd.CompressionParameter.strategy: zstd.Strategy.btlazy2,
    zstd.CompressionParameter.search_log: 3,
    zstd.CompressionParameter.min_match: 5,
    zstd.CompressionParameter.hash_log: 17,
    zstd.CompressionParameter.chain_log: 18,
    zstd.CompressionParameter.target_length: 32,
}
_local = threading.local()


class Unreadable(Exception):
    """Bytes of a log cannot be had: `verify_logs` tells more."""


class UnknownCodec(Unreadable):
    """A chunk was written by a newer version than this."""


class Damaged(Unreadable):
    """What is stored of a chunk is not what was written."""


def encode(data: bytes, *, level: int = LIVE_LEVEL) -> tuple[int, bytes]:
    """The codec and the stored form of `data`, whichever is smaller."""
    if len(data) < WORTH_TRYING:
        return RAW, data
    packed = _compressor(level).compress(data, zstd.ZstdCompressor.FLUSH_FRAME)
    return (ZSTD, packed) if len(packed) < len(data) else (RAW, data)


def decode(codec: int, data: bytes | memoryview) -> bytes:
    """The bytes that `encode` was given. Raises UnknownCodec and Damaged."""
    if codec == ZSTD:
        # zstd.decompress() looks for further frames and joins what it found: here is always one.
        decompressor = zstd.ZstdDecompressor()
        try:
            whole = decompressor.decompress(data)
        except zstd.ZstdError as error:
            raise Damaged(str(error)) from None
        if not decompressor.eof or decompressor.unused_data:
            raise Damaged("a chunk ends before its bytes do, or after")
        return whole
    if codec == RAW:
        return bytes(data)
    raise UnknownCodec(str(codec))


def decode_beginning(codec: int, data: bytes | memoryview, size: int) -> bytes:
    """At least the first `size` bytes of what `encode` was given, or all if it is shorter; what
    comes behind them need not be whole. Raises UnknownCodec and Damaged."""
    if codec != ZSTD:
        return decode(codec, data)
    decompressor, text = zstd.ZstdDecompressor(), b""
    try:
        while len(text) < size and not decompressor.eof:
            text += decompressor.decompress(b"" if text else data, max_length=size - len(text))
            if decompressor.needs_input and len(text) < size:
                raise Damaged("a frame ends before its bytes do")
    except zstd.ZstdError as error:
        raise Damaged(str(error)) from None
    return text


def _compressor(level: int) -> zstd.ZstdCompressor:
    # One compressor per thread and level: making one costs more than a small frame takes.
    compressors = _local.__dict__.setdefault("compressors", {})
    if level not in compressors:
        compressors[level] = (
            zstd.ZstdCompressor(options=_PACKED)
            if level == PACKED_LEVEL
            else zstd.ZstdCompressor(level=level)
        )
    compressor: zstd.ZstdCompressor = compressors[level]
    return compressor
