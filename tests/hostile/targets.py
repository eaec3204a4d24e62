"""The doors that take what others made, and what each may answer to anything at all.

A door takes one input made of `random` and says what came back, in a word. Whatever must not happen
fails an assertion.
"""

from __future__ import annotations

import gzip
import http.client
import json
import re
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC
from functools import cache
from html import unescape
from pathlib import Path
from random import Random
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from joblogs import record_json
from joblogs.api import gateway_tokens
from joblogs.export.names import HOST_MAX, safe
from joblogs.grouping.features import LogSample, features_of
from joblogs.grouping.host_ranges import fold
from joblogs.logtext.ansi import Painter
from joblogs.refusals import AppVerifyFailed
from joblogs.search import InvalidPattern, Pattern
from joblogs.sources.bk_job import Dump, DumpFault
from tests.builders import BATCH, asking, file_log, job, lines, result, script_log, step
from tests.hostile.mutators import damaged, spoiled, text
from tests.serving import RECORDS, Server
from tests.sources.importing import write

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Door = Callable[[Random], str]
SAID = [job(), step(), result(), script_log("a\n"), file_log(offset=0, content="moved\n")]
EXTRAS = ("host_id_list", "ip_list", "start", "length", "grep", "grep_context", "tail_bytes")
HEADERS = ("Content-Type", "Content-Encoding", "X-Bkapi-Authorization", "Blueking-Language")
ALLOWED = {200, 400, 401, 404, 405, 411, 413}


def over_http(server: Server) -> dict[str, Door]:
    """The doors that a server opens to whoever reaches it."""

    def asked(method: str, path: str, body: bytes, headers: dict[str, str]) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        try:
            connection.request(method, path, body, server.headers | headers)
            with connection.getresponse() as response:
                status, answer = response.status, response.read()
        finally:
            connection.close()
        assert status in ALLOWED, (status, path, headers, body[:2000])
        envelope = json.loads(answer)
        assert envelope["code"] != 1240002, (path, headers, body[:2000])
        return f"{status} {envelope['code']}"

    def records_door(random: Random) -> str:
        told = [
            spoiled(random, said) if random.random() < 0.5 else lines(said)
            for said in random.choices(SAID, k=random.randint(1, 8))
        ]
        body = b"\n".join([lines(*SAID[:3]), *told])
        body = damaged(random, body) if random.random() < 0.3 else body
        headers = {"Content-Type": "application/x-ndjson"}
        if random.random() < 0.3:
            packing = random.choice(["gzip", "zstd"])
            headers["Content-Encoding"] = packing
            body = gzip.compress(body, 1) if packing == "gzip" else zstd.compress(body)
            body = damaged(random, body) if random.random() < 0.7 else body * random.choice([1, 3])
        return asked("POST", RECORDS, body, headers)

    def batch_door(random: Random) -> str:
        body = spoiled(random, asking(host_id_list=[101], return_log_state=True), EXTRAS)
        body = damaged(random, body) if random.random() < 0.2 else body
        return asked("POST", BATCH, body, {"Content-Type": "application/json"})

    def header_door(random: Random) -> str:
        name = random.choice(HEADERS)
        keys = spoiled(random, json.loads(server.headers["X-Bkapi-Authorization"]))
        value = keys.decode("latin-1") if name == HEADERS[2] else text(random, length=200)
        value = re.sub(r"[^\x20-\x7e\xa0-\xff]", "", value)[:6000].strip()
        return asked("POST", BATCH, json.dumps(asking()).encode(), {name: value})

    return {"records, HTTP": records_door, "batch, HTTP": batch_door, "headers, HTTP": header_door}


def record(random: Random) -> str:
    """A line, in process: a record or named as none."""
    line = spoiled(random, random.choice(SAID))
    try:
        record_json.decode(damaged(random, line) if random.random() < 0.3 else line)
    except record_json.InvalidRecord as error:
        assert str(error)
        return "invalid"
    return "a record"


