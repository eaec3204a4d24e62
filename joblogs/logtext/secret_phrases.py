"""Rules for secrets after a name and some words, and for passwords that are words themselves.

`passphrase for key: …`, `ENV SECRET_KEY …`, `password: Hunter` at the end of a line, and words in
quotes. Nothing distinguishes these values from prose, so common words of messages are excluded.
"""

from __future__ import annotations

from typing import Final

from .secret_forms import Rule, any_of, spelled
from .secret_names import (
    BLANK,
    NONE,
    PASSWORD,
    PASSWORDS,
    TOKENS,
    VALUE,
    WITHIN,
    token_of,
    value_with,
)

_MESSAGE: Final = [
    *NONE,
    *("added", "deprecated", "fixed", "removed", "renamed", "replaced", "specify", "supported"),
    *("a", "accepted", "again", "all", "always", "an", "and", "any", "are", "array", "at"),
    *("bcrypt", "blank", "boolean", "both", "by", "bytes", "can", "cannot", "change", "changed"),
    *("char", "check", "choose", "click", "confirm", "confirmation", "contains"),
    *("create", "current", "database", "denied", "do", "does", "email", "encrypted", "enter"),
    *("existing", "fail", "field", "for", "forgot", "forgotten", "from", "generate", "generated"),
    *("get", "given", "has", "hash", "hashed", "have", "here", "i", "if", "ignored", "in"),
    *("input", "integer", "is", "it", "its", "keep", "key", "ldap", "length", "login", "make"),
    *("may", "md", "method", "mismatch", "must", "my", "name", "needed", "never", "new"),
    *("number", "object", "of", "old", "only", "or", "other", "pam", "passes", "passphrase"),
    *("peer", "plain", "plaintext", "please", "pls", "prompted", "protected", "provided"),
    *("random", "read", "refused", "reject", "rejected", "remember", "repeat", "reset", "retype"),
    *("root", "same", "scram", "see", "sent", "server", "should", "show", "skipped", "sorry"),
    *("success", "succeeded", "successful", "successfully", "symbol", "that", "the", "their"),
    *("there", "this", "to", "too", "type", "unchanged", "updated", "use", "used", "user"),
    *("username", "using", "valid", "varchar", "verify", "via", "was", "weak", "when", "will"),
    *("with", "without", "write", "you", "your"),
]
"""Words with which a message begins in the place of a password."""

_NOT_A_LETTER: Final = rb"^\s\"'`;,&<>|()\[\]{}\\*$%@/.!=:?~#0-9_\x80-\xff\x00-\x1f-"
_WORD: Final = spelled(_MESSAGE, _NOT_A_LETTER) + rb"[A-Za-z]{1,40}"
_PHRASE: Final = spelled(_MESSAGE, _NOT_A_LETTER) + rb"[^\"'\n]{0,60}[ ]"
_NAME_ENDS: Final = rb"(?:\\{0,6}[\"'])?"
_IS: Final = _NAME_ENDS + BLANK + rb"(?::|=)" + BLANK
_OF_ENV: Final = rb"[0-9A-Z_]{0,60}"


def _row(name: str, begins: tuple[bytes, ...], then: bytes, example: str, other: str) -> Rule:
    return Rule(
        name,
        begins,
        then,
        WITHIN,
        b"",
        example,
        other,
        ignore_case=True,
        anywhere=True,
        assignment=True,
    )


_CLEAR: Final = value_with(
    (rb"[A-Za-z_]", rb"[A-Za-z_.:/$=]"), (rb"[^\x00-\xff]", rb"[0-9!@#^+~%]"), VALUE, 7
)
"""Value that is not the continuation of a sentence: `the password is sha-256`, `is 128-bit`."""
_ASCII: Final = value_with(
    (rb"[A-Za-z_]", rb"[A-Za-z_.:/$=-]"), (rb"[0-9^+]", rb"[0-9!@#^+~%?]"), VALUE, 4
)
_VALUE_OF: Final = any_of([PASSWORD, token_of(8)])
_QUOTE: Final = rb"(?:\\{0,6}[\"'])"

