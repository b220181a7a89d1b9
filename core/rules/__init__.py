"""The rule map: every rule, the function that is its law, and the line of the specification it comes from.

Pure functions and tables only: no SQL, no network, no clock. `tests/test_house.py` resolves every line of this map.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Rule:
    """`function` is "module:name" below `core`."""

    name: str
    function: str
    source: str

    def resolve(self) -> Any:
        module, name = self.function.split(":")
        return getattr(import_module(f"core.{module}"), name)


_FLOW = "milestone-payment-flow"
_LEGAL = "payment-escrow-rules"
_KEY = f"{_FLOW}, Key Business Rules"

RULES: tuple[Rule, ...] = (
    Rule("Default milestones by type and size", "rules.schedule:defaults", f"{_FLOW}, Project Setup Phase 3"),
    Rule("The payer may adjust them", "rules.schedule:check_adjustment", f"{_FLOW}, Project Setup Phase 4"),
    Rule("Payment schedule", "rules.schedule:payment_schedule", f"{_FLOW}, Project Setup Phase 5"),
    Rule(
        "Several at once, or in turn",
        "rules.projects:require_fundable",
        f"{_FLOW}, Milestone Funding Phase 1",
    ),
    Rule("How a milestone moves", "rules.milestones:after", f"{_FLOW}, Milestone Payment Sequence"),
    Rule("Next milestone", "rules.projects:next_to_activate", f"{_FLOW}, Project Progression 1"),
    Rule("Final completion", "rules.projects:project_after", f"{_FLOW}, Project Progression 3"),
    Rule("Held until verified", "rules.payment_states:derive", f"{_KEY} 1"),
    Rule("Reminders after 72 hours, rising", "rules.deadlines:next_reminder", f"{_KEY} 2"),
    Rule("Dispute within 5 days", "rules.disputes:check_window", f"{_KEY} 3"),
    Rule("Platform fee 2.5 %, paid by the payer", "rules.fees:platform_fee", f"{_KEY} 4"),
    Rule("Processor fee passed through", "rules.fees:gross_up", f"{_KEY} 4"),
    Rule("Withdrawal fee by method", "rules.fees:withdrawal_fee", f"{_KEY} 4"),
    Rule("Auto-approval after 7 days of silence", "rules.deadlines:completion", f"{_KEY} 5"),
    Rule("Mediation after 3 days", "rules.deadlines:mediation_at", f"{_KEY} 6"),
    Rule("Full release", "rules.splits:full_release", f"{_FLOW}, Dispute Resolution Process 3b"),
    Rule("Partial release", "rules.splits:partial", f"{_FLOW}, Dispute Resolution Process 3b"),
    Rule("Full refund", "rules.splits:full_refund", f"{_FLOW}, Dispute Resolution Process 3b"),
    Rule("Who mediates", "rules.mediation:choose", f"{_FLOW}, Dispute Resolution Process 3b"),
    Rule("Who must not mediate", "rules.mediation:may_mediate", "the desk's choice"),
    Rule("What answers a request to a party", "rules.requests:answers", f"{_LEGAL}, Milestone Rules"),
    Rule("Retry with exponential backoff", "rules.retries:delay", f"{_FLOW}, Error Handling 1"),
    Rule("A declined card is tried again", "rules.card_retries:next_retry", f"{_FLOW}, Error Handling 1"),
    Rule("Failed payout to review", "rules.payouts:after", f"{_FLOW}, Error Handling 2"),
    Rule("Deadlock to the administrators", "rules.deadlines:deadlock_at", f"{_FLOW}, Error Handling 3"),
    Rule("Refund that fails reopens the debt", "rules.refunds:after", f"{_FLOW}, Error Handling 4"),
    Rule(
        "No payment before five preconditions",
        "rules.engagement:missing",
        f"{_LEGAL}, Preconditions Before Payment",
    ),
    Rule("Nine payment states", "rules.payment_states:check_change", f"{_LEGAL}, Payment States"),
    Rule("Fee modes that are allowed", "rules.schedule:accept_fee_mode", f"{_LEGAL}, Escrow Scope"),
    Rule("Acceptance rule of a milestone", "rules.acceptance:silence", f"{_LEGAL}, Milestone Rules"),
    Rule("Open ticket blocks release", "rules.holds:blocking", f"{_LEGAL}, Milestone Rules"),
    Rule("How a ticket moves", "rules.disputes:after", f"{_LEGAL}, Milestone Rules"),
    Rule("Consultation grace", "rules.deadlines:consultation_release_at", f"{_LEGAL}, Release Rules"),
    Rule("Who bears the processor fee", "rules.grounds:platform_absorbs", f"{_LEGAL}, Refund Rules"),
    Rule("Outcome is not guaranteed", "rules.grounds:check", f"{_LEGAL}, Refund Rules"),
    Rule("Four references of a refund", "rules.grounds:missing_references", f"{_LEGAL}, Refund Rules"),
    Rule("A chargeback freezes", "rules.chargebacks:freezes", "the desk's choice"),
    Rule("Lost while held", "rules.chargebacks:while_held", "the desk's choice"),
    Rule("Lost after release", "rules.chargebacks:after_release", "the desk's choice"),
    Rule("Manual review on risk", "rules.risk:reviews", f"{_LEGAL}, Risk Controls"),
    Rule("A severe content event blocks", "rules.reports:weigh", f"{_LEGAL}, Risk Controls"),
    Rule("A review ends with its causes", "rules.risk:require_settled", f"{_LEGAL}, Risk Controls"),
    Rule("No payments before the legal checklist", "rules.legal_checklist:missing", f"{_LEGAL}, Compliance"),
    Rule("Reviews hidden until both are in", "rules.ratings:opens", f"{_FLOW}, Project Progression 3"),
    Rule("Final rating", "rules.ratings:rating", f"{_FLOW}, Project Progression 3"),
    Rule("Second person", "rules.approvals:second_person_reasons", "the desk's choice"),
    Rule("Maker is not checker", "rules.approvals:check_checker", "the desk's choice"),
    Rule("Cooling-off", "rules.approvals:check_cooled_off", "the desk's choice"),
    Rule("Who may do what", "rules.permissions:require", f"{_FLOW}, Integration Points 6"),
    Rule("Signed in a moment ago", "rules.permissions:require_fresh", "the desk's choice"),
    Rule("A profile without gaps", "policy:lint", "the desk's choice"),
)
