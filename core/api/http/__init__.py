"""What every request passes: authentication, limits, strict bodies, idempotency, problem details."""
