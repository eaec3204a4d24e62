"""The table of secrets that are known by their form, and what a rule is.

A rule begins with a literal that is rare in logs and stays visible, so that a reader sees what
was masked. `then` says, in RE2's language, what must follow until it is a secret; its group, or
else all of it, is masked. From there on the mask goes on over bytes of the class `more`, however
the text arrives. `within` is the class of all bytes that `then` may meet: what makes an unfinished
end of a text a possible beginning of a secret.

Laws, tested: no rule needs more than LOOK_BACK bytes until it is fulfilled, none looks at what
follows, and only those marked `lines` meet a newline. Rules are narrow on purpose: bytes in are
bytes out, so each has an example and something similar that must stay as it is.
"""

from __future__ import annotations

import re
from typing import NamedTuple

LOOK_BACK = 1000
"""As many bytes as a secret may have until it is known to be one."""


_WORD_BEGINS = re.compile(rb"\w")


class Rule(NamedTuple):
    """One way to recognise a secret."""

    name: str
    begins: tuple[bytes, ...]
    then: bytes
    within: bytes
    more: bytes = b""
    example: str = ""
    """«…» marks what is masked."""
    other: str = ""
    """Looks similar and stays."""
    ignore_case: bool = False
    lines: bool = False
    """It may meet newlines."""
    anywhere: bool = False
    """It may begin within a word; not for what is masked on the way in."""

    @property
    def apart(self) -> bool:
        """Whether no letter, digit or underscore stands before it: what begins as a word does."""
        return not self.anywhere and bool(_WORD_BEGINS.match(self.begins[0]))


_WORD, _DASHED = rb"[0-9A-Za-z]", rb"[0-9A-Za-z_-]"
_SAYS = rb"(?:\\?[\"'])?[ \t]{0,2}(?:=>|[:=])[ \t]{0,2}(?:\\?[\"'])?"
"""What stands between a name and its value: `=`, `: `, `": "`, `\\": \\"`."""
_SAID = rb"[0-9A-Za-z+/_=:>\\\"' \t.~-]"
_KEY_KIND = rb"(?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY-----"
_ENCRYPTED = (
    rb"(?:Proc-Type: 4,ENCRYPTED\r?\nDEK-Info: [0-9A-Z-]{5,30},[0-9A-Fa-f]{8,64}\r?\n\r?\n)?"
)
_PRINTED = rb"[\t\r\n -)+-~]"  # all but the asterisk

_64 = "MIIEpAIBAAKCAQEA7bq0xUzG5mYt"

