"""The benchmarks compare what gives the same answer; how fast it is, no test asks."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.db import connection

from tests.serving import ROOT


@pytest.mark.slow
def test_ours_the_floor_and_the_textbook_answer_the_same() -> None:
    command = [sys.executable, "-m", "benchmarks", "--tiny", "--database", connection.vendor]
    done = subprocess.run(
        [*command, "merged"], cwd=ROOT, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if "10 hosts × 20 KB, merged" in line]
    assert ["× floor" in row for row in rows] == [True, False, False], done.stdout
