"""The entry point for WSGI servers: `gunicorn jobplatform.wsgi:application`."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jobplatform.settings")

application = get_wsgi_application()
