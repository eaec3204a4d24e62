"""Tools for agents, by the Model Context Protocol (`docs/mcp.md`).

A separate program that queries a store's API with a token, like any other client: it opens no
database, and sees only what the token may read.
"""
