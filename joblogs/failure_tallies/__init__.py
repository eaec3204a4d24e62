"""What is kept of failures: how often each came, since when and on how many hosts; made of the runs
that had it, and forgotten with them."""

from . import host_sets
from .forgetting import forget, forget_lost
from .tally import LOCK, add_runs

__all__ = ["LOCK", "add_runs", "forget", "forget_lost", "host_sets"]
