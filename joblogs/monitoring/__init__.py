"""What machines ask about this server itself: load balancers, Prometheus (docs/operations.md)."""
