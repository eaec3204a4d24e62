"""Known failures: which occurred before, since when, how often and on how many hosts.

A failure is recorded as a key, a hash of how its hosts ended and of the lines that report it. No
text is stored, and none can be recovered from the key.
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
