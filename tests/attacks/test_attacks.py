"""The table in the docs is that of the program."""

from __future__ import annotations

import re
from pathlib import Path

from tests.attacks.attacks import ATTACKS

SECURITY = Path(__file__).resolve().parents[2] / "docs" / "security.md"


def test_the_docs_list_the_attacks_that_the_program_tries() -> None:
    text = SECURITY.read_text("utf-8").partition("## Attacks tried")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (\d+) \| (\d+) \|$", text, flags=re.MULTILINE)
    assert [name for name, _, _ in rows] == [name for name, _ in ATTACKS]
    assert {through for _, _, through in rows} == {"0"}
