"""The OpenAPI document as a page. Apart from `schema`: drf-spectacular's views ask for that."""

from __future__ import annotations

from drf_spectacular.views import SpectacularSwaggerView


class Page(SpectacularSwaggerView):
    """For anyone. Everything on it comes from this server, so it works without the internet."""

    authentication_classes = ()
    permission_classes = ()
    url_name = "schema"
