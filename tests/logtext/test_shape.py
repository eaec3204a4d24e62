"""Fingerprints: what is noise, what is not, and that no bytes and no cut can disturb it."""

import hashlib
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblogs.logtext import fingerprint as logtext_fingerprint
from joblogs.logtext import noise as logtext_noise
from joblogs.logtext.fingerprint import (
    OWN,
    PLACEHOLDER,
    VALUE_BYTES,
    Fingerprint,
    Span,
    masked,
    spans,
    value_spans,
)

NAMES = [b"shop-a-00411.example.com", b"10.40.1.162", b"fd00:40::a2"]


def marked(text: str, names: list[bytes] = NAMES) -> str:
    """The text with «…» around what is masked."""
    data, parts, at = text.encode(), [], 0
    for span in spans(data, names=names):
        parts += [data[at : span.start], "«".encode(), data[span.start : span.end], "»".encode()]
        at = span.end
    return b"".join([*parts, data[at:]]).decode()


def kinds(text: str | bytes, names: list[bytes] = NAMES) -> set[str]:
    data = text if isinstance(text, bytes) else text.encode()
    return {span.kind for span in spans(data, names=names)}


def unmarked(example: str) -> str:
    return example.replace("«", "").replace("»", "")


# Pieces of logs between which rules meet, and bytes that are no text at all.
tokens = st.sampled_from(
    [unmarked(rule.example).encode() for rule in logtext_noise.RULES]
    + [b"\x1b[31m", b"\x1b]0;t\x07", b"\x1b[", b"\x1b", b"\x00", b"\x00\x01", b"\x01", b"\r\n"]
    + [b"shop-a-00411", b"SHOP-A-00411", b"10.40.1.162", b"fd00:40::a2", b":8080", b"/tmp/"]
    + [b"0", b"12", b"1700000000", b"abcdef", b"0x", b":", "年".encode(), "毫秒".encode("gbk")]
    + [b"pid ", b"[", b"]", b": ", b" ", b"\n", b"tmp", b"T", b"Nov ", b"-", b".", b"xxxxxxxx"]
)
texts = st.one_of(st.lists(tokens, max_size=12).map(b"".join), st.binary(max_size=60))
words = st.text(alphabet="ghijklnoqrvyz", min_size=1, max_size=8).map(str.encode)


@pytest.mark.parametrize("rule", logtext_noise.RULES, ids=lambda rule: f"{rule.kind}: {rule.why}")
def test_every_rule_masks_what_its_example_marks(rule: logtext_noise.Rule) -> None:
    assert marked(unmarked(rule.example)) == rule.example
    assert rule.kind in kinds(unmarked(rule.example))


@pytest.mark.parametrize("rule", logtext_noise.RULES, ids=lambda rule: f"{rule.kind}: {rule.why}")
def test_every_rule_begins_with_the_anchor_it_is_searched_by(rule: logtext_noise.Rule) -> None:
    assert rule.pattern.replace(b"\\[", b"[").startswith(rule.anchor)


@pytest.mark.parametrize(
    ("kind", "example"),
    [
        ("time", "«2018-03-15 14:39:30,123 +0800» INFO start"),
        ("time", "«2026-11-22T08:00:05Z» WARN x"),
        ("time", "«Nov 23 02:53:00» 4045 records"),
        ("time", "«Sun Nov 22 08:00:05 2026» x"),
        ("time", "Date: «Sun, 22 Nov 2026 08:00:05 +0000»"),
        ("time", "{“ts”:«1700000000123»}"),
        ("time", "耗时 «2026年11月22日» «08:00:05»"),
        ("host", "on «shop-a-00411»: «shop-a-00411.example.com» «SHOP-A-00411»."),
        ("host", "backup-«shop-a-00411»_a.tar.gz at «10.40.1.162», «fd00:40::a2»"),
        ("address", "listen [«fe80::1»] «10.0.0.1:80», «255.255.255.255»/24"),
        ("address", "link/ether «aa:bb:cc:dd:ee:0f» brd"),
        ("pid", "job_start|[PID:«56875»]|"),
        ("pid", '{"pid": «77», "ppid":«1»}'),
        ("pid", "systemd[«1»]: Started"),
        ("duration", "real\t«0m0.003s»"),
        ("duration", "delta «0:00:00.004512»"),
        ("duration", "in «3.2s» ago «5 minutes», «12µs»"),
        ("hex", "sha256:«0000000000000000000000000000000000000000000000000000000000001eef»"),
        ("hex", "layer «a3ed95caeb02» done; etag=«12345678»"),
        ("temp", "rm -rf /«tmp/tmp.Zk2»/x /«tmp/a»: no"),
        ("ansi", "«\x1b[1;31m»red«\x1b[0m»"),
    ],
)
def test_noise_is_masked_and_what_stands_beside_it_is_not(kind: str, example: str) -> None:
    assert marked(unmarked(example)) == example
    assert kind in kinds(unmarked(example))


