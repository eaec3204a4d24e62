"""Tallies of failures: how often each occurred, since when and on how many hosts.

They are computed from the runs that had the failure, and deleted with them.
"""

from . import host_sets
from .forgetting import forget, forget_lost
from .tally import LOCK, add_runs

__all__ = ["LOCK", "add_runs", "forget", "forget_lost", "host_sets"]
