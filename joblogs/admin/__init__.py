"""The admin: looks at history without editing it, and keeps scopes, apps and their grants."""

from . import history, redactions, rights

__all__ = ["history", "redactions", "rights"]
