"""Log text as bytes. Everything here except `store` is pure: no Django, no database."""
