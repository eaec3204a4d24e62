"""Rules for tokens that are identified by the format of their issuer, one for each kind.

Prefixes and lengths are published by the issuers. A token is recognised by the number of random
characters after the literal, so words such as `npm_config_registry` are not masked.
"""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule

WORD, DASHED, UNDER = rb"[0-9A-Za-z]", rb"[0-9A-Za-z_-]", rb"[0-9A-Za-z_]"
HEX, BASE64, DOTTED = rb"[0-9A-Fa-f]", rb"[0-9A-Za-z+/=]", rb"[0-9A-Za-z_.-]"
_UPPER, _LOWER = rb"[0-9A-Z]", rb"[0-9a-z]"
_36 = "0123456789abcdefghijABCDEFGHIJ012345"
_40 = f"{_36}6789"
_HEX = "0123456789abcdef"
_UUID = "550e8400-e29b-41d4-a716-446655440000"


def token(
    name: str,
    begins: str,
    random: tuple[bytes, int],
    example: str,
    other: str,
    *,
    more: bytes = b"",
    apart: bool = False,
) -> Rule:
    """Return a rule: literals separated by blanks, then a number of bytes of a class, and more of
    them."""
    letters, least = random
    literals = tuple(literal.encode() for literal in begins.split())
    then = letters + b"{%d}" % least
    return Rule(name, literals, then, letters, more or letters, example, other, anywhere=not apart)


TOKENS: Final[tuple[Rule, ...]] = (
    token(
        "aws-access-key",
        "AKIA ASIA ABIA ACCA",
        (_UPPER, 16),
        "key AKIA«IOSFODNN7EXAMPLE» used",
        "AKIASHORT, AKIAlowercaseletters, xAKIAIOSFODNN7EXAMPLE",
        apart=True,
    ),
    token(
        "aws-session-token",
        "IQoJb3JpZ2lu FwoGZXIvYXdz",
        (BASE64, 60),
        f"IQoJb3JpZ2lu«X2VjE{_36}{_36}»",
        "IQoJb3JpZ2lu is how it begins",
    ),
    token(
        "github-token",
        "ghp_ gho_ ghu_ ghs_ ghr_",
        (WORD, 36),
        f"remote: ghp_«{_36}» ok",
        "ghp_prefix, ghp_0123456789 is too short",
        more=UNDER,
    ),
    token(
        "github-token",
        "github_pat_",
        (UNDER, 40),
        "github_pat_«11ABCDEFG0123456789abc_0123456789abcdefghij0123456789»",
        "github_pat_tokens are described elsewhere",
    ),
    token(
        "gitlab-token",
        "glpat- glrt- gldt- glcbt- glptt- glsoat- glft- glagent- gloas- glimt- glffct- glwt-"
        " GR1348941",
        (DASHED, 20),
        "token glpat-«xYz0123456789_abcdEF»",
        "glpat-short",
        more=DOTTED,
    ),
    Rule(
        "slack-token",
        (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-", b"xoxe-", b"xoxe.", b"xoxc-")
        + (b"xoxd-", b"xapp-", b"xwfp-"),
        rb"(?:xox[bp]-)?[0-9][0-9A-Za-z-]{19}",
        rb"[0-9A-Za-z-]",
        rb"[0-9A-Za-z-]",
        "SLACK=xoxb-«123456789012-123456789012-AbCdEfGhIjKl»",
        "xoxb-your-token-goes-here-please",
        anywhere=True,
    ),
    token(
        "google-api-key",
        "AIza",
        (DASHED, 35),
        "key=AIza«SyA0123456789abcdefghijABCDEFGHIJ01»",
        "AIzawa-san",
        apart=True,
    ),
    token(
        "google-oauth-token",
        "ya29. GOCSPX- 1//0",
        (DASHED, 24),
        f"ya29.«a0{_36}»",
        "ya29.example, http://127.0.0.1//0/",
        more=DOTTED,
        apart=True,
    ),
    token(
        "tencent-secret-id",
        "AKID",
        (WORD, 32),
        "SecretId: AKID«z8krbsJ5yKBZQpn74WFkmLPx3gnPhESA»",
        "AKID0123",
        apart=True,
    ),
    token(
        "aliyun-access-key",
        "LTAI",
        (WORD, 16),
        "AccessKeyId LTAI«5tABCDEFGHabcdefgh12»",
        "LTAI is the prefix",
        apart=True,
    ),
    token(
        "stripe-key",
        "sk_live_ rk_live_ sk_test_ rk_test_ whsec_",
        (WORD, 24),
        "sk_live_«0123456789abcdefghijABCD»",
        "sk_live_mode",
        more=rb"[0-9A-Za-z+/=]",
    ),
    token(
        "npm-token",
        "npm_",
        (WORD, 36),
        f"npm_«{_36}» ok",
        "npm_config_registry, npm_lifecycle_event",
    ),
    token(
        "pypi-token",
        "pypi-AgE",
        (DASHED, 50),
        f"pypi-AgE«IcHlwaS5vcmcC{_40}»",
        "pypi-AgEnts",
    ),
    token(
        "vault-token",
        "hvs. hvb. hvr.",
        (DASHED, 24),
        "hvs.«CAESIJ0123456789abcdefghij»",
        "hvs.example.com",
    ),
    token(
        "vault-token-old",
        "s.",
        (WORD, 24),
        "s.«0123456789abcdefABCDEFGH»",
        "s.connect, s.is_a_name_of_a_function, s.aLongNameOfAFunction",
        apart=True,
    ),
    token(
        "terraform-token",
        ".atlasv1.",
        (DASHED, 60),
        f"0123456789abcd.atlasv1.«{_40}{_40}»",
        "x.atlasv1.token",
    ),
    token(
        "telegram-token",
        ":AA",
        (DASHED, 33),
        f"bot123456789:AA«{_40[:33]}»",
        "host:AAAA, 10:AA:BB",
    ),
    token(
        "azure-client-secret",
        "Q~",
        (rb"[0-9A-Za-z_.~-]", 31),
        f"abc8Q~«{_36[:34]}»",
        "8Q~x, FAQ~",
    ),
    Rule(
        "jwt",
        (b"eyJ",),
        rb"[0-9A-Za-z_-]{14,600}\.eyJ",
        rb"[0-9A-Za-z_.-]",
        rb"[0-9A-Za-z_.-]",
        "jwt eyJ«hbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0»",
        "eyJhbGciOiJIUzI1NiJ9 alone is a header",
        anywhere=True,
    ),
)
"""Rules for tokens that are identified by a literal."""
