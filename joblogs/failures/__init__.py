"""Known failures: which have been seen before, since when, how often and on how many hosts.

What is kept of a failure is a key, a hash of how its hosts ended and of the lines that tell it; no
text and nothing that text could be made of again.
"""

from joblogs.failure_tallies.host_sets import HostCount

from .known import Failures, LastRun, Recovered, Seen, known_failures
from .recording import due, due_of_steps, record_step, record_steps

__all__ = [
    "Failures",
    "HostCount",
    "LastRun",
    "Recovered",
    "Seen",
    "due",
    "due_of_steps",
    "known_failures",
    "record_step",
    "record_steps",
]