@pytest.mark.parametrize(
    "text",
    [
        "exit code 139, status 7, returned 2",
        "curl: (7) Failed to connect to port 8443",
        "/opt/deploy/run.sh: line 88: ./migrate: No such file",
        "main.py:10:22: error, at 14:39",
        "100% 12.5% 3/12 layer_7.bin",
        "12345678 bytes, 1073741824, 1700000000 bytes, 512m, 4 GiB, 20K",
        "version 1.2.3.4, v10.0.0.1, nginx-1.20.1.1.rpm, 4.18.2, 3.10.0-957.el7.x86_64",
        "1.2.3.4.5 and 1.3.6.1.4.1.2021",
        "Chrome/120.0.6099.109, Windows 10.0.19041.1234",
        "items[3] = 4, users: 12, 2 users, 1 user, k8s, 404",
        "HRESULT 0x80070005 flags 0x1f 0xC0000005",
        "deadbeef facade 0 beefed 12345678901",
        "std::vector Add::Bad a::b File::Spec",
        "/opt/tmp/cache ~/tmp/x /home/me/tmp/y tmp tmpfs tmp.properties",
        "shop-a-004111 xshop-a-00411 localhost",
        "layout xx:xx:xx:xx:xx:xx YYYY-MM-DD hh:mm:ss",
        "retry 3 of 5 in May 12 items",
        "20261122 tzdata-20261122",
    ],
)
def test_what_carries_meaning_is_not_masked(text: str) -> None:
    assert marked(text) == text
    assert logtext_fingerprint.shape(text.encode(), names=NAMES) == logtext_fingerprint.digest(
        text.encode()
    )


def test_durations_and_dates_are_recognised_in_gbk() -> None:
    assert kinds("耗时 30 秒".encode("gbk")) == {"duration"}
    assert kinds("2026年11月22日".encode("gbk")) == {"time"}


def test_hosts_that_did_the_same_have_one_shape() -> None:
    logs = [
        f"[08:00:{n:02}] shop-a-{n:05} sshd[{n * 7 + 1}]: from 10.40.{n}.{n * 2}:{50000 + n}\n"
        f"\x1b[32mlayer\x1b[0m 2/12 sha256:{n:064x} in {n + 1} ms, 0:{n:02}:01.5\n"
        f"cd /var/tmp/tmp.{n:010}/x: took {n}.{n}s, id {n * 99991:08x}-0000-4000-8000-{n:012x}\n"
        for n in range(60)
    ]
    names = [[b"shop-a-%05d" % n, b"10.40.%d.%d" % (n, n * 2)] for n in range(60)]
    shapes = {
        logtext_fingerprint.shape(log.encode(), names=own)
        for log, own in zip(logs, names, strict=True)
    }
    assert len(shapes) == 1
    assert len({logtext_fingerprint.digest(log.encode()) for log in logs}) == 60


def test_hosts_that_failed_in_different_ways_have_different_shapes() -> None:
    logs = [
        "[08:00:21] curl: (7) Failed to connect to 10.0.0.1 port 8443 after 12 ms",
        "[08:00:22] curl: (28) Failed to connect to 10.0.0.1 port 8443 after 13 ms",
        "[08:00:23] curl: (7) Failed to connect to 10.0.0.1 port 8444 after 14 ms",
        "[08:00:24] tar: layer_7.bin: Cannot write: No space left on device",
        "[08:00:25] tar: layer_8.bin: Cannot write: No space left on device",
        "run.sh: line 88: 71234 Segmentation fault",
        "run.sh: line 89: 71234 Segmentation fault",
    ]
    assert len({logtext_fingerprint.shape(log.encode()) for log in logs}) == len(logs)


def test_a_value_that_is_masked_can_still_be_compared() -> None:
    values = set()
    for line in (b"config checksum 4be07a55 loaded", b"config checksum 9f2c11d0 loaded"):
        (span,) = spans(line)
        values.add((line[span.start : span.end], span.kind))
    assert values == {(b"4be07a55", "hex"), (b"9f2c11d0", "hex")}


