"""Every status that is stored, and what each may become: one table over all of them.

What people and timers move has its events beside its rules (`MOVES` of milestones, cases, payouts …). What Stripe,
the worker or the post move has its steps here. Nothing leaves an end; the database keeps the same table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from core.errors import Wording
from core.rules import (
    approvals,
    cases,
    chargebacks,
    engagement,
    milestones,
    payment_states,
    payouts,
    projects,
    refunds,
    settlement_proposals,
)
from core.rules.breaks import BreakStatus
from core.rules.charges import ChargeStatus as Charge
from core.rules.duplicate_payments import DuplicateStatus as Duplicate
from core.rules.notifications import LetterStatus as Letter
from core.rules.operations import OperationStatus as Operation
from core.rules.payment_method_setups import SetupStatus as Setup
from core.rules.payouts import PayoutOfferStatus as PayoutOffer
from core.rules.periods import PeriodStatus as Closed
from core.rules.proposals import ENDS, ProposalKind
from core.rules.proposals import ProposalStatus as Proposal
from core.rules.reconciliation import RunStatus as Run
from core.rules.requests import RequestStatus as Request
from core.rules.suspense import SuspenseStatus as Suspense
from core.rules.transitions import IllegalMove, S, status_words
from core.rules.webhooks import EventStatus as Event
from core.rules.webhooks import WebhookStatus as Webhook

Steps = frozenset[tuple[str, str]]


def _of_moves(table: Mapping[tuple[Any, Any], Any]) -> Steps:
    return frozenset((str(before), str(after)) for (before, _), after in table.items())


def _to(table: Mapping[S, tuple[S, ...]]) -> Steps:
    return frozenset((before, after) for before, others in table.items() for after in others)


CHARGEBACKS = chargebacks.UNDECIDED | chargebacks.INQUIRIES | chargebacks.CLOSED

STEPS: Mapping[str, Steps] = {
    "milestones": _of_moves(milestones.MOVES),
    "projects": _of_moves(projects.MOVES),
    "engagements": _of_moves(engagement.MOVES),
    "cases": _of_moves(cases.MOVES),
    "decisions": _of_moves(approvals.MOVES),
    "settlement_proposals": _of_moves(settlement_proposals.MOVES),
    "payouts": _of_moves(payouts.MOVES),
    "refunds": _of_moves(refunds.MOVES),
    "payment_orders": frozenset(
        (str(before), str(after)) for before, others in payment_states.CHANGES.items() for after in others
    ),
    # A failed one that the payer confirms after all is paid; what was paid stays so.
    "charges": _to(
        {
            Charge.SENDING: (Charge.REQUIRES_ACTION, Charge.PROCESSING, Charge.SUCCEEDED, Charge.FAILED),
            Charge.REQUIRES_ACTION: (Charge.PROCESSING, Charge.SUCCEEDED, Charge.FAILED),
            Charge.PROCESSING: (Charge.SUCCEEDED, Charge.FAILED),
            Charge.FAILED: (Charge.SUCCEEDED,),
        }
    ),
    # Who was refused tries again with another one; what is saved stays so.
    "payment_method_setups": _to({Setup.OPEN: (Setup.SAVED, Setup.FAILED), Setup.FAILED: (Setup.SAVED,)}),
    # News of Stripe come at any time; what was called off before it was sent is not sent any more.
    "outgoing_operations": _to(
        {
            Operation.QUEUED: (
                Operation.SENDING,
                Operation.BLOCKED,
                Operation.SUCCEEDED,
                Operation.REFUSED,
                Operation.REVIEW,
                Operation.CANCELED,
            ),
            Operation.SENDING: (
                Operation.QUEUED,
                Operation.BLOCKED,
                Operation.SUCCEEDED,
                Operation.REFUSED,
                Operation.REVIEW,
            ),
            Operation.BLOCKED: (
                Operation.QUEUED,
                Operation.SENDING,
                Operation.SUCCEEDED,
                Operation.REFUSED,
                Operation.REVIEW,
                Operation.CANCELED,
            ),
            Operation.REVIEW: (
                Operation.QUEUED,
                Operation.SUCCEEDED,
                Operation.REFUSED,
                Operation.CANCELED,
            ),
            Operation.REFUSED: (Operation.QUEUED, Operation.SUCCEEDED, Operation.REVIEW),
            Operation.SUCCEEDED: (Operation.REFUSED, Operation.REVIEW),
            # A refund that was sent from our bank instead, and came back.
            Operation.CANCELED: (Operation.REVIEW,),
        }
    ),
    "webhook_events": _to(
        {
            Webhook.RECEIVED: (Webhook.APPLIED, Webhook.IGNORED, Webhook.FAILED),
            Webhook.FAILED: (Webhook.RECEIVED,),
        }
    ),
    "notifications": _to({Letter.QUEUED: (Letter.SENT, Letter.FAILED), Letter.FAILED: (Letter.QUEUED,)}),
    "outgoing_events": _to(
        {
            Event.QUEUED: (Event.SENT, Event.FAILED, Event.DROPPED),
            Event.SENT: (Event.QUEUED,),
            Event.FAILED: (Event.QUEUED,),
        }
    ),
    "reconciliation_runs": _to({Run.RUNNING: (Run.CLEAN, Run.SUSPENSE, Run.BREAKS, Run.FAILED)}),
    "policy_proposals": _to({Proposal.PROPOSED: ENDS[ProposalKind.POLICY_CHANGE]}),
    "chargeback_acceptances": _to({Proposal.PROPOSED: ENDS[ProposalKind.CHARGEBACK_ACCEPTANCE]}),
    "refund_returns": _to({Proposal.PROPOSED: ENDS[ProposalKind.REFUND_RETURN]}),
    "payout_offers": _to(
        {PayoutOffer.OPEN: (PayoutOffer.CHOSEN, PayoutOffer.OVERTAKEN, PayoutOffer.WITHDRAWN)}
    ),
    "party_requests": _to({Request.OPEN: (Request.ANSWERED, Request.UNANSWERED, Request.WITHDRAWN)}),
    "duplicate_payments": _to(
        {
            Duplicate.RETURNING: (Duplicate.RETURNED, Duplicate.FAILED, Duplicate.CHARGED_BACK),
            Duplicate.RETURNED: (Duplicate.FAILED,),
            Duplicate.FAILED: (Duplicate.RETURNING, Duplicate.RETURNED, Duplicate.CHARGED_BACK),
            Duplicate.CHARGED_BACK: (Duplicate.RETURNING,),  # won after it was lost
        }
    ),
    # The same difference may come back.
    "breaks": _to({BreakStatus.OPEN: (BreakStatus.CLOSED,), BreakStatus.CLOSED: (BreakStatus.OPEN,)}),
    "suspense_items": _to({Suspense.OPEN: (Suspense.SETTLED, Suspense.REVERSED)}),
    "manual_journals": _to({Proposal.PROPOSED: ENDS[ProposalKind.MANUAL_JOURNAL]}),
    "periods": _to({Closed.CLOSED: (Closed.REOPENED,)}),
    "debt_write_offs": _to({Proposal.PROPOSED: ENDS[ProposalKind.DEBT_WRITE_OFF]}),
    "bank_change_proposals": _to({Proposal.PROPOSED: ENDS[ProposalKind.BANK_CHANGE]}),
    "hold_lifts": _to({Proposal.PROPOSED: ENDS[ProposalKind.HOLD_LIFT]}),
    "erasures": _to({Proposal.PROPOSED: ENDS[ProposalKind.ERASURE]}),
    "role_grants": _to({Proposal.PROPOSED: ENDS[ProposalKind.ROLE_GRANT]}),
    "period_reopenings": _to({Proposal.PROPOSED: ENDS[ProposalKind.PERIOD_REOPENING]}),
    "chargebacks": frozenset(
        (before, told)
        for before, told in product(CHARGEBACKS, CHARGEBACKS)
        if before != told and chargebacks.present(before, told) == told
    ),
}


@dataclass(frozen=True)
class Place:
    """Where a status stands, and what the audit log calls its object: by which noun and which column's value."""

    noun: str
    column: str = "status"
    key: str = "id"


