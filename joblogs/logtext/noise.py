"""The table of what `shape` masks: the parts of a log that differ from run to run.

A pattern is written for a view of the text, which has the same length as the text:

    RAW      the bytes as they are
    DIGITS   every digit reads as 0: the picture of a time is 00:00:00
    MONTHS   as DIGITS, and the first letter of a month or a weekday reads as N
    HEX      every hexadecimal digit reads as x: a MAC is xx:xx:xx:xx:xx:xx

It begins with its anchor, a literal which `re` finds at memory speed: an expression that tries
rules at every byte spends its time where none can begin. The engine adds that no letter or digit
stands before the anchor; a rule that looks further back does so right after the anchor. Rules of
one view and anchor are one alternation: the first that fits counts, so their order matters.

Two laws: no pattern crosses a newline (a text is masked in blocks of whole lines), and every
repetition is bounded or possessive and begins at the anchor (no input takes more than linear
time). What must stay visible: exit and error codes, percentages, sizes, counts, versions,
line numbers, ports after a word. A number is masked for its form or the word beside it only.

Who changes a rule raises VERSION: shapes of two versions do not compare.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

VERSION = 1

Kind = Literal["time", "host", "address", "pid", "duration", "hex", "temp", "ansi"]
View = Literal["RAW", "DIGITS", "MONTHS", "HEX"]

_DIGIT, _HEX_DIGIT, _INITIAL = b"0123456789", b"0123456789abcdefABCDEF", b"JFMASONDTW"
VIEWS: dict[View, bytes | None] = {
    "RAW": None,
    "DIGITS": bytes.maketrans(_DIGIT, b"0" * 10),
    "MONTHS": bytes.maketrans(_DIGIT + _INITIAL, b"0" * 10 + b"N" * 10),
    "HEX": bytes.maketrans(_HEX_DIGIT + b"x", b"x" * 22 + b"X"),
}
"""What `bytes.translate` makes each view with."""


class Rule(NamedTuple):
    """One way to recognise what differs from run to run."""

    kind: Kind
    view: View
    anchor: bytes
    pattern: bytes
    example: str
    """«…» marks what is masked."""
    why: str
    only_if: Callable[[bytes, int, int], bool] | None = None
    """Looks at text[start:end], where the view has lost what tells."""
    gate: re.Pattern[bytes] | None = None
    """Looks at the view first, where the anchor is everywhere and the thing itself is rare."""


def _is_an_id(text: bytes, start: int, end: int) -> bool:
    """Words and numbers are no ids; a few random ids are all digits: the word before tells."""
    found = text[start:end]
    if not found.isdigit() and not found.isalpha():
        return True
    return end - start >= 32 or text[max(0, start - 16) : start].lower().endswith(_ID_WORDS)


def _has_a_digit(text: bytes, start: int, end: int) -> bool:
    """Add::Bad is a name in a program, fe80::1 is an address."""
    return not text[start:end].replace(b":", b"").isalpha()


_ID_WORDS = tuple(
    word + mark
    for word in (b"sha1", b"sha256", b"sha512", b"md5", b"crc32", b"checksum", b"digest", b"hash")
    + (b"commit", b"etag", b"uuid", b"token", b"trace_id", b"request_id", b"container")
    for mark in (b":", b"=", b" ", b": ", b'="', b'": "')
)

_END = rb"(?![0-9A-Za-z])"
_ZONE = rb"(?: ?(?:Z|UTC|GMT|CST|[+-]00:?00))?"
_CLOCK = rb"00?:00(?::00)?(?:[.,]0++)?(?: [ANP][MN])?" + _ZONE  # N: in the view MONTHS
_ONTH = rb"(?:an|eb|ar|pr|ay|un|ul|ug|ep|ct|ov|ec)"
_MONTH = rb"[JFMASOND]" + _ONTH  # in the view MONTHS every first letter is an N
_DAY_AND_CLOCK = rb" {1,2}00?(?:,? {1,2}0000(?:,? %b)?| %b)" % (_CLOCK, _CLOCK)
_UNIT = (
    rb"(?:s(?:ec(?:ond|)s?|)|ms(?:ecs?|)|[nu]s|min(?:ute|)s?|h(?:r|our)s?|days?|\xc2\xb5s|\xce\xbcs"
    rb"|(?:\xe6\xaf\xab)?\xe7\xa7\x92|\xe5\x88\x86\xe9\x92\x9f|\xe5\xb0\x8f\xe6\x97\xb6"
    rb"|(?:\xba\xc1)?\xc3\xeb|\xb7\xd6\xd6\xd3|\xd0\xa1\xca\xb1)"  # 毫秒 秒 分钟 小时, UTF-8, GBK
)
_DATE_ZH = (
    rb"0000(?:\xe5\xb9\xb4 ?00?\xe6\x9c\x88 ?00?\xe6\x97\xa5|\xc4\xea ?00?\xd4\xc2 ?00?\xc8\xd5)"
)
_SIGNAL = (
    rb"(?:Segmentation fault|Aborted|Killed|Terminated|Bus error|Floating point|Illegal instr"
    rb"|Trace/breakpoint|Hangup|Quit|Alarm clock|Stopped)"
)
_COMPACT_DATE = rb"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_NOT_A_SIZE = rb"(?!\.?[0-9A-Za-z]| ?(?:[KMGT]?i?B|bytes)\b)"
_IPV6 = rb"(?:(?:x{1,4}+:){6}x{1,4}+|(?:x{1,4}+:){0,5}+:(?:x{1,4}+(?::x{1,4}+){0,6}+)?)"
_IPV6_END = rb"(?:(?:\.x{1,3}+){3})?(?:%[0-9A-Za-z]{1,15}+)?(?:\]:x{2,5}+)?" + _END
_GATES = {
    b"x": re.compile(rb":(?::|x{1,4}:x{1,4}:x{1,4}:)"),
    b"xx:xx:xx:xx:xx:xx": re.compile(b":xx:xx:xx:xx:"),
    b"xx-xx-xx-xx-xx-xx": re.compile(b"-xx-xx-xx-xx-"),
}
_NAME = rb"[^/\x00-\x20\"'`:;,()<>\[\]{}|&*?$]++"


def _digits(kind: Kind, pattern: bytes, example: str, why: str) -> Rule:
    return Rule(kind, "DIGITS", b"0", pattern, example, why)


def _raw(kind: Kind, anchor: bytes, pattern: bytes, example: str, why: str) -> Rule:
    return Rule(kind, "RAW", anchor, pattern, example, why)


def _hex(kind: Kind, anchor: bytes, pattern: bytes, example: str, why: str) -> Rule:
    only_if = _is_an_id if kind == "hex" else _has_a_digit
    return Rule(kind, "HEX", anchor, pattern, example, why, only_if, _GATES.get(anchor))


RULES: tuple[Rule, ...] = (
    _digits(
        "time",
        rb"0000(?:-00-00|/00/00)(?:[T _]" + _CLOCK + rb"|[T_-]00-00-00)?" + _END,
        "«2026-11-22T08:00:05.123+08:00» [«2018/03/15 14:39:30»] x-«2026-11-22».log",
        "ISO 8601 and its relatives; the day alone, because a run may cross midnight",
    ),
    _digits(
        "time",
        rb"00?[/ -](?:" + _MONTH + rb"|00)[/ -]0000(?:[: ]" + _CLOCK + rb")?" + _END,
        "[«22/Nov/2026:08:00:05 +0000»] «22 Nov 2026 08:00:05 GMT» «11/22/2026 08:00:05 AM»",
        "web servers, mail, Windows",
    ),
    _digits(
        "time",
        _DATE_ZH,
        "«2026年11月22日» 星期日",
        "`date` in a Chinese locale, UTF-8 or GBK",
    ),
    _digits(
        "time",
        rb"00:00:00(?<!0:00:00:00)(?:[.,]0++|)(?: [AP]M|)" + _ZONE + rb"(?!:?[0-9A-Za-z])",
        "[«08:00:21»] unpack, at «14:39:30,123»",
        "a clock; hours and minutes alone may be a line and a column",
    ),
    _digits(
        "duration",
        rb"0(?:(?::00|0|):00\.0++|:00:00(?<!0:0:00:00))(?!:?[0-9A-Za-z])",
        "«0:00:01.23» elapsed, «0:04.51», took «0:01:02»",
        "Ansible, GNU time; a clock has two digits, hours that passed begin with one",
    ),
    _digits(
        "duration",
        rb"00*+(?:d ?0++h|h ?0++m|m ?0++(?:\.0++|)s)(?: ?0++(?:\.0++|)[hms]){0,3}" + _END,
        "«1m02s», real «0m0.003s», up «2d 3h», «1h2m3s»",
        "compounds; 512m alone is a size",
    ),
    _digits(
        "duration",
        rb"00*+(?:\.0++|) ?+(?:" + _UNIT + rb"(?: 0++(?:\.0++|) ?+" + _UNIT + rb"){0,3}"
        rb"|[KMGkmg]?bps|(?<=0)(?:user|system|elapsed)|[A-Za-z]{0,9}+/s(?:ec|))" + _END,
        "in «84 ms», «3.2s», «1min 30.5s», 耗时«3秒», at «12.3 MB/s», «94.1 Mbps», «0.02user»",
        "a number with a unit of time, rates, GNU time",
    ),
    _digits(
        "address",
        rb"0(?<!\..)(?<![A-Za-z]-.)(?<![Vv]ersion .)0?0?(?:\.00?0?){3}(?::0{1,5}+)?"
        rb"(?!\.?[0-9A-Za-z])",
        "to «10.40.1.77» port 8443, «10.40.1.77:52344», not nginx-1.20.1.1, v1.2.3.4",
        "IPv4; numbers of more than four parts, and versions, are none",
    ),
    _digits(
        "pid",
        rb"0(?<=[0-9A-Za-z_)]\[.)0{0,9}+(?=\]:)",
        "sshd[«1234»]: Accepted",
        "syslog",
    ),
    _digits(
        "pid",
        rb"0(?:(?<=[PpTt][Ii][Dd][=: \[(].)|(?<=[Pp][Ii][Dd][\":=' ][ (\"'=:].)"
        rb"|(?<=[Pp][Ii][Dd]\": .)|(?<=illed process .)|(?<=[Pp]rocess [Ii][Dd] .)"
        rb"|(?<=kill: \(.))0{0,9}+" + _END,
        "[PID:«56875»] pid=«123» pid «123» Main PID: «77», Killed process «99», kill: («1234»)",
        "the number after a word for a process or thread",
    ),
    _digits(
        "pid",
        rb"0(?<=0: .)0{0,9}+(?= {1,5}" + _SIGNAL + rb")",
        "run.sh: line 88: «71234» Segmentation fault",
        "bash tells of a killed child; the line number stays",
    ),
    Rule(
        "time",
        "DIGITS",
        b"[",
        rb"\[ {0,12}+0++\.000000\]",
        "«[   12.345678]» usb 1-1: new device",
        "the kernel's clock since boot, with its padding",
    ),
    Rule(
        "time",
        "MONTHS",
        b"N",
        rb"N" + _ONTH + _DAY_AND_CLOCK + _END,
        "«Nov 23 02:53:00» shop-1 sshd, «Nov  2 08:00» a.txt, «Nov 22  2025» b.txt",
        "syslog, `ls -l`",
    ),
    Rule(
        "time",
        "MONTHS",
        b"N",
        rb"N(?:un|on|ue|ed|hu|ri|at),? {1,2}(?:" + _MONTH + rb" {1,2}00?|00? " + _MONTH + rb" 0000)"
        rb"(?: " + _CLOCK + rb")?(?:(?: [A-Z]{3,5})? 0000)?" + _END,
        "«Sun Nov 22 08:00:05 CST 2026», «Sun, 22 Nov 2026 08:00:05 GMT»",
        "`date`, mail, HTTP: the weekday as well",
    ),
    _raw(
        "time",
        b"1",
        rb"1(?<!\..)[4-9][0-9]{8}(?:[0-9]{3}){0,3}+(?:\.[0-9]{1,9}+)?" + _NOT_A_SIZE,
        "ts=«1700000000» «1700000000123» «1700000000.25», not 1073741824",
        "seconds to nanoseconds since 1970, for 2014 to 2033; 1 GiB is none",
    ),
    _raw(
        "time",
        b"20",
        _COMPACT_DATE + rb"[T_-]?[0-2][0-9][0-5][0-9](?:[0-5][0-9])?Z?" + _END,
        "backup-«20261122080005».tar «20261122T080005Z» not tzdata-20261122",
        "dates in file names; the day alone is more often a version",
    ),
    _hex(
        "hex",
        b"xxxxxxxx",
        rb"xxxxxxxx(?:-xxxx-xxxx-xxxx-xxxxxxxxxxxx|x*+)" + _END,
        "sha256:«0a1b2c3d4e5f», id «550e8400-e29b-41d4-a716-446655440000», commit «12345678», "
        "checksum «9f2c11d0» loaded, not 12345678 bytes",
        "UUIDs, digests and ids of 8 digits and more",
    ),
    _raw(
        "hex",
        b"0x",
        rb"0x(?!(?:80|[Cc]0)[0-9A-Fa-f]{6}" + _END + rb")[0-9A-Fa-f]{5,}+" + _END,
        "at «0x7ffd5e8a1b20», not 0x1f, not 0x80070005",
        "pointers; short ones are flags, and 0x80…, 0xC0… are error codes of Windows",
    ),
    _hex(
        "address",
        b"xx:xx:xx:xx:xx:xx",
        rb"xx:xx:xx:xx:xx:xx(?<!:.{17})(?!:?[0-9A-Za-z])",
        "ether «fa:16:3e:00:1b:2c»",
        "MAC",
    ),
    _hex(
        "address",
        b"xx-xx-xx-xx-xx-xx",
        rb"xx-xx-xx-xx-xx-xx(?<!-.{17})(?!-?[0-9A-Za-z])",
        "«FA-16-3E-00-1B-2C»",
        "MAC, as Windows prints it",
    ),
    _hex(
        "address",
        b"x",
        rb"x(?<!:.)x{0,3}+:" + _IPV6 + _IPV6_END,
        "from «fe80::1%eth0» to «2001:db8:0:0:0:0:0:1», not Add::Bad",
        "IPv6",
    ),
    _hex(
        "address",
        b"::",
        rb"::x{1,4}+(?::x{1,4}+){0,6}+" + _IPV6_END,
        "listen «::1» «::ffff:10.0.0.1»",
        "IPv6 that begins with zeros",
    ),
    _raw(
        "temp",
        b"tmp",
        rb"tmp(?:(?<=/var/tmp)|(?<=ansible/tmp)|(?<![0-9A-Za-z_.~-]/tmp))(?<=/tmp)/" + _NAME,
        "cd /«tmp/xyz.Ab12»/pkg: No such file, /var/«tmp/build7»",
        "the first name below the directory; what lies deeper stays",
    ),
    _raw(
        "temp",
        b"tmp",
        rb"tmp(?:(?<=ansible-tmp)-[0-9.-]++|\.(?![a-z]{10})[0-9A-Za-z]{10}" + _END + rb")",
        "/root/ansible-«tmp-1700000000.123-456-789»/a.py, rm «tmp.Xa82jdQw01», not tmp.properties",
        "Ansible, and mktemp elsewhere",
    ),
)

ANSI = (
    rb"\x1b(?:\[[0-?]*+[ -/]*+[@-~]"  # colours and cursor: ESC [ 3 2 m
    rb"|\][^\x07\x1b\n]*+(?:\x07|\x1b\\)"  # titles and links: ESC ] … BEL
    rb"|[PX^_][^\x1b\n]*+\x1b\\"  # strings for the terminal
    rb"|[ -/]++[0-~]|[0-OQ-WYZ\\`-~])"  # character sets, save, restore, reset
)
"""Escape sequences; removed before the rules look, so that a coloured address is an address."""
