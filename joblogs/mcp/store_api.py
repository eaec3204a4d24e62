"""Client of a store's API, which authenticates with a token."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from email.message import Message
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from django.utils.translation import get_language, gettext

Json = dict[str, Any]
TIMEOUT_SECONDS = 60
ANSWER_MAX_BYTES = 16 * 1024 * 1024


class ApiError(Exception):
    """Error of a request, with a message for the agent that never contains the token."""


class LogPart(NamedTuple):
    """NamedTuple of bytes of a log, and the values of the response's headers."""

    data: bytes
    offset: int
    size: int
    """Size of the whole log in bytes."""
    state: str
    attempt: int


class StoreApi:
    """Client of a store with a token. Errors are in the active language."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._opener = urllib.request.build_opener(_NoRedirects)

    def get(self, *path: str | int, **query: Any) -> Json:
        """Return the `data` of a response. A parameter that is None is not sent. Raise ApiError."""
        _, body = self._open(path, query, {})
        envelope = _decoded(body)
        data = envelope.get("data")
        if not isinstance(data, dict) or _refusal(envelope):
            raise ApiError(_refusal(envelope) or gettext("The store's answer is not understood."))
        return data

    def log_part(self, *path: str | int, start: int, length: int, **query: Any) -> LogPart:
        """Return bytes of a log from `start` on; the last `-start` if negative. Raise ApiError."""
        headers = {}
        if start < 0:
            query["tail"] = -start
        else:
            headers["Range"] = f"bytes={start}-{start + length - 1}"
        try:
            answer, data = self._open(path, query, headers)
        except _NothingThere as beyond:
            answer, data = beyond.headers, b""
        size = int(answer["X-Log-Size"] or answer["Content-Range"].rpartition("/")[2])
        offset = min(start, size) if start >= 0 else size - len(data)
        state, attempt = answer["X-Log-State"] or "", int(answer["X-Log-Attempt"] or 0)
        return LogPart(data, offset, size, state, attempt)

    def _open(
        self, path: tuple[str | int, ...], query: Json, headers: dict[str, str]
    ) -> tuple[Message, bytes]:
        url = f"{self._url}/api/" + "/".join(quote(str(part), safe="") for part in path)
        if sent := {name: value for name, value in query.items() if value is not None}:
            url += "?" + urlencode(sent)
        headers["Authorization"] = f"Bearer {self._token}"
        headers["Blueking-Language"] = get_language() or "en"  # any other means Chinese
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  settings: http or https
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return answer.headers, _bounded(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    raise _NothingThere(error.headers) from None
                raise ApiError(_failure(error)) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            where = urlsplit(self._url).netloc
            text = gettext("The store at %(place)s cannot be reached: %(reason)s")
            raise ApiError(text % {"place": where, "reason": reason}) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Handler that follows no redirects, which would send the token to another server."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class _NothingThere(Exception):
    """Error: the log ends before the requested bytes."""

    def __init__(self, headers: Message) -> None:
        super().__init__()
        self.headers = headers


def _bounded(answer: http.client.HTTPResponse) -> bytes:
    body = answer.read(ANSWER_MAX_BYTES + 1)
    if len(body) > ANSWER_MAX_BYTES:
        raise ApiError(gettext("The store's answer is too large."))
    return body


def _failure(error: urllib.error.HTTPError) -> str:
    """Return the message of a response with an error status."""
    refusal = _refusal(_decoded(error.read(ANSWER_MAX_BYTES)))
    text = gettext("The store answered with status %(status)s; is its address right?")
    return refusal or text % {"status": error.code}


def _decoded(body: bytes) -> Json:
    """Return a JSON object; {} if the body is anything else."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return value if isinstance(value, dict) else {}


def _refusal(envelope: Json) -> str:
    """Return the message of an error in an envelope of any API version; empty if there is none."""
    error = envelope.get("error")
    if isinstance(error, dict):
        return str(error.get("message"))
    if envelope.get("result") is False:
        return f"{envelope.get('message')} ({envelope.get('code')})"
    return ""
