"""What goes wrong with an object store: one error, whatever it was."""

from __future__ import annotations

from enum import StrEnum

from joblogs.errors import Text, Unavailable
from joblogs.logtext.codec import Unreadable


class Fault(StrEnum):
    """What it was."""

    UNREACHABLE = "the object store does not answer, or refuses"
    MISSING = "the object is missing"
    TORN = "the object is shorter than it was, or holds other bytes"


class ObjectUnreachable(Unavailable, Unreadable):
    """Logs that cannot be read now, because what holds them cannot be had: 1240002.

    There is never a shorter text instead.
    """

    text = Text(
        "部分日志暂时无法读取：对象存储未返回完整数据，请稍后重试",
        "Some logs cannot be read now: the object store did not return them. Try again later",
    )

    def __init__(self, fault: Fault, key: str) -> None:
        """`key` is for our own log and for `verify_logs`; no answer tells it."""
        self.fault, self.key = fault, key
        super().__init__()


class ForeignStore(Exception):
    """The object store belongs to another store, or to another place of this one."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Nothing is written to or deleted from OBJECT_STORE_URL: {why} If this store is to "
            "own it from now on, such as after a restore, start once with OBJECT_STORE_ADOPT=on."
        )
