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
_DESK = "internal policy"

RULES: tuple[Rule, ...] = (
    # Setting up.
    Rule(
        "A bid makes one project",
        "actions.milestones.bids:accept",
        f"{_FLOW}, Project Setup Phase 1 and 2",
    ),
    Rule("Default milestones by type and size", "rules.schedule:defaults", f"{_FLOW}, Project Setup Phase 3"),
    Rule("Size of a project", "rules.schedule:size_of", f"{_FLOW}, Project Setup Phase 3"),
    Rule("The payer may adjust them", "rules.schedule:check_adjustment", f"{_FLOW}, Project Setup Phase 4"),
    Rule("What a milestone must say", "rules.schedule:check_adjustment", f"{_LEGAL}, Milestone Rules"),
    Rule("Payment schedule", "rules.fees:quote", f"{_FLOW}, Project Setup Phase 5"),
    Rule(
        "The schedule is shown and the payee told",
        "actions.milestones.project_progression:start",
        f"{_FLOW}, Milestone Payment Sequence, Phase 1",
    ),
    Rule(
        "A selected quote is not an engagement",
        "actions.milestones.engagement:confirm",
        f"{_LEGAL}, Positioning",
    ),
    Rule(
        "No payment before five preconditions",
        "rules.engagement:missing",
        f"{_LEGAL}, Preconditions Before Payment",
    ),
    Rule(
        "Conflict check where it applies",
        "rules.engagement:needs_conflict_check",
        f"{_LEGAL}, Preconditions Before Payment 4",
    ),
    Rule("Fee modes that are allowed", "rules.schedule:accept_fee_mode", f"{_LEGAL}, Escrow Scope"),
    Rule("A payee who cannot be paid waits with the reason", "rules.payee_accounts:blocking", _DESK),
    Rule("Payouts to another bank wait", "actions.parties.bank_changes:hold", _DESK),
    Rule("Two people decide about another bank", "actions.parties.bank_decisions:approve", _DESK),
    Rule(
        "What failed at a bank goes to the one in its place",
        "actions.payouts.replaced_banks:send_again",
        _DESK,
    ),
    Rule("What a party had before stays", "actions.parties.details:change", _DESK),
    Rule("A currency that the payee's bank takes", "rules.payee_accounts:require_taken", _DESK),
    Rule(
        "The settlement currency is known before a promise",
        "actions.funding.settlement_currency:require",
        _DESK,
    ),
    Rule("Nothing is agreed that cannot be charged", "rules.amount_limits:require_between", _DESK),
    Rule("No bank is promised less than it can be paid", "rules.amount_limits:require_payable", _DESK),
    Rule(
        "No payments before the legal checklist",
        "rules.legal_checklist:missing",
        f"{_LEGAL}, Compliance / Legal Review Checklist",
    ),
    Rule(
        "Each item is signed by compliance, with its document",
        "actions.milestones.legal_checklist:sign",
        f"{_LEGAL}, Compliance / Legal Review Checklist",
    ),
    # Paying.
    Rule(
        "The payer funds a milestone in its turn",
        "actions.funding.fund:fund",
        f"{_FLOW}, Milestone Funding Phase 1 and 2",
    ),
    Rule(
        "Several milestones at once, where the project says so",
        "actions.funding.fund_several:fund_several",
        f"{_FLOW}, Milestone Funding Phase 1",
    ),
    Rule(
        "Nobody pays twice for one milestone",
        "actions.milestones.orders:require_idle",
        f"{_FLOW}, Milestone Funding Phase 2",
    ),
    Rule("Platform fee 2.5 %, paid by the payer", "rules.fees:platform_fee", f"{_KEY} 4"),
    Rule("Processor fee passed through", "rules.fees:gross_up", f"{_KEY} 4"),
    Rule(
        "What a charge settles is held",
        "actions.funding.fund:settle",
        f"{_FLOW}, Milestone Funding Phase 3 and 4",
    ),
    Rule("Held until verified", "rules.payment_states:derive", f"{_KEY} 1"),
    Rule("Nine payment states", "rules.payment_states:check_change", f"{_LEGAL}, Payment States"),
    Rule("A declined card is tried again", "rules.card_retries:next_retry", f"{_FLOW}, Error Handling 1"),
    Rule(
        "The payer is notified of each decline", "actions.funding.fund:declined", f"{_FLOW}, Error Handling 1"
    ),
    Rule("A decline is told in a sentence", "rules.declines:sentence", f"{_FLOW}, Error Handling 1"),
    Rule(
        "A payer whom their bank asks has a day to confirm",
        "actions.funding.charges:on_action_required",
        _DESK,
    ),
    Rule("What a payer saves is charged later", "actions.parties.payment_method_setups:follow", _DESK),
    Rule("The payer calls off what waits for them", "actions.funding.charges:cancel", _DESK),
    Rule("A debit is held when its bank has paid", "actions.funding.charges:on_processing", _DESK),
    Rule(
        "A duplicate payment is returned",
        "actions.funding.duplicate_payments:receive",
        f"{_LEGAL}, Refund Rules",
    ),
    # Work and verification.
    Rule("How a milestone moves", "rules.milestones:after", f"{_FLOW}, Milestone Payment Sequence"),
    Rule(
        "Work is submitted and the payer is asked",
        "actions.milestones.verification:submit",
        f"{_FLOW}, Work and Verification Phase 1 and 2",
    ),
    Rule("The payer approves", "actions.milestones.verification:approve", f"{_FLOW}, Standard Release 1"),
    Rule("Reminders after 72 hours, rising", "rules.deadlines:next_reminder", f"{_KEY} 2"),
    Rule("Auto-approval after 7 days of silence", "rules.deadlines:completion", f"{_KEY} 5"),
    Rule("Acceptance rule of a milestone", "rules.acceptance:silence", f"{_LEGAL}, Milestone Rules"),
    Rule(
        "Stage fee after 72 hours without response or dispute",
        "rules.deadlines:completion",
        f"{_LEGAL}, Release Rules",
    ),
    Rule("What the payer says is a response", "rules.acceptance:silent", f"{_KEY} 5"),
    Rule("Until when the payer has to answer", "rules.deadlines:answer_at", _DESK),
    Rule(
        "Who responded is asked once more, and staff looks",
        "actions.milestones.verification_timeout:at_deadline",
        _DESK,
    ),
    Rule("Consultation grace", "rules.deadlines:consultation_release_at", f"{_LEGAL}, Release Rules"),
    Rule("A timer is due from its instant on", "rules.deadlines:due", _DESK),
    Rule("Nothing fires twice, and a week is made good in order", "processes.timers:run_due", _DESK),
    # Releasing and paying out.
    Rule(
        "What is verified is released",
        "actions.payouts.release:release_verified",
        f"{_FLOW}, Standard Release 2",
    ),
    Rule(
        "A payout follows the release",
        "actions.decisions.planned_calls:of_withdrawal",
        f"{_FLOW}, Standard Release 3",
    ),
    Rule(
        "Both are notified of the release",
        "actions.payouts.release:release_verified",
        f"{_FLOW}, Standard Release 4",
    ),
    Rule("How a payout moves", "rules.payouts:after", f"{_FLOW}, Error Handling 2"),
    Rule("Withdrawal fee by method", "rules.fees:withdrawal_fee", f"{_KEY} 4"),
    Rule("A payee chooses how to be paid", "actions.milestones.parties:choose_withdrawal", f"{_KEY} 4"),
    Rule(
        "Failed payout to review, another method",
        "actions.payouts.payout_review:retry",
        f"{_FLOW}, Error Handling 2",
    ),
    Rule(
        "The payee chooses another method",
        "actions.payouts.method_offers:choose",
        f"{_FLOW}, Error Handling 2",
    ),
    Rule("Open case blocks release", "rules.holds:blocking", f"{_LEGAL}, Milestone Rules"),
    Rule("Only an unresolved case blocks", "rules.cases:blocks_release", f"{_LEGAL}, Milestone Rules"),
    Rule("Manual hold", "actions.risk.holds:place", f"{_LEGAL}, Release Rules"),
    Rule("A hold is lifted by whoever may", "actions.risk.holds:lift", f"{_LEGAL}, Release Rules"),
    Rule("Nobody lifts their own hold", "rules.holds:check_lifter", _DESK),
    Rule("Two people lift a large hold", "rules.holds:takes_two", _DESK),
    Rule("Payout blocked at dispatch", "processes.outgoing.dispatch:send", f"{_LEGAL}, Risk Controls"),
    Rule("Held too long", "queries.overview:alarms", _DESK),
    # Disputes.
    Rule("Dispute within 5 days", "rules.cases:check_window", f"{_KEY} 3"),
    Rule("A later complaint asks for a hold", "actions.risk.holds:complain", _DESK),
    Rule(
        "A dispute stops the clocks and is forwarded",
        "actions.cases.disputes:open_dispute",
        f"{_FLOW}, Dispute Resolution Process 1",
    ),
    Rule(
        "Details go to the payee",
        "actions.cases.disputes:explain",
        f"{_FLOW}, Dispute Resolution Process 1 and 2",
    ),
    Rule("How a case moves", "rules.cases:after", f"{_LEGAL}, Milestone Rules"),
    Rule(
        "Rework restarts every clock",
        "actions.cases.disputes:resubmit",
        f"{_FLOW}, Dispute Resolution Process 3a",
    ),
    Rule("A complaint can be withdrawn", "actions.cases.disputes:withdraw", _DESK),
    Rule(
        "The parties may settle it themselves",
        "actions.cases.settlement_proposals:accept",
        f"{_FLOW}, Dispute Resolution Process 3a",
    ),
    Rule(
        "A settlement proposal is open for three days", "rules.settlement_proposals:require_standing", _DESK
    ),
    Rule("How a settlement proposal moves", "rules.settlement_proposals:after", _DESK),
    Rule(
        "Either party asks for mediation",
        "actions.cases.disputes:ask_mediation",
        f"{_FLOW}, Dispute Resolution Process 3b",
    ),
    Rule("A payee without an answer asks for mediation", "rules.cases:check_unanswered", _DESK),
    Rule("Staff opens a case while all is held", "actions.cases.staff_opening:by_staff", _DESK),
    Rule("What was given to either side is no case any more", "rules.cases:check_all_held", _DESK),
    Rule("Mediation after 3 days", "rules.deadlines:mediation_at", f"{_KEY} 6"),
    Rule(
        "A party is asked, and the case waits", "actions.cases.conversation:ask", f"{_LEGAL}, Milestone Rules"
    ),
    Rule("No time to answer outlasts the time to decide", "rules.requests:check_due", _DESK),
    Rule("Another's case, or a pending answer, is asked about", "rules.cautions:require_known", _DESK),
    Rule("Nobody approves over unread words", "rules.cautions:require_read", _DESK),
    Rule("A document is answered by a document", "rules.requests:answers", _DESK),
    # Mediation and decisions.
    Rule("Who mediates", "rules.mediation:choose", f"{_FLOW}, Dispute Resolution Process 3b"),
    Rule("Who must not mediate", "rules.mediation:may_mediate", _DESK),
    Rule("A case is reassigned", "actions.cases.mediator_assignment:assign", _DESK),
    Rule(
        "A case is passed on when its mediator may not decide it any more",
        "actions.cases.mediator_assignment:pass_on",
        _DESK,
    ),
    Rule("A recused mediator never gets the case again", "actions.cases.recusal:recuse", _DESK),
    Rule(
        "The evidence is reviewed, on record",
        "actions.cases.evidence:open_evidence",
        f"{_FLOW}, Milestone Payment Sequence, Escalate to Mediation",
    ),
    Rule("Full release", "rules.splits:full_release", f"{_FLOW}, Dispute Resolution Process 3b"),
    Rule("Partial release", "rules.splits:partial", f"{_FLOW}, Dispute Resolution Process 3b"),
    Rule("Full refund", "rules.splits:full_refund", f"{_FLOW}, Dispute Resolution Process 3b"),
    Rule("Split by items of the work", "rules.items:check", _DESK),
    Rule(
        "A plan is made before it is confirmed",
        "actions.decisions.plan:make",
        f"{_FLOW}, Dispute Resolution Process 4",
    ),
    Rule("One decides, the other is notified", "actions.decisions.confirmation:confirm", _DESK),
    Rule("How a decision moves", "rules.approvals:after", _DESK),
    Rule("Second person", "rules.approvals:second_person_reasons", _DESK),
    Rule("Decisions of a day are counted together", "actions.decisions.daily_limits:lock_parties", _DESK),
    Rule("What one party gets in a day is summed up", "actions.decisions.daily_limits:given_today", _DESK),
    Rule("Maker is not checker", "rules.proposals:check_two", _DESK),
    Rule("An approval is of one plan", "rules.approvals:check_plan", _DESK),
    Rule("Cooling-off", "rules.approvals:cooled_off", _DESK),
    Rule("Executed as planned, or void", "actions.decisions.execution:execute_if_due", _DESK),
    Rule("Deadlock to the administrators", "rules.deadlines:deadlock_at", f"{_FLOW}, Error Handling 3"),
    Rule(
        "Administrators take up a deadlock",
        "actions.cases.mediator_assignment:escalate",
        f"{_FLOW}, Error Handling 3",
    ),
    Rule("A decision is withdrawn before it is carried out", "actions.decisions.approvals:withdraw", _DESK),
    Rule("A decision is corrected by a linked case", "actions.decisions.corrections:open_correction", _DESK),
    Rule(
        "A correction is closed once, with a finding", "actions.decisions.corrections:close_correction", _DESK
    ),
    # Refunds.
    Rule("A ground carries its own outcomes", "rules.grounds:check", f"{_LEGAL}, Refund Rules"),
    Rule("Outcome is not guaranteed", "rules.grounds:check", f"{_LEGAL}, Refund Rules"),
    Rule("Who bears the processor fee", "rules.grounds:platform_absorbs", f"{_LEGAL}, Refund Rules"),
    Rule("Four references of a refund", "rules.grounds:missing_references", f"{_LEGAL}, Refund Rules"),
    Rule("How a refund moves", "rules.refunds:after", f"{_FLOW}, Error Handling 4"),
    Rule(
        "A refund that fails reopens the debt", "actions.refunds.refunds:settle", f"{_FLOW}, Error Handling 4"
    ),
    Rule(
        "A refund is sent again under another key",
        "actions.operations.operation_retry:retry",
        f"{_FLOW}, Error Handling 4",
    ),
    Rule("A refund goes another way, by two people", "actions.refunds.outside_refunds:approve", _DESK),
    Rule("A debt is paid in one way at a time", "actions.refunds.return_conflicts:require_free", _DESK),
    Rule(
        "Staff withdraw an offer to the payee before they act",
        "actions.payouts.method_offers:withdraw",
        _DESK,
    ),
    Rule(
        "An amount in suspense has one explanation at a time", "actions.reconciliation.suspense:reject", _DESK
    ),
    Rule(
        "A refund made by hand that was the one owed is not sent again",
        "actions.refunds.hand_refunds:adopt",
        _DESK,
    ),
    Rule(
        "What left Stripe outside the desk stops its milestone",
        "actions.risk.external_movements:refund_made_outside",
        _DESK,
    ),
    # Chargebacks and debts.
    Rule("A chargeback freezes", "rules.chargebacks:freezes", f"{_LEGAL}, Payment States"),
    Rule("What is closed stays closed", "rules.chargebacks:present", _DESK),
    Rule("Lost while held", "rules.chargebacks:while_held", _DESK),
    Rule("Lost after release", "rules.chargebacks:after_release", _DESK),
    Rule(
        "An answer to the bank, in time",
        "rules.chargebacks:check_answerable",
        f"{_LEGAL}, Compliance / Legal Review Checklist 3",
    ),
    Rule(
        "Two people answer a bank",
        "actions.chargebacks.chargeback_evidence:submit",
        f"{_LEGAL}, Compliance / Legal Review Checklist 3",
    ),
    Rule("What wins a chargeback", "rules.chargeback_checklists:missing", _DESK),
    Rule("What a bank takes at most", "rules.chargebacks:check_together", _DESK),
    Rule("What cannot be undone is typed first", "rules.irreversible:check_typed", _DESK),
    Rule("Two people accept a chargeback", "actions.chargebacks.chargeback_acceptance:accept", _DESK),
    Rule("A payee's debt is set off against later releases", "actions.debts.receivables:settle", _DESK),
    Rule(
        "A debt is set off by hand against what is payable and not sent",
        "actions.debts.set_offs:set_off",
        _DESK,
    ),
    Rule("A transfer is reversed", "actions.payouts.reversals:request", _DESK),
    Rule("Unexplained money", "rules.suspense:check_each_other", _DESK),
    Rule("Two people explain it", "actions.reconciliation.suspense:approve", _DESK),
    Rule("Every type of statement line is handled", "rules.statement_line_types:of", _DESK),
    Rule("What differs has one class, which follows from both sides", "rules.breaks:classify", _DESK),
    Rule("A break lives across runs until it is explained", "actions.reconciliation.breaks:follow", _DESK),
    Rule("A bank's line is matched once, whole, and never guessed", "processes.bank_matching:match", _DESK),
    Rule(
        "What a bank's lines differ by from their match is explained",
        "actions.reconciliation.bank_matches:by_hand",
        _DESK,
    ),
    Rule(
        "A match by hand is undone while its period is open",
        "actions.reconciliation.bank_matches:undo",
        _DESK,
    ),
    Rule(
        "What the bank never had is reversed by two people",
        "actions.periods.journal_reversals:propose_of",
        _DESK,
    ),
    Rule(
        "A line that Stripe states otherwise is booked by its difference",
        "actions.reconciliation.stripe_differences:explain",
        _DESK,
    ),
    Rule(
        "A rule for bank charges proposes, and books nothing by itself",
        "actions.reconciliation.bank_charge_rules:submit",
        _DESK,
    ),
    Rule("Payees' accounts are compared line by line", "processes.break_findings:of_payees", _DESK),
    Rule("A platform payout is the sum of its parts", "rules.payout_parts:part", _DESK),
    # Risk.
    Rule("Manual review on risk", "rules.risk:reviews", f"{_LEGAL}, Risk Controls"),
    Rule("High value", "rules.risk:high_value", f"{_LEGAL}, Risk Controls"),
    Rule("A severe content event blocks", "rules.reports:severe_event", f"{_LEGAL}, Risk Controls"),
    Rule("Repeated contact is counted over a window", "rules.reports:weigh", f"{_LEGAL}, Risk Controls"),
    Rule(
        "What settling a report does is said before it is done",
        "rules.report_outcomes:consequences",
        f"{_LEGAL}, Risk Controls",
    ),
    Rule(
        "Reports by the parties and the marketplace", "actions.risk.reports:file", f"{_LEGAL}, Risk Controls"
    ),
    Rule("Practice in another state", "actions.risk.practice_flags:flag", f"{_LEGAL}, Risk Controls"),
    Rule("A review ends with its causes", "rules.risk:require_settled", f"{_LEGAL}, Risk Controls"),
    # Going on, and the end.
    Rule("Next milestone", "rules.projects:next_to_activate", f"{_FLOW}, Project Progression 1"),
    Rule(
        "The payer is asked to fund it",
        "actions.milestones.project_progression:activate",
        f"{_FLOW}, Project Progression 2",
    ),
    Rule("Final completion", "rules.projects:project_after", f"{_FLOW}, Project Progression 3"),
    Rule("Reviews are asked for", "actions.milestones.ratings:ask", f"{_FLOW}, Project Progression 3"),
    Rule("Each side reviews once", "actions.milestones.ratings:submit", f"{_FLOW}, Final Project Completion"),
    Rule("Reviews hidden until both are in", "rules.ratings:opens", _DESK),
    Rule("Final rating", "rules.ratings:rating", f"{_FLOW}, Final Project Completion"),
    # Records.
    Rule("Every change leaves an entry", "audit:record", f"{_LEGAL}, Records / Audit Requirements"),
    Rule(
        "Receipt of a payment",
        "actions.milestones.documents:of_funding",
        f"{_LEGAL}, Records / Audit Requirements",
    ),
    Rule(
        "A receipt bears the scope of its day",
        "actions.milestones.documents:scope_of",
        f"{_LEGAL}, Records / Audit Requirements",
    ),
    Rule(
        "Reading receipts is on record",
        "actions.milestones.documents:download",
        f"{_LEGAL}, Compliance / Legal Review Checklist 4",
    ),
    Rule("Tax included in an amount", "rules.documents:tax_in", _DESK),
    Rule("A file is known by its hash", "queries.downloaded_files:verify", _DESK),
    Rule("The record is proved", "audit.verification:verify", f"{_LEGAL}, Core Objectives 4"),
    Rule("Each party is notified", "notifications:tell", f"{_FLOW}, Integration Points 4"),
    Rule("A party chooses its letters", "actions.milestones.preferences:set", _DESK),
    # House.
    Rule("Who may do what", "rules.permissions:require", f"{_FLOW}, Integration Points 6"),
    Rule("A party acts for itself", "rules.permissions:require_party", f"{_FLOW}, Integration Points 6"),
    Rule("Signed in a moment ago", "rules.permissions:require_fresh", _DESK),
    Rule("A session ends", "actions.staff.sessions:resolve", _DESK),
    Rule("A profile without gaps", "policy:lint", _DESK),
    Rule("Two people change the policy", "actions.staff.policy_change:approve", _DESK),
    Rule("Every status has its table", "rules.statuses:check", _DESK),
    Rule("Retry with exponential backoff", "rules.retries:delay", f"{_FLOW}, Error Handling 1 and 4"),
    Rule("A call is written down before it is made", "outbox:enqueue", f"{_FLOW}, Error Handling 4"),
    Rule("All of it or nothing", "ledger.journal_store:post", f"{_FLOW}, Performance Considerations 1 and 2"),
    Rule("Stripe's own balance covers what is owed to others", "rules.client_funds:cover", _DESK),
    Rule("Payouts stop while client funds are short", "rules.client_funds:stops", _DESK),
    Rule("Reconciled every day", "worker.tasks:reconcile", f"{_FLOW}, Performance Considerations 4"),
    Rule(
        "Money moves once whatever the answer",
        "processes.outgoing.dispatch:send",
        f"{_FLOW}, Error Handling 4",
    ),
    Rule(
        "News of the provider in any order",
        "processes.webhook_processing:apply",
        f"{_FLOW}, Integration Points 5",
    ),
    Rule("One row that breaks stops no other", "processes.leases:alone", _DESK),
    Rule("Reading is recorded, and no drawing again", "rules.readings:is_due", _DESK),
    Rule("Each hour of reading is an entry of the log", "actions.privacy.readings:enter", _DESK),
    Rule("Who people are is masked by default", "rules.masking:sees", _DESK),
    Rule("A name is revealed with a reason, for a while", "actions.privacy.reveals:reveal", _DESK),
    Rule("Many revealed are an alarm", "rules.masking:alarming", _DESK),
    Rule("What waits too long is seen", "queries.oldest_waiting:oldest", _DESK),
    Rule("An id is checked before it is part of an address", "gateways.stripe_ids:of", _DESK),
    Rule("Words from outside are kept in one way", "rules.outside_words:line", _DESK),
    Rule("Every invariant is asked", "queries.invariants:run", _DESK),
    Rule("Batched where not urgent", "rules.notifications:goes_at", f"{_FLOW}, Performance Considerations 3"),
)
