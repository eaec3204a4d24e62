"""Files of MongoDB collections: BSON from `mongodump` or extended JSON from `mongoexport`.

Reading them needs pymongo, which the extra `joblogs[bk-job]` installs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from .files import DumpFault, DumpFile, json_values

try:
    import bson
    from bson import json_util
    from bson.codec_options import CodecOptions, DatetimeConversion
    from bson.errors import BSONError
except ModuleNotFoundError:
    HAS_PYMONGO = False
else:
    HAS_PYMONGO = True

# MongoDB limits documents to 16 MB, and its own documents to a little more.
_DOCUMENT_MAX = 17 * 1024 * 1024
_ARCHIVE = b"\x6d\xe2\x99\x81"
# Bytes that are not UTF-8 are kept as they are, because log text is bytes.
BYTES_AS_TEXT = "surrogateescape"

NEEDS_PYMONGO = "Reading a dump of BlueKing JOB needs pymongo: pip install 'joblogs[bk-job]'"

Document = Mapping[str, Any]


def documents(dump_file: DumpFile, file: BinaryIO) -> Iterator[Document]:
    """Yield the documents of a collection's file. Raise DumpFault."""
    if not HAS_PYMONGO:
        raise DumpFault(NEEDS_PYMONGO)
    read = _bson if dump_file.form == "bson" else _json
    for document in read(dump_file, file):
        if not isinstance(document, dict):
            raise DumpFault(f"{dump_file.path}: holds something that is no document")
        yield document


def _bson(dump_file: DumpFile, file: BinaryIO) -> Iterator[Any]:
    options: CodecOptions[dict[str, Any]] = CodecOptions(
        unicode_decode_error_handler=BYTES_AS_TEXT,
        datetime_conversion=DatetimeConversion.DATETIME_MS,
    )
    while head := file.read(4):
        if head == _ARCHIVE:
            raise DumpFault(
                f"{dump_file.path}: a mongodump archive; dump into a folder, without --archive"
            )
        if len(head) < 4:
            raise DumpFault(f"{dump_file.path}: cut within a document")
        size = int.from_bytes(head, "little")
        if not 5 <= size <= _DOCUMENT_MAX:
            raise DumpFault(f"{dump_file.path}: not BSON")
        data = head + file.read(size - 4)
        if len(data) != size:
            raise DumpFault(f"{dump_file.path}: cut within a document")
        try:
            yield bson.decode(data, options)
        except BSONError as error:
            raise DumpFault(f"{dump_file.path}: not BSON: {error}") from None


def _json(dump_file: DumpFile, file: BinaryIO) -> Iterator[Any]:
    options = json_util.JSONOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)

    def plain(pairs: Any) -> Any:
        try:
            return json_util.object_pairs_hook(pairs, options)
        except (TypeError, ValueError, BSONError) as error:
            raise DumpFault(f"{dump_file.path}: not extended JSON: {error}") from None

    return json_values(file, dump_file.path, plain, errors=BYTES_AS_TEXT)