PHRASES: Final[tuple[Rule, ...]] = (
    _row(
        "password-is",
        PASSWORDS,
        any_of(
            [
                rb"[ \t]{1,2}(?:(?:is|was)(?:[ \t](?:now|set to|reset to|changed to))?"
                rb"|set to|reset to|changed to)[ \t]?[:=]?[ \t]{1,3}[\"'`]?(" + _CLEAR + b")",
                any_of(word.encode() for word in ("是", "为", "重置为", "修改为", "设置为"))
                + rb"(?:\xef\xbc\x9a|:)?[ \t]{0,3}[\"'`]?("
                + _ASCII
                + b")",
            ]
        ),
        "the root password is «Tr0ub4dor.3x»",
        "password is required, password is 128-bit, password was changed, password is sha-256",
    )._replace(more=VALUE),
    _row(
        "password-generated",
        (b"temporary password is generated for ", b"password for the "),
        rb"[^\n:]{1,80}:[ \t]{1,4}([^\s*]{6})",
        "A temporary password is generated for root@localhost: «<;k2Gq#a»",
        "password for the user is: none, password for the app: $X",
    )._replace(more=rb"[^\s*]"),
    _row(
        "initial-password",
        (b"password to proceed to installation:",),
        rb"[\r\n \t]{1,8}([0-9a-f]{32})",
        f"use the following password to proceed to installation:\n\n«{'0123456789abcdef' * 2}»",
        "password to proceed to installation:\n\nThis may also be found at: /var/x",
    )._replace(within=rb"[\r\n \t0-9A-Fa-f]", more=rb"[0-9A-Fa-f]", lines=True),
    *(
        _row(
            "value-of-name",
            names,
            any_of(
                [
                    _QUOTE + rb"[ \t]{1,4}value[ \t]?=[ \t]?" + _QUOTE,
                    _QUOTE + b">",
                    _QUOTE
                    + rb"[ \t]{0,3},[ \t\r\n]{0,40}"
                    + _QUOTE
                    + b"value"
                    + _QUOTE
                    # In YAML.
                    + rb"[ \t]{0,3}:[ \t]{0,3}"
                    + _QUOTE,
                    rb"[\"']?[ \t]{0,4}\r?\n[ \t]{0,40}value:[ \t]{1,4}[\"']?",
                ]
            )
            + b"("
            + _VALUE_OF
            + b")",
            f"- name: {name}\n  value: «Tr0ub4dor.3x»\n",
            f"- name: {name}\n  valueFrom: x1, name: {name}\n  value: $(X1)",
        )._replace(
            more=VALUE,
            lines=True,
            unfinished=_QUOTE
            + rb"?[ \t\r\n,>]{0,60}(?:[\"'\\]{0,7}[a-z]{1,5}[\"'\\ \t:=]{0,16}"
            + VALUE
            + b"{0,64})?",
        )
        for names, name in ((PASSWORDS, "DB_PASSWORD"), (TOKENS, "API_TOKEN"))
    ),
    _row(
        "password-for",
        (b"password for ", b"passphrase for ", b"passwd for "),
        rb"[^\s:]{1,80}(?:[ \t][^\s:]{1,80}){0,2}:[ \t]{1,4}(" + PASSWORD + b")",
        "passphrase for key: «Tr0ub4dor.3x»",
        "Password for app: , password for user failed: no, [sudo] password for ci: Sorry",
    )._replace(more=VALUE),
    _row(
        "kubeadm-token",
        (b"token",),
        any_of([_IS, rb"[ \t]{1,4}"]) + rb"[\"']?([0-9a-z]{6}\.[0-9a-z]{16})",
        "kubeadm join 10.0.0.1:6443 token: «abcdef.0123456789abcdef»",
        "token: some.expression, token module.attribute",
    )._replace(more=rb"[0-9a-z]"),
    _row(
        "kubeadm-token",
        (b"certificate-key",),
        any_of([_IS, rb"[ \t]{1,4}"]) + rb"[\"']?([0-9a-f]{64})",
        f"kubeadm join --certificate-key «{'0123456789abcdef' * 4}»",
        "certificate-key: /etc/key.pem",
    )._replace(more=rb"[0-9a-z]"),
    _row(
        "env-instruction",
        (b"ENV ", b"ARG ", b"setx ", b"set -x ", b"set -gx ", b"set -Ux "),
        _OF_ENV
        + rb"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|(?:SECRET|ACCESS|PRIVATE)_?KEY)"
        + _OF_ENV
        + rb"[ \t]{1,4}[\"']?("
        + any_of([token_of(8), PASSWORD])
        + b")",
        "Step 3/9 : ENV SECRET_KEY «abc123def456ghi»",
        "ENV TOKEN_FILE /run/token, ENV SECRET_KEY $KEY, env token, set -x TOKEN $T",
    )._replace(more=VALUE, ignore_case=False),
    _row(
        "password-of-letters",
        PASSWORDS[:4],
        _NAME_ENDS + BLANK + rb":[ \t]{1,8}(" + _WORD + rb")[ \t]{0,4}[\r\n]",
        "password: «Hunter»\n",
        "password: required\nPassword: Sorry\npassword: denied for app\n",
    ),
    *(
        # As in a shell or a connection string: no blanks around the sign.
        _row(
            "password-of-words",
            PASSWORDS[:4],
            b"=" + quote + b"(" + _PHRASE + rb"[^\"'\n]{0,60}[0-9][^\"'\n]{0,60})" + quote,
            f"host=db password={sign}«blue sky 9»{sign}",
            f"password={sign}my own{sign}",
        )
        for quote, sign in ((rb"\"", '"'), (rb"'", "'"))
    ),
    *(
        _row(
            "password-of-words",
            PASSWORDS[:4],
            _IS + quote + rb"(" + _WORD + rb"(?:[ ][a-z0-9]{1,20}){1,7})" + quote,
            f"password: {sign}«horse battery staple»{sign}",
            f"password: {sign}is required{sign}, password = {sign}Enter your password{sign}",
        )
        for quote, sign in ((rb"\"", '"'), (rb"'", "'"))
    ),
    *(
        _row(
            "secret-of-letters",
            TOKENS,
            _IS + quote + rb"((?-i:[a-z]{16,64}|[A-Z]{16,64}))" + quote,
            f"secret = {sign}«abcdefghijklmnop»{sign}",
            f"secret = {sign}secret_name_of_it{sign}, token: {sign}AccessTokenProvider{sign}",
        )
        for quote, sign in ((rb"\"", '"'), (rb"'", "'"))
    ),
)
"""Rules that MASK_ASSIGNMENTS can switch off."""
