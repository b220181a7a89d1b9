"""What is read back of money, as far as a party may know: payments, payouts, refunds, receipts, and what holds it back.

Many at once, in the same number of statements as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.funding import charges
from core.api.models.responses.chargebacks import ChargebackAnswer
from core.api.models.responses.parties import SetupAnswer
from core.api.models.responses.payments import (
    ConfirmationAnswer,
    DeclineAnswer,
    PaymentAnswer,
    PaymentOfMilestoneAnswer,
)
from core.api.models.responses.payouts import PayoutAnswer
from core.api.models.responses.receipts import ReceiptAnswer
from core.api.models.responses.refunds import RefundAnswer
from core.api.models.responses.risk import HoldAnswer, PayeeHoldAnswer, RiskReviewAnswer
from core.api.plain import moment, money, names, secret
from core.policy import OFFERED
from core.queries.documents import refunds_of
from core.records import (
    Charge,
    Chargeback,
    Hold,
    Milestone,
    Party,
    PayeeHold,
    PaymentMethodSetup,
    PaymentOrder,
    Payout,
    PayoutOffer,
    Project,
    Receipt,
    Refund,
    RiskReview,
)
from core.rules import declines
from core.rules.charges import ChargeStatus
from core.rules.documents import since
from core.rules.payment_method_setups import SetupStatus
from core.rules.payouts import PayoutOfferStatus
from core.rules.risk import ReviewOutcome


def of_payment(session: Session, order: PaymentOrder, last: Charge | None) -> PaymentAnswer:
    """`last`: the last charge that was made for it. Asks the database for nothing."""
    return {
        "state": order.state,
        "charge_status": last.status if last else None,
        "confirmation": _confirmation(session, last),
        "decline": _decline(last),
        "charge": money(order.charge_minor, order.currency),
        "platform_fee": money(order.platform_fee_minor, order.currency),
        "processing_fee": money(order.processing_fee_minor, order.currency),
        "held": money(order.held_minor, order.currency),
        "payable": money(order.payable_minor, order.currency),
        "refundable": money(order.refundable_minor, order.currency),
        "released": money(order.released_minor, order.currency),
        "refunded": money(order.refunded_minor, order.currency),
        "in_flight": order.in_flight,
    }


def _confirmation(session: Session, last: Charge | None) -> ConfirmationAnswer | None:
    if last is None or last.confirm_by is None:
        return None
    return {
        "client_secret": secret(session, last.client_secret),
        "url": secret(session, last.action_url),
        "confirm_by": moment(last.confirm_by),
    }


def _decline(last: Charge | None) -> DeclineAnswer | None:
    if last is None or last.status != ChargeStatus.FAILED:
        return None
    return {
        "code": last.code,
        "sentence": last.failure or declines.UNSAID,
        "next_retry_at": moment(last.next_retry_at),
    }


def of_setup(row: PaymentMethodSetup, party: Party) -> SetupAnswer:
    failed = row.status == SetupStatus.FAILED
    return {
        "id": row.id,
        "party": party.external_id,
        "status": row.status,
        "client_secret": None,
        "decline": {"code": row.code, "sentence": row.failure or declines.UNSAID} if failed else None,
    }


def of_payments(session: Session, orders: Sequence[PaymentOrder]) -> list[PaymentOfMilestoneAnswer]:
    """Each with the milestone and project that it pays for, and who pays."""
    found = session.execute(
        select(Milestone.id, Milestone.project_id, Project.payer_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(Milestone.id.in_([each.milestone_id for each in orders]))
    ).all()
    of = {row.id: row for row in found}
    known = names(session, [row.payer_id for row in found])
    last = charges.latest(session, [each.milestone_id for each in orders])
    return [
        {
            "milestone": each.milestone_id,
            "project": of[each.milestone_id].project_id,
            "payer": known[of[each.milestone_id].payer_id],
            "funded_at": moment(each.funded_at),
            **of_payment(session, each, last.get(each.milestone_id)),
        }
        for each in orders
    ]


def of_payouts(session: Session, rows: Sequence[Payout]) -> list[PayoutAnswer]:
    if not rows:
        return []
    known = names(session, [each.party_id for each in rows])
    open_offers = select(PayoutOffer.payout_id, PayoutOffer.methods).where(
        PayoutOffer.payout_id.in_([each.id for each in rows]), PayoutOffer.status == PayoutOfferStatus.OPEN
    )
    offered = {row.payout_id: row.methods for row in session.execute(open_offers)}
    return [
        {
            "id": each.id,
            "milestone": each.milestone_id,
            "payee": known[each.party_id],
            "amount": money(each.amount_minor, each.currency),
            "fee": money(each.fee_minor, each.currency),
            "fee_waived": money(each.fee_waived_minor, each.currency),
            "method": each.method,
            "status": each.status,
            "failure": each.failure,
            "failure_code": each.failure_code,
            "offered": [method for method in OFFERED if method in offered.get(each.id, ())],
            "requested_at": moment(each.requested_at),
            "arrival_at": moment(each.arrival_at),
            "paid_at": moment(each.paid_at),
        }
        for each in rows
    ]


def of_refunds(rows: Iterable[Refund]) -> list[RefundAnswer]:
    return [
        {
            "id": each.id,
            "milestone": each.milestone_id,
            "amount": money(each.amount_minor, each.currency),
            "of_milestone": money(each.milestone_part_minor, each.currency),
            "ground": each.ground,
            "status": each.status,
            "failure": each.failure,
            "failure_code": each.failure_code,
            "created_at": moment(each.created_at),
            "settled_at": moment(each.settled_at),
        }
        for each in rows
    ]


def of_receipts(session: Session, rows: Sequence[Receipt]) -> list[ReceiptAnswer]:
    known = names(session, [party for each in rows for party in (each.payer_id, each.payee_id)])
    refunds = refunds_of(session, rows)
    originals = {each.original_id for each in rows if each.original_id}
    wanted = select(Receipt.id, Receipt.number).where(Receipt.id.in_(originals))
    numbers: dict[int | None, str] = (
        {row.id: row.number for row in session.execute(wanted)} if originals else {}
    )
    return [
        {
            "id": each.id,
            "number": each.number,
            "kind": each.kind,
            "milestone": each.milestone_id,
            "payer": known[each.payer_id],
            "payee": known[each.payee_id],
            "payer_name": each.payer_name,
            "payee_name": each.payee_name,
            "lines": [{"label": label, "amount": money(minor, each.currency)} for label, minor in each.lines],
            "total": money(each.total_minor, each.currency),
            "tax_bps": each.tax_bps,
            "tax": money(each.tax_minor, each.currency),
            "payment_method": each.payment_method,
            "refers_to": numbers.get(each.original_id),
            "refund_status": refunds.get(each.id),
            "since": since(refunds[each.id]) if each.id in refunds else None,
            "scope_sha256": each.scope_hash,
            "at": moment(each.at),
        }
        for each in rows
    ]


def of_holds(rows: Iterable[Hold]) -> list[HoldAnswer]:
    """Only of those that are told to somebody; why they are there is for staff."""
    return [
        {
            "id": each.id,
            "milestone": each.milestone_id,
            "kind": each.kind,
            "placed_at": moment(each.placed_at),
            "expected_end": moment(each.expected_end),
            "lifted_at": moment(each.released_at),
        }
        for each in rows
    ]


def of_payee_holds(session: Session, rows: Sequence[PayeeHold]) -> list[PayeeHoldAnswer]:
    """Only of those that are told to the payee; why they are there is for staff."""
    known = names(session, [each.party_id for each in rows])
    return [
        {
            "id": each.id,
            "party": known[each.party_id],
            "kind": each.kind,
            "placed_at": moment(each.placed_at),
            "expected_end": moment(each.expected_end),
            "lifted_at": moment(each.released_at),
        }
        for each in rows
    ]


def of_chargebacks(rows: Iterable[Chargeback]) -> list[ChargebackAnswer]:
    """What the payer's bank says. What the platform answers it is between the two."""
    return [
        {
            "id": each.id,
            "milestone": each.milestone_id,
            "status": each.status,
            "reason": each.reason,
            "amount": money(each.amount_minor, each.currency),
            "opened_at": moment(each.opened_at),
            "due_by": moment(each.due_by),
            "closed_at": moment(each.closed_at),
        }
        for each in rows
    ]


def of_risk_reviews(rows: Iterable[RiskReview]) -> list[RiskReviewAnswer]:
    """That somebody looks, and not at what. One that ended in a hold goes on, for whoever is not told of that hold."""
    return [
        {
            "id": each.id,
            "milestone": each.milestone_id,
            "opened_at": moment(each.opened_at),
            "cleared_at": moment(each.settled_at) if each.outcome == ReviewOutcome.CLEARED else None,
        }
        for each in rows
    ]
