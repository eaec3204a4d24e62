"""Words that tell what went wrong, or how something stands: lines that differ one of these say
something else."""

from __future__ import annotations

import re

_CAUSES = frozenset(
    b"abort aborted absent accept accepted active alive already auth authenticate "
    b"authentication authorization authorized bad bind blocked broken busy cancel canceled "
    b"cancelled certificate changed checksum clock close closed cluster complete completed config "
    b"configuration conflict conflicts connect connected connection corrupt corrupted cpu crash "
    b"crashed credentials dead deadlock degraded denied deny deprecated destroyed "
    b"disabled disconnected disk dns dropped duplicate eacces eaddrinuse "
    b"econnrefused econnreset eexist eio enabled enoent enomem enospc enotfound eof eperm epipe "
    b"erofs error errors etimedout exceeded exception exhausted exist existing exists expired fail "
    b"failed failing failure false fatal firewall forbidden found full gone handshake "
    b"healthy heap hostname illegal inactive incompatible incomplete incorrect "
    b"inode inodes insufficient internal interrupted invalid ioerror kill killed large licence "
    b"license limit limits lock locked login lost malformed masked memory metaspace "
    b"mismatch missing mount mounted negative network no none null offline ok online oom open "
    b"outdated overflow overloaded password passed permission permissions pending port "
    b"proxy quota readonly ready reboot refused rejected reset resolve resource route "
    b"running schema segfault shut signature skipped slow socket space split ssl started "
    b"starting stale stopped stopping storage succeeded success successful swap syntax terminated "
    b"timeout tls token toolong trace true unauthorized unavailable unchanged "
    b"undefined unexpected unhealthy unknown unreachable unreadable unresolved unsupported "
    b"untrusted valid version violated warn warning wrong yes zero".split()
)
_ERROR_NAME = re.compile(rb"(?:Exception|Error|Failure|Fault|Exit)\b|\bSIG[A-Z]{2,}|\bE[A-Z]{4,}\b")
_WORD = re.compile(rb"[A-Za-z]+")
_PATH = re.compile(rb"[/\\]|[a-z]\.[a-z]|[a-z][_@-][a-z]")
_PARTICIPLE = re.compile(rb"(?:ed|ing|[ai]ble|ive|less|tion|sion|out)\W*\Z", re.IGNORECASE)
_BEYOND_ASCII = re.compile(
    "不足|失败|成功|拒绝|超时|错误|异常|存在|权限|已满|损坏|缺少|丢失|无法|不能|未|无效|过期|正常|停止|运行|"
    "失敗|成功|拒否|エラー|不明|오류|실패|거부|ошибк|отказ|нет".encode()
)


def is_cause(word: bytes) -> bool:
    """Whether a word tells what went wrong or how something stands; a path or a joined name is none
    for the words in it."""
    if _ERROR_NAME.search(word) or _BEYOND_ASCII.search(word):
        return True
    if _PATH.search(word):
        return False
    return any(part.lower() in _CAUSES for part in _WORD.findall(word))


def is_participle(word: bytes) -> bool:
    """Whether a word ends as those do that say how something stands."""
    return _PARTICIPLE.search(word) is not None and not _PATH.search(word)
