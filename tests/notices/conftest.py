from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def private_targets(settings: Any) -> None:
    """Receivers of tests are on this machine."""
    settings.NOTICE_PRIVATE_TARGETS = True
