"""The textbook way, over rows of plain text: models, serializers, a view.

`batch` has, the textbook's way, what ours does besides: a token, a permission, a row for the audit.
`bare` has none of it.
"""
