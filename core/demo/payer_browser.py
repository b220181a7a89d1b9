"""What Stripe's library does in a payer's browser, against the sandbox of a demo: it takes what is to be saved, and
answers the bank. Who integrates against a demo has no page for it yet.
"""

from __future__ import annotations

import requests

from core.actions.demo.clock import require_demo
from core.desk import Desk
from core.errors import DeskError
from core.gateways.stripe_sandbox import SandboxControl


class NotConfirmed(DeskError):
    """Stripe's sandbox did not take it: {why}"""


def confirm(desk: Desk, client_secret: str, *, payment_method: str = "", agrees: bool = True) -> str:
    """As the payer: give the payment method, agree to debits, answer the bank if it asks. Returns how the payment or
    the saving stands at Stripe then. Raises `NotConfirmed`, and what a desk refuses that is no demo."""
    with desk.database.reading() as session:
        require_demo(session)
    sandbox = SandboxControl(desk.settings.stripe_api_base, desk.settings.stripe_api_key)
    intent = client_secret.partition("_secret_")[0]
    try:
        if payment_method:
            sandbox.set_up(intent, payment_method)
            if not sandbox.asks(intent):
                return "succeeded"
        return sandbox.authenticate(intent, succeeds=agrees)
    except requests.HTTPError as refused:
        raise NotConfirmed(why=_words(refused)) from refused


def _words(refused: requests.HTTPError) -> str:
    try:
        error = refused.response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return str(refused)
    return str(error["message"] if isinstance(error, dict) else error)