# A name for each that the audit log has always had, or takes from the page that shows it.
PLACES: Mapping[str, Place] = {
    "milestones": Place("milestone"),
    "projects": Place("project"),
    "engagements": Place("engagement", key="project_id"),
    "cases": Place("ticket"),
    "decisions": Place("decision"),
    "settlement_proposals": Place("offer"),
    "payouts": Place("payout"),
    "refunds": Place("refund"),
    "payment_orders": Place("payment_order", column="state", key="milestone_id"),
    "charges": Place("charge"),
    "payment_method_setups": Place("payment_method_setup"),
    "outgoing_operations": Place("operation"),
    "webhook_events": Place("webhook_event"),
    "notifications": Place("letter"),
    "outgoing_events": Place("outgoing_event"),
    "reconciliation_runs": Place("reconciliation"),
    "policy_proposals": Place("policy_proposal"),
    "chargeback_acceptances": Place("chargeback_acceptance"),
    "refund_returns": Place("refund_return"),
    "payout_offers": Place("payout_offer"),
    "party_requests": Place("party_request"),
    "duplicate_payments": Place("duplicate"),
    "breaks": Place("break"),
    "suspense_items": Place("suspense"),
    "manual_journals": Place("manual_journal"),
    "periods": Place("period"),
    "debt_write_offs": Place("debt_write_off"),
    "bank_change_proposals": Place("bank_change_proposal"),
    "hold_lifts": Place("hold_lift"),
    "role_grants": Place("role_grant"),
    "erasures": Place("erasure"),
    "period_reopenings": Place("period_reopening"),
    "chargebacks": Place("chargeback"),
}

# What a row is called in a sentence, where its table has another name.
CALLED: Mapping[str, str] = {
    "outgoing_operations": "operation",
    "notifications": "e-mail",
    "party_requests": "request",
    "refund_returns": "outside refund",
}

# An action may take several of these steps before anything is written.
SEVERAL_AT_ONCE = frozenset({"decisions", "payouts", "refunds", "payment_orders"})


def kept(relation: str) -> Steps:
    """The pairs that the database lets through: the steps, and where several are taken at once, their chains."""
    return _chains(STEPS[relation]) if relation in SEVERAL_AT_ONCE else STEPS[relation]


def check(relation: str, before: str, after: S) -> S:
    """`after`, when there is such a step; staying is no step. Raises `IllegalMove`."""
    if before != after and (before, after) not in STEPS[relation]:
        kind = CALLED.get(relation, relation.replace("_", " ").removesuffix("s"))
        refused = f"its status cannot change to {_words(after)}"
        raise IllegalMove(kind=kind, status=Wording(status_words(before), before), refused=refused)
    return after


def _chains(steps: Iterable[tuple[str, str]]) -> Steps:
    known = set(steps)
    while more := {(a, d) for a, b in known for c, d in known if b == c and a != d} - known:
        known |= more
    return frozenset(known)


def _words(status: str) -> str:
    return status.replace("_", " ").lower()
