"""What machines print, made up but always the same: lines as in a syslog, no two of them equal.

It compresses about as well as the real thing: times that go up, a few programs, a few dozen ways
to say something, and in them numbers, addresses and digests that nobody can guess.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

PIECE = 1024
"""Bytes of a piece, as a producer that follows a script's output sends them."""

_ADDRESS = "10.{a}.{b}.{c}"
_UPSTREAM = "upstream=10.{c}.{b}.{a}:8080"
_SAYINGS = (
    f"sshd[{{pid}}]: Accepted publickey for ci from {_ADDRESS} port {{port}} ssh2: SHA256:{{x}}",
    f"sshd[{{pid}}]: Disconnected from user deploy {_ADDRESS} port {{port}}",
    "systemd[1]: Started Session {port} of user deploy.",
    "systemd[1]: logrotate.service: Succeeded.",
    "CRON[{pid}]: (root) CMD (   cd / && run-parts --report /etc/cron.hourly)",
    "kernel: [{port}.{pid}] TCP: Possible SYN flooding on port {b}. Sending cookies.",
    f"nginx[{{pid}}]: {_ADDRESS} GET /api/orders/{{pid}}{{port}} 200 {{port}} {{a}}ms {_UPSTREAM}",
    f"nginx[{{pid}}]: {_ADDRESS} POST /api/v2/carts/{{x}} 201 {{pid}} {{b}}ms {_UPSTREAM}",
    "app[{pid}]: INFO request_id={x} user={pid}{a} action=checkout took={port}us items={b}",
    "app[{pid}]: WARNING pool exhausted, waited {port} ms for one of {a} (request_id={x})",
    f"postfix/smtpd[{{pid}}]: connect from mail-{{a}}-{{b}}.example.org[{_ADDRESS}]",
    f"dhclient[{{pid}}]: DHCPACK of {_ADDRESS} from 10.{{a}}.{{b}}.1 (xid=0x{{x}})",
    "audit[{pid}]: USER_ACCT pid={pid} auid={port} ses={b} msg='op=PAM acct=root res=success'",
    "deploy[{pid}]: copied /srv/releases/{x}/static/chunk-{b}.{port}.js ({pid}{a} bytes)",
)


def log(host: int, size: int) -> bytes:
    """The first `size` bytes of what a host prints."""
    lines, length = [], 0
    for line in _lines(host):
        lines.append(line)
        length += len(line)
        if length >= size:
            return "".join(lines).encode()[:size]
    raise AssertionError("unreachable")


def pieces(data: bytes) -> Iterator[tuple[int, bytes]]:
    """A log as a producer sends it: offset and bytes of each piece."""
    for offset in range(0, len(data), PIECE):
        yield offset, data[offset : offset + PIECE]


def in_turn(logs: dict[int, bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Host, offset and bytes of each piece of logs of one size, as hosts that print at once do."""
    sizes = {len(log) for log in logs.values()}
    for offset in range(0, max(sizes), PIECE):
        for host, log in logs.items():
            yield host, offset, log[offset : offset + PIECE]


def log_by_log(logs: dict[int, bytes]) -> Iterator[tuple[int, int, bytes]]:
    """The same, one log after the other."""
    for host, log in logs.items():
        for offset, data in pieces(log):
            yield host, offset, data


def _lines(host: int) -> Iterator[str]:
    dice = random.Random(host)  # noqa: S311 - the same every time is what is wanted
    name, second = f"web-{host:05d}", dice.randrange(60_000)
    while True:
        second += dice.choice((0, 0, 0, 0, 1, 1, 2, 7))
        saying = _SAYINGS[int(dice.random() ** 2 * len(_SAYINGS))]
        bits = dice.getrandbits(88)
        message = saying.format(
            pid=1000 + (bits & 0x7FFF),
            a=bits >> 15 & 0xFF,
            b=bits >> 23 & 0xFF,
            c=bits >> 31 & 0xFF,
            port=bits >> 39 & 0xFFFF,
            x=f"{bits >> 24:016x}",
        )
        time = f"{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        yield f"Nov 23 {time} {name} {message}\n"
