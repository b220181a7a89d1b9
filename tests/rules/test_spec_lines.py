"""No line of the two specifications is without a rule, and no rule comes from nowhere.

The lines are named in our own words, section by section, in the order of the documents; beside each the rules that
carry it.
"""

from __future__ import annotations

import pytest

from core.rules import RULES

FLOW: dict[str, dict[str, tuple[str, ...]]] = {
    "Milestone Payment Sequence, Phase 1": {
        "bid accepted, project created": ("A bid makes one project",),
        "default milestones": ("Default milestones by type and size", "Size of a project"),
        "milestones shown and adjusted": ("The payer may adjust them",),
        "schedule made and shown": ("Payment schedule", "The schedule is shown and the payee told"),
        "payee told of the start": ("The schedule is shown and the payee told",),
    },
    "Milestone Payment Sequence, Phase 2": {
        "payer funds": ("The payer funds a milestone in its turn",),
        "payment processed": (
            "Nobody pays twice for one milestone",
            "A call is written down before it is made",
        ),
        "held, both told": ("What a charge settles is held", "Each party is notified"),
        "milestone is funded": ("How a milestone moves",),
    },
    "Milestone Payment Sequence, Phase 3": {
        "payee marks complete, payer asked": ("Work is submitted and the payer is asked",),
        "reminder": ("Reminders after 72 hours, rising",),
        "approved, released, paid out, both told, completed": (
            "The payer approves",
            "What is verified is released",
            "A payout follows the release",
            "Both are notified of the release",
            "How a payout moves",
        ),
        "disputed, payee told": ("A dispute stops the clocks and is forwarded", "How a case moves"),
        "details provided and forwarded": ("Details go to the payee",),
        "payee addresses the issues, verification again": ("Rework restarts every clock",),
        "mediation asked": ("Either party asks for mediation",),
        "mediator assigned": ("Who mediates", "Who must not mediate", "A case is reassigned"),
        "evidence reviewed": ("The evidence is reviewed, on record",),
        "decision": ("A plan is made before it is confirmed", "One decides, the other is notified"),
        "full release": ("Full release", "Executed as planned, or void"),
        "partial release, the rest refunded": ("Partial release", "Split by items of the work"),
        "full refund": ("Full refund",),
    },
    "Milestone Payment Sequence, Phase 4": {
        "next milestone": ("Next milestone", "The payer is asked to fund it"),
        "final completion": ("Final completion",),
        "reviews asked and given": ("Reviews are asked for", "Each side reviews once"),
        "final ratings, thanks": ("Final rating", "Reviews hidden until both are in"),
    },
    "Project Setup Phase": {
        "1 bid acceptance": ("A bid makes one project",),
        "2 project creation": ("A bid makes one project",),
        "3 defaults by type and size": ("Default milestones by type and size", "Size of a project"),
        "4 adjusted if needed": ("The payer may adjust them",),
        "5 schedule linked to milestones": ("Payment schedule",),
    },
    "Milestone Funding Phase": {
        "1 the first or several, by the project's setting": (
            "The payer funds a milestone in its turn",
            "Several milestones at once, where the project says so",
        ),
        "2 by the payer's chosen method": (
            "The payer funds a milestone in its turn",
            "Nobody pays twice for one milestone",
        ),
        "3 held": ("What a charge settles is held",),
        "4 both told, status follows": ("What a charge settles is held", "How a milestone moves"),
    },
    "Work and Verification Phase": {
        "1 completion": ("Work is submitted and the payer is asked",),
        "2 request": ("Work is submitted and the payer is asked",),
        "3 approve or dispute": ("The payer approves", "A dispute stops the clocks and is forwarded"),
    },
    "Standard Release": {
        "1 approval": ("The payer approves",),
        "2 release": ("What is verified is released",),
        "3 payout": ("A payout follows the release",),
        "4 both told": ("Both are notified of the release",),
    },
    "Dispute Resolution Process": {
        "1 disputed with details": ("A dispute stops the clocks and is forwarded", "Details go to the payee"),
        "2 payee told, may address the issues": ("Details go to the payee", "Rework restarts every clock"),
        "3a direct resolution": (
            "Rework restarts every clock",
            "The parties may settle it themselves",
            "A complaint can be withdrawn",
        ),
        "3b mediation": ("Who mediates", "Full release", "Partial release", "Full refund"),
        "4 the transaction follows": (
            "A plan is made before it is confirmed",
            "Executed as planned, or void",
        ),
    },
    "Project Progression": {
        "1 next milestone": ("Next milestone",),
        "2 funding request": ("The payer is asked to fund it",),
        "3 completed, reviews asked": ("Final completion", "Reviews are asked for"),
    },
    "Key Business Rules": {
        "1 held until verified": ("Held until verified",),
        "2 72 hours, then rising reminders": ("Reminders after 72 hours, rising",),
        "3 dispute within 5 days": ("Dispute within 5 days", "A later complaint asks for a hold"),
        "4 platform fee 2.5 %": ("Platform fee 2.5 %, paid by the payer",),
        "4 processor fee passed through": ("Processor fee passed through",),
        "4 withdrawal fee by method": ("Withdrawal fee by method", "A payee chooses how to be paid"),
        "5 approval after 7 days, switchable": (
            "Auto-approval after 7 days of silence",
            "What the payer says is a response",
        ),
        "6 mediation after 3 days": ("Mediation after 3 days",),
    },
    "Integration Points": {
        "1 project from a bid": ("A bid makes one project",),
        "2 payment status follows": ("How a milestone moves", "Nine payment states"),
        "3 holding and releasing": ("What a charge settles is held", "What is verified is released"),
        "4 told of status changes": ("Each party is notified",),
        "5 outside processors": ("News of the provider in any order", "Money moves once whatever the answer"),
        "6 roles and permissions": ("Who may do what", "A party acts for itself"),
    },
    "Error Handling": {
        "1 payment failure, retried with backoff, payer told": (
            "A declined card is tried again",
            "The payer is notified of each decline",
            "A decline is told in a sentence",
            "Retry with exponential backoff",
        ),
        "2 payout failure, review, other method": (
            "Failed payout to review, another method",
            "The payee chooses another method",
        ),
        "3 deadlock to administrators": (
            "Deadlock to the administrators",
            "Administrators take up a deadlock",
        ),
        "4 outages, queued and carried out": (
            "A call is written down before it is made",
            "Money moves once whatever the answer",
            "Retry with exponential backoff",
            "How a refund moves",
            "A refund that fails reopens the debt",
            "A refund is sent again under another key",
        ),
    },
    "Performance Considerations": {
        "1 concurrent transactions": ("All of it or nothing",),
        "2 atomic": ("All of it or nothing",),
        "3 letters batched": ("Batched where not urgent",),
        "4 daily reconciliation": ("Reconciled every day",),
    },
}
LEGAL: dict[str, dict[str, tuple[str, ...]]] = {
    "Positioning": {
        "a platform and no law firm": ("Fee modes that are allowed",),
        "a chosen quote is no engagement": ("A selected quote is not an engagement",),
        "payment only once ACTIVE": ("No payment before five preconditions",),
    },
    "Core Objectives": {
        "1 fewer disputes and less off the platform": ("Manual review on risk",),
        "2 role, fee and service can be traced": ("A receipt bears the scope of its day",),
        "3 kinds of fees": ("Fee modes that are allowed", "Consultation grace", "What a milestone must say"),
        "4 trail": ("Every change leaves an entry", "The record is proved"),
    },
    "Payment States": {
        "the nine names": ("Nine payment states", "Held until verified"),
        "chargeback review": ("A chargeback freezes",),
    },
    "Escrow Scope": {
        "consultation at a fixed fee": ("Consultation grace", "Fee modes that are allowed"),
        "fees by stages": ("What a milestone must say",),
        "no open-ended hours": ("Fee modes that are allowed",),
        "no trust account without legal review": ("Fee modes that are allowed",),
    },
    "Preconditions Before Payment": {
        "1 engagement ACTIVE": ("No payment before five preconditions",),
        "2 scope confirmed by both": ("No payment before five preconditions",),
        "3 fee mode and amount confirmed": ("No payment before five preconditions",),
        "4 conflict check where it applies": ("Conflict check where it applies",),
        "5 disclaimers": ("No payment before five preconditions",),
    },
    "Milestone Rules": {
        "title, amount, deliverable, target date": ("What a milestone must say",),
        "acceptance rule": ("Acceptance rule of a milestone",),
        "no release while a case is open": (
            "Open case blocks release",
            "Only an unresolved case blocks",
            "A party is asked, and the case waits",
        ),
    },
    "Release Rules": {
        "consultation: session and grace": ("Consultation grace",),
        "stage: client confirms": ("The payer approves",),
        "stage: 72 hours of silence": ("Stage fee after 72 hours without response or dispute",),
        "hold by hand": ("Manual hold", "A hold is lifted by whoever may"),
    },
    "Refund Rules": {
        "full: not started, no-show, paid twice": (
            "A ground carries its own outcomes",
            "Who bears the processor fee",
            "A duplicate payment is returned",
        ),
        "partial: part of the work": ("A ground carries its own outcomes", "Partial release"),
        "none for dissatisfaction with delivered work": ("Outcome is not guaranteed",),
        "four references": ("Four references of a refund",),
    },
    "Risk Controls": {
        "contact off the platform, again and again": (
            "Manual review on risk",
            "Repeated contact is counted over a window",
        ),
        "harassment, threats": (
            "Manual review on risk",
            "Reports by the parties and the marketplace",
            "What settling a report does is said before it is done",
        ),
        "high value": ("High value", "Second person"),
        "practice in another state, unresolved": (
            "Practice in another state",
            "A review ends with its causes",
        ),
        "payout blocked by case or severe content": (
            "Open case blocks release",
            "A severe content event blocks",
            "Payout blocked at dispatch",
        ),
    },
    "Records / Audit Requirements": {
        "four logs, linked to cases and reports": ("Every change leaves an entry",),
        "receipts": ("Receipt of a payment", "A receipt bears the scope of its day"),
    },
    "Compliance / Legal Review Checklist": {
        "1 counsel": ("No payments before the legal checklist",),
        "2 processor's terms": (
            "No payments before the legal checklist",
            "Each item is signed by compliance, with its document",
        ),
        "3 chargebacks and documents": (
            "No payments before the legal checklist",
            "An answer to the bank, in time",
            "Two people answer a bank",
        ),
        "4 privacy of receipts": ("No payments before the legal checklist", "Reading receipts is on record"),
    },
    "Suggested Implementation Order": {
        "1 order and events": ("Nine payment states",),
        "2 prechecks": ("No payment before five preconditions",),
        "3 consultation": ("Consultation grace",),
        "4 stages": ("Stage fee after 72 hours without response or dispute",),
        "5 refunds and disputes": ("Four references of a refund",),
        "6 holding and releasing by hand": ("Manual hold",),
    },
}
DESK = "internal policy"
BY_NAME = {rule.name: rule for rule in RULES}
LINES = [
    pytest.param(rules, id=f"{document}, {section}: {line}")
    for document, sections in (("flow", FLOW), ("legal", LEGAL))
    for section, lines in sections.items()
    for line, rules in lines.items()
]


@pytest.mark.parametrize("rules", LINES)
def test_every_line_has_its_rules(rules: tuple[str, ...]) -> None:
    assert rules
    assert [name for name in rules if name not in BY_NAME] == []


def test_every_rule_that_comes_from_a_specification_carries_a_line_of_it() -> None:
    carried = {
        name
        for sections in (FLOW, LEGAL)
        for lines in sections.values()
        for rules in lines.values()
        for name in rules
    }
    assert [rule.name for rule in RULES if rule.source != DESK and rule.name not in carried] == []


def test_every_source_names_a_section_that_there_is() -> None:
    known = {
        "milestone-payment-flow": {*FLOW, "Milestone Payment Sequence", "Final Project Completion"},
        "payment-escrow-rules": set(LEGAL),
    }
    for rule in RULES:
        if rule.source != DESK:
            document, _, section = rule.source.partition(", ")
            assert any(section.startswith(name) for name in known[document]), rule
