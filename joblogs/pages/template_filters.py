"""Filters that every template of Django's engine has."""

from __future__ import annotations

from django import template

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
