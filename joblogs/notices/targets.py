"""Validation and resolution of the addresses of webhooks and mailboxes.

A host name is resolved once, and the connection is made to the IP address that was checked, so that
a name that resolves differently a moment later has no effect.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_noop

LOCAL_PART_MAX, DOMAIN_MAX, MAILBOX_MAX = 64, 253, 254
"""Most bytes of a mailbox: before the @, after it, and in total (RFC 5321)."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NO_ADDRESS = gettext_noop("This is not an address that can be sent to.")
PRIVATE = gettext_noop("The address leads to a private network.")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_EMBEDDING = tuple(map(ipaddress.ip_network, ("64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))
"""Networks whose addresses embed other addresses."""
_RESERVED = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "3fff::/20", "5f00::/16"),
    )
)
"""Reserved networks that not every version of Python knows."""


class TargetRefused(ValueError):
    """Error: an address is invalid or not allowed. Its text is translated where it is shown."""


class Target(NamedTuple):
    """NamedTuple of the parts of a webhook's URL; `path` includes the query."""

    is_tls: bool
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.is_tls else 80
        return host if self.port == usual else f"{host}:{self.port}"


def check_address(text: str) -> Target:
    """Return the parts of a URL, without resolving the host. Raise TargetRefused."""
    if not text.isascii() or any(ord(char) <= 32 or ord(char) == 127 for char in text):
        raise TargetRefused(NO_ADDRESS)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise TargetRefused(NO_ADDRESS) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise TargetRefused(gettext_noop("The address must begin with http:// or https://."))
    if "@" in parts.netloc or "\\" in text:
        raise TargetRefused(gettext_noop("The address must hold no user and no password."))
    if port == 0 or not _is_name(parts.hostname):
        raise TargetRefused(NO_ADDRESS)
    if _is_number(parts.hostname) and not may_be_sent_to(parts.hostname):
        raise TargetRefused(PRIVATE)
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_tls, parts.hostname, port or (443 if is_tls else 80), path)


def check_mailbox(text: str) -> None:
    """Raise TargetRefused for a mailbox to which mail cannot be sent: mail servers accept only
    ASCII names, and domains encoded by IDNA."""
    local, _, domain = text.rpartition("@")
    try:
        validate_email(text)
        size = len(domain.encode("idna"))
    except (ValidationError, UnicodeError):
        raise TargetRefused(gettext_noop("This is not a valid email address.")) from None
    if not (local.isascii() and local.isprintable()):
        # Django's validator accepts U+017F and U+212A, which match ASCII letters in any case.
        raise TargetRefused(gettext_noop("The name before the @ must be in ASCII."))
    if len(local) > LOCAL_PART_MAX:
        raise TargetRefused(gettext_noop("The name before the @ is longer than 64 characters."))
    if size > DOMAIN_MAX or len(local) + 1 + size > MAILBOX_MAX:
        raise TargetRefused(gettext_noop("The email address is longer than 254 characters."))


def _is_name(host: str) -> bool:
    """Return whether a host name is valid: its labels are neither empty nor too long."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


def _is_number(host: str) -> bool:
    """Return whether a host is an IP address, which need not be resolved."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def resolve(target: Target) -> str:
    """Return the first allowed IP address of a target. Raise TargetRefused if none is allowed,
    OSError if the name cannot be resolved."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(place[4][0]) for place in found]
    for text in addresses:
        if may_be_sent_to(text):
            return text
    raise TargetRefused(PRIVATE)


def may_be_sent_to(text: str) -> bool:
    """Return whether the settings allow an IP address."""
    return settings.NOTICE_PRIVATE_TARGETS or is_public(text)


def is_public(text: str) -> bool:
    """Return whether an IP address is public, including one embedded in an IPv6 address."""
    try:
        address: Address = ipaddress.ip_address(text)
    except ValueError:
        return False  # with a zone: a link-local address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        elif address.is_site_local or any(address in network for network in _EMBEDDING):
            return False
    if any(address in network for network in _RESERVED if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
