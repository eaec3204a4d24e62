"""Which literals a text needs so that an expression matches in it."""

from __future__ import annotations

import pytest

from joblogs.signatures import literals_of


@pytest.mark.parametrize(
    ("expression", "literals"),
    [
        (r"authentication failure; .*rhost=\S+", [{"authentication failure; "}, {"rhost="}]),
        (r"(timeout|timed out) after \d+ ?ms", [{"timeout after ", "timed out after "}]),
        (r"ORA-\d{5}", [{"ORA-"}]),
        (r"a{3}b{2,}cde+f", [{"aaabb"}, {"bbcde"}]),
        (r"ab(?:cd|ef)?gh", [{"abcdgh", "abefgh", "abgh"}]),
        (r"x*y+abc{0}def", [{"yabdef"}]),
        (r"[]a]bcd", [{"]bcd", "abcd"}]),
        (r"[\]x]yzw", [{"]yzw", "xyzw"}]),
        (r"[a\d]bcd", [{"bcd"}]),
        (r"[^a]bcd", [{"bcd"}]),
        (r"abc{,3}", [{"abc{,3}"}]),
        (r"abc{03}", [{"abc{03}"}]),
        (r"abc{1,02}d", [{"abc{1,02}d"}]),
        (r"abc{00,}", [{"abc{00,}"}]),
        (r"abc{0,}def", [{"def"}]),
        (r"abc{0,1}def", [{"abdef", "abcdef"}]),
        (r"磁盘.满了", [{"磁盘"}, {"满了"}]),
        (r"\x41\x{42}\x43\.", [{"ABC."}]),
        (r"(?P<name>hello) world\b", [{"hello world"}]),
        (r"(?<name>hello) world$", [{"hello world"}]),
        (r"(foo|bar+)baz", [{"foo", "bar"}, {"foobaz", "rbaz"}]),
        (r"(first|second \d+) third", [{"first", "second "}, {"first third", " third"}]),
        (r"(abcdef)+", [{"abcdef"}]),
        (r"[[:digit:]]abcdef", [{"abcdef"}]),
        (r"[^[:space:]]abcdef", [{"abcdef"}]),
        (r"[[:]abc", [{"[abc", ":abc"}]),
        (r"\Qabc.def\E+xy", [{"abc.def"}, {"fxy"}]),
        (r"\\Qabc", [{"\\Qabc"}]),
        (r"\pNabcd", [{"abcd"}]),
        (r"abcd\P{Greek}", [{"abcd"}]),
        (r"abcdef\C", [{"abcdef"}]),
        (r"\101abcd\07", [{"Aabcd"}]),
        (r"[\101]abcd", [{"aabcd"}]),
        (r"(?-s)abcdef", [{"abcdef"}]),
        (r"(?i:error) at", [{"error at"}]),
        (r"[Dd][Ii][Ss][Kk] full", [{"disk full"}]),
        (r"v\d\.[01]", [{f"v{n}.{m}" for n in range(10) for m in (0, 1)}]),
    ],
)
def test_an_expression_needs(expression: str, literals: list[set[str]]) -> None:
    assert literals_of(expression, regex=True) == literals


@pytest.mark.parametrize(
    "expression",
    [
        *(
            r"[A-F0-9]{8}",
            r"a|",
            r"(abc)*",
            r"(abc)?",
            r".",
            r"\d+",
            r"ab",
            r"abc|\w+",
            r"(?:abc){0}",
        ),
        *(r"\d{3}", r"[a-z]+ [a-z]+", r"(?i)ab", r"[[:digit:]]{8}", r"\p{Greek}+", r"\Qab\E"),
    ],
)
def test_an_expression_without_a_literal(expression: str) -> None:
    assert literals_of(expression, regex=True) == []


def test_a_text_is_its_own_literal_without_the_codes_in_it() -> None:
    assert literals_of("(a|b)*") == [{"(a|b)*"}]
    assert literals_of("abc\x1b[31mdef") == [{"abc"}, {"[31mdef"}]
    assert literals_of("ab") == []
    assert literals_of("磁") == [{"磁"}]


def test_groups_within_each_other_are_read_to_a_depth() -> None:
    assert literals_of("(" * 10 + "abc" + ")" * 10, regex=True) == [{"abc"}]
    assert literals_of("(" * 500 + "abc" + ")" * 500, regex=True) == []


