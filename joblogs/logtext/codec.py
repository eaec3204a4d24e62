"""Encoding of stored chunks: raw or zstd."""

from __future__ import annotations

import sys
import threading

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

RAW, ZSTD = 0, 1
LIVE_LEVEL = 1
"""Arriving text is compressed quickly; merging compresses it again at a higher level. Level 3 would
take a third longer, often twice as long, and save a few per cent at best."""
MERGED_LEVEL = 9
PACKED_LEVEL = 100
"""Not a zstd level, but stands for the parameters in `_PACKED`, chosen for text of 256 KiB: about
4 % smaller than level 9 in the same time."""
WORTH_TRYING = 64
"""Minimum bytes to compress: for fewer, the header of a zstd frame outweighs the savings."""

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
    """Bytes of a log cannot be read; `verify_logs` gives details."""


class UnknownCodec(Unreadable):
    """A chunk has a codec that this version does not know: a newer version wrote it."""


class Damaged(Unreadable):
    """The stored bytes of a chunk are not what was written."""


def encode(data: bytes, *, level: int = LIVE_LEVEL) -> tuple[int, bytes]:
    """Return the codec and the stored form of `data`: raw, or zstd if that is smaller."""
    if len(data) < WORTH_TRYING:
        return RAW, data
    packed = _compressor(level).compress(data, zstd.ZstdCompressor.FLUSH_FRAME)
    return (ZSTD, packed) if len(packed) < len(data) else (RAW, data)


def decode(codec: int, data: bytes | memoryview) -> bytes:
    """Return the bytes that `encode` was given. Raises UnknownCodec or Damaged."""
    if codec == ZSTD:
        # Not zstd.decompress(): it looks for further frames, but there is always exactly one.
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
    """Return at least the first `size` bytes of what `encode` was given, or all if it is shorter.

    The rest of the stored bytes may be missing. Raises UnknownCodec or Damaged.
    """
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
    # One compressor per thread and level: creating one takes longer than compressing a small frame.
    compressors = _local.__dict__.setdefault("compressors", {})
    if level not in compressors:
        compressors[level] = (
            zstd.ZstdCompressor(options=_PACKED)
            if level == PACKED_LEVEL
            else zstd.ZstdCompressor(level=level)
        )
    compressor: zstd.ZstdCompressor = compressors[level]
    return compressor
