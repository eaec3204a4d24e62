"""Cards of a step in which very many hosts fail, each in its own way."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joblogs import log_features
from joblogs.models import HostResult
from tests.pages.page_helpers import page, staff
from tests.pages.test_group_cards import HTML_MAX, _load, _plain, _step, _word

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_2_000_failures_of_20_000_hosts_make_a_small_page_in_as_many_statements() -> None:
    client, counts = staff(), []
    for hosts in (200, 20_000):
        _load(
            range(1, hosts + 1),
            lambda host: f"error: {_word(host)}\n" if host % 10 == 0 else "ok\n",
        )
        rows = list(HostResult.objects.all())
        log_features.compute_and_keep(rows[0].day, rows, seconds=600)
        client.get(page("step", host=None))
        with CaptureQueriesContext(connection) as made:
            shown = _step(client)
        counts.append(len(made))
        assert len(shown) < HTML_MAX
    assert "2,000 failed in 2,000 ways" in _plain(shown)
    assert counts[0] == counts[1]
