"""Tokens of further services: a row for each kind, as in `secret_tokens`."""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule
from .secret_tokens import DASHED, DOTTED, HEX, WORD, token

_LOWER = rb"[0-9a-z]"
_36 = "0123456789abcdefghijABCDEFGHIJ012345"
_40 = f"{_36}6789"
_HEX = "0123456789abcdef"

SERVICES: Final[tuple[Rule, ...]] = (
    token("postman-key", "PMAK-", (rb"[0-9a-f-]", 34), f"PMAK-«{_HEX * 2}-0123»", "PMAK-name"),
    token("figma-token", "figd_", (DASHED, 38), f"figd_«{_40}»", "figd_name"),
    token(
        "dynatrace-token",
        "dt0c01. dt0s01. dt0s16.",
        (rb"[0-9A-Z.]", 24),
        "dt0c01.«ABCDEFGHIJKLMNOPQRSTUVWX.0123»",
        "dt0c01.name",
    ),
    token(
        "brevo-key",
        "xkeysib- xsmtpsib-",
        (rb"[0-9a-f]", 64),
        f"xkeysib-«{_HEX * 4}»",
        "xkeysib-name",
        more=DASHED,
    ),
    token(
        "groq-key",
        "gsk_ xai- r8_ pplx- nvapi- rpa_",
        (DASHED, 36),
        f"gsk_«{_40}»",
        "gsk_name, r8_x",
        apart=True,
    ),
    token(
        "airtable-token", "EAACEdEose0cBA", (WORD, 20), f"EAACEdEose0cBA«{_40}»", "EAACEdEose0cBA"
    ),
    token(
        "square-token",
        "EAAAE sq0atp- sq0csp- sq0idp-",
        (DASHED, 22),
        f"sq0atp-«{_36[:22]}»",
        "sq0atp-name",
        apart=True,
    ),
    token("prefect-key", "pnu_ pnb_", (_LOWER, 36), f"pnu_«{_HEX * 2}abcd»", "pnu_name"),
    token("readme-key", "rdme_", (_LOWER, 70), f"rdme_«{_HEX * 4}abcdef»", "rdme_name"),
    token("buildkite-token", "bkua_ bkaa_", (HEX, 40), f"bkua_«{_HEX * 2}01234567»", "bkua_name"),
    token("supabase-token", "sbp_ sb_secret_", (DASHED, 30), f"sbp_«{_40}»", "sbp_name"),
    token("contentful-token", "CFPAT-", (DASHED, 43), f"CFPAT-«{_40}abc»", "CFPAT-name"),
    token("netlify-token", "nfp_ nfc_", (WORD, 36), f"nfp_«{_40}»", "nfp_name"),
    token("render-key", "rnd_", (WORD, 28), f"rnd_«{_36}»", "rnd_seed", apart=True),
    token(
        "clojars-token",
        "CLOJARS_",
        (_LOWER, 60),
        f"CLOJARS_«{_HEX * 3}abcdefghijkl»",
        "CLOJARS_USERNAME",
    ),
    token("easypost-key", "EZAK EZTK", (WORD, 54), f"EZAK«{_40}0123456789abcd»", "EZAKx"),
    token(
        "duffel-token",
        "duffel_test_ duffel_live_",
        (DASHED, 43),
        f"duffel_test_«{_40}abc»",
        "duffel_test_mode",
    ),
    token(
        "flutterwave-key",
        "FLWSECK_TEST- FLWSECK-",
        (_LOWER, 12),
        f"FLWSECK_TEST-«{_HEX}»",
        "FLWSECK_TEST-NAME",
        more=DASHED,
    ),
    token("frameio-token", "fio-u-", (DASHED, 60), f"fio-u-«{_40}{_40}»", "fio-u-x"),
    token("typeform-token", "tfp_", (DOTTED, 59), f"tfp_«{_40}{_40}»", "tfp_name"),
    token(
        "sumologic-key", "sumologic_", (WORD, 64), f"sumologic_«{_40}{_40}»", "sumologic_collector"
    ),
    token(
        "harness-key",
        "pat. sat.",
        (DOTTED, 64),
        f"pat.«{_36[:22]}.{_HEX}01234567.{_36[:20]}»",
        "pat.example.com",
        apart=True,
    ),
    token("scalingo-token", "tk-us-", (DASHED, 48), f"tk-us-«{_40}01234567»", "tk-us-east"),
)
