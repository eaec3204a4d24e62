"""Filters and tags that are available in every Django template."""

from __future__ import annotations

from django import template

from joblogs.export import Format

from .formats import number

register = template.Library()


class GroupedNumber(int):
    """Integer that is formatted in groups of three digits, in translated sentences too."""

    def __str__(self) -> str:
        return number(int(self))


@register.filter
def grouped(value: int) -> GroupedNumber:
    """Return a count formatted as 12,345. Not for numbers that are identifiers."""
    return GroupedNumber(value)


@register.simple_tag
def export_formats() -> list[str]:
    """Return the names of the formats in which a page can be exported."""
    return list(Format)
