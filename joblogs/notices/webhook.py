"""Signed webhooks: one POST with a time limit, whose response body is not read.

Signed according to Standard Webhooks (https://www.standardwebhooks.com), for which receivers have
libraries.
"""

from __future__ import annotations

import base64
import hmac
import http.client
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

from joblogs import __version__

from .targets import Target, TargetRefused, check_address, resolve

SECONDS = 20.0
"""Limit from the connection to the response's status; a slower receiver is retried."""
RESOLVE_SECONDS = CONNECT_SECONDS = 5.0
"""Limits before it: to resolve the host, and to connect."""


class NotDelivered(Exception):
    """Error: a receiver did not accept a message. Its text never quotes the response."""


def signature(secret: bytes, event_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the signature header of a body."""
    signed = f"{event_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def send(address: str, *, secret: bytes, event_id: str, timestamp: int, body: bytes) -> None:
    """Send a body. Raise NotDelivered unless the receiver responds with 2xx in time.

    Redirects are not followed.
    """
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"joblogs/{__version__}",
        "Webhook-Id": event_id,
        "Webhook-Timestamp": str(timestamp),
        "Webhook-Signature": signature(secret, event_id, timestamp, body),
        "Connection": "close",
    }
    try:
        status = _post(address, headers, body)
    except TargetRefused as error:
        raise NotDelivered(f"address refused: {error}") from None
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(type(error).__name__) from None
    if not 200 <= status < 300:
        raise NotDelivered(f"HTTP {status}")


def _post(address: str, headers: dict[str, str], body: bytes) -> int:
    target = check_address(address)
    sock = socket.create_connection((_resolved(target), target.port), timeout=CONNECT_SECONDS)
    try:
        sock.settimeout(SECONDS)
        if target.is_tls:
            sock = ssl.create_default_context().wrap_socket(
                sock, server_hostname=target.host, do_handshake_on_connect=False
            )
        return _status_of(sock, target, headers, body)
    finally:
        sock.close()


def _resolved(target: Target) -> str:
    """Return the IP address of a target. Raise TimeoutError after RESOLVE_SECONDS."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="resolve")
    try:
        return pool.submit(resolve, target).result(RESOLVE_SECONDS)
    finally:
        pool.shutdown(wait=False)  # the system's resolver cannot be interrupted


def _status_of(sock: socket.socket, target: Target, headers: dict[str, str], body: bytes) -> int:
    """Send a body over a connection, and return the status of the response."""
    # The socket's timeout restarts with each byte, so a slow response needs a limit of its own.
    watch = threading.Timer(SECONDS, _hang_up, [sock])
    watch.daemon = True
    watch.start()
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.do_handshake()
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = sock
        try:
            connection.putrequest("POST", target.path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", target.authority)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return connection.getresponse().status
        finally:
            connection.close()
    finally:
        watch.cancel()


def _hang_up(sock: socket.socket) -> None:
    try:
        # Not the TLS socket's shutdown, which would change it while another thread reads.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already
