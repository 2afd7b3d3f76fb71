"""What do the HTTP surfaces share? Wire types, problems, pages, idempotency, request context."""
