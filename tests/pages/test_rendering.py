"""Pages are written as Django writes them, and leave nothing behind."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import jinja2
import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import engines
from django.template.loader import render_to_string
from django.test import RequestFactory

from joblogs.pages import rendering
from joblogs.pages.rendering import partial, partials, rendered

LONGEST_LINE = 170


class Shown:
    text = "<shown>"

    def __str__(self) -> str:
        return self.text


@pytest.fixture
def request_(rf: RequestFactory):
    request = rf.get("/logs/?q=1")
    request.user = AnonymousUser()
    return request


def test_a_page_is_what_django_would_write(request_, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "{{ shown }} {{ user.is_anonymous }} {{ request.path }} "
    made = engines["django"].from_string(source + "{% firstof shown as first %}{{ first }}")
    monkeypatch.setattr(rendering, "get_template", lambda name: made)
    # What the page says goes before what every page is told.
    for context in ({"shown": Shown()}, {"shown": "x", "user": None}):
        assert rendered("any.html", dict(context), request_) == made.render(dict(context), request_)
    assert "&lt;shown&gt; True /logs/ &lt;shown&gt;" in rendered("x", {"shown": Shown()}, request_)


def test_what_a_page_showed_goes_with_it(request_) -> None:
    kept = []
    gc.disable()
    try:
        for write in (rendered, render_to_string):
            shown = Shown()
            kept.append(weakref.ref(shown))
            assert write("joblogs/_filter.html", {"field": None, "shown": shown}, request_)
            del shown
        assert kept[0]() is None
        # If Django has mended it, ours is of no use any more.
        assert kept[1]() is not None
    finally:
        gc.enable()


def test_a_partial_escapes_what_it_is_given() -> None:
    html = partial("host_map.html", squares=[("ok", 'hosts/1/?a="&b', "<b>'web'</b>")])
    assert 'href="hosts/1/?a=&#34;&amp;b"' in html
    assert 'title="&lt;b&gt;&#39;web&#39;&lt;/b&gt;"' in html
    assert "<b>" not in html


def test_a_partial_that_is_not_given_a_name_says_so() -> None:
    with pytest.raises(jinja2.UndefinedError, match="squares"):
        partial("host_map.html")


def test_no_partial_calls_a_text_safe() -> None:
    environment = partials()
    (folder,) = engines["partials"].dirs
    for path in Path(folder).glob("*.html"):
        tree = environment.parse(path.read_text())
        assert {node.name for node in tree.find_all(jinja2.nodes.Filter)}.isdisjoint({"safe"})
        assert not list(tree.find_all(jinja2.nodes.ScopedEvalContextModifier))


def test_templates_are_written_in_lines_that_can_be_read() -> None:
    (folder,) = engines["django"].dirs
    long = [
        (path.name, number)
        for path in sorted(Path(folder).rglob("*.html"))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []
