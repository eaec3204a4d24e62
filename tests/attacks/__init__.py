"""Attacks on a running store, and what came of them (docs/security.md, "Attacks tried")."""
