"""A value is called by a readable piece of its line."""

from __future__ import annotations

import pytest

from joblogs.grouping.skeletons import lines_of_each
from joblogs.step_groups.labels import LABEL_CHARACTERS, cut_at_character, label


def _label(line: str, value: str) -> str:
    """The label of a value, by how it is written."""
    data = line.encode()
    (found,) = next(lines_of_each([data]))
    at = data.index(value.encode())
    start = next(start for start, end in found.slots if start <= at < end)
    return label(data, found.slots, start).decode()


@pytest.mark.parametrize(
    ("line", "value", "called"),
    [
        ("config checksum: 4be07a55 loaded", "4be0", "config checksum"),
        (" 08:49:08 up 156 days,  8:43,  2 users,  load average: 0.61, 83.79", "2 ", "… users"),
        (
            " 08:49:08 up 156 days,  8:43,  2 users,  load average: 0.61, 83.79",
            "0.61",
            "load average",
        ),
        ("Tasks: 9 (limit: 9354)", "9354", "limit"),
        ("9 upgraded, 8 newly installed, 0 to remove and 2 not upgraded.", "2", "… not upgraded"),
        (
            "9 upgraded, 8 newly installed, 0 to remove and 2 not upgraded.",
            "8",
            "… newly installed",
        ),
        ("/dev/vdb1 500G 330G 170G  66% /data", "330G", "/dev/vdb1 500G … 170G 66% /data"),
        (
            "Reference ID    : 0A00D02D (ntp2.corp.example)",
            "ntp2",
            "Reference ID : 0A00D02D (….corp.example)",
        ),
        ("备份旧版本至 /data/backup/order-20261130，大小 222M", "222M", "大小"),
        ("软件包下载完成：order-center-3.8.2.tar.gz，耗时 11 秒", "11", "耗时"),
        (
            "软件包下载完成：order-center-3.8.2.tar.gz，耗时 11 秒",
            "3.8.2",
            "软件包下载完成：order-center",
        ),
        ("order-center 3.8.2（prod），总耗时 31 秒", "31", "总耗时"),
        ("[2026-11-30 10:49:26] [INFO] 当前版本：3.8.0", "3.8.0", "INFO 当前版本"),
        ("服务启动失败：60 秒内端口 8080 未监听", "8080", "内端口"),
        ("下载进度：100% 236.0M/236M 9.6MB/s", "9.6MB", "下载进度：100% 236.0M/236M …/s"),
        ("3.10.0-957.el7", "3.10", ""),
    ],
)
def test_a_label_is_the_words_next_to_the_value_or_the_line(
    line: str, value: str, called: str
) -> None:
    assert _label(line, value) == called


@pytest.mark.parametrize("filler", ["检查磁盘空间", "lorem ", "🙂", "é, ö"])
def test_a_long_label_is_cut_between_characters(filler: str) -> None:
    for count in range(1, 40):
        for line in (
            f"{filler * count}甲: 17",
            f"17 乙{filler * count}",
            f"{filler * count}: 17/乙",
        ):
            called = _label(line, "17")
            assert "�" not in called
            assert 0 < len(called) <= LABEL_CHARACTERS + 2


def test_a_long_label_begins_with_a_word() -> None:
    assert (
        _label("what the seventeenth controller of the rack measured: 17", "17")
        == ("seventeenth controller of the rack measured"[-LABEL_CHARACTERS:].partition(" ")[2])
    )


def test_bytes_are_cut_between_characters() -> None:
    text = "a磁é🙂"
    for size in range(len(text.encode()) + 3):
        cut = cut_at_character(text.encode(), size)
        assert len(cut) <= size
        assert text.startswith(cut.decode())
