"""Chargebacks and inquiries: money withdrawn with a fee, given back when won."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from core.gateways.stripe_sandbox import balance
from core.gateways.stripe_sandbox.cards import Card
from core.gateways.stripe_sandbox.errors import invalid
from core.gateways.stripe_sandbox.listing import listed
from core.gateways.stripe_sandbox.store import Object
from core.gateways.stripe_sandbox.world import World, merged

EVIDENCE = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
]
FILES = {
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
}
LONGEST_FIELD, LONGEST_ALL = 20_000, 150_000
OPEN = {"needs_response", "under_review", "warning_needs_response", "warning_under_review"}
# The networks' own codes for what Stripe calls a reason; of any other reason the code of fraud.
NETWORK_CODES = {
    "visa": {
        "fraudulent": "10.4",
        "product_not_received": "13.1",
        "product_unacceptable": "13.3",
        "duplicate": "12.6",
    },
    "mastercard": {"fraudulent": "4837", "product_not_received": "4853", "duplicate": "4834"},
    "amex": {"fraudulent": "F29", "product_not_received": "C08", "duplicate": "P08"},
}
_VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}


def by_card(world: World, charge: Object, test: Card) -> None:
    """Some test cards are disputed as soon as they have paid."""
    if test.disputed:
        open_(world, charge, reason=test.disputed, inquiry=test.inquiry)


def open_(
    world: World, charge: Object, *, reason: str, amount: int | None = None, inquiry: bool = False
) -> Object:
    """The customer's bank disputes a charge. An inquiry moves no money; a dispute may exceed the charge."""
    card = (charge["payment_method_details"] or {}).get("card") or {}
    brand = card["brand"] if card.get("brand") in NETWORK_CODES else "visa"
    codes = NETWORK_CODES[brand]
    dispute = world.add(
        {
            "id": world.id("du"),
            "object": "dispute",
            "amount": amount or charge["amount"],
            "balance_transactions": [],
            "charge": charge["id"],
            "created": world.now,
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": _due_by(world),
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "intended_submission_method": None,
            "is_charge_refundable": inquiry,
            "livemode": False,
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "payment_method_details": {
                "type": "card",
                "card": {
                    "brand": brand,
                    "network": brand,
                    "case_type": "inquiry" if inquiry else "chargeback",
                    "network_reason_code": codes.get(reason, codes["fraudulent"]),
                },
            },
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        }
    )
    world.change(charge, "charge.updated", disputed=True)
    world.store.later(dispute["evidence_details"]["due_by"], "dispute.expire", dispute["id"])
    world.emit("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(world, dispute)
    return dispute


def _due_by(world: World) -> int:
    day = datetime.fromtimestamp(world.now, UTC) + timedelta(days=world.terms.dispute_days)
    return int(datetime.combine(day, time(23, 59, 59), UTC).timestamp())


def _withdraw(world: World, dispute: Object) -> None:
    _book(world, dispute, -1, "dispute")
    world.emit("charge.dispute.funds_withdrawn", dispute)


def _book(world: World, dispute: Object, sign: int, category: str) -> None:
    """Taken (-1) with its fee, or given back (+1), in what the payment was settled in."""
    charge = world.find("charge", dispute["charge"])
    paid = balance.line_of(world, charge)
    amount, currency, rate = balance.settled(world, dispute["amount"], dispute["currency"], paid)
    owed = sign < 0 or world.terms.dispute_fee_returned
    fee = -sign * world.terms.fee_of_dispute(currency) if owed else 0
    line = balance.book(
        world, "adjustment", sign * amount, currency, dispute["id"], fee=fee, category=category, rate=rate
    )
    world.change(
        dispute, balance_transactions=[*dispute["balance_transactions"], {**line, "status": "available"}]
    )


def decide(world: World, dispute: Object, status: str) -> Object:
    """The bank's verdict: `won`, `lost`, `warning_closed`; or `needs_response`, which makes a dispute of an inquiry."""
    if dispute["status"] not in OPEN:
        raise invalid(f"This dispute is already {dispute['status']}.", code="dispute_closed")
    if status == "needs_response":
        world.change(dispute, "charge.dispute.updated", status=status, is_charge_refundable=False)
        _withdraw(world, dispute)
        return dispute
    if status == "won" and dispute["balance_transactions"]:
        _book(world, dispute, 1, "dispute_reversal")
        world.emit("charge.dispute.funds_reinstated", dispute)
    return world.change(dispute, "charge.dispute.closed", status=status)


def expire(world: World, id_: str) -> None:
    """Timer: nobody answered in time."""
    dispute = world.find("dispute", id_)
    if dispute["status"] == "needs_response":
        decide(world, dispute, "lost")
    elif dispute["status"] == "warning_needs_response":
        decide(world, dispute, "warning_closed")


def update(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/disputes/{id}: stage evidence, or submit it (the default)"""
    dispute = world.find("dispute", id)
    if metadata := params.get("metadata"):
        dispute["metadata"] = merged(dispute["metadata"], metadata)
    dispute["intended_submission_method"] = params.get("intended_submission_method")
    if not (evidence := params.get("evidence") or {}) and not params.get("submit"):
        return world.change(dispute, "charge.dispute.updated")
    details = dispute["evidence_details"]
    if dispute["status"] not in OPEN or details["due_by"] < world.now:
        raise invalid("This dispute can no longer be answered.", code="dispute_evidence_closed")
    if details["submission_count"] and dispute["status"].endswith("under_review"):
        raise invalid("Evidence was already submitted for this dispute.", code="dispute_evidence_closed")
    _measure(evidence)
    for field in FILES & evidence.keys():
        world.find("file", evidence[field], param=f"evidence[{field}]")
    dispute["evidence"] |= evidence
    details["has_evidence"] = True
    if not params.get("submit", True):
        return world.change(dispute, "charge.dispute.updated")
    details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    review = "warning_under_review" if dispute["status"].startswith("warning") else "under_review"
    world.change(dispute, "charge.dispute.updated", status=review)
    verdict = _VERDICTS.get(dispute["evidence"].get("uncategorized_text") or "")
    return decide(world, dispute, verdict) if verdict else dispute


def _measure(evidence: dict[str, Any]) -> None:
    texts = [value for value in evidence.values() if isinstance(value, str)]
    if any(len(text) > LONGEST_FIELD for text in texts) or sum(map(len, texts)) > LONGEST_ALL:
        raise invalid("The evidence is too long.", code="parameter_invalid_string", param="evidence")


def close(world: World, params: dict[str, Any], id: str) -> Object:
    """POST /v1/disputes/{id}/close: accept it"""
    return decide(world, world.find("dispute", id), "lost")


def retrieve(world: World, params: dict[str, Any], id: str) -> Object:
    """GET /v1/disputes/{id}"""
    return world.find("dispute", id)


def index(world: World, params: dict[str, Any]) -> Object:
    """GET /v1/disputes"""
    return listed(world, "dispute", params, "/v1/disputes")
