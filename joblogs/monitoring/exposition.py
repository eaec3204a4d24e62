"""`/metrics` for Prometheus, which requires a token; 404 if none is configured."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from . import stored


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """View of the counters of all processes of this server, and of gauges from the database."""
    token = settings.METRICS_TOKEN_SHA256
    if token is None:
        return HttpResponse(status=404)
    if not _holds(request, token):
        refusal = HttpResponse(status=401)
        refusal["WWW-Authenticate"] = "Bearer"
        return refusal
    body = generate_latest(_registry())
    response = HttpResponse(body, content_type=CONTENT_TYPE_PLAIN_0_0_4)
    response["Cache-Control"] = "no-store"
    return response


def _holds(request: HttpRequest, digest: bytes) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    digest_of_token = hashlib.sha256(token.strip().encode()).digest()
    return hmac.compare_digest(digest_of_token, digest) and scheme.lower() == "bearer"


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    if settings.PROMETHEUS_MULTIPROC_DIR is None:
        registry.register(REGISTRY)
    else:
        MultiProcessCollector(registry, path=settings.PROMETHEUS_MULTIPROC_DIR)  # type: ignore[no-untyped-call]
    registry.register(stored.StoreCollector())
    return registry
