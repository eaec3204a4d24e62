"""Output of ordinary tools, as the benchmark makes it: deviants apart, ordinary hosts together."""

from __future__ import annotations

import pytest

from benchmarks.group_kinds import KINDS, Kind
from benchmarks.groups import tried

HIDDEN = {"a user of its own on each host": 1}
"""Deviants that nothing tells from noise: docs/grouping.md."""
TOGETHER = {"clock a year or three days off", "md5sum of twelve files"}
"""Two ways to deviate in the same places are one group, whose card lists both values."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_deviants_are_apart_and_ordinary_hosts_together(kind: Kind) -> None:
    figures = tried(kind, hosts=500)
    assert figures.apart == figures.planted - HIDDEN.get(kind.name, 0)
    assert figures.false == 0
    fewer = HIDDEN.get(kind.name, 0) + (kind.name in TOGETHER)
    assert figures.groups == figures.wanted - fewer
