"""Rules for secrets that are identified by a name: `DB_PASSWORD=…`, `"token": "…"`, `--password …`.

A name alone says little: `password authentication failed` is prose, `token = next_token()` is code,
and `secret: none` is not a secret. So a value must look like a secret: a password needs a digit or
a mark, a token needs letters and digits and is longer. Variables, placeholders, paths and prose are
not masked.
"""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule, any_of, spelled

NONE: Final = [
    "none",
    "null",
    "nil",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "required",
    "optional",
    "invalid",
    "expired",
    "missing",
    "failed",
    "empty",
    "unset",
    "undefined",
    "redacted",
    "masked",
    "hidden",
    "password",
    "passwd",
    "secret",
    "token",
    "string",
    "changeme",
    "default",
    "prompt",
    "stdin",
    "file",
    "env",
    "example",
    "enabled",
    "disabled",
    "authentication",
    "incorrect",
    "wrong",
    "wrongly",
    "ok",
    "admin_password",
    "text",
    "str",
    "int",
    "bool",
    "value",
    "values",
    "not",
    "set",
    "unknown",
]
"""Words that are not secrets, although they are in the place of one."""

PASSWORDS: Final = (
    b"password",
    b"passwd",
    b"passwort",
    b"passphrase",
    b"pwd",
    b"_pass",
    b"-pass",
    b".pass",
    b"_pw",
    b"pass_phrase",
    b"pass-phrase",
    b"dbpass",
    b"userpass",
    b"rootpass",
    b"adminpass",
    b"sshpass",
    b"dbpw",
    b"bindpw",
    b"rootpw",
    b"psk",
    b"presharedkey",
    b"preshared_key",
    b"pre_shared_key",
    "密码".encode(),
    "口令".encode(),
    "密码".encode("gbk"),
)
TOKENS: Final = (
    b"token",
    b"secret",
    b"secret_key",
    b"secretkey",
    b"secret-key",
    b"secret key",
    b"api_key",
    b"apikey",
    b"api-key",
    b"access_key",
    b"accesskey",
    b"access-key",
    b"account_key",
    b"accountkey",
    b"account-key",
    b"auth_key",
    b"authkey",
    b"private_key",
    b"privatekey",
    b"encryption_key",
    b"signing_key",
    b"master_key",
    b"credential",
    b"credentials",
    b"bk_ticket",
    b"_pat",
    b"sdk_sk",
    b"cloud_sk",
    b"hmac_key",
    b"hmackey",
    b"aes_key",
    b"session_key",
    b"shared_key",
    b"secret_key_base",
    b"sonar.login",
    "密钥".encode(),
    "令牌".encode(),
)

BLANK: Final = b"[ \\t]{0,8}"
_EQUALS = BLANK + rb"(?::?=|=>|%3[Dd]|\\{1,4}u003[Dd])" + BLANK
_COLON = BLANK + rb"(?::|%3[Aa]|\xef\xbc\x9a)(?:[ \t]{0,8}|%20)"
_OPEN = rb"(?:\\{0,6}[\"'])?"  # closing quote of a name
_IS = _OPEN + any_of([_EQUALS, _COLON])
_COMMA = _OPEN + rb"[ \t]{0,2},[ \t]{0,2}"
WITHIN = rb"[^\n]"

VALUE = rb"[^\s\"'`;,&<>|()\[\]{}\\*\x00-\x1f]"
_FIRST = rb"[^\s\"'`;,&<>|()\[\]{}\\*$%@/.!=:?~#\x00-\x1f-]"
_IN_TOKEN = rb"[A-Za-z_+/=-]"
_PLAIN, _PLAIN_FIRST = rb"[A-Za-z_.:/$\x80-\xff=-]", rb"[A-Za-z_\x80-\xff]"
_MARK, _MARK_FIRST = rb"[0-9!@#^+~%?]", rb"[0-9^+]"


def value_with(
    plain: tuple[bytes, bytes], mark: tuple[bytes, bytes], value: bytes, least: int
) -> bytes:
    """Return an expression for a value of at least `least` bytes that has a mark; it matches as
    soon as both are known.

    `plain` and `mark` are two classes each, for the first byte and for the others.
    """
    ways = [mark[0] + value + b"{%d}" % (least - 1)]
    for before in range(1, least - 1):
        ways.append(
            plain[0]
            + plain[1]
            + b"{%d}" % (before - 1)
            + mark[1]
            + value
            + b"{%d}" % (least - 1 - before)
        )
    ways.append(plain[0] + plain[1] + b"{%d,60}" % (least - 2) + mark[1])
    return any_of(ways)


