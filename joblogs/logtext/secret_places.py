"""Rules for secrets that are identified by their place: headers, files, keys."""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule
from .secret_names import value_with

_SAYS = (
    rb"(?:\\{0,6}[\"']|\\{0,6}[\"'],)?[ \t]{0,3}(?:=>|:=|[:=]|%3[AaDd]|[ \t])[ \t]{0,3}"
    rb"(?:\\{0,6}[\"'])?"
)
"""Separator between a name and its value: `=`, `: `, `": "`, `\\": \\"`."""
_LINE = rb"[^\n]"
_OPAQUE = rb"[0-9A-Za-z+/=._~%-]"
_SCHEME = (
    rb"(?:bearer|token|api-?key|key|jwt|basic|negotiate|ntlm|bot|splunk|geniekey|sso-key|oauth|oauth2"
    rb"|apitoken|api-token|private-token|private|secret|session|pve[a-z]{3,8}|bk-?token)"
)

HEADERS: Final[tuple[Rule, ...]] = (
    Rule(
        "aws-secret-key",
        (
            b"aws_secret_access_key",
            b"SecretAccessKey",
            b"aws_secret_key",
            b"secret_key",
            b"secretkey",
            b"secret access key",
        ),
        rb"(?:[ \t]\[[^\]\n]{1,30}\])?(?:" + _SAYS + rb"|[ \t]{1,12}|>)([0-9A-Za-z+/]{40})",
        rb"[0-9A-Za-z+/_=:>\\\"' \t.~\[\]-]",
        rb"[0-9A-Za-z+/]",
        "AWS_SECRET_ACCESS_KEY=«wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
        "aws_secret_access_key is not set",
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "authorization-header",
        (b"authorization",),
        _SAYS
        + _SCHEME
        + rb"(?:[ \t]{1,2}|%20)(?:token=)?(?:\\{0,6}[\"'])?"
        + rb"((?-i:[A-Za-z]{0,14}[0-9+/=._~-][0-9A-Za-z+/=._~-]{8}"
        + rb"|[a-z]{0,13}[A-Z][0-9A-Za-z+/=._~-]{8}))",
        _LINE,
        _OPAQUE,
        "> Authorization: Bearer «0123456789abcdef-XYZ.k~»",
        "Authorization: Bearer authentication is required, Authorization: Basic YES",
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "authorization-header",
        (b"authorization",),
        _SAYS + b"(" + value_with((rb"[A-Za-z+/_-]",) * 2, (rb"[0-9]",) * 2, _OPAQUE, 20) + b")",
        _LINE,
        _OPAQUE,
        "Authorization: «0123456789abcdefghij0123456789abcdefghij»",
        "Authorization: required",
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "authorization-header",
        (b"authorization",),
        _SAYS + rb"(?:basic|negotiate|ntlm)[ \t]{1,2}((?-i:[a-z]{0,7}[0-9A-Z+/][0-9A-Za-z+/=]{7}))",
        _LINE,
        _OPAQUE,
        '"Authorization": "Basic «dXNlcjpwYXNzd29yZA==»"',
        "Authorization: Basic authentication failed",
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "authorization-signature",
        (b"authorization",),
        _SAYS
        + rb"(?:digest|hmac[0-9a-z-]{0,20}|aws4-hmac-sha256|signature"
        + rb"|acs3-hmac-sha256|tc3-hmac-sha256)"
        + rb"[ \t][^\n]{0,400}(?:signature|response)=[\"']?([0-9A-Za-z+/=]{16})",
        _LINE,
        rb"[0-9A-Za-z+/=]",
        'Authorization: Digest username="u", response="«0123456789abcdef»"',
        'WWW-Authenticate: Digest realm="x"',
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "token-header",
        (
            b"x-api-key",
            b"private-token",
            b"job-token",
            b"deploy-token",
            b"x-vault-token",
            b"x-auth-token",
            b"x-access-token",
            b"x-gitlab-token",
            b"x-csrf-token",
            b"x-amz-security-token",
            b"x-consul-token",
            b"x-bk-token",
            b"x-token",
            b"x-auth-key",
            b"x-functions-key",
            b"x-figma-token",
            b"x-jfrog-art-api",
            b"subscription-key",
            b"application-key",
            b"circle-token",
            b"api-key",
            b"apikey",
        ),
        _SAYS + rb"([0-9A-Za-z+/=._~-]{16})",
        _LINE,
        _OPAQUE,
        "PRIVATE-TOKEN: «0123456789abcdefghij»",
        "X-Api-Key: missing, private-token: <your token>",
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "session-cookie",
        (b"cookie",),
        _SAYS
        + rb"(?:[^\n]{0,300}[; ])?"
        + rb"(?:[0-9a-z_.-]{0,20}(?:session|sess|token|ticket|auth|sid|jwt)[0-9a-z_.-]{0,12})="
        + rb"([0-9A-Za-z+/=._~%-]{8})",
        _LINE,
        _OPAQUE,
        "Set-Cookie: bk_token=«0123456789abcdef»; Path=/",
        "Cookie: lang=zh-cn, theme=dark",
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "bk-app-secret",
        (b"bk_app_secret", b"bk_token", b"bk_ticket", b"app_secret", b"appsecret"),
        _SAYS + rb"([0-9A-Za-z_-]{20})",
        rb"[0-9A-Za-z+/_=:>\\\"' \t.~-]",
        rb"[0-9A-Za-z_-]",
        '{"bk_app_code": "ci", "bk_app_secret": "«0b6d2f4e-5c1a-4f7e-9d3b-2a1c0e9f8d7b»"}',
        '"bk_app_secret": "…", bk_app_secret=changeme',
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "xml-element",
        (b"password>", b"passwd>", b"secret>", b"token>", b"apikey>", b"passphrase>"),
        rb"([^\s<>$*{%\\@][^\s<>$*{%\\]{0,60}[0-9!@#^+~][^\s<>*]{2})",
        rb"[^\n<>]",
        rb"[^\n<>*]",
        "<password>«Tr0ub4dor.3x»</password>",
        "<password></password><token>${token}</token>",
        ignore_case=True,
        anywhere=True,
        assignment=True,
    ),
)


