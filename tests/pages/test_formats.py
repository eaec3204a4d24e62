"""Statuses and durations in words."""

from __future__ import annotations

import pytest
from django.utils import translation

from joblogs.pages.formats import duration, host_status_label


@pytest.mark.parametrize(
    ("status", "exit_code", "language", "label"),
    [
        (9, 0, "en", "succeeded"),
        (104, 2, "en", "exit code 2"),
        (77, None, "en", "status 77"),
        (77, None, "zh-hans", "状态 77"),
    ],
)
def test_a_status_is_a_word_and_one_that_is_not_listed_says_that_it_is_a_status(
    status: int, exit_code: int | None, language: str, label: str
) -> None:
    with translation.override(language):
        assert host_status_label(status, exit_code) == label


@pytest.mark.parametrize(
    ("milliseconds", "label"),
    [
        (None, "–"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (9_949, "9.9 s"),
        (9_950, "10 s"),
        (10_000, "10 s"),
        (59_499, "59 s"),
        (59_500, "1 min 0 s"),
        (61_000, "1 min 1 s"),
        (3_599_499, "59 min 59 s"),
        (3_599_500, "1 h 0 min"),
        (7_384_000, "2 h 3 min"),
    ],
)
def test_a_duration_is_rounded_to_its_one_or_two_largest_units(
    milliseconds: int | None, label: str
) -> None:
    with translation.override("en"):
        assert duration(milliseconds) == label
