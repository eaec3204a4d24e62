"""Statuses in words."""

from __future__ import annotations

import pytest
from django.utils import translation

from joblogs.pages.formats import host_status_label


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