FILES: Final[tuple[Rule, ...]] = (
    Rule(
        "netrc-password",
        (b"machine ",),
        rb"[^\s]{1,100}[ \t\r\n]{1,4}login[ \t]{1,4}[^\s]{1,60}"
        rb"[ \t\r\n]{1,4}password[ \t]{1,4}([^\s\"'*])",
        rb"[ -~\r\n\t]",
        rb"[^\s*]",
        "machine git.example.com login ci password «hunter2»",
        "machine learning, login with password",
        lines=True,
        # Four words at most: else the end of each text is searched far back for "machine".
        unfinished=rb"[^\s]*(?:\s+[a-z]*(?:\s+[^\s]*(?:\s+[a-z]*\s*)?)?)?",
    ),
    Rule(
        "pgpass-password",
        (b":5432:",),
        rb"[^:\s]{1,63}:[^:\s]{1,63}:([^\s:*$]{1,100})",
        rb"[!-~]",
        rb"[^\s*]",
        "db:5432:app:app:«Tr0ub4dor.3x»",
        "0.0.0.0:5432:5432, db:5432: refused",
    ),
    Rule(
        "shadow-hash",
        (
            b"$1$",
            b"$5$",
            b"$6$",
            b"$y$",
            b"$7$",
            b"$2a$",
            b"$2b$",
            b"$2y$",
            b"$apr1$",
            b"$argon2id$",
            b"$argon2i$",
        ),
        rb"[0-9A-Za-z./=,$+-]{20}",
        rb"[0-9A-Za-z./=,$+-]",
        rb"[0-9A-Za-z./=,$+-]",
        "root:$6$«0123456789ab$0123456789abcdefghijABCDEFGHIJ./»:19000:0:99999:7:::",
        "$1$2, $6$ of it",
    ),
    Rule(
        "password-hash",
        (b"pbkdf2_sha256$", b"{SSHA}", b"{SHA}", b"{SSHA256}", b"{SSHA512}", b"{CRYPT}")
        + (b"{PBKDF2-SHA256}", b"{PBKDF2-SHA512}"),
        rb"[0-9A-Za-z./=,$+-]{20}",
        rb"[0-9A-Za-z./=,$+-]",
        rb"[0-9A-Za-z./=,$+-]",
        "userPassword: {SSHA}«x1jGzgVYfak9PSNYV5qQZUEX4hBDjbx3»",
        "{SSHA} is a scheme, pbkdf2_sha256$1",
        anywhere=True,
    ),
    Rule(
        "docker-auth",
        (b'"auth', b"_auth", b'\\"auth', b"identitytoken", b"registrytoken", b"_authtoken"),
        rb"(?:\\{0,6}[\"'])?[ \t]{0,4}[:=][ \t]{0,4}(?:\\{0,6}[\"'])?("
        + value_with((rb"[A-Za-z+/]",) * 2, (rb"[0-9]",) * 2, rb"[0-9A-Za-z+/=_-]", 12)
        + b")",
        rb"[0-9A-Za-z+/=_: \t\\\"'-]",
        rb"[0-9A-Za-z+/=_-]",
        '"auth": "«YWRtaW46aHVudGVyMg==»"',
        '"auth": "none", "auth": {}',
        ignore_case=True,
        anywhere=True,
    ),
    Rule(
        "key-in-base64",
        (b"client-key-data", b"tls.key", b"ssh-privatekey", b"private-key-data"),
        rb"(?:\\{0,6}[\"'])?[ \t]{0,4}[:=][ \t]{0,4}(?:\\{0,6}[\"'])?([0-9A-Za-z+/=]{20})",
        rb"[0-9A-Za-z+/=: \t\\\"']",
        rb"[0-9A-Za-z+/=]",
        "client-key-data: «LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVk»",
        "client-key-data: /etc/key, tls.key: |",
    ),
    Rule(
        "pem-in-base64",
        (b"LS0tLS1CRUdJTi",),
        rb"(?:BSU0EgUFJJVkFURSBLRVk|BFQyBQUklWQVRFIEtFWS|BQUklWQVRFIEtFWS|BFTkNSWVBURUQgUFJJVkFURSBLRVk|BPUEVOU1NIIFBSSVZBVEUgS0VZ|BEU0EgUFJJVkFURSBLRVk|BQR1AgUFJJVkFURSBLRVkgQkxPQ0st|BBTlkgUFJJVkFURSBLRVk)"
        rb"[0-9A-Za-z+/=]{0,4}",
        rb"[0-9A-Za-z+/=]",
        rb"[0-9A-Za-z+/=]",
        "LS0tLS1CRUdJTi«BSU0EgUFJJVkFURSBLRVktLS0tLQpNSUlF»",
        "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
        anywhere=True,
    ),
)

