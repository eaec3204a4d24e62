"""Rules for tokens of further services, one for each kind, as in `secret_tokens`."""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule
from .secret_tokens import DASHED, DOTTED, HEX, UNDER, WORD, token

_LOWER = rb"[0-9a-z]"
_36 = "0123456789abcdefghijABCDEFGHIJ012345"
_40 = f"{_36}6789"
_HEX = "0123456789abcdef"
_UUID = "550e8400-e29b-41d4-a716-446655440000"

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
    token(
        "tavily-key",
        "tvly- tvly-dev- jina_ pcsk_ lsv2_pt_ lsv2_sk_ apify_api_",
        (DASHED, 32),
        f"tvly-«{_36}»",
        "tvly-name",
        apart=True,
    ),
    token(
        "sourcegraph-token",
        "sgp_ slk_",
        (rb"[0-9A-Fa-f_]", 40),
        f"sgp_«{_HEX}_{_HEX * 2}01234567»",
        "sgp_name",
        more=UNDER,
        apart=True,
    ),
    token("posthog-key", "phx_ phs_", (WORD, 43), f"phx_«{_40}abc»", "phx_name", apart=True),
    token(
        "circleci-token",
        "CCIPAT_ CCIPRJ_",
        (UNDER, 40),
        f"CCIPAT_«{_36}_{_HEX}»",
        "CCIPAT_NAME",
    ),
    token("heroku-key", "HRKU-", (DASHED, 36), f"HRKU-«{_40}»", "HRKU-NAME"),
    token("wakatime-key", "waka_", (rb"[0-9a-f-]", 36), f"waka_«{_UUID}»", "waka_time"),
    token(
        "hubspot-token", "pat-na1- pat-eu1-", (rb"[0-9a-f-]", 36), f"pat-na1-«{_UUID}»", "pat-na1-x"
    ),
    token("facebook-token", "EAAC EAAG EAAB", (WORD, 80), f"EAAC«{_40}{_40}»", "EAACx", apart=True),
    token("firebase-key", ":APA91b", (DASHED, 100), f"k:APA91b«{_40 * 3}»", ":APA91b", apart=False),
    token("dropbox-token", "sl.", (DASHED, 120), f"sl.«{_40 * 3}»", "sl.example.com", apart=True),
    token(
        "onesignal-key",
        "os_v2_app_ os_v2_org_",
        (_LOWER, 80),
        f"os_v2_app_«{_HEX * 6}»",
        "os_v2_app_name",
    ),
    token(
        "woocommerce-key", "ck_ cs_", (rb"[0-9a-f]", 40), f"ck_«{_HEX * 3}»", "ck_name", apart=True
    ),
    token("adobe-secret", "p8e-", (DASHED, 32), f"p8e-«{_36}»", "p8e-name", apart=True),
    token("yandex-token", "y0_ AQVN t1.9eu", (DASHED, 35), f"AQVN«{_40}»", "y0_name", apart=True),
    token(
        "braintree-token",
        "access_token$production$ access_token$sandbox$",
        (rb"[0-9a-z$]", 40),
        f"access_token$production$«{_HEX}${_HEX * 2}»",
        "access_token$production$x",
    ),
    token(
        "cloudflare-origin-key",
        "v1.0-",
        (rb"[0-9a-f-]", 100),
        f"v1.0-«{_HEX}01234567-{_HEX * 9}»",
        "v1.0-beta",
        apart=True,
    ),
    token("mapbox-token", "sk.eyJ", (DOTTED, 60), f"sk.eyJ«{_40}.{_36}»", "sk.eyJ", apart=True),
    token("scalingo-token", "tk-us-", (DASHED, 48), f"tk-us-«{_40}01234567»", "tk-us-east"),
)