@pytest.mark.parametrize(
    ("expression", "literals"),
    [
        (r"(?i)error", [{"error"}]),
        (r"(?i)out of memory|oom-killer", [{"out of memory", "oom-killer"}]),
        (r"^ERROR\b", [{"ERROR"}]),
        (r"\bpanic:.*$", [{"panic:"}]),
        (r"(?i)\b(fatal|critical|panic)\b", [{"fatal", "critical", "panic"}]),
        (
            r"connection (refused|reset by peer|timed out)",
            [{"connection refused", "connection reset by peer", "connection timed out"}],
        ),
        (
            r"Failed password for (invalid user )?\w+ from 10\.\d+",
            [{"Failed password for ", "Failed password for invalid user "}, {" from 10."}],
        ),
        (r"status=[45]\d\d", [{"status=4", "status=5"}]),
        (r'HTTP/1\.[01]" 5\d{2}', [{'HTTP/1.0" 5', 'HTTP/1.1" 5'}]),
        (r"segfault at [0-9a-f]+ ip", [{"segfault at "}, {" ip"}]),
        (
            r"exit(ed with)? (code|status) [1-9]\d*",
            [{"exit code ", "exit status ", "exited with code ", "exited with status "}],
        ),
        (r"java\.lang\.\w+Exception", [{"java.lang."}, {"Exception"}]),
        (r"Caused by: .*SQLException: ORA-\d{5}", [{"Caused by: "}, {"SQLException: ORA-"}]),
        (
            r"No space left on device|Disk quota exceeded",
            [{"Disk quota exceeded", "No space left on device"}],
        ),
        (r"(?i)permission\s+denied", [{"permission"}, {"denied"}]),
        (r"\[(WARN|ERROR)\s*\]", [{"[WARN", "[ERROR"}]),
        (r"took \d{4,} ?ms", [{"took "}]),
        (r"took \d+(\.\d+)?s\b", [{"took "}]),
        (r"10\.0\.\d{1,3}\.\d{1,3}", [{"10.0."}]),
        (r"(10|172|192)\.\d+\.\d+\.\d+", [{"10.", "172.", "192."}]),
        (r"eth[0-9]+: link (down|up)", [{"eth"}, {": link down", ": link up"}]),
        (r"sd[a-z]\d?: I/O error", [{": I/O error"}]),
        (r"uid=0\(root\)", [{"uid=0(root)"}]),
        (
            r"x509: certificate (has expired|signed by unknown authority)",
            [{"x509: certificate has expired", "x509: certificate signed by unknown authority"}],
        ),
        (
            r"^\s*at (com|org)\.example\..+\(.+\.java:\d+\)",
            [{"at com.example.", "at org.example."}, {".java:"}],
        ),
        (r"Traceback \(most recent call last\):$", [{"Traceback (most recent call last):"}]),
        (r"[Tt]ime(d )?-?out", [{"timeout", "time-out", "timed out", "timed -out"}]),
        (r"colou?r", [{"color", "colour"}]),
        (
            r"(OOM|Out)-?[Kk]illed?",
            [
                {
                    "OOM-kille",
                    "OOM-killed",
                    "OOMkille",
                    "OOMkilled",
                    "Out-kille",
                    "Out-killed",
                    "Outkille",
                    "Outkilled",
                }
            ],
        ),
        (r"(\w+\.)+svc\.cluster\.local", [{".svc.cluster.local"}]),
        (r"request_id=[0-9a-f]{8}-[0-9a-f]{4}", [{"request_id="}]),
        (
            r"replica(tion)? lag(ging)?:? \d+",
            [
                {
                    "replica lag ",
                    "replica lag: ",
                    "replica lagging ",
                    "replica lagging: ",
                    "replication lag ",
                    "replication lag: ",
                    "replication lagging ",
                    "replication lagging: ",
                }
            ],
        ),
        (r"ssh(d)?\[\d+\]: error: .*", [{"ssh[", "sshd["}, {"]: error: "}]),
        (r"WARN(ING)?", [{"WARN", "WARNING"}]),
        (r"E[0-9]{4}", [{f"E{n:02}" for n in range(100)}]),
        (r"v\d+\.\d+\.\d+", [{f"{a}.{b}" for a in range(10) for b in range(10)}]),
        (r"error: [^:]+: (?:not found|denied)", [{"error: "}, {": not found", ": denied"}]),
        (r"(?s)begin.*end", [{"begin"}, {"end"}]),
        (r"磁盘(已满|空间不足)", [{"磁盘已满", "磁盘空间不足"}]),
        (r"\d+% used", [{"% used"}]),
        (r"rc=(?:[1-9]|[1-9]\d+)\b", [{"rc="}]),
        (r"a+b+c+", []),
    ],
)
def test_what_people_search_for_in_logs(expression: str, literals: list[set[str]]) -> None:
    assert literals_of(expression, regex=True) == literals
