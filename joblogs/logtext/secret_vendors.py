"""Rules for tokens of commercial services, one for each kind, as in `secret_tokens`."""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule
from .secret_tokens import DASHED, DOTTED, HEX, WORD, token

_UPPER = rb"[0-9A-Z]"
_LOWER = rb"[0-9a-z]"
_36 = "0123456789abcdefghijABCDEFGHIJ012345"
_40 = f"{_36}6789"
_HEX = "0123456789abcdef"

VENDORS: Final[tuple[Rule, ...]] = (
    token(
        "openai-key",
        "sk-proj- sk-svcacct- sk-admin- sk-or-v1- sk-lf-",
        (DASHED, 40),
        f"sk-proj-«{_40}T3BlbkFJ{_40}»",
        "sk-proj-name, risk-proj-board",
    ),
    token(
        "openai-key",
        "sk-",
        (WORD, 32),
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
        "NRAK- NRJS- NRII- NRRA- NRSP-",
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
"""Rules for tokens that are identified by a literal."""
