"""Refusals in the shape that Stripe gives them: `{"error": {type, code, message, param, …}}` and an HTTP status."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """One refusal. `stored`: Stripe keeps it under the idempotency key (what never began is not kept). `work_kept`:
    what was done before it stays done, such as the failed charge of a declined card."""

    work_kept = False

    def __init__(self, status: int, kind: str, message: str, *, stored: bool = True, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.stored = stored
        self.body = {
            "error": {"type": kind, "message": message, **{k: v for k, v in more.items() if v is not None}}
        }


def invalid(message: str, *, code: str | None = None, param: str | None = None, **more: Any) -> ApiError:
    """The request itself is fine, but it cannot be done in the present state."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param, **more)


def malformed(message: str, *, code: str | None = None, param: str | None = None) -> ApiError:
    """The parameters are wrong; nothing was begun."""
    return ApiError(400, "invalid_request_error", message, stored=False, code=code, param=param)


def missing(kind: str, id_: str, *, param: str = "id") -> ApiError:
    return ApiError(
        404, "invalid_request_error", f"No such {kind}: '{id_}'", code="resource_missing", param=param
    )


def no_route(method: str, path: str) -> ApiError:
    return ApiError(
        404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).", stored=False
    )


def unauthorized(message: str) -> ApiError:
    return ApiError(401, "invalid_request_error", message, stored=False)


def forbidden(account: str) -> ApiError:
    message = (
        f"The provided key does not have access to account '{account}' (or that account does not exist)."
    )
    return ApiError(403, "invalid_request_error", message, stored=False, code="account_invalid")


def card_declined(message: str, *, code: str, decline_code: str | None, **more: Any) -> ApiError:
    return ApiError(402, "card_error", message, code=code, decline_code=decline_code, **more)


def other_parameters(key: str) -> ApiError:
    message = (
        f"The idempotency key '{key}' was used before with other parameters or at another address. "
        "Use a new key for a new request."
    )
    return ApiError(400, "idempotency_error", message, stored=False)


def broken() -> ApiError:
    return ApiError(500, "api_error", "The sandbox was told to fail here.")


def too_many() -> ApiError:
    message = "The sandbox was told to refuse for load."
    return ApiError(429, "invalid_request_error", message, stored=False, code="rate_limit")


def too_little() -> ApiError:
    message = "You have insufficient available funds in your Stripe account."
    return ApiError(400, "invalid_request_error", message, code="balance_insufficient")


def key_in_use(key: str | None) -> ApiError:
    message = f"Another request with the idempotency key '{key}' is still running."
    return ApiError(409, "invalid_request_error", message, stored=False, code="idempotency_key_in_use")
