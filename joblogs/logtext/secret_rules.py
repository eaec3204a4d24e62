"""The table of secrets that are known by their form, in the order in which they are tried.

Rules are narrow on purpose: bytes in are bytes out, so each has an example and something similar
that must stay as it is. Those of one name are one kind; `docs/operations.md` lists them.
"""

from __future__ import annotations

from typing import Final

from .secret_commands import COMMANDS
from .secret_forms import LOOK_BACK, Rule
from .secret_names import NAMES
from .secret_phrases import PHRASES
from .secret_places import FILES, HEADERS, KEYS
from .secret_services import SERVICES
from .secret_tokens import TOKENS
from .secret_urls import URLS, WEBHOOKS
from .secret_vendors import VENDORS

__all__ = ["LOOK_BACK", "RULES", "Rule"]

RULES: Final[tuple[Rule, ...]] = (
    *TOKENS,
    *VENDORS,
    *SERVICES,
    *WEBHOOKS,
    *URLS,
    *HEADERS,
    *COMMANDS,
    *FILES,
    *KEYS,
    *NAMES,
    *PHRASES,
)
"""Built-in. Of several that are fulfilled at once the first one counts."""
