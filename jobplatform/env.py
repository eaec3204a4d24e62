"""Strict parsing of environment variables (README, "Configuration").

An invalid value stops the start with a message that names the variable: a typo must not silently
become a default. So does a variable that is set but empty; unset means the default. Messages never
quote a value that may hold a secret.

`django-environ` parses the database URL. Its own casts are not used: they read `tru` as False, and
they resolve a value that begins with `$` as the name of another variable, even for a secret key.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

import environ
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.exceptions import ImproperlyConfigured

from joblogs.logtext.custom_rules import InvalidRule, rules_of
from joblogs.logtext.secret_rules import Rule

_BOOLEANS: Final = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
_HOST: Final = re.compile(r"\*|\.?[\w-]+(\.[\w-]+)*\.?|\[[0-9A-Fa-f:.]+\]", re.ASCII)
_OBJECT_STORE_SCHEMES: Final = ("s3", "az", "gs", "file")
_MAIL_SCHEMES: Final = ("smtp", "smtp+tls", "smtp+ssl")
_DATABASE_SCHEMES: Final = ("sqlite", "postgres", "postgresql")
_LONGEST_DAYS: Final = 365_000  # beyond it "today minus so many days" leaves the calendar


def boolean(name: str, *, default: bool) -> bool:
    """Return a boolean: true/false/1/0/yes/no/on/off in any case, and nothing else."""
    value = _read(name)
    if value is None:
        return default
    if value.lower() not in _BOOLEANS:
        raise _refusal(name, f"must be true, false, 1, 0, yes, no, on or off, not {value!r}")
    return _BOOLEANS[value.lower()]


def integer(name: str, *, default: int, minimum: int = 0, maximum: int = 2**63 - 1) -> int:
    """Return an integer: decimal digits only, without sign, blank, underscore or unit."""
    value = _read(name)
    if value is None:
        return default
    if not re.fullmatch("[0-9]{1,19}", value) or not minimum <= int(value) <= maximum:
        raise _refusal(name, f"must be a whole number from {minimum} to {maximum}, not {value!r}")
    return int(value)


def retention_days(name: str, *, default: int = 0) -> int | None:
    """Return days to keep something. 0 becomes None, for ever: subtracting 0 would give today."""
    return integer(name, default=default, maximum=_LONGEST_DAYS) or None


def choice(name: str, *, of: tuple[str, ...], default: str) -> str:
    """Return one of these words; case matters."""
    value = _read(name) or default
    if value not in of:
        raise _refusal(name, f"must be {' or '.join(of)}, not {value!r}")
    return value


def words(name: str, *, of: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    """Return some of these words, separated by commas."""
    value = _read(name)
    if value is None:
        return default
    found = tuple(word.strip() for word in value.split(","))
    for word in set(found).difference(of):
        raise _refusal(name, f"must be of {', '.join(of)}, separated by commas, not {word!r}")
    return found


def text(name: str, *, default: str) -> str:
    """Return any text of one line."""
    value = _read(name)
    if value is not None and not value.isprintable():
        raise _refusal(name, "must be one line")
    return default if value is None else value


def mail(name: str) -> dict[str, Any]:
    """Return Django's mail settings from a URL, such as smtp+tls://USER:PASSWORD@HOST:587."""
    value = _read(name) or "smtp://localhost:25"
    if value.partition("://")[0] not in _MAIL_SCHEMES:
        raise _refusal(name, f"must begin with one of {', '.join(_MAIL_SCHEMES)}, then ://")
    try:
        config: dict[str, Any] = environ.Env.email_url_config(value)
    except ValueError:  # it may quote the password
        raise _refusal(name, "is not the URL of a mail server") from None
    if not config["EMAIL_HOST"]:
        raise _refusal(name, "names no host")
    return config


def sha256(name: str) -> bytes | None:
    """Return the SHA-256 of a secret, given in hexadecimal instead of the secret itself."""
    value = _read(name)
    if value is None:
        return None
    if not re.fullmatch("[0-9a-fA-F]{64}", value):  # not quoted: it may be the secret itself
        raise _refusal(name, "must be 64 hexadecimal digits, the SHA-256 of the token")
    return bytes.fromhex(value)


def token(name: str) -> str | None:
    """Return a token of an app, as `create_app --token` prints it."""
    value = _read(name)
    if value is not None and not re.fullmatch(r"jlt_[\w-]+", value, re.ASCII):  # never quoted
        raise _refusal(name, "must be a token that create_app --token printed; it begins with jlt_")
    return value


def folder(name: str) -> str | None:
    """Return the path of a writable folder."""
    value = _read(name)
    if value is not None and not (os.path.isdir(value) and os.access(value, os.W_OK | os.X_OK)):
        raise _refusal(name, f"must be a folder that may be written to, not {value!r}")
    return value


def origin(name: str) -> str | None:
    """Return the scheme, host and port of an address, which must have no path."""
    value = _read(name)
    if value is None:
        return None
    scheme, separator, place = value.removesuffix("/").partition("://")
    host, _, port = place.rpartition(":") if re.search(":[0-9]+$", place) else (place, "", "")
    if scheme not in ("http", "https") or not separator or not _HOST.fullmatch(host):
        # Not quoted: an address may hold a password.
        raise _refusal(name, "must be http:// or https://, a host and at most a port")
    if host.startswith(("*", ".")) or (port and not 0 < int(port) < 65536):
        raise _refusal(name, "must name one host, and a port below 65536")
    return f"{scheme}://{place}"


