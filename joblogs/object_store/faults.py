"""Errors of an object store."""

from __future__ import annotations

import re
from enum import StrEnum

from joblogs.errors import Text, Unavailable
from joblogs.logtext.codec import Unreadable


class Fault(StrEnum):
    """Cause of an ObjectUnreachable."""

    UNREACHABLE = "the object store does not answer, or refuses"
    MISSING = "the object is missing"
    TORN = "the object is shorter than it was, or holds other bytes"


REASON_MAX = 300
_IN_ADDRESSES = re.compile(r"(?<=://)[^/\s]*@|\?\S+")


def reason(error: Exception) -> str:
    """Return what may be shown of an error of an object store: the first line, without what an
    address has of credentials and without the service's own answer."""
    line = str(error).partition("\n")[0].partition("<")[0]
    return _IN_ADDRESSES.sub("…", line)[:REASON_MAX]


class ObjectUnreachable(Unavailable, Unreadable):
    """Logs cannot be read now, because their object cannot be read (1240002).

    A reader never gets a shorter text instead.
    """

    text = Text(
        "部分日志暂时无法读取：对象存储未返回完整数据，请稍后重试",
        "Some logs cannot be read now: the object store did not return them. Try again later",
    )

    def __init__(self, fault: Fault, key: str) -> None:
        """`key` is for our own log and for `verify_logs`; it is in no answer."""
        self.fault, self.key = fault, key
        super().__init__()


class ForeignStore(Exception):
    """The object store belongs to another store, or to another place of this one."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Nothing is written to or deleted from OBJECT_STORE_URL: {why} If this store is to "
            "own it from now on, such as after a restore, start once with OBJECT_STORE_ADOPT=on."
        )