_OPAQUE = VALUE.replace(b"[^", b"[^@")
_LETTER = rb"[A-Za-z]"
PASSWORD = value_with((_PLAIN_FIRST, _PLAIN), (_MARK_FIRST, _MARK), VALUE, 4)
_NOT_F, _NOT_T, _NOT_U = (
    _PLAIN.replace(b"A-Za-z", letters)
    for letters in (b"A-EG-Za-eg-z", b"A-SU-Za-su-z", b"A-TV-Za-tv-z")
)
_MARKS = (_MARK, _MARK)
# Not the name of an encoding, with which functions begin: `password = utf8_to_utf16(value)`.
_NO_ENCODING = any_of(
    [
        value_with(
            (_NOT_U.replace(b".:/$", b"").replace(b"=-", b""), _PLAIN),
            (_MARK_FIRST, _MARK),
            VALUE,
            4,
        ),
        b"[Uu]" + value_with((_NOT_T, _PLAIN), _MARKS, VALUE, 3),
        b"[Uu][Tt]" + value_with((_NOT_F, _PLAIN), _MARKS, VALUE, 3),
    ]
)
# In a list: not `'/etc/passwd', 'utf8'`, nor `"password", "scram-sha-256"`.
_LISTED = value_with((_PLAIN_FIRST, _PLAIN.replace(b"=-]", b"=]")), (_MARK_FIRST, _MARK), VALUE, 7)


def token_of(least: int) -> bytes:
    """Return an expression for a value of at least `least` bytes with letters and digits."""
    digits = rb"[0-9_.+/-]"
    return any_of(
        [
            value_with((_PLAIN_FIRST, _IN_TOKEN), (rb"[^\x00-\xff]", rb"[0-9]"), _OPAQUE, least),
            value_with((rb"[0-9]", digits), (rb"[^\x00-\xff]", _LETTER), _OPAQUE, least),
        ]
    )


_WORDS = spelled(NONE, rb"^\s\"'`;,&<>|()\[\]{}\\*$%@/.!=:?~#0-9\x00-\x1f-")
_WORD = _WORDS + rb"[A-Za-z_]{1,40}"


def _named(
    name: str, names: tuple[bytes, ...], then: bytes, more: bytes, example: str, other: str
) -> Rule:
    return Rule(
        name,
        names,
        then,
        WITHIN,
        more,
        example,
        other,
        ignore_case=True,
        anywhere=True,
        assignment=True,
    )


def _quoted(kind: str, names: tuple[bytes, ...], value: bytes, secret: str) -> list[Rule]:
    """Return rules for values in quotes, which end at the closing quote; a password may also be a
    single word."""
    rows = []
    for name, quote, more, sign in (
        ("double", rb"\"", rb"[^\"\\\n*\x00\x1b]", '"'),
        ("single", rb"'", rb"[^'\\\n*\x00\x1b]", "'"),
        ("escaped", rb"\\{1,6}[\"']", rb"[^\"'\\\n*\x00\x1b]", '\\"'),
    ):
        begins = names[0].decode()
        row = _named(
            f"{kind}-in-{name}-quotes",
            names,
            any_of(
                [
                    _IS + quote + b"(" + value + b")",
                    _COMMA + quote + b"(" + (value if kind == "secret" else _LISTED) + b")",
                ]
            ),
            more,
            f"{begins}: {sign}«{secret}»{sign}",
            f"{begins}: {sign}is required{sign}, {begins}={sign}$X{sign},"
            f" {begins}={sign}none{sign}",
        )
        rows.append(row)
        if kind == "password":
            then = _IS + quote + b"(" + _WORD + b"={0,2})" + quote
            rows.append(row._replace(then=then, example=f"{begins}={sign}«hunter»{sign}"))
    return rows


NAMES: Final[tuple[Rule, ...]] = (
    _named(
        "named-password",
        PASSWORDS,
        _IS + b"(" + _NO_ENCODING + b")",
        VALUE,
        "DB_PASSWORD=«Tr0ub4dor.3x»",
        "password: required, password=$PW, password={{ x }}, password authentication failed",
    ),
    _named(
        "named-password",
        PASSWORDS,
        rb"=(" + _WORD + rb")[ \t\r\n;&]",
        VALUE,
        "PGPASSWORD=«hunter» psql",
        "password=None, password=password, password=pw)",
    ),
    *_quoted("password", PASSWORDS, PASSWORD, "p@ss w0rd"),
    _named(
        "named-secret",
        tuple(name for name in TOKENS if name != b"credential"),
        _OPEN + _EQUALS + b"(" + token_of(8) + b")",
        _OPAQUE,
        "API_KEY=«0a1b2c3d4e5f»",
        "token expired, token = next_token(), API_KEY=${KEY}, token=****, token=42",
    ),
    _named(
        "named-secret",
        TOKENS,
        _OPEN + _COLON + b"(" + token_of(12) + b")",
        _OPAQUE,
        "token: «0a1b2c3d4e5f»",
        "token: expired, secret: none, token: 12345678, secret: tls-2026",
    ),
    *_quoted("secret", TOKENS, token_of(8), "0a1b2c3d4e5f"),
)
"""Rules that MASK_ASSIGNMENTS can switch off."""
