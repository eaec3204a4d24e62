"""The Django project around the `joblogs` app: settings, routes, WSGI."""
