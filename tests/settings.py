"""The project's settings, as pytest and mypy load them: with nothing set in the environment.

The project has no default key, and Django must be set up before any `conftest.py` is imported, so
the key is given here. Nothing else may differ from `jobplatform.settings` but what makes tests
fast.
"""

import os

os.environ.setdefault("SECRET_KEY", "for tests only, and only where none is set")

from jobplatform.settings import *  # noqa: F403 -- a settings module is a list of names

# 100 ms less for each login; the strength of the hash is Django's to test.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# A test's transaction is seen by its own connection only. Live tests have this one.
DATABASES.pop("pages", None)  # noqa: F405 -- as above

# Each test client makes the middleware anew, and each would read all static files before its first
# answer. Looked for when they are asked for, they are the same files.
WHITENOISE_AUTOREFRESH = True
