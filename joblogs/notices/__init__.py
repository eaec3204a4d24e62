"""Notices about matches of saved searches in new logs, sent to the targets of their owners.

Ingest records which logs grew and which steps ended (`NoticeWork`). `matching` runs the saved
searches over them and writes notices with ids and offsets only. `sending` renders each message when
it is sent, with what its owner may read at that time, and retries until the receiver accepts it.
"""

from .matching import match
from .reasons import DETAILS, OFF_REASONS
from .saved_searches import new_secret, pattern_of, switch_off, waiting
from .sending import Sender, Sent
from .targets import TargetRefused, check_address, check_mailbox

__all__ = [
    "DETAILS",
    "OFF_REASONS",
    "Sender",
    "Sent",
    "TargetRefused",
    "check_address",
    "check_mailbox",
    "match",
    "new_secret",
    "pattern_of",
    "switch_off",
    "waiting",
]
