"""How each letter is handled: what people call it, whether it goes at once, and why it cannot be muted.

Urgent is what says that money moved, asks for an answer, or is about a dispute or a decision. The rest is gathered and
goes in one mail (milestone-payment-flow, Performance Considerations 3). A letter without a reason in `kept` may be
muted by its reader. A letter whose deadline is near goes at once whatever stands here: `core.rules.notifications`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import DeskError, Wording


class CannotBeMuted(DeskError):
    """“{letter}” cannot be muted: {reason}."""


class NoSuchKind(DeskError):
    """There is no e-mail of the kind “{letter}”. These can be muted: {known}."""


@dataclass(frozen=True)
class Handling:
    """`words` names the letter on a page of preferences; `kept` is the reason why nobody may mute it."""

    words: str
    urgent: bool = False
    kept: str | None = None


_MONEY = "it says what happened to your money"
_ANSWER = "your answer is asked for, and time runs"
_DISPUTE = "a dispute is about your money, and the rules ask that both sides are told"
_DECISION = "the rules ask that both sides are told what was decided, and why"
_HELD = "it says that money is held back"
_TERMS = "it says what you have agreed to pay or to do"
_SAFETY = "it protects you if somebody else made the change"
_STAFF = "it is your work"

HANDLING: Mapping[str, Handling] = {
    "milestones_proposed": Handling("Milestones proposed for a new project", kept=_TERMS),
    "engagement_active": Handling("Engagement confirmed", kept=_TERMS),
    "project_started": Handling("Project started", kept=_TERMS),
    "payment_schedule": Handling("Payment schedule", kept=_TERMS),
    "schedule_changed": Handling("Milestones changed", kept=_TERMS),
    "funds_held": Handling("Payment received and held", urgent=True, kept=_MONEY),
    "milestone_funded": Handling("Milestone funded", urgent=True, kept=_MONEY),
    "payment_confirmation": Handling("Payment to be confirmed", urgent=True, kept=_MONEY),
    "payment_failed": Handling("Payment failed", urgent=True, kept=_MONEY),
    "next_milestone_funding": Handling(
        "Next milestone: please fund it", kept="work waits until the milestone is funded"
    ),
    "next_milestone_active": Handling("Next milestone is coming"),
    "verification_requested": Handling("Work to verify", urgent=True, kept=_ANSWER),
    "verification_reminder": Handling("Reminder to verify", urgent=True, kept=_ANSWER),
    "verification_again": Handling("Work to verify again", urgent=True, kept=_ANSWER),
    "answer_wanted": Handling("Your answer is missing", urgent=True, kept=_ANSWER),
    "answer_missing": Handling("Neither approved nor disputed", urgent=True, kept=_HELD),
    "milestone_approved": Handling("Milestone approved", urgent=True, kept=_MONEY),
    "release_confirmed": Handling("Money released", urgent=True, kept=_MONEY),
    "payment_sent": Handling("Payment on its way to your bank", urgent=True, kept=_MONEY),
    "payout_failed": Handling("Payment came back from your bank", urgent=True, kept=_MONEY),
    "payout_delayed": Handling("Payment delayed", urgent=True, kept=_MONEY),
    "refund_sent": Handling("Refund sent", urgent=True, kept=_MONEY),
    "refund_failed": Handling("Refund came back", urgent=True, kept=_MONEY),
    "complaint_received": Handling("Late complaint received", urgent=True, kept=_DISPUTE),
    "complaint_settled": Handling("Late complaint reviewed", urgent=True, kept=_DISPUTE),
    "hold_placed": Handling("Payment under review", urgent=True, kept=_HELD),
    "hold_released": Handling("Review of a payment over", urgent=True, kept=_HELD),
    "dispute_opened": Handling("Dispute opened", urgent=True, kept=_DISPUTE),
    "dispute_confirmed": Handling("Your dispute is open", urgent=True, kept=_DISPUTE),
    "dispute_details": Handling("Details of a dispute", urgent=True, kept=_DISPUTE),
    "dispute_withdrawn": Handling("Dispute withdrawn", urgent=True, kept=_DISPUTE),
    "case_opened": Handling("Case opened", urgent=True, kept=_DISPUTE),
    "mediation_started": Handling("Mediator at work", urgent=True, kept=_DISPUTE),
    "decision_late": Handling("Decision takes longer", urgent=True, kept=_DISPUTE),
    "information_requested": Handling("Question from a mediator", urgent=True, kept=_ANSWER),
    "settlement_proposal_made": Handling("Settlement proposal", urgent=True, kept=_ANSWER),
    "settlement_proposal_accepted": Handling("Settlement proposal accepted", urgent=True, kept=_DECISION),
    "settlement_proposal_declined": Handling("Settlement proposal declined", urgent=True, kept=_DISPUTE),
    "settlement_proposal_withdrawn": Handling("Settlement proposal withdrawn", urgent=True, kept=_DISPUTE),
    "settlement_proposal_expired": Handling(
        "Settlement proposal ended without an answer", urgent=True, kept=_DISPUTE
    ),
    "decision_announced": Handling("Decision made", urgent=True, kept=_DECISION),
    "decision_voided": Handling("Decision not carried out", urgent=True, kept=_DECISION),
    "decision_full_release": Handling("Decision: full release", urgent=True, kept=_DECISION),
    "decision_partial_release": Handling("Decision: partial release", urgent=True, kept=_DECISION),
    "decision_full_refund": Handling("Decision: full refund", urgent=True, kept=_DECISION),
    "correction_opened": Handling("Decision looked at again", urgent=True, kept=_DECISION),
    "correction_closed": Handling("Decision was looked at again", urgent=True, kept=_DECISION),
    "chargeback_opened": Handling("Payment disputed at the bank", urgent=True, kept=_MONEY),
    "chargeback_won": Handling("Bank let the payment stand", urgent=True, kept=_MONEY),
    "chargeback_lost": Handling("Bank returned the payment", urgent=True, kept=_MONEY),
    "debt_kept_back": Handling("Set-off against a payment", urgent=True, kept=_MONEY),
    "money_taken_back": Handling("Money deducted after a chargeback", urgent=True, kept=_MONEY),
    "duplicate_found": Handling("Duplicate payment returned", urgent=True, kept=_MONEY),
    "payment_returned": Handling("Payment returned to you", urgent=True, kept=_MONEY),
    "repayment_plan_agreed": Handling("Repayment by instalments agreed", urgent=True, kept=_MONEY),
    "repayment_plan_ended": Handling("Repayment by instalments ended", urgent=True, kept=_MONEY),
    "debt_reminder": Handling("Reminder of what you owe", urgent=True, kept=_MONEY),
    "payee_hold_placed": Handling("Payments to you under review", urgent=True, kept=_MONEY),
    "payee_hold_lifted": Handling("Review of payments to you over", urgent=True, kept=_MONEY),
    "payout_methods_offered": Handling("Choose how you are paid", urgent=True, kept=_ANSWER),
    "payout_method_chosen": Handling("Payment sent another way", urgent=True, kept=_MONEY),
    "payout_method_changed": Handling("Payment sent again by another method", urgent=True, kept=_MONEY),
    "payout_offer_withdrawn": Handling("No choice of payout method", urgent=True, kept=_MONEY),
    "refund_returned": Handling("Refund sent another way", urgent=True, kept=_MONEY),
    "refund_return_failed": Handling("Refund did not arrive", urgent=True, kept=_MONEY),
    "report_received": Handling("Report received", kept="it is the receipt for what you reported"),
    "report_settled": Handling("Report looked into", kept="it is the answer to what you reported"),
    "project_review_request": Handling("Please review your project"),
    "thanks": Handling("Thank you, with your rating"),
    "bank_changed": Handling("Bank account changed", urgent=True, kept=_SAFETY),
    "bank_accepted": Handling("New bank account accepted", urgent=True, kept=_SAFETY),
    "bank_wait_extended": Handling("Payouts to a new bank account wait longer", urgent=True, kept=_SAFETY),
    "bank_refused": Handling("New bank account refused", urgent=True, kept=_SAFETY),
    "email_changed": Handling("E-mail address changed", urgent=True, kept=_SAFETY),
    "case_assigned": Handling("Case given to you", urgent=True, kept=_STAFF),
    "case_taken": Handling("Case given to someone else", urgent=True, kept=_STAFF),
    "case_decided_by_another": Handling("Your case decided by someone else", urgent=True, kept=_STAFF),
    "case_escalated": Handling("Case without a decision in time", urgent=True, kept=_STAFF),
    "proposal_returned": Handling("Proposal returned to you", urgent=True, kept=_STAFF),
    "roles_proposed": Handling("Roles that wait for a second administrator", urgent=True, kept=_STAFF),
    "role_given_in_emergency": Handling("Role given in an emergency", urgent=True, kept=_STAFF),
    "emergency_role_ended": Handling("Emergency role ended", urgent=True, kept=_STAFF),
    "roles_given_alone": Handling("Roles given by one person alone", urgent=True, kept=_STAFF),
    "many_revealed": Handling("Many people revealed by one colleague", urgent=True, kept=_STAFF),
    "review_opened": Handling("Risk review to settle", urgent=True, kept=_STAFF),
    "hold_end_reached": Handling("Hold that reached its expected end", urgent=True, kept=_STAFF),
    "day_not_closed": Handling("Day of the books to close", urgent=True, kept=_STAFF),
    "retention_due": Handling("Retention run", urgent=True, kept=_STAFF),
    "legal_review_due": Handling("Legal checklist to review", urgent=True, kept=_STAFF),
    "hold_to_settle": Handling("Hold to settle", urgent=True, kept=_STAFF),
    "chargeback_due": Handling("Chargeback to answer", urgent=True, kept=_STAFF),
    "client_funds_short": Handling("Client funds short at Stripe", urgent=True, kept=_STAFF),
    "payment_converted": Handling("Payment that Stripe converted", urgent=True, kept=_STAFF),
    "payout_to_review": Handling("Failed payout to review", urgent=True, kept=_STAFF),
}
FORMER = {
    f"offer_{how}": f"settlement_proposal_{how}"
    for how in ("made", "accepted", "declined", "withdrawn", "expired")
}
UNKNOWN = Handling("E-mail", urgent=True, kept="it has no place in the table yet")
MUTABLE = tuple(name for name, handling in HANDLING.items() if handling.kept is None)


def name_of(template: str) -> str:
    """What an e-mail of this template is called now; those that were sealed before keep the name of then."""
    return FORMER.get(template, template)


def of(template: str) -> Handling:
    """A letter that the table does not know goes at once: better too early than too late."""
    return HANDLING.get(name_of(template), UNKNOWN)


def require_mutable(template: str) -> None:
    """Raises `NoSuchKind`, or `CannotBeMuted` with the reason."""
    handling = HANDLING.get(template)
    if handling is None:
        raise NoSuchKind(letter=template, known=Wording(", ".join(MUTABLE), list(MUTABLE)))
    if handling.kept is not None:
        raise CannotBeMuted(letter=Wording(handling.words, template), reason=handling.kept)