@cache
def _key() -> tuple[rsa.RSAPrivateKey, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private, private.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def token(random: Random) -> str:
    """A gateway's token: what was not signed by the gateway names nobody."""
    private, public = _key()
    claims = {
        "exp": int(time.time()) + 900,
        "nbf": int(time.time()) - 9,
        "app": {"app_code": "granted", "verified": True},
        "user": {"username": "zoe", "verified": True},
    }
    signed = random.random() < 0.4
    if signed:
        payload = spoiled(random, claims, ("app", "user", "aud", "iat", "sub", "crit"))
        given = jwt.api_jws.encode(payload, private, "RS512", {"kid": "gateway"})
    else:
        header = random.choice(
            [
                {"alg": "none", "kid": "gateway"},
                {"alg": "HS256", "kid": "gateway"},
                {"alg": "RS512", "kid": random.choice([[], {}, 1, None, "x" * 5000, "gateway\0"])},
                {"alg": "RS512", "kid": "gateway", "crit": ["x"], "jwk": {"kty": "oct", "k": ""}},
            ]
        )
        parts = [jwt.utils.base64url_encode(json.dumps(p).encode()) for p in (header, claims)]
        parts.append(jwt.utils.base64url_encode(random.randbytes(random.choice([0, 32, 256]))))
        given = damaged(random, b".".join(parts)).decode("latin-1")
    try:
        identity = gateway_tokens.verify(given, keys={"gateway": public})
    except AppVerifyFailed as error:
        assert len(given) < 30 or given not in str(error), given
        return "refused"
    assert signed, given
    return "names an app" if identity.app_code == "granted" else "names another app, signed"


_TAG = re.compile(r'<(?:span|mark|i) class="[a-z0-9 ]+">|</(?:span|mark|i)>')
_PRINTED = (
    b"\x1b[31m",
    b"\x1b[38;2;1;2;3m",
    b"\x1b]8;;javascript:x\x1b\\",
    b"<b>",
    b"&lt;",
    b"\x1b[",
)
_HARM = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _output(random: Random) -> bytes:
    parts = [random.choice([*_PRINTED, random.randbytes(9), b"\xff\0\r", "\u202e密".encode()])]
    parts = [random.choice([*parts, *_PRINTED, random.randbytes(5)]) for _ in range(60)]
    return b"".join(parts) * random.choice([1, 1, 20])


def html(random: Random) -> str:
    """Output as HTML: our tags, and text that a browser obeys nothing of."""
    data = _output(random)
    painted = Painter(random.choice(["utf-8", "gb18030"])).line(data)
    plain = _TAG.sub("", painted)
    assert not set(plain) & set("<>\"'"), data
    assert not [c for c in unescape(plain) if c != "\t" and unicodedata.category(c) in _HARM], data
    assert len(painted) <= 60 * len(data), data
    return "harmless"


def features(random: Random) -> str:
    """Output as features: never more than so many bytes."""
    name = text(random, length=20).encode(errors="replace")
    (packed,) = features_of([LogSample(_output(random), (name,))])
    assert len(packed) <= 2000
    return "features"


def names(random: Random) -> str:
    """Names of hosts, folded: never more than there were."""
    every = [
        random.choice(["web-", "", "1a" * 60, "٣", "²"])
        + random.choice([str(random.randrange(10**6)), "9" * 250, text(random, length=20)])
        for _ in range(random.randrange(60))
    ]
    parts = fold(every)
    assert len(parts) <= len(set(every)), every
    return "folded"


def file_name(random: Random) -> str:
    """A name inside an archive: none leaves its folder, hides, or means a device."""
    said = text(random, length=300)
    found = safe(random.choice([said, "../" * 5 + said, "con." + said, "." * 9 + said]), HOST_MAX)
    assert not re.search(r'[<>:"/\\|?*\s\x00-\x1f\x7f]', found), said
    assert not found.startswith((".", "-", "~")), said
    assert not found.endswith("."), said
    assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", found), said
    assert len(found.encode()) <= 3 * HOST_MAX + 1, said
    return "safe" if found else "no name left"


_EVIL = ("(a+)+$", "(a|a)*b", "(.*){50}x", "a{1000}{1000}", "((((a*)*)*)*)*b", "(?:a?){99}a{99}")


def pattern(random: Random) -> str:
    """A regular expression of a reader, over what makes others explode."""
    given = random.choice(_EVIL) if random.random() < 0.3 else text(random, length=60)
    try:
        found = Pattern.of(given, regex=True, ignore_case=random.random() < 0.5)
    except InvalidPattern as error:
        assert str(error)
        return "refused"
    found.find(b"a" * 20_000 + _output(random))
    return "searched"


def dump(random: Random) -> str:
    """A dump of bk-job of which one file is not as it was written."""
    form = random.choice(["bson", "bson.gz", "bson.zst", "canonical", "relaxed", "array"])
    table_form = random.choice(["csv", "json", "tsv", "tab"])
    with tempfile.TemporaryDirectory(prefix="joblogs-dump-") as name:
        folder = write(Path(name), form=form, table_form=table_form)
        file = random.choice(sorted(path for path in folder.iterdir() if path.is_file()))
        file.write_bytes(damaged(random, file.read_bytes()))
        try:
            with Dump([folder], zone=UTC) as found:
                found.load()
                for told in found.records(lambda app: ("biz", "2")):
                    record_json.decode(record_json.encode(told))
        except DumpFault as fault:
            assert str(fault)
            return "refused"
        return "told, some left out" if found.findings.left_out else "told"


IN_PROCESS: Sequence[tuple[str, Door]] = (
    ("record line", record),
    ("gateway token", token),
    ("output as HTML", html),
    ("features", features),
    ("folded names", names),
    ("name in an archive", file_name),
    ("search expression", pattern),
    ("bk-job dump", dump),
)


def answers(door: Door, random: Random, *, tries: int) -> dict[str, Any]:
    """What came back from so many inputs, and how often."""
    came: dict[str, int] = {}
    for _ in range(tries):
        word = door(random)
        came[word] = came.get(word, 0) + 1
    return dict(sorted(came.items(), key=lambda pair: -pair[1]))


def most_memory(server: Server) -> float:
    """The most memory that the one worker ever held, in MB (Linux)."""
    (worker,) = server.workers()
    status = Path(f"/proc/{worker}/status").read_text("ascii")
    return int(status.split("VmHWM:", 1)[1].split()[0]) / 1024