def test_a_host_whose_name_is_a_word_does_not_mask_words() -> None:
    assert spans(b"a db on localhost 12345", names=[b"a", b"db", b"localhost", b"12345"]) == []


def test_colour_changes_neither_shape_nor_masks() -> None:
    plain = b"to 10.0.0.1 by shop-a-00411 ok"
    coloured = b"to \x1b[1m10.0.\x1b[4m0.1\x1b[0m by \x1b[32mshop-a-00411\x1b[0m ok\x1b]0;t\x07"
    assert logtext_fingerprint.shape(coloured, names=NAMES) == logtext_fingerprint.shape(
        plain, names=NAMES
    )
    assert [(coloured[s.start : s.end], s.kind) for s in spans(coloured, names=NAMES)] == [
        (b"\x1b[1m", "ansi"),
        (b"10.0.\x1b[4m0.1", "address"),
        (b"\x1b[0m", "ansi"),
        (b"\x1b[32m", "ansi"),
        (b"shop-a-00411", "host"),
        (b"\x1b[0m", "ansi"),
        (b"\x1b]0;t\x07", "ansi"),
    ]


def test_a_text_that_spells_the_placeholder_is_not_taken_for_a_masked_one() -> None:
    assert masked(b"at 08:00:05") == b"at " + PLACEHOLDER
    assert masked(b"at " + PLACEHOLDER) != masked(b"at 08:00:05")
    assert masked(b"at \x00 08:00:05") != masked(b"at " + b"\x00\x00 " + PLACEHOLDER)


def test_a_long_line_has_one_shape_whatever_the_length_of_what_is_masked() -> None:
    rest = b" and 10.0.0.1" * 20_000
    assert logtext_fingerprint.shape(b"pid 7" + rest) == logtext_fingerprint.shape(
        b"pid 71234" + rest
    )


def test_a_line_beyond_every_limit_is_masked_in_any_pieces() -> None:
    line = random.Random(5).randbytes(2_500_000).replace(b"\n", b"-")  # noqa: S311
    fingerprint = Fingerprint()
    for at in range(0, len(line), 70_001):
        fingerprint.update(line[at : at + 70_001])
    assert fingerprint.shape() == logtext_fingerprint.shape(line)
    assert logtext_fingerprint.shape(line) == hashlib.sha256(masked(line)).digest()


def test_an_empty_text_has_the_digest_and_shape_of_nothing() -> None:
    assert (
        logtext_fingerprint.shape(b"")
        == logtext_fingerprint.digest(b"")
        == hashlib.sha256(b"").digest()
    )
    assert spans(b"") == []


@given(texts)
def test_spans_ascend_inside_the_text_without_touching_twice_and_without_newlines(
    text: bytes,
) -> None:
    at = 0
    for span in spans(text, names=NAMES):
        assert at <= span.start < span.end <= len(text)
        assert b"\n" not in text[span.start : span.end]
        at = span.end


@given(texts)
def test_shape_is_the_text_with_its_spans_replaced(text: bytes) -> None:
    parts, at = [], 0
    for span in spans(text, names=NAMES):
        parts.append(text[at : span.start].replace(b"\x00", b"\x00\x00"))
        parts.append(b"" if span.kind == "ansi" else PLACEHOLDER)
        at = span.end
    parts.append(text[at:].replace(b"\x00", b"\x00\x00"))
    assert masked(text, names=NAMES) == b"".join(parts)
    assert logtext_fingerprint.shape(text, names=NAMES) == hashlib.sha256(b"".join(parts)).digest()


@given(texts, st.lists(st.integers(min_value=0, max_value=400), max_size=10))
def test_fingerprints_do_not_depend_on_the_pieces(text: bytes, borders: list[int]) -> None:
    fingerprint, at = Fingerprint(names=NAMES), 0
    for border in [*sorted(borders), len(text)]:
        fingerprint.update(text[at:border])
        at = max(at, border)
        so_far = text[: min(at, len(text))]
        assert fingerprint.shape() == logtext_fingerprint.shape(so_far, names=NAMES)
        assert fingerprint.value_hashes() == value_hashes(so_far)
    assert fingerprint.size == len(text)
    assert fingerprint.digest() == logtext_fingerprint.digest(text)