_64 = "MIIEpAIBAAKCAQEA7bq0xUzG5mYt"
_KEY_LINE = rb"[0-9A-Za-z -]"

KEYS: Final[tuple[Rule, ...]] = (
    Rule(
        "private-key",
        (b"-----BEGIN ", b"+-----BEGIN "),
        rb"(?:[A-Z0-9]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----",
        _KEY_LINE,
        b"",
        f"-----BEGIN RSA PRIVATE KEY-----\n«{_64}\n{_64}\n»-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PUBLIC KEY-----\n{_64}\n-----END PUBLIC KEY-----",
        key=True,
    ),
    Rule(
        "ssh2-private-key",
        (b"---- BEGIN SSH2 ",),
        rb"(?:[A-Z]{2,12} ){0,2}PRIVATE KEY ----",
        _KEY_LINE,
        b"",
        f'---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: "x"\n«{_64}»\n---- END SSH2',
        f"---- BEGIN SSH2 PUBLIC KEY ----\n{_64}\n---- END SSH2 PUBLIC KEY ----",
        key=True,
    ),
    Rule(
        "putty-private-key",
        (b"Private-Lines: ",),
        rb"[0-9]{1,3}",
        rb"[0-9]",
        b"",
        f"Private-Lines: 4\n«{_64}»\nPrivate-MAC: ab",
        f"Public-Lines: 4\n{_64}\n",
        key=True,
    ),
)
