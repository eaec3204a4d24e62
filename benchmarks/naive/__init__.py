"""The textbook way, over rows of plain text: models, serializers, a view."""
