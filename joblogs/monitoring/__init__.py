"""Endpoints for load balancers and Prometheus, and request logging (docs/operations.md)."""
