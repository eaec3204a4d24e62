"""Tokens that are known by the form that their maker gave them: a row for each kind.

Prefixes and lengths are facts that the makers publish. What makes a token a token is the length of
random characters behind the literal, so words such as `npm_config_registry` stay.
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
    """A row: literals apart by blanks, then so many bytes of a class, and more of it."""
    letters, least = random
    literals = tuple(literal.encode() for literal in begins.split())
    then = letters + b"{%d}" % least
    return Rule(name, literals, then, letters, more or letters, example, other, anywhere=not apart)


TOKENS: Final[tuple[Rule, ...]] = (
    token(
        "aws-access-key",
        "AKIA ASIA",
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
        (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-", b"xoxe-", b"xoxe.", b"xapp-"),
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
    token(
        "openai-key",
        "sk-proj- sk-svcacct- sk-admin-",
        (DASHED, 40),
        f"sk-proj-«{_40}T3BlbkFJ{_40}»",
        "sk-proj-name, risk-proj-board",
    ),
    token(
        "openai-key",
        "sk-",
        (WORD, 40),
        f"sk-«{_40}01234567»",
        "risk-free, sk-learn",
        more=DASHED,
        apart=True,
    ),
    token(
        "anthropic-key",
        "sk-ant-",
        (DASHED, 40),
        f"sk-ant-«api03-{_40}AA»",
        "sk-ant-farm",
    ),
    token(
        "huggingface-token",
        "hf_ api_org_",
        (WORD, 34),
        "hf_«abcdefghijABCDEFGHIJabcdefghijABCD»",
        "hf_hub_download, hf_home",
        apart=True,
    ),
    token(
        "sendgrid-key",
        "SG.",
        (DOTTED, 60),
        f"SG.«0123456789abcdefghijAB.{_40}abc»",
        "SG.example.com",
        apart=True,
    ),
    token(
        "digitalocean-token",
        "dop_v1_ doo_v1_ dor_v1_",
        (HEX, 64),
        f"dop_v1_«{_HEX * 4}»",
        "dop_v1_token",
    ),
    token(
        "twilio-key",
        "SK",
        (rb"[0-9a-f]", 32),
        f"SK«{_HEX * 2}»",
        "SKIP, SKU0123456789",
        apart=True,
    ),
    token(
        "mailgun-key",
        "key-",
        (rb"[0-9a-f]", 32),
        f"key-«{_HEX * 2}»",
        "key-deadbeef, monkey-patch",
        apart=True,
    ),
    token(
        "newrelic-key",
        "NRAK- NRJS- NRII-",
        (DASHED, 19),
        "NRAK-«0123456789ABCDEFGHIJKLMNOPQ»",
        "NRAK-example",
    ),
    token(
        "grafana-token",
        "glsa_ glc_",
        (rb"[0-9A-Za-z_+/=]", 32),
        f"glsa_«{_36[:32]}_01abcdef»",
        "glsa_token, glc_version",
    ),
    token(
        "databricks-token",
        "dapi dkea dose",
        (rb"[0-9a-f]", 32),
        f"dapi«{_HEX * 2}»",
        "dapi is a prefix",
        more=rb"[0-9a-f-]",
        apart=True,
    ),
    token(
        "docker-token",
        "dckr_pat_ dckr_oat_",
        (DASHED, 24),
        "dckr_pat_«0123456789abcdefghij_-ABCDE»",
        "dckr_pat_name",
    ),
    token(
        "shopify-token",
        "shpat_ shpca_ shppa_ shpss_",
        (HEX, 32),
        f"shpat_«{_HEX * 2}»",
        "shpat_token",
    ),
    token(
        "atlassian-token",
        "ATATT3 ATCTT3 ATBB",
        (rb"[0-9A-Za-z_=-]", 32),
        f"ATATT3«xFfGF0{_40}»",
        "ATBBOTTOM, ATATT3 begins it",
    ),
    token("linear-key", "lin_api_ lin_oauth_", (WORD, 40), f"lin_api_«{_40}»", "lin_api_version"),
    token("notion-token", "ntn_ secret_", (WORD, 43), f"ntn_«{_40}abcdef»", "ntn_name, secret_key"),
    token("pulumi-token", "pul-", (HEX, 40), f"pul-«{_HEX * 2}01234567»", "pul-name", apart=True),
    token(
        "doppler-token",
        "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
        (DOTTED, 40),
        f"dp.pt.«{_40}abc»",
        "dp.pt.x, udp.pt.example.com",
        apart=True,
    ),
    token("rubygems-key", "rubygems_", (HEX, 48), f"rubygems_«{_HEX * 3}»", "rubygems_version"),
    token("cargo-token", "cio", (WORD, 32), f"cio«{_36[:32]}»", "cio, scio0123", apart=True),
    token("nuget-key", "oy2", (_LOWER, 43), f"oy2«{_HEX * 2}abcdefghijk»", "toy2", apart=True),
    token(
        "sentry-token",
        "sntrys_ sntryu_",
        (rb"[0-9A-Za-z_=+/-]", 40),
        f"sntrys_«eyJ{_40}»",
        "sntrys_name",
    ),
    token("sonar-token", "sqp_ squ_ sqa_", (HEX, 40), f"sqp_«{_HEX * 2}01234567»", "sqp_name"),
    token("jfrog-token", "AKCp cmVmdGtu", (WORD, 50), f"AKCp«8{_40}{_40}»", "AKCp8", apart=True),
    Rule(
        "fly-token",
        (b"FlyV1 ",),
        rb"(?:fm[0-9]_)[0-9A-Za-z+/=_-]{40}",
        rb"[0-9A-Za-z+/=_-]",
        rb"[0-9A-Za-z+/=_,-]",
        f"FlyV1 «fm2_{_40}»",
        "FlyV1 fm2_",
    ),
    token(
        "fly-token",
        "fm1r_ fm1a_ fm2_",
        (rb"[0-9A-Za-z+/=_-]", 60),
        f"fm2_«{_40}{_40}»",
        "fm2_x",
        more=rb"[0-9A-Za-z+/=_,-]",
        apart=True,
    ),
    token("tailscale-key", "tskey-", (DASHED, 24), f"tskey-«auth-{_36}»", "tskey-auth-name"),
    token(
        "age-key",
        "AGE-SECRET-KEY-1",
        (_UPPER, 58),
        f"AGE-SECRET-KEY-1«{'QPZR' * 15}»",
        "AGE-SECRET-KEY-1X",
    ),
    token(
        "onepassword-token",
        "ops_eyJ",
        (rb"[0-9A-Za-z_=+/-]", 60),
        f"ops_eyJ«{_40}{_40}»",
        "ops_eyJ",
    ),
    token(
        "planetscale-token",
        "pscale_tkn_ pscale_pw_ pscale_oauth_",
        (DOTTED, 32),
        f"pscale_tkn_«{_40}abc»",
        "pscale_tkn_name",
    ),
    token("openshift-token", "sha256~", (DASHED, 43), f"sha256~«{_40}abc»", "sha256~x, sha256:abc"),
)
"""Known by their literal."""
