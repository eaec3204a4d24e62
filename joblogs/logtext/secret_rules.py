"""Table of the rules for secrets, in the order in which they are tried.

Rules are narrow on purpose: other text must not be changed, so each has an example, and a similar
text that must not be masked. Rules with the same name are one kind; `docs/operations.md` lists the
kinds.
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
"""Built-in rules. If several are complete at the same place, the first one applies."""
