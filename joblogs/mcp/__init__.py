"""Tools for agents, by the Model Context Protocol (`docs/mcp.md`).

A program of its own that asks a store's API with a token, as any other client does: it opens no
database, and whatever a caller may not see, it cannot either.
"""
