"""What became of a call that was sent before: asked at the provider, by our operation id or by the provider's own.

An answer to such a question is never an answer to the call: whether it was done stays open until somebody knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.actions.operations.operation_keys import idempotency_key
from core.gateways.payments import NeedsOperator, NotRead, OutcomeUnknown, Payments, ProviderRefused
from core.money import Money


class StateNotRead(OutcomeUnknown):
    """It is at the payment provider, which could not be asked how it stands ({reason})."""


class OutcomeNotRead(OutcomeUnknown):
    """It was sent, and it may or may not have been done: the payment provider could not be asked ({reason})."""


class NotSentUnasked(OutcomeUnknown):
    """It was not sent this time: the payment provider could not be asked whether it was sent before ({reason})."""


class QuestionRefused(NeedsOperator):
    """What became of it is not known: the payment provider does not answer that question ({reason})."""


class NoTrace(NeedsOperator):
    """No trace of it was found at the payment provider, and it is too old to be sent again by itself."""


@dataclass(frozen=True)
class Claim:
    """What the call needs, read before the claiming transaction ended. `tried`: it was sent under this key already;
    `sent_before`: it may have been."""

    id: int
    key: str
    kind: str
    attempt: int
    amount: Money
    payload: dict[str, Any]
    provider_id: str | None
    sent_before: bool
    tried: bool
    first_sent_at: datetime
    created_at: datetime

    @property
    def idempotency_key(self) -> str:
        return idempotency_key(self.key, self.attempt)


def found(payments: Payments, claim: Claim) -> Any:
    """What the provider made of it, by our operation id; None where it knows of nothing."""
    return _asked(_find, payments, claim)


def state(payments: Payments, claim: Claim) -> Any:
    """How it stands at the provider, which has given it an id."""
    return _asked(_look, payments, claim)


def _asked(question: Callable[[Payments, Claim], Any], payments: Payments, claim: Claim) -> Any:
    try:
        return question(payments, claim)
    except NotRead as unread:
        open_still = OutcomeNotRead if claim.tried else NotSentUnasked
        raise (StateNotRead if claim.provider_id else open_still)(**unread.facts) from unread
    except (ProviderRefused, NeedsOperator) as no:
        raise QuestionRefused(reason=no.facts["reason"]) from no


def _find(payments: Payments, claim: Claim) -> Any:
    payload = claim.payload
    match claim.kind:
        case "CHARGE":
            return payments.find_charge(claim.key, transfer_group=payload["transfer_group"])
        case "REFUND":
            refund = payments.find_refund(claim.key, payment_intent=payload["payment_intent"])
            old = refund is not None and refund.lost and refund.key != claim.idempotency_key
            return None if old else refund
        case "TRANSFER":
            return payments.find_transfer(
                claim.key, transfer_group=payload["transfer_group"], destination=payload["destination"]
            )
        case "PAYOUT":
            since = claim.created_at - timedelta(hours=1)
            return payments.find_payout(claim.key, account=payload["account"], created_from=since)
        case "REVERSAL":
            return payments.find_reversal(claim.key, transfer=payload["transfer"])
        case "EVIDENCE":
            answered = payments.dispute_by_id(payload["dispute"])
            return answered if answered.op == claim.key else None
        case "ACCEPTANCE":
            given_up = payments.dispute_by_id(payload["dispute"])
            return given_up if given_up.status == "lost" else None
    return None


def _look(payments: Payments, claim: Claim) -> Any:
    assert claim.provider_id is not None
    match claim.kind:
        case "CHARGE":
            return payments.charge_of(claim.provider_id)
        case "REFUND":
            return payments.refund_by_id(claim.provider_id)
        case "TRANSFER":
            return payments.transfer_by_id(claim.provider_id)
        case "REVERSAL":
            return payments.reversal_by_id(claim.payload["transfer"], claim.provider_id)
        case "EVIDENCE" | "ACCEPTANCE":
            return payments.dispute_by_id(claim.provider_id)
    return payments.payout_by_id(claim.provider_id, account=claim.payload["account"])
