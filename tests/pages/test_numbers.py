"""How pages write counts and attempts."""

from __future__ import annotations

import pytest
from django.template import engines
from django.urls import reverse
from django.utils.translation import override

from joblogs.pages.formats import number
from tests.builders import job, load, result, script_log, step
from tests.pages.page_helpers import page, staff, text


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_counts_are_written_in_groups_of_three_digits(language: str) -> None:
    source = (
        "{% load i18n %}{{ n|grouped }} {% blocktranslate count n=n|grouped trimmed %}"
        "{{ n }} line{% plural %}{{ n }} lines{% endblocktranslate %}"
    )
    with override(language):
        shown = engines["django"].from_string(source).render({"n": 1234567})
        assert number(1234567) == "1,234,567"
    assert shown.startswith("1,234,567 1,234,567 ")


@pytest.mark.django_db
def test_the_pages_of_a_large_step_group_their_counts() -> None:
    load(job(), step())
    load(*[result(host, status=9) for host in range(1, 1102)])
    load(script_log("".join(f"line {n}\n" for n in range(1500)), host=1))
    client = staff()
    shown = text(client, page("step", host=None))
    assert "1,101 hosts" in shown
    assert "Hosts 1,101" in shown
    assert "1,101 succeeded" in text(client, reverse("staff:jobs"))
    assert "1,500 lines" in text(client, page("log", host=1))


@pytest.mark.django_db
def test_people_count_attempts_from_one() -> None:
    load(job(), step(), result(101, status=104), script_log("one\n"))
    load(result(101, status=9, execute_count=1), script_log("two\n", execute_count=1))
    client = staff()
    shown = text(client, reverse("staff:host", args=[101]))
    assert "attempt 1" in shown
    assert "attempt 2" in shown
    assert "attempt 0" not in shown
    assert "as of attempt latest 1 2" in text(client, page("step", host=None))
    assert "attempt 1 2 Show" in text(client, page("log"))
