"""The client, and what its errors mean to us.

Definitive: card errors and invalid requests. Try the same key again: no connection, a time-out, 409, 429, 5xx. For a
person: a bad key, a missing permission, a key used for something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import stripe

from core.gateways.payments import LiveKeyElsewhere, NeedsOperator, NotRead, OutcomeUnknown, ProviderRefused

STRIPE = "https://api.stripe.com"
STRIPE_FILES = "https://files.stripe.com"
LIVE = ("sk_live_", "rk_live_")
NO_MANDATE = "mandate_required"  # the word is ours: Stripe has only a sentence for it
PATIENCE = (3.0, 20.0)
"""Seconds to connect, and to wait for an answer."""


def client(
    api_key: str, api_base: str = STRIPE, patience: tuple[float, float] = PATIENCE
) -> stripe.StripeClient:
    """A client that never repeats a call by itself. A live key with any address but Stripe's is refused."""
    base = api_base.rstrip("/")
    if base != STRIPE and api_key.startswith(LIVE):
        raise LiveKeyElsewhere(address=_host(base))
    session = requests.Session()
    session.trust_env = base == STRIPE  # a sandbox on this machine is never behind a proxy
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": base, "files": STRIPE_FILES if base == STRIPE else base},
        max_network_retries=0,
        http_client=stripe.RequestsClient(timeout=patience, session=session),
    )


def _host(address: str) -> str:
    return urlsplit(address).netloc or address


@contextmanager
def translate_errors() -> Iterator[None]:
    """Stripe's errors as ours. Raises `ProviderRefused`, `OutcomeUnknown` or `NeedsOperator`."""
    try:
        yield
    except (stripe.AuthenticationError, stripe.PermissionError, stripe.IdempotencyError) as error:
        raise NeedsOperator(reason=_text(error)) from error
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        raise _refusal(error) from error
    except stripe.APIConnectionError as error:
        raise OutcomeUnknown(reason="no answer", status=None) from error
    except stripe.StripeError as error:
        raise OutcomeUnknown(reason=_text(error), status=error.http_status) from error


@contextmanager
def translate_read_errors() -> Iterator[None]:
    """The same for what is only read: no answer is `NotRead`."""
    try:
        with translate_errors():
            yield
    except OutcomeUnknown as unknown:
        raise NotRead(**unknown.facts) from unknown


def _refusal(error: stripe.StripeError) -> ProviderRefused:
    """With the bank's own word for a declined card, and what Stripe kept of the attempt."""
    body: Any = error.json_body or {}
    said = body.get("error") or {}
    unnamed = NO_MANDATE if "requires a mandate" in str(said.get("message")) else said.get("type")
    code = said.get("decline_code") or said.get("code") or unnamed or "invalid_request_error"
    intent = said.get("payment_intent") or {}
    return ProviderRefused(
        provider_code=str(code),
        reason=_text(error),
        payment_intent=intent.get("id"),
        charge=said.get("charge"),
        request_id=error.request_id,
    )


def _text(error: stripe.StripeError) -> str:
    return str(error.user_message or error).strip().rstrip(".")