@given(st.lists(st.tuples(texts, st.sampled_from([NAMES, NAMES[1:], []])), max_size=6))
def test_looked_at_together_each_text_is_as_it_is_alone(
    told: list[tuple[bytes, list[bytes]]],
) -> None:
    found = logtext_fingerprint.looks(told)
    assert len(found) == len(told)
    for (text, names), look in zip(told, found, strict=True):
        alone = Fingerprint(names=names)
        alone.update(text)
        assert look == (masked(text, names=names), alone.values())


def value_hashes(text: bytes) -> bytes:
    fingerprint = Fingerprint(names=NAMES)
    fingerprint.update(text)
    return fingerprint.value_hashes()


def values(text: bytes) -> list[bytes]:
    return [text[span.start : span.end] for span in value_spans(text, names=NAMES)]


@given(texts)
def test_a_telling_value_has_a_hash_and_a_place(text: bytes) -> None:
    hashes = value_hashes(text)
    assert len(hashes) == VALUE_BYTES * len(values(text))
    assert (
        logtext_fingerprint.shape(text, names=NAMES)
        == hashlib.sha256(masked(text, names=NAMES)).digest()
    )


def test_ids_and_addresses_tell_and_what_differs_everywhere_does_not() -> None:
    text = (
        b"[2026-11-22 08:00:05] pid=7 took 84 ms in /tmp/x.1 on shop-a-00411\n"
        b"checksum \x1b[1m9f2c11d0\x1b[0m from 10.0.0.9, not 10.40.1.162, to fd00:40::a2\n"
    )
    assert values(text) == [b"9f2c11d0", b"10.0.0.9", b"10.40.1.162", b"fd00:40::a2"]
    hashes = value_hashes(text)
    assert hashes[2 * VALUE_BYTES :] == OWN * 2
    assert (
        hashes[: 2 * VALUE_BYTES] != value_hashes(text.replace(b"11d0", b"11d1"))[: 2 * VALUE_BYTES]
    )


@pytest.mark.parametrize("line", [b"id=%08xffff\n" % 7, b"x" * 1000 + b" id=12ab34cd\n"])
def test_the_first_telling_values_are_kept_of_a_text_of_any_size(line: bytes) -> None:
    text = line * 10_000
    assert VALUE_BYTES * len(values(text)) == len(value_hashes(text)) <= VALUE_BYTES * 64
    fingerprint = Fingerprint(names=NAMES)
    for at in range(0, len(text), 50_001):
        fingerprint.update(text[at : at + 50_001])
    assert fingerprint.value_hashes() == value_hashes(text)
    assert fingerprint.shape() == hashlib.sha256(masked(text, names=NAMES)).digest()


@given(st.lists(texts, max_size=4))
def test_a_text_is_masked_line_by_line(parts: list[bytes]) -> None:
    text = b"\n".join(parts)
    lines = text.split(b"\n")
    assert masked(text, names=NAMES) == b"\n".join(masked(line, names=NAMES) for line in lines)


@given(st.lists(st.tuples(words, st.integers(0, 4), st.integers(0, 99)), min_size=1), st.data())
def test_only_what_is_masked_may_differ(
    made: list[tuple[bytes, int, int]], data: st.DataObject
) -> None:
    forms = [b"08:00:%02d", b"10.0.0.%d", b"pid=%d", b"%d ms", b"/tmp/x%d"]
    text = b" ".join(b"%b %b" % (word, forms[form] % n) for word, form, n in made)
    noise = data.draw(st.lists(st.integers(0, 99), min_size=len(made), max_size=len(made)))
    other = b" ".join(
        b"%b %b" % (word, forms[form] % n) for (word, form, _), n in zip(made, noise, strict=True)
    )
    assert logtext_fingerprint.shape(text) == logtext_fingerprint.shape(other)
    changed = data.draw(st.sampled_from([m.start() for m in re.finditer(rb"[g-z]\w* ", text)]))
    if not any(span.start <= changed < span.end for span in spans(text)):
        assert logtext_fingerprint.shape(text) != logtext_fingerprint.shape(
            text[:changed] + b"w" + text[changed + 1 :]
        )


@given(texts, st.lists(st.binary(max_size=6), max_size=3))
def test_any_bytes_as_text_and_as_names_are_accepted(text: bytes, names: list[bytes]) -> None:
    found = spans(text, names=names)
    assert all(isinstance(span, Span) for span in found)
    assert len(logtext_fingerprint.shape(text, names=names)) == 32
    assert masked(text, names=names) == masked(text, names=names[::-1])
