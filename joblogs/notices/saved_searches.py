"""Saved searches: their patterns, the access of their owners, and their secrets.

The secret that signs the messages of a search is not stored: it is derived from SECRET_KEY and a
random value of the search, so that a copy of the database cannot sign messages.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import hmac
import re
import secrets
from functools import lru_cache

from django.conf import settings
from django.utils import timezone
from django.utils.encoding import force_bytes

from joblogs import access
from joblogs.models import JobInstance, Notice, NoticeState, NoticeWork, SavedSearch
from joblogs.search import Pattern

from . import reasons

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of every such secret
_PURPOSE = b"joblogs notices"


def pattern_of(search: SavedSearch) -> Pattern | None:
    """Return the pattern of a search, None if it is only about how steps end.

    Raise InvalidPattern.
    """
    if not search.pattern:
        return None
    return _pattern(search.pattern, search.is_regex, search.ignores_case)


@lru_cache(1024)
def _pattern(text: str, is_regex: bool, ignores_case: bool) -> Pattern:
    return Pattern.of(text, regex=is_regex, ignore_case=ignores_case)


def is_about(search: SavedSearch, job: JobInstance) -> bool:
    """Return whether a search applies to a job, by its name."""
    return not search.job_name or _names(search.job_name).match(job.name) is not None


@lru_cache(1024)
def _names(wanted: str) -> re.Pattern[str]:
    # Only * is special: names may contain brackets and question marks.
    escaped = wanted.replace("[", "[[]").replace("?", "[?]")
    return re.compile(fnmatch.translate(escaped))


def may_ask(search: SavedSearch) -> bool:
    """Return whether the owner may see the scope now; the search was loaded with its owner."""
    scopes = access.visible_scopes(search.owner_user)
    return scopes.filter(pk=search.scope_id).exists()


def switch_off(search: SavedSearch, reason: str) -> None:
    """Switch a search off for one of `OFF_REASONS`, or "", and drop its pending notices."""
    SavedSearch.objects.filter(pk=search.pk).update(active=False, off_reason=reason)
    search.active, search.off_reason = False, reason
    pending = Notice.objects.filter(search=search.pk, state=NoticeState.PENDING)
    pending.update(state=NoticeState.DROPPED, detail=reasons.OFF, ended_at=timezone.now())


def waiting() -> tuple[int, int]:
    """Return the number of pending notices, and of transactions that are not searched yet."""
    pending = Notice.objects.filter(state=NoticeState.PENDING)
    return pending.count(), NoticeWork.objects.count()


def new_secret(search: SavedSearch) -> str:
    """Replace the secret of a search and return the new one, which cannot be retrieved again."""
    search.secret_nonce = secrets.token_bytes(32)
    secret = _derived(search.secret_nonce)
    search.secret_sha256 = hashlib.sha256(secret).digest()
    search.save(update_fields=["secret_nonce", "secret_sha256"])
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def secret_of(search: SavedSearch) -> bytes | None:
    """Return the secret of a search, or None if SECRET_KEY has changed."""
    secret = _derived(bytes(search.secret_nonce))
    same = hmac.compare_digest(hashlib.sha256(secret).digest(), bytes(search.secret_sha256))
    return secret if same else None


def _derived(nonce: bytes) -> bytes:
    return hmac.digest(force_bytes(settings.SECRET_KEY), _PURPOSE + nonce, "sha256")
