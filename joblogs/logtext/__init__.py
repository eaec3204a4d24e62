"""Log text as bytes. Everything here but `store` is pure: no Django, no database."""
