"""Notices: what saved searches found in what came in, sent to where their owners want to hear it.

Ingest writes which texts grew and which steps ended (`NoticeWork`); `matching` asks the saved
searches of them and writes notices, ids and offsets only; `sending` makes each into a message when
it is sent, of what its owner may read at that moment, and goes on until the receiver took it.
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
