"""The one door out: what is stored, as its readers need it.

Callers hand in jobs that `access` narrowed. The number of statements does not grow with the number
of hosts; text comes in groups of bounded size.
"""

from .hosts import HOSTS_MAX, Address, Page, Row, StepHost, hosts_named, hosts_of, standing_for
from .jobs import find_step
from .logs import expected_offsets, file_logs, script_logs

__all__ = [
    "HOSTS_MAX",
    "Address",
    "Page",
    "Row",
    "StepHost",
    "expected_offsets",
    "file_logs",
    "find_step",
    "hosts_named",
    "hosts_of",
    "script_logs",
    "standing_for",
]
