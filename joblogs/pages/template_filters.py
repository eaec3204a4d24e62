"""Filters and tags that every template of Django's engine has."""

from __future__ import annotations

from django import template

from joblogs.export import Format

from .formats import number

register = template.Library()


class GroupedNumber(int):
    """Number that is written in groups of three digits, in translated sentences too."""

    def __str__(self) -> str:
        return number(int(self))


@register.filter
def grouped(value: int) -> GroupedNumber:
    """Count of hosts or lines as people read it: 12,345. Numbers that name something stay."""
    return GroupedNumber(value)


@register.simple_tag
def export_formats() -> list[str]:
    """Names of the formats that a page can be saved in."""
    return list(Format)
