"""How pages are written: whole pages by Django's templates, what repeats in them by Jinja2's."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template import RequestContext, engines
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from jinja2 import Environment, StrictUndefined


def rendered(name: str, context: dict[str, Any], request: HttpRequest) -> str:
    """What `render_to_string` gives, without what it leaves behind.

    What lies on a stack of Django's knows its stack: a cycle, by which all that a page showed,
    thousands of hosts, would wait for the garbage collector. A plain dict does not.
    """
    stack = RequestContext(request)
    stack.dicts[-1] = context
    template: Any = get_template(name)
    return str(template.template.render(stack))


def partial(name: str, **context: object) -> SafeString:
    """HTML of a template of `templates/partials`, for a page to hold. Raises if a name is not
    given that the template uses."""
    html = engines["partials"].get_template(name).render(context)
    return mark_safe(html)  # noqa: S308 - the environment below escapes what it is given


def partials(**options: Any) -> Environment:
    """Jinja2 environment of the partials: everything is escaped, texts are `{{ _("…") }}`."""
    options |= {"autoescape": True, "undefined": StrictUndefined}
    environment = Environment(trim_blocks=True, lstrip_blocks=True, **options)  # noqa: S701 - on
    environment.globals = {"_": gettext}
    return environment