RULES: tuple[Rule, ...] = (
    Rule(
        "aws-access-key",
        (b"AKIA", b"ASIA"),
        rb"[0-9A-Z]{16}",
        rb"[0-9A-Z]",
        rb"[0-9A-Z]",
        "key AKIA«IOSFODNN7EXAMPLE» used",
        "AKIASHORT, AKIAlowercaseletters, xAKIAIOSFODNN7EXAMPLE",
    ),
    Rule(
        "aws-secret-key",
        (b"aws_secret_access_key", b"SecretAccessKey"),
        _SAYS + rb"([0-9A-Za-z+/]{40})",
        _SAID,
        rb"[0-9A-Za-z+/]",
        "AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
        "aws_secret_access_key is not set",
        ignore_case=True,
    ),
    Rule(
        "github-token",
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
        rb"[0-9A-Za-z]{36}",
        _WORD,
        rb"[0-9A-Za-z_]",
        "remote: ghp_«0123456789abcdefghijABCDEFGHIJ012345» ok",
        "ghp_prefix, ghp_0123456789 is too short",
    ),
    Rule(
        "github-token",
        (b"github_pat_",),
        rb"[0-9A-Za-z_]{40}",
        rb"[0-9A-Za-z_]",
        rb"[0-9A-Za-z_]",
        "github_pat_«11ABCDEFG0123456789abc_0123456789abcdefghij0123456789»",
        "github_pat_tokens are described elsewhere",
    ),
    Rule(
        "gitlab-token",
        (b"glpat-", b"glrt-", b"gldt-", b"glcbt-", b"glptt-", b"glsoat-"),
        rb"[0-9A-Za-z_-]{20}",
        _DASHED,
        rb"[0-9A-Za-z_.-]",
        "token glpat-«xYz0123456789_abcdEF»",
        "glpat-short",
    ),
    Rule(
        "slack-token",
        (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-", b"xapp-"),
        rb"[0-9][0-9A-Za-z-]{19}",
        rb"[0-9A-Za-z-]",
        rb"[0-9A-Za-z-]",
        "SLACK=xoxb-«123456789012-123456789012-AbCdEfGhIjKl»",
        "xoxb-your-token-goes-here-please",
    ),
    Rule(
        "slack-webhook",
        (b"hooks.slack.com/services/",),
        rb"T[0-9A-Za-z_]{6,14}/B[0-9A-Za-z_]{6,14}/[0-9A-Za-z]{20}",
        rb"[0-9A-Za-z_/]",
        _WORD,
        "POST https://hooks.slack.com/services/«T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX»",
        "hooks.slack.com/services/TEAM/CHANNEL",
    ),
    Rule(
        "google-api-key",
        (b"AIza",),
        rb"[0-9A-Za-z_-]{35}",
        _DASHED,
        _DASHED,
        "key=AIza«SyA0123456789abcdefghijABCDEFGHIJ01»",
        "AIzawa-san",
    ),
    Rule(
        "tencent-secret-id",
        (b"AKID",),
        rb"[0-9A-Za-z]{32}",
        _WORD,
        _WORD,
        "SecretId: AKID«z8krbsJ5yKBZQpn74WFkmLPx3gnPhESA»",
        "AKID0123",
    ),
    Rule(
        "aliyun-access-key",
        (b"LTAI",),
        rb"[0-9A-Za-z]{16}",
        _WORD,
        _WORD,
        "AccessKeyId LTAI«5tABCDEFGHabcdefgh12»",
        "LTAI is the prefix",
    ),
    Rule(
        "stripe-key",
        (b"sk_live_", b"rk_live_"),
        rb"[0-9A-Za-z]{24}",
        _WORD,
        _WORD,
        "sk_live_«0123456789abcdefghijABCD»",
        "sk_live_mode",
    ),
    Rule(
        "npm-token",
        (b"npm_",),
        rb"[0-9A-Za-z]{36}",
        _WORD,
        _WORD,
        "_authToken=npm_«0123456789abcdefghijABCDEFGHIJ012345»",
        "npm_config_registry, npm_lifecycle_event",
    ),
    Rule(
        "pypi-token",
        (b"pypi-AgE",),
        rb"[0-9A-Za-z_-]{50}",
        _DASHED,
        _DASHED,
        "pypi-AgE«IcHlwaS5vcmcCJDAxMjM0NTY3LTg5YWItY2RlZi0wMTIzLTQ1Njc4OWFiY2RlZg»",
        "pypi-AgEnts",
    ),
    Rule(
        "vault-token",
        (b"hvs.", b"hvb."),
        rb"[0-9A-Za-z_-]{24}",
        _DASHED,
        _DASHED,
        "VAULT_TOKEN=hvs.«CAESIJ0123456789abcdefghij»",
        "hvs.example.com",
    ),
    Rule(
        "jwt",
        (b"eyJ",),
        rb"[0-9A-Za-z_-]{14,600}\.eyJ",
        rb"[0-9A-Za-z_.-]",
        rb"[0-9A-Za-z_.-]",
        "jwt eyJ«hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0»",
        "eyJhbGciOiJIUzI1NiJ9 alone is a header",
    ),
    Rule(
        "authorization-header",
        (b"authorization", b"http_authorization"),
        _SAYS + rb"(?:bearer|token)[ \t]{1,2}((?-i:[A-Za-z]?[a-z]{0,13}[0-9A-Z+/=._~-]"
        rb"[0-9A-Za-z+/=._~-]{8}))",
        _SAID,
        rb"[0-9A-Za-z+/=._~-]",
        "> Authorization: Bearer «0123456789abcdef-XYZ.k~»",
        "Authorization: Bearer authentication is required",
        ignore_case=True,
    ),
    Rule(
        "authorization-header",
        (b"authorization", b"http_authorization"),
        _SAYS + rb"basic[ \t]{1,2}((?-i:[a-z]{0,7}[0-9A-Z+/][0-9A-Za-z+/=]{7}))",
        _SAID,
        rb"[0-9A-Za-z+/=._~-]",
        '"Authorization": "Basic «dXNlcjpwYXNzd29yZA==»"',
        "Authorization: Basic authentication failed",
        ignore_case=True,
    ),
    Rule(
        "bk-app-secret",
        (b"bk_app_secret",),
        _SAYS + rb"([0-9A-Za-z_-]{20})",
        _SAID,
        _DASHED,
        '{"bk_app_code": "ci", "bk_app_secret": "«0b6d2f4e-5c1a-4f7e-9d3b-2a1c0e9f8d7b»"}',
        '"bk_app_secret": "…", bk_app_secret=changeme',
    ),
    Rule(
        "url-password",
        (b"://",),
        rb"[^\x00-\x20/?#@:\"'<>`\\]{0,100}:([^\x00-\x20/?#@\"'<>`\\]{1,200})@",
        rb"[^\x00-\x20/?#@\"'<>`\\]",
        b"",
        "postgresql://joblogs:«s3cr3t!»@db:5432/x",
        "http://db:8080/a@b, ssh://git@host:22, http://a:b, c@d",
    ),
    Rule(
        "private-key",
        (b"-----BEGIN ",),
        _KEY_KIND + rb"(?:\r?\n|(?:\\r)?\\n)" + _ENCRYPTED + rb"([0-9A-Za-z+/=]{16})",
        _PRINTED,
        rb"[0-9A-Za-z+/=\r\n\\]",
        f"-----BEGIN RSA PRIVATE KEY-----\n«{_64}\n{_64}\n»-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PUBLIC KEY-----\n{_64}\n-----END PUBLIC KEY-----",
        lines=True,
    ),
    Rule(
        "private-key-in-a-line",
        (b"-----BEGIN ",),
        _KEY_KIND + rb" ([0-9A-Za-z+/=]{16})",
        rb"[0-9A-Za-z+/= -]",
        rb"[0-9A-Za-z+/= ]",
        f"-----BEGIN EC PRIVATE KEY----- «{_64} {_64} »-----END EC PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY----- was not found",
    ),
    Rule(
        "pgp-private-key",
        (b"-----BEGIN PGP PRIVATE KEY BLOCK-----",),
        rb"\r?\n(?:[A-Z][A-Za-z]{2,12}: [\t -)+-~]{0,120}\r?\n){0,4}\r?\n([0-9A-Za-z+/=]{16})",
        _PRINTED,
        rb"[0-9A-Za-z+/=\r\n]",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n«{_64}\n»-----END PGP",
        f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{_64}\n-----END PGP",
        lines=True,
    ),
)
"""Built-in; those of one name are one kind. `docs/operations.md` lists them."""
