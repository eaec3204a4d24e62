"""Secret rules of an operator, from JSON. A rule that could not be applied correctly is refused.

{"itk": {"begins": "itk_", "then": "[0-9a-f]{32}", "more": "[0-9a-f]"}}
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import re2

from .secret_rules import LOOK_BACK, Rule

SHORTEST, LONGEST = 3, 200
"""Limits for the bytes that a rule begins with."""
LARGEST = 20_000
"""Maximum instructions of an expression: a rule costs time for every byte of every log."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_KEYS: Final = {"begins", "then", "more", "ignore_case"}
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]")
_CLASSES: Final = {r"\w", r"\d", r"\S"}
_TOKEN: Final = re.compile(rf"\\.|{_CLASS.pattern}", re.S)
_ASSERTIONS: Final = {r"\b", r"\B", r"\A", r"\z", r"\Q"}
_NOTHING: Final = rb"[^\x00-\xff]"


class InvalidRule(ValueError):
    """A rule is invalid or could not be applied. The message names the rule, never a secret."""


def rules_of(patterns: object, taken: Iterable[str] = ()) -> tuple[Rule, ...]:
    """Return the rules in a JSON object of name to pattern; names in `taken` are refused.

    Raises InvalidRule.
    """
    if not isinstance(patterns, dict):
        raise InvalidRule("it is no JSON object of name to pattern")
    for name in patterns:
        if not _NAME.fullmatch(name):
            raise InvalidRule(f"{name!r}: a name is 1 to 40 lowercase letters, digits and dashes")
        if name in taken:
            raise InvalidRule(f"{name!r} is the name of a built-in pattern")
    return tuple(_rule(name, pattern) for name, pattern in patterns.items())


def literal(name: str, secret: bytes) -> Rule:
    """Return a rule for one known secret. Raises InvalidRule."""
    if not SHORTEST <= len(secret) <= LOOK_BACK or re.search(rb"[\r\n*]", secret):
        limit = f"{SHORTEST} to {LOOK_BACK} bytes without line breaks and asterisks"
        raise InvalidRule(f"{name}: {limit}")
    return Rule(name, (secret,), b"()", _NOTHING, anywhere=True)


def _rule(name: str, pattern: object) -> Rule:
    if not isinstance(pattern, dict) or not {"begins", "then"} <= pattern.keys() <= _KEYS:
        raise InvalidRule(f'{name!r} needs "begins" and "then", may have "more" and "ignore_case"')
    begins, then, more = pattern["begins"], pattern["then"], pattern.get("more", "")
    ignore_case = pattern.get("ignore_case", False)
    if not all(isinstance(text, str) for text in (begins, then, more)):
        raise InvalidRule(f"{name!r}: begins, then and more are texts")
    if not isinstance(ignore_case, bool):
        raise InvalidRule(f"{name!r}: ignore_case is true or false")
    literal = begins.encode(errors="replace")
    if not SHORTEST <= len(literal) <= LONGEST or re.search(rb"[\0\r\n*]", literal):
        limit = f"{SHORTEST} to {LONGEST} bytes without line breaks and asterisks"
        raise InvalidRule(f"{name!r}: begins has {limit}")
    if fault := _fault(_bare(then)):
        raise InvalidRule(f"{name!r}: then {fault}")
    expression = _compiled(name, "then", then)
    if expression.groups > 1:
        raise InvalidRule(f"{name!r}: then has several groups; (?:…) is one that masks nothing")
    if expression.fullmatch(b""):
        raise InvalidRule(f"{name!r}: then is fulfilled by nothing at all")
    if expression.programsize > LARGEST:
        raise InvalidRule(f"{name!r}: then is too large: {expression.programsize} instructions")
    if more:
        if not _CLASS.fullmatch(more) and more not in _CLASSES:
            raise InvalidRule(f"{name!r}: more is one class of bytes, such as [0-9a-f]")
        _compiled(name, "more", more)
    return Rule(
        name,
        (literal,),
        then.encode(),
        within=rb"[^\n]",
        more=more.encode(),
        ignore_case=ignore_case,
        own=True,
    )


def _bare(expression: str) -> str:
    """Return an expression with `x` for each class and escape, and `^` for each assertion."""
    return _TOKEN.sub(lambda found: "^" if found[0] in _ASSERTIONS else "x", expression)


def _fault(bare: str) -> str:
    if re.search(r"[*+]|\{[0-9]*,\}", bare):
        return "repeats something without end: say how often at most, as in {1,40}"
    if re.search(r"[$^]", bare):
        return "looks at what stands beside it: the text may not have come yet"
    if re.search(r"(\?|\{[0-9]*,[0-9]*\})\)*$", bare):
        return "ends in something optional: say the least, as in {8}, and in more what may follow"
    return ""


def _compiled(name: str, key: str, expression: str) -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_nl = True
    try:
        return re2.compile(expression.encode(), options)
    except (re2.error, UnicodeEncodeError) as error:
        pattern = error.args[0] if error.args else b""
        text = pattern.decode(errors="replace") if isinstance(pattern, bytes) else "it is no text"
        raise InvalidRule(f"{name!r}: {key} is no expression of RE2: {text}") from None
