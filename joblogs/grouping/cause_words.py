"""Words for what went wrong, or for a state: lines that differ in one of these have different
meanings."""

from __future__ import annotations

import re

_CAUSES = frozenset(
    (
        b"abort aborted absent accept accepted active alive allocate already architecture auth "
        b"authenticate authentication authorization authorized bad bandwidth bind blocked body "
        b"broken buffer build busy cancel canceled cancelled certificate changed charset checksum "
        b"chmod chown clock close closed cluster commit compile complete completed config "
        b"configuration configure conflict conflicts connect connected connection connections "
        b"cookie copy corrupt corrupted cpu crash crashed create credentials dead deadlock decode "
        b"decrypt degraded delete denied deny dependencies dependency deploy deprecated "
        b"descriptors destroyed digest disabled disconnected disk dns download driver drop dropped "
        b"duplicate eacces eaddrinuse econnrefused econnreset eexist eio enabled encode encoding "
        b"encrypt enoent enomem enospc enotfound entropy eof eperm epipe erofs error errors "
        b"etimedout exceeded exception exec execute exhausted exist existing exists expired "
        b"extract fail failed failing failure false fatal fetch firewall firmware forbidden fork "
        b"found full gone handles handshake hash header healthy heap hostname illegal inactive "
        b"incompatible incomplete incorrect initialise initialize inode inodes insert install "
        b"insufficient internal interrupted invalid ioerror json kernel kill killed large leader "
        b"licence license limit limits listen load locale lock locked login lost malformed masked "
        b"master memory metaspace migrate mismatch missing mkdir module mount mounted move "
        b"negative network no node none null offline ok online oom open outdated overflow "
        b"overloaded parse passed password payload pending permission permissions port processes "
        b"proxy query quorum quota readonly ready reboot receive refused register rejected reload "
        b"remove rename replica reset resolve resource restart revoked rollback route running "
        b"schema segfault select send session shut sign signature skipped slow socket sockets "
        b"space split ssl stack stale start started starting stop stopped stopping storage "
        b"succeeded success successful swap syntax terminated threads timeout timezone tls token "
        b"toolong trace true umount unauthorized unavailable unchanged undefined unexpected "
        b"unhealthy unknown unpack unreachable unreadable unregister unresolved unsupported "
        b"untrusted update upload valid validate verify version violated warn warning wrong xml "
        b"yaml yes zero"
    ).split()
)
NAME_BYTES = 9
"""Maximum bytes of a name that is not ASCII; a longer word is a phrase."""

_ERROR_NAME = re.compile(rb"(?:Exception|Error|Failure|Fault|Exit)\b|\bSIG[A-Z]{2,}|\bE[A-Z]{4,}\b")
_WORD = re.compile(rb"[A-Za-z]+")
_PATH = re.compile(rb"[/\\]|[a-z]\.[a-z]|[a-z][_@-][a-z]")
_PARTICIPLE = re.compile(rb"(?:ed|[ai]ble|ive|less|tion|sion|out)\W*\Z", re.IGNORECASE)
_BEYOND_ASCII = re.compile(
    "不足|失败|成功|拒绝|超时|错误|异常|存在|权限|已满|损坏|缺少|丢失|无法|不能|未|无效|过期|正常|停止|运行|"
    "失敗|成功|拒否|エラー|不明|오류|실패|거부|ошибк|отказ|нет".encode()
)


def is_listed_cause(word: bytes) -> bool:
    """Return whether a word itself is in the list."""
    return word.lower() in _CAUSES


def is_cause(word: bytes, *, by_ending: bool = True) -> bool:
    """Return whether a word says what went wrong or is a state, by itself or with `by_ending` also
    by its ending.

    A path or joined name does not count, whatever words are in it. Beyond ASCII, only short words
    are not causes.
    """
    if _ERROR_NAME.search(word) or _BEYOND_ASCII.search(word):
        return True
    if not word.isascii() and len(word) > NAME_BYTES:
        return True
    if _PATH.search(word):
        return False
    parts = _WORD.findall(word)
    if any(part.lower() in _CAUSES for part in parts):
        return True
    return by_ending and len(parts) == 1 and _PARTICIPLE.search(word) is not None
