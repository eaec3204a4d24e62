"""What an attacker or a broken producer sends: valid input with something wrong about it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

LITERALS: tuple[bytes, ...] = (
    *(b"null", b"true", b"false", b"0", b"-1", b"1", b"-0", b"0.0", b"1.5", b"100.0", b"1e2"),
    *(b"9007199254740991", b"9007199254740992", b"9223372036854775808", b"2147483648"),
    *(b"1e400", b"-1e400", b"1e-400", b"1E999999999", b"9" * 5000, b"0." + b"1" * 5000),
    *(b"NaN", b"Infinity", b"-Infinity", b"01", b"0x10", b"'a'", b"{,}", b"[1,]", b""),
    *(b'""', b'" "', b'"\\u0000"', b'"a\\u0000b"', b'"\\ud800"', b'"\\udc00\\ud800"', b'"\x00"'),
    *(b'"\xff\xfe"', '"\u202e\u200b\u2028"'.encode(), b'"' + b"x" * 9000 + b'"', b'"\\x41"'),
    *(
        b'"../../../etc/passwd"',
        b'"\'; DROP TABLE joblogs_app; --"',
        b'"<script>alert(1)</script>"',
    ),
    *(b'"%s%n{0}{x.__class__}"', b'"${jndi:ldap://x}"', b'"(a+)+$"', '"😀"'.encode(), b'"9"'),
    *(b"[]", b"{}", b"[null]", b"[[]]", b'[{"a":[{}]}]', b'{"":{"":{}}}', b'{"__proto__":1}'),
    *(b"[" * 300 + b"]" * 300, b"[" * 20_000, b'{"a":' * 2000 + b"1" + b"}" * 2000),
    *(b"[" + b",".join(b"%d" % n for n in range(501)) + b"]", b"[" + b"0," * 20_000 + b"0]"),
    *(b'"10.0.0.1"', b'"010.0.0.1"', b'"::ffff:10.0.0.1"', b'"fe80::1%eth0"', b'"1.1.1.1/0"'),
)
_INSERTED = (b"\0", b"\n", b"\r\n", b"\xff", b'"', b"\\", b"{", b"}", b"[", b",", b"\xef\xbb\xbf")


def spoiled(random: Random, said: dict[str, Any], names: tuple[str, ...] = ()) -> bytes:
    """A JSON object with one to four members that are not as they should be."""
    members = [
        (json.dumps(key).encode(), json.dumps(value).encode()) for key, value in said.items()
    ]
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(members) + 1)
        change = random.random()
        if at < len(members) and change < 0.6:
            members[at] = (members[at][0], random.choice(LITERALS))
        elif at < len(members) and change < 0.7:
            del members[at]
        else:
            key = random.choice([*names, *said, "x_own", "colour", "", "__class__", "\u202e"])
            members.insert(at, (json.dumps(key).encode(), random.choice(LITERALS)))
    return b"{" + b", ".join(key + b": " + value for key, value in members) + b"}"


def damaged(random: Random, data: bytes) -> bytes:
    """Bytes of which some were lost, changed, added or repeated."""
    for _ in range(random.randint(1, 3)):
        at, size = random.randrange(len(data) + 1), random.randrange(1, 40)
        match random.randrange(5):
            case 0:
                data = data[:at]
            case 1:
                data = data[:at] + data[at + size :]
            case 2:
                data = data[:at] + random.randbytes(size) + data[at + size :]
            case 3:
                data = data[:at] + random.choice(_INSERTED) + data[at:]
            case _:
                data = data[:at] + data[max(0, at - size) :]
    return data


def text(random: Random, *, length: int) -> str:
    """Characters of which many are no letters."""
    return "".join(
        chr(random.choice([random.randrange(0x20, 0x7F), random.randrange(0x110000), 0, 0x202E]))
        if random.random() < 0.5
        else random.choice('abc019./\\:*?"<>|~ \t\n_-()[]{}+^$')
        for _ in range(random.randrange(length))
    )
