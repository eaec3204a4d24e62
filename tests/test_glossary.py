"""The glossary of docs/README.md stays short, and the index beside it names every document."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
INDEX = (DOCS / "README.md").read_text("utf-8")


def test_the_glossary_has_at_most_thirty_words_each_once() -> None:
    words = re.findall(r"^\| ([a-z ]+) \|", INDEX.split("## Glossary")[1], re.M)
    assert words[0] == "word"
    assert 20 <= len(words) - 1 <= 30
    assert len(set(words)) == len(words)


def test_the_index_links_every_document_and_nothing_that_is_not_there() -> None:
    linked = {link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", INDEX)}
    assert {link for link in linked if not (DOCS / link).exists()} == set()
    written = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    assert written <= linked


def test_links_to_a_heading_lead_to_one() -> None:
    for link in re.findall(r"\]\(([^)]+#[^)]+)\)", INDEX):
        file, _, anchor = link.partition("#")
        headings = re.findall(r"^#+ (.+)$", (DOCS / file).read_text("utf-8"), re.M)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, link
