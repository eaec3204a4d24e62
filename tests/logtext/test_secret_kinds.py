"""Every kind of secret in the places where jobs print it: all of it is masked, and nothing else."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from joblogs.logtext.secret_scanner import RULES, Rule, secrets_of
from tests.logtext.test_secrets import Read

BUILT_IN = secrets_of(RULES)
IN_LINE = [rule for rule in RULES if "\n" not in rule.example]
BODY = [
    "MIIEowIBAAKCAQEA0Z3VS5JJcds3xfnYgq8mGk1TtMyRDpu8fHbYwS1aZtD8uVd0",
    "q1Xo7Yk2Lr9Wb5Tz8Nf3Hc6Pm4Sj1Dg0Kv+Qe/Aa2Bs3Cd4Ef5Gh6Ij7Kl8Mn9Op",
    "Zx1Cv2Bn3Mq4We5Rt6Yu7Io8Pa9Sd0Fg1Hj2Kl3Zx4Cv5Bn6Mq7We8Rt9Yu0Io1P",
    "aB3dE5fG7hJ9kL1m",
]
HEAD, END = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"
KEY = [HEAD, *BODY, END]


def masked(text: str, encoding: str = "utf-8") -> str:
    kept = bytearray(text.encode(encoding))
    BUILT_IN.mask(kept)
    return kept.decode(encoding)


def plain(text: str) -> str:
    return re.sub("[«»]", "", text)


def expected(text: str) -> str:
    return re.sub("«(.*?)»", lambda found: re.sub(r"[^\n]", "*", found[1]), text, flags=re.S)


def named(rule: Rule) -> str:
    return f"{rule.name} {rule.begins[0].decode(errors='replace')}"


@pytest.mark.parametrize("rule", IN_LINE, ids=named)
def test_a_secret_is_masked_alone_in_prose_and_twice_in_a_line(rule: Rule) -> None:
    for text in (
        f"08:00:05 INFO then we saw {rule.example} and went on",
        f"{rule.example} ; {rule.example}",
        f"first\n{rule.example}\nlast",
    ):
        assert masked(plain(text)) == expected(text)


@pytest.mark.parametrize("rule", IN_LINE, ids=named)
def test_utf_16_is_masked_like_utf_8(rule: Rule) -> None:
    assert masked(plain(f"a {rule.example} b\n"), "utf-16-le") == expected(f"a {rule.example} b\n")


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_secret_is_masked_alike_wherever_it_is_cut(rule: Rule) -> None:
    text = f"say {plain(rule.example)} and\n".encode()
    whole = Read(BUILT_IN)
    whole.more(text)
    for at in range(1, len(text)):
        borders = sorted({0, at, (at * 7) % len(text), len(text)})
        parts = Read(BUILT_IN)
        for start, stop in pairwise(borders):
            parts.more(text[start:stop])
        assert (bytes(parts.kept), parts.places) == (bytes(whole.kept), whole.places)


@pytest.mark.parametrize(
    "before",
    [
        *(
            "\x1b[31m",
            "\x1b[1;38:5:9m\x1b[K",
            "\x1b]0;title\x07",
            "\x1b(B",
            '"',
            "'",
            "key:",
            "1",
            "密钥",
        ),
        *(
            '{"m":"a\\n',
            "a\\t",
            "a\\r\\n",
            'a\\"',
            "token%3D",
            "a\\u003d",
            "a\\x3d",
            "KEY_",
            "\r",
            "\0",
        ),
    ],
)
@pytest.mark.parametrize(
    "example",
    [
        "AKIA«IOSFODNN7EXAMPLE»",
        "ghp_«0123456789abcdefghijABCDEFGHIJ012345»",
        "glpat-«xYz0123456789_abcdEF»",
    ],
)
def test_a_secret_begins_behind_whatever_is_no_letter_of_its_word(
    before: str, example: str
) -> None:
    kept = masked(plain(f"{before}{example}\x1b[0m\n"))
    assert re.findall("«(.*)»", example)[0] not in kept
    assert kept.startswith(before)
    assert kept.endswith("*\x1b[0m\n")


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[36mAuthorization\x1b[0m: Bearer «0123456789abcdefXYZ0»",
        "Authorization: \x1b[33mBearer «0123456789abcdefXYZ0»\x1b[0m",
        "\x1b[1mDB_PASSWORD\x1b[0m = «Tr0ub4dor.3x»\x1b[0m done",
        "\x1b[01;31m\x1b[KAPI_KEY\x1b[m\x1b[K=«0123456789abcdef»",
        "postgres://app:«p@ss#w0rd!»@db:5432/x?a=b",
        "mysql://root:«a#b?c/d»@db/x, redis://:«it's»@h:6379",
        "hosts postgres://a:«x1»@h1:5432,h2:5432/x and http://[::1]:80/a@b",
        'say {\\"password\\": \\"«Tr0ub4dor.3x»\\", \\"user\\": \\"ci\\"}',
        "<password>«Tr0ub4dor.3x»</password>",
        '_password="«aHVudGVyMg==»", "password": "«hunter»"',
        "PASSWORD=«abc12»\0HOME=/root",
        "https://«0123456789abcdef0123456789abcdef01234567»@git.example.com/a",
        "kubeadm join 10.0.0.1:6443 --token «abcdef.0123456789abcdef» --ttl 2h",
        "    token: «abcdef.0123456789abcdef»\n",
        "Enter passphrase for key '/root/k': «Tr0ub4dor.3x»",
        "Step 3/9 : ENV SECRET_KEY «abc123def456ghi»",
        "secret = '«abcdefghijklmnop»'; api_key: \"«ABCDEFGHIJKLMNOP»\"",
        "  password: «Hunter»\n  user: ci\n",
        "- password: \"«correct horse»\"\nhost=db password='«blue sky 9»' user=app",
        "SET PASSWORD FOR 'app'@'%' = PASSWORD('«Tr0ub4dor.3x»');",
        "[('password', '«hunter2»')], --password «123456» --pass «12ab34»",
        "password=«u1abc», password=«utopia9», password=«us3r9»",
        "mongosh -u admin -p «Tr0ub4dor.3x» h; sqlcmd -S x -U sa -P «Tr0ub4dor.3x» -Q x",
        "openssl rsa -in a -passin pass:«Tr0ub4dor.3x» -passout pass:«Tr0ub4dor.4y»",
        "echo «Tr0ub4dor.3x» | passwd --stdin bob; printf «Tr0ub4dor.3x» | sudo -S ls",
        "skopeo copy --src-creds=a:«Tr0ub4dor.3x» --dest-creds b:«Tr0ub4dor.4y» x y",
        "net user bob «Tr0ub4dor.3x» /add; New-LocalUser x -Password «Tr0ub4dor.3x»",
        '<add key="DbPassword" value="«Tr0ub4dor.3x»" /><a key="password">«Tr0ub4dor.3x»</a>',
        '{"name": "DB_PASSWORD", "value": "«Tr0ub4dor.3x»"}, {"name":"PORT","value":"8080"}',
        '{\n  "Name": "API_TOKEN",\n  "Value": "«0a1b2c3d4e5f»"\n}',
        "- name: DB_PASSWORD\n  value: «Tr0ub4dor.3x»\n- name: PORT\n  value: 8080\n",
        "A temporary password is generated for root@localhost: «<;k2Gq#aXw-j»\n",
        "the password was reset to «Tr0ub4dor.3x», 新密码为：«Tr0ub4dor.3x»",
        "setx DB_PASSWORD «Tr0ub4dor.3x» /m",
        "remote: https://«0123456789abcdef0123456789abcdef01234567»:x-oauth-basic@github.com/o/r",
        "CREATE LOGIN app WITH PASSWORD = N'«Tr0ub4dor.3x»';",
        "authorization=Bearer%20«0123456789abcdefXYZ0»&x=1",
    ],
)
def test_only_the_secret_is_masked(text: str) -> None:
    assert masked(plain(text)) == expected(text)


@pytest.mark.parametrize(
    "text",
    [
        "password authentication failed for user app, password: required",
        "token expired; token: expired; secret: none; secret=None",
        "PASSWORD=$PW PASSWORD=${PW} password={{ pw }} password=%s PASSWORD=<pw>",
        "password=**** token=****** api_key: [redacted]",
        "PWD=/root/app1 OLDPWD=/srv/2026 password_file=/run/secrets/db1",
        "tokens: 123456789 max_token=4096 next token: 42",
        'def connect(user, password=None, token=token): return "password"',
        "mysql -u root -p app; docker login --password-stdin; curl -u ci https://x:8080/",
        "open('/etc/passwd', 'utf8'), open('/etc/passwd', 'latin-1')",
        'METHODS = ("trust", "password", "scram-sha-256")',
        "Unpacking base-passwd 3.6.1 over base-passwd 3.5.51",
        "password = utf8_to_utf16_dup(v); password=utf8mb4",
        "Password for 'https://git.example.com': ",
        "password: required\nPassword: incorrect\nNULL_PASSWORD: Added\n",
        'password: "Enter your password", password="must be at least 8 characters"',
        "token = 'AccessTokenProvider', secret: 'name_of_the_secret'",
        "the password is required, your password is 8 characters or more, password is sha-256",
        "('*.pem', 'id_ecdsa_sk', 'id_ed25519'); the net user count is 12 /h",
        "echo done | sudo tee /etc/x; echo a | cat; set -x trace on; zip -r a.zip b",
        "- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef: db1\n",
        '{"name": "PASSWORD_FILE", "value": "/run/secrets/db1"}',
        "openssl rsa -passin env:PW1 -passout file:/run/pw1",
    ],
)
def test_prose_placeholders_variables_and_paths_stay(text: str) -> None:
    assert masked(text) == text


def printed(how: str) -> str:
    """A key as it is printed, with the secret lines between «»."""
    lines = [HEAD, *(f"«{line}»" for line in BODY), END]
    match how:
        case "indented":
            return "".join(f"    {line}\n" for line in lines)
        case "behind tabs":
            return "".join(f"\t{line}\n" for line in lines)
        case "a service":
            return "".join(f"web_1  | {line}\n" for line in lines)
        case "times":
            return "".join(f"2026-11-22T08:00:{n:02d}Z {line}\n" for n, line in enumerate(lines))
        case "grep":
            return "".join(f"k.pem:{line}\n" for line in lines)
        case "numbered":
            return "".join(f"{n + 8}:{line}\n" for n, line in enumerate(lines))
        case "added":
            return "".join(f"+{line}\n" for line in lines)
        case "list":
            return "[" + ", ".join(f'"{line}"' for line in lines) + "]"
        case "lines of a list":
            return "".join(f'        "{line}",\n' for line in lines)
        case "trailing blanks":
            return "".join(f"{line}  \n" for line in lines)
        case "blank lines":
            return "".join(f"{line}\n\n" for line in lines)
        case "crlf":
            return "".join(f"{line}\r\n" for line in lines)
        case "escaped":
            return '{"key": "' + "\\n".join(lines) + '\\n"}\n'
        case "twice escaped":
            return '"{\\"key\\": \\"' + "\\\\n".join(lines) + '\\\\n\\"}"\n'
        case "blanks":
            return " ".join(lines) + "\n"
        case "encrypted":
            headers = ["Proc-Type: 4,ENCRYPTED", f"DEK-Info: AES-256-CBC,{'0A' * 16}", ""]
            return "\n".join([lines[0], *headers, *lines[1:]]) + "\n"
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        *("indented", "behind tabs", "a service", "times", "grep", "numbered", "added", "list"),
        *("lines of a list", "trailing blanks", "blank lines", "crlf", "escaped", "twice escaped"),
        *("blanks", "encrypted"),
    ],
)
def test_a_private_key_is_masked_however_it_is_printed(how: str) -> None:
    text = f"before\n{printed(how)}behind it all is well\n"
    assert masked(plain(text)) == expected(text)
    data = plain(text).encode()
    for at in range(1, len(data), 5):
        parts = Read(BUILT_IN)
        parts.more(data[:at])
        parts.more(data[at:])
        assert bytes(parts.kept).decode() == expected(text)


def test_what_follows_a_key_that_was_cut_off_stays() -> None:
    for words in ("done", "Connection established", "/usr/lib/python3/dist", "password was right"):
        text = f"{HEAD}\n" + "".join(f"«{line}»\n" for line in BODY[:3]) + f"{words}\n{words}\n"
        assert masked(plain(text)) == expected(text)


def test_a_public_key_stays() -> None:
    text = "\n".join(line.replace("RSA PRIVATE", "PUBLIC") for line in KEY)
    assert masked(text) == text
