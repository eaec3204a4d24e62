"""The page of a step: what happened on all of its hosts."""
