"""WSGI application: `jobplatform.wsgi:application` (docs/operations.md, "What runs")."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobplatform.settings")

application = get_wsgi_application()
