"""Rendering of pages: whole pages with Django's templates, repeated parts with Jinja2's."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template import RequestContext, engines
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from jinja2 import Environment, StrictUndefined


def rendered(name: str, context: dict[str, Any], request: HttpRequest) -> str:
    """Return what `render_to_string` returns, without leaving a reference cycle.

    The dicts that Django pushes to a context's stack refer to the stack: a cycle that keeps all the
    data of a page, thousands of hosts, in memory until garbage is collected. A plain dict does not.
    """
    stack = RequestContext(request)
    stack.dicts[-1] = context
    template: Any = get_template(name)
    return str(template.template.render(stack))


def partial(name: str, **context: object) -> SafeString:
    """Return the HTML of a template in `templates/partials`, to be included in a page.

    Raises UndefinedError if the template uses a name that is not given.
    """
    html = engines["partials"].get_template(name).render(context)
    return mark_safe(html)  # noqa: S308 - the environment below escapes all values


def partials(**options: Any) -> Environment:
    """Return the Jinja2 environment of the partials: it escapes everything; texts are
    `{{ _("…") }}`."""
    options |= {"autoescape": True, "undefined": StrictUndefined}
    environment = Environment(trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701 - on
    environment.globals = {"_": gettext}
    return environment