def object_store(name: str) -> str | None:
    """Return the address of an object store: a bucket or folder, and optionally a path in it.

    Credentials are in variables of their own, because the address is shown in logs.
    """
    value = _read(name)
    if value is None:
        return None
    scheme, separator, place = value.partition("://")
    if scheme not in _OBJECT_STORE_SCHEMES or not separator:
        raise _refusal(name, f"must begin with one of {', '.join(_OBJECT_STORE_SCHEMES)}, then ://")
    if not re.fullmatch(r"[A-Za-z0-9._/ -]+" if scheme == "file" else r"[A-Za-z0-9._/-]+", place):
        # Not quoted: it may hold a key.
        raise _refusal(name, "must be a bucket and at most a path; keys are given apart from it")
    if scheme == "file" and not place.startswith("/"):
        raise _refusal(name, "needs three slashes: file:///PATH is a folder")
    if scheme != "file" and place.startswith("/"):
        raise _refusal(name, "names no bucket")
    return value.rstrip("/")


def hosts(name: str, *, default: list[str]) -> list[str]:
    """Return host names separated by commas. With a scheme or a port they would never match."""
    value = _read(name)
    if value is None:
        return default
    names = [host.strip() for host in value.split(",")]
    for host in names:
        if not _HOST.fullmatch(host):
            raise _refusal(name, f"must be host names separated by commas; {host!r} is none")
    return names


def database(name: str, *, default: str = "", root: Path) -> dict[str, Any]:
    """Return Django's database settings from a URL, or {}. `root`: start of a relative path."""
    url = _read(name) or default
    if not url:
        return {}
    scheme, _, rest = url.partition("://")
    if scheme not in _DATABASE_SCHEMES:
        raise _refusal(name, f"must begin with one of {', '.join(_DATABASE_SCHEMES)}, then ://")
    # sqlite://file.db would name a host, be ignored, and keep everything in memory.
    if scheme == "sqlite" and not rest.startswith("/") and rest != ":memory:":
        raise _refusal(name, "needs three slashes before a relative SQLite path, four before /")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:  # it may quote the password, so neither the text nor the cause is shown
        raise _refusal(name, "is not a database URL") from None
    if not config["NAME"]:
        raise _refusal(name, "names no database")
    if scheme == "sqlite" and config["NAME"] != ":memory:":
        config["NAME"] = str(root / config["NAME"])
    return config


def secret_key(name: str, *, generate: bool, file: Path) -> str:
    """Return the key from the environment or, if `generate`, from `file`, created on first use.

    There is no default, because everyone would know it.
    """
    value = _read(name)
    if value is not None:
        return value
    if not generate:
        raise _refusal(name, "must be set, unless DEBUG is on")
    if not file.exists():
        try:
            _write_private(file, secrets.token_urlsafe(64))
        except OSError as error:
            why = f"is unset, and {file.parent} cannot be written to ({error.strerror})"
            raise _refusal(name, f"{why}: set JOBLOGS_HOME too") from None
    key = file.read_text(encoding="ascii").strip()
    if not key:
        raise _refusal(name, f"is unset and {file.name} is empty: remove that file")
    return key


def public_keys(name: str, *, root: Path) -> dict[str, str]:
    """Return RSA public keys in PEM by key id, from a JSON object or the path of a file."""
    keys = _object(name, root=root, of="key id to PEM")
    for kid, pem in keys.items():
        if not isinstance(pem, str) or not _is_rsa(pem):
            raise _refusal(name, f"holds no RSA public key in PEM for {kid!r}")
    return keys


def secret_rules(name: str, *, root: Path, built_in: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the built-in rules of secrets and those of a JSON object or the path of a file."""
    patterns = _object(name, root=root, of="name to pattern")
    own = {key: dict(one) if isinstance(one, _Pairs) else one for key, one in patterns.items()}
    try:
        return (*built_in, *rules_of(own, taken={rule.name for rule in built_in}))
    except InvalidRule as error:
        raise _refusal(name, f"cannot be used: {error}") from None


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as pairs, including duplicate keys."""


def _object(name: str, *, root: Path, of: str) -> dict[str, Any]:
    """Return a JSON object without duplicate keys, given itself or as the path of a file."""
    value = _read(name)
    if value is None:
        return {}
    if not value.lstrip().startswith("{"):
        try:
            value = (root / value).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise _refusal(name, f"is neither a JSON object nor a readable file: {error}") from None
    try:
        pairs = json.loads(value, object_pairs_hook=_Pairs)
    except ValueError as error:
        raise _refusal(name, f"is not JSON: {error}") from None
    if not isinstance(pairs, _Pairs):
        raise _refusal(name, f"must be a JSON object of {of}")
    for key, times in Counter(key for key, _ in pairs).items():
        if times > 1:
            raise _refusal(name, f"names {key!r} twice")
    return dict(pairs)


def _read(name: str) -> str | None:
    value = os.environ.get(name)
    if value == "":
        raise _refusal(name, "is empty: give it a value or unset it")
    return value


def _refusal(name: str, problem: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"The environment variable {name} {problem}.")


def _is_rsa(pem: str) -> bool:
    try:
        return isinstance(load_pem_public_key(pem.encode()), RSAPublicKey)
    except (ValueError, UnsupportedAlgorithm):
        return False


def _write_private(file: Path, text: str) -> None:
    """Create `file` atomically with mode 0600. If two processes start together, one wins."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)  # mkstemp: mode 0600
    try:
        os.fchmod(handle, 0o600)  # a umask may have removed bits
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text + "\n")
        os.link(name, file)
    except FileExistsError:
        return
    finally:
        Path(name).unlink()
