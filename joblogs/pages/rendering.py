"""How pages are written."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template import RequestContext
from django.template.loader import get_template


def rendered(name: str, context: dict[str, Any], request: HttpRequest) -> str:
    """What `render_to_string` gives, without what it leaves behind.

    What lies on a stack of Django's knows its stack: a cycle, by which all that a page showed,
    thousands of hosts, would wait for the garbage collector. A plain dict does not.
    """
    stack = RequestContext(request)
    stack.dicts[-1] = context
    template: Any = get_template(name)
    return str(template.template.render(stack))
