"""What each kind of audit entry is called in a case's timeline, what it is about, and who may know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class About(StrEnum):
    CASE = "case"
    MESSAGE = "message"
    EVIDENCE = "evidence"
    MONEY = "money"
    DECISION = "decision"
    LETTER = "letter"


@dataclass(frozen=True)
class Kind:
    """`staff_only`: the parties are not told of it. `tone` as in the dashboard: good, wait, bad, info, quiet."""

    title: str
    about: About = About.CASE
    tone: str = "quiet"
    staff_only: bool = False


CASE, MESSAGE, EVIDENCE, MONEY, DECISION, LETTER = About

# By noun and verb: who did it stands beside it.
KINDS: Mapping[str, Kind] = {
    "bid:accept": Kind("Bid accepted"),
    "engagement:confirm": Kind("Part of the engagement confirmed"),
    "engagement:activate": Kind("Engagement active", tone="good"),
    "milestones:adjust": Kind("Milestones rearranged"),
    "project:choose_funding": Kind("Funding in turn or ahead chosen"),
    "milestone:activate": Kind("Milestone open for funding", tone="info"),
    "milestone:fund": Kind("Payment started", MONEY, "info"),
    "payment:hold": Kind("Paid, and held", MONEY, "good"),
    "payment:decline": Kind("Payment declined", MONEY, "bad"),
    "milestone:submit": Kind("Work reported as done", tone="info"),
    "milestone:approve": Kind("Work approved", tone="good"),
    "milestone:auto_approve": Kind("Approved by silence", tone="good"),
    "milestone:remind": Kind("Reminder to verify", tone="wait"),
    "milestone:unanswered": Kind("Neither approved nor disputed in time", tone="wait"),
    "milestone:finish": Kind("Milestone settled", tone="good"),
    "project:complete": Kind("Project completed", tone="good"),
    "payment:convert": Kind("Converted by Stripe", MONEY, "wait", staff_only=True),
    "payment:release": Kind("Released to the payee", MONEY, "good"),
    "dispute:open": Kind("Dispute opened", tone="bad"),
    "case:open": Kind("Case opened without a dispute", tone="bad", staff_only=True),
    "dispute:rework": Kind("Work submitted again", tone="info"),
    "dispute:withdraw": Kind("Dispute withdrawn", tone="good"),
    "dispute:mediate": Kind("Mediation began", tone="wait"),
    "case:assign": Kind("Mediator changed", staff_only=True),
    "case:ask": Kind("Answer asked for", tone="wait"),
    "case:resume": Kind("Review goes on", tone="info"),
    "case:escalate": Kind("Escalated: no decision in time", tone="bad", staff_only=True),
    "evidence:open": Kind("Evidence opened", EVIDENCE, staff_only=True),
    "evidence:note": Kind("Note on evidence", EVIDENCE, staff_only=True),
    "evidence:download": Kind("Evidence downloaded", EVIDENCE, staff_only=True),
    "decision:confirm": Kind("Decision made", DECISION, "info", staff_only=True),
    "decision:unopened": Kind("Decided with evidence left unopened", DECISION, "wait", staff_only=True),
    "decision:in_place_of": Kind(
        "Decided in place of the case's mediator", DECISION, "wait", staff_only=True
    ),
    "decision:without_answer": Kind("Decided before a party answered", DECISION, "wait", staff_only=True),
    "decision:refunded_by_hand": Kind(
        "Decided before an outside movement was settled", DECISION, "wait", staff_only=True
    ),
    "decision:approve": Kind("Decision approved", DECISION, "good", staff_only=True),
    "decision:return": Kind("Decision sent back", DECISION, "bad", staff_only=True),
    "decision:void": Kind("Decision void", DECISION, "bad", staff_only=True),
    "decision:execute": Kind("Decision carried out", DECISION, "good"),
    "correction:open": Kind("Correction opened", DECISION, "wait", staff_only=True),
    "correction:close": Kind("Correction closed", DECISION, "good", staff_only=True),
    "case:reveal": Kind("Names shown after a first judgement", DECISION, staff_only=True),
    "offer:make": Kind("Division offered", tone="info"),
    "offer:accept": Kind("Offer accepted: the parties agree", tone="good"),
    "offer:decline": Kind("Offer declined", tone="wait"),
    "offer:withdraw": Kind("Offer withdrawn"),
    "offer:expire": Kind("Offer ended without an answer"),
    "case:export": Kind("Case file taken", staff_only=True),
    "hold:place": Kind("Hold placed", MONEY, "bad", staff_only=True),
    "hold:news": Kind("Hold: news", MONEY, "info", staff_only=True),
    "refund:made_by_hand": Kind("Refund made by hand at Stripe", MONEY, "good"),
    "hold:lift": Kind("Hold lifted", MONEY, "good", staff_only=True),
    "refund:settle": Kind("Refund arrived", MONEY, "good"),
    "refund:follow": Kind("Refund: news from Stripe", MONEY, "info"),
    "payout:request": Kind("Withdrawal asked for", MONEY, "info"),
    "payout:transfer": Kind("Transferred to the payee", MONEY, "good"),
    "payout:fail": Kind("Payout failed", MONEY, "bad"),
    "chargeback:open": Kind("Chargeback opened", MONEY, "bad"),
    "chargeback:close": Kind("Chargeback closed", MONEY, "info"),
    "chargeback:follow": Kind("Chargeback: news from Stripe", MONEY, "info", staff_only=True),
    "chargeback:stage": Kind("Evidence for the bank prepared", MONEY, "info", staff_only=True),
    "chargeback:submit": Kind("Evidence sent to the bank", MONEY, "info", staff_only=True),
    "review:open": Kind("Risk review opened", tone="bad", staff_only=True),
    "review:assign": Kind("Risk review given to someone", staff_only=True),
    "review:settle": Kind("Risk review settled", tone="good", staff_only=True),
    "review:submit": Kind("Review of the other side written", staff_only=True),
    "review:reveal": Kind("Both reviews opened", tone="info"),
    "report:file": Kind("Report filed", tone="bad", staff_only=True),
    "report:settle": Kind("Report settled", tone="good", staff_only=True),
    "practice:flag": Kind("Practice in another state flagged", tone="bad", staff_only=True),
    "practice:resolve": Kind("Practice in another state resolved", tone="good", staff_only=True),
    "payment:retry": Kind("Card tried again", MONEY, "wait"),
    "operation:review": Kind("Call to Stripe put under review", MONEY, "bad", staff_only=True),
    "operation:retry": Kind("Call to Stripe tried again", MONEY, "info", staff_only=True),
    "payout:offer": Kind("Another payout method offered", MONEY, "info"),
    "payout:withdraw_offer": Kind("Offer of payout methods withdrawn", MONEY, "quiet"),
    "payout:choose": Kind("Another payout method chosen", MONEY, "info"),
    "payout:retry": Kind("Payout tried again", MONEY, "info", staff_only=True),
    "transfer:reverse": Kind("Transfer reversed", MONEY, "bad", staff_only=True),
    "transfer:taken_back": Kind("Transfer came back", MONEY, "info", staff_only=True),
    "duplicate:find": Kind("Duplicate payment found", MONEY, "bad", staff_only=True),
    "duplicate:follow": Kind("Duplicate payment: news from Stripe", MONEY, "info", staff_only=True),
    "debt:keep_back": Kind("Kept back for a debt", MONEY, "wait", staff_only=True),
    "letter:send_again": Kind("E-mail sent again", LETTER, staff_only=True),
}
# These have a richer source of their own.
TOLD_ELSEWHERE = frozenset({"message:send", "evidence:hand_in", "case:recuse"})


def kind(action: str) -> Kind | None:
    """The kind of an entry; None for what another source tells better. An unknown action is told in its own words."""
    noun_and_verb = action.partition(":")[2]
    if noun_and_verb in TOLD_ELSEWHERE:
        return None
    words = noun_and_verb.replace(":", " ").replace("_", " ").capitalize()
    return KINDS.get(noun_and_verb) or Kind(words, staff_only=True)
