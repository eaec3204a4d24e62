"""Request of the raw log of one host: its parameters, and its OpenAPI operation."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from msgspec import Struct

from joblogs.api.base import Operation
from joblogs.api.fields import COUNT, Json, Parameter, Params, described, header
from joblogs.api.parameters import NotInteger, integer
from joblogs.errors import BadRequest
from joblogs.query import Attempts, State

WAIT_MAX_SECONDS = 10


def _number(params: Params, field: str) -> int | None:
    try:
        number = integer(params.get(field))
    except NotInteger:
        number = -1
    if number is not None and not 0 <= number < 2**53:
        raise BadRequest(BadRequest.FIELD, field)
    return number


number_param = partial(Parameter, _number, COUNT)


class RawLogParams(Struct, frozen=True):
    """Parameters of the query string: which attempts, which bytes, seconds to wait for more."""

    execute_count: Annotated[int | None, number_param("Only up to this attempt.")]
    batch: Annotated[int | None, number_param("Only this rolling batch.")]
    tail: Annotated[int | None, number_param("Only the last bytes.")]
    offset: Annotated[int | None, number_param("From this byte on; not beside tail.")]
    wait: Annotated[int | None, number_param(f"Seconds to wait, at most {WAIT_MAX_SECONDS}.")]

    def __post_init__(self) -> None:
        if self.tail is not None and self.offset is not None:
            raise BadRequest(BadRequest.FIELD, "tail")

    @property
    def attempts(self) -> Attempts:
        """The attempts to read."""
        return Attempts(self.execute_count, self.batch)


_ETAG_SHAPE: Json = {"type": "string", "pattern": "^[!-~]{1,60}$"}
_LOG_HEADERS = {
    "ETag": header("Changes with every byte that comes, is masked or expires."),
    "Accept-Ranges": header("Always `bytes`."),
    "X-Log-Size": header("Bytes of the whole log.", pattern="^[0-9]+$"),
    "X-Log-Attempt": header("The attempt whose text it is.", pattern="^[0-9]+$"),
    "X-Log-Batch": header("The last rolling batch in it.", pattern="^[0-9]+$"),
    "X-Log-Latest-Attempt": header("The latest attempt that there is.", pattern="^[0-9]+$"),
    "X-Log-Latest-Batch": header("Its last rolling batch.", pattern="^[0-9]+$"),
    "X-Log-State": header("How complete it is.", enum=[state.value for state in State]),
}
_PART_HEADERS = _LOG_HEADERS | {"Content-Range": header("Which bytes these are, of how many.")}
_BYTES = {"text/plain": {"schema": {"type": "string", "format": "binary"}}}
OPERATION = Operation(
    summary="The raw log of one host",
    description="Bytes as they were printed. A follower sends `offset`, the bytes that it has, and "
    "`wait`: the answer comes when there is more, the log ends, or the time is up. Files have no "
    "raw log.",
    tag="Raw log",
    id="host_log",
    request=RawLogParams,
    headers={
        "Range": described(_ETAG_SHAPE, "One range of bytes; several, or another unit: the whole."),
        "If-Range": described(_ETAG_SHAPE, "The range only if the log still has this ETag."),
        "If-None-Match": described(_ETAG_SHAPE, "304 if the log still has this ETag."),
    },
    responses={
        "200": {
            "description": "The log, or the requested part.",
            "headers": _LOG_HEADERS,
            "content": _BYTES,
        },
        "206": {
            "description": "The requested range.",
            "headers": _PART_HEADERS,
            "content": _BYTES,
        },
        "304": {"description": "It is as If-None-Match knows it.", "headers": _LOG_HEADERS},
    },
)
