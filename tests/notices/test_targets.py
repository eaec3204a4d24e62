"""Where webhooks may be sent, and that a bad receiver holds nobody up."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from joblogs.notices import TargetRefused, check_address, webhook
from joblogs.notices.targets import is_public
from tests.notices.certificates import certificate_for
from tests.notices.receivers import receiving

PRIVATE = [
    *("127.0.0.1", "127.8.9.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),  # noqa: S104
    *("::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:0:1::1", "fe80::1%eth0"),
    *("fec0::1", "feff::1", "192.0.0.192", "::ffff:192.0.0.192", "3fff::1", "5f00::1"),
]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "[::1]",
     "[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:7f00:1]"],
)  # fmt: skip
def test_this_machine_is_refused_however_it_is_written(host: str, settings: Any) -> None:
    settings.NOTICE_PRIVATE_TARGETS = False
    with receiving() as receiver:
        port = receiver.address.rpartition(":")[2].partition("/")[0]
        address = f"http://{host}:{port}/"
        with pytest.raises(webhook.NotDelivered, match="refused|gaierror"):
            webhook.send(address, secret=b"s", event_id="1", timestamp=1, body=b"{}")
        assert receiver.requests == []


@pytest.mark.parametrize(
    "address",
    ["", "ftp://a/", "//a/", "http://", "http://user@a/", "http://a:b@c/", "http://a:0/",
     "http://a:99999/", "http://a/\r\nX: y", "http://a\\@b/", "http://a b/", "http://例子/",
     "javascript:x", "http://[::1/", f"http://{'a' * 64}.com/", "http://a..b/", "http://.a.com/"],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(TargetRefused):
        check_address(address)


def test_a_name_is_resolved_once_and_that_address_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    real = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **named: Any) -> Any:
        asked.append(host)
        return real("127.0.0.1" if host == "hooks.example.com" else host, *args, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with receiving() as receiver:
        address = receiver.address.replace("127.0.0.1", "hooks.example.com")
        webhook.send(address, secret=b"s", event_id="1", timestamp=1, body=b"{}")
        headers, _ = receiver.requests[0]
    assert asked.count("hooks.example.com") == 1
    assert headers["Host"].startswith("hooks.example.com:")


@pytest.mark.parametrize(
    ("name", "is_trusted", "taken"),
    [
        ("hooks.example.com", True, 1),
        ("hooks.example.com", False, 0),
        ("other.example.com", True, 0),
    ],
)
def test_a_certificate_must_be_trusted_and_for_the_name(
    name: str, is_trusted: bool, taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate_for("hooks.example.com", tmp_path)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *args, **named: real("127.0.0.1", *args, **named)
    )
    with receiving(tls=files) as receiver:
        address = receiver.address.replace("127.0.0.1", name)
        if taken:
            webhook.send(address, secret=b"s", event_id="1", timestamp=1, body=b"{}")
        else:
            with pytest.raises(webhook.NotDelivered, match="CertVerificationError"):
                webhook.send(address, secret=b"s", event_id="1", timestamp=1, body=b"{}")
        assert len(receiver.requests) == taken


def test_a_name_that_is_not_resolved_in_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "RESOLVE_SECONDS", 0.1)
    may_end = threading.Event()
    real = socket.getaddrinfo

    def resolve(*args: Any, **named: Any) -> Any:
        may_end.wait()
        return real("127.0.0.1", *args[1:], **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    try:
        with pytest.raises(webhook.NotDelivered, match="TimeoutError"):
            webhook.send("http://a.com/", secret=b"s", event_id="1", timestamp=1, body=b"{}")
    finally:
        may_end.set()


def test_a_connection_that_gets_no_tls_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> ssl.SSLContext:
        raise ssl.SSLError

    monkeypatch.setattr(ssl, "create_default_context", refuse)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"https://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(webhook.NotDelivered, match="SSLError") as caught:
            webhook.send(address, secret=b"s", event_id="1", timestamp=1, body=b"{}")
        peer, _ = server.accept()
        with peer:
            peer.settimeout(5)
            assert peer.recv(1) == b"", caught


def test_a_redirect_is_not_followed() -> None:
    with receiving(lambda number: 302) as receiver:
        with pytest.raises(webhook.NotDelivered, match="HTTP 302"):
            webhook.send(receiver.address, secret=b"s", event_id="1", timestamp=1, body=b"{}")
        assert len(receiver.requests) == 1


def test_a_receiver_that_sends_byte_after_byte_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            peer, _ = server.accept()
            with peer:
                while not stop.wait(0.02):
                    try:
                        peer.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with pytest.raises(webhook.NotDelivered):
            webhook.send(address, secret=b"s", event_id="1", timestamp=1, body=b"{}")
        stop.set()
        thread.join()
