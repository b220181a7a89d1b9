"""The sequence diagram of milestone-payment-flow, walked arrow by arrow: HO is the homeowner, C the contractor, PM the
mediator, BS the bidding, PS the project, ES the escrow, PS2 the payment and NS the notification service."""

from __future__ import annotations

import pytest

from core.actions.cases import conversation, disputes, evidence
from core.actions.funding import fund
from core.actions.milestones import bids, payment_schedule, ratings, verification
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.records import Case, Decision, EvidenceView, FinalRating, Message, Refund
from core.rules.cases import DisputeReason
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.schedule import PlannedMilestone
from tests import builders
from tests.actions.sequence_walk import Walk, WalkStep, walk
from tests.gateways.evidence_builders import picture
from tests.sandbox_desk import Market

PART = Money(100_000, "USD")

# What is done for an arrow


def accept_bid(w: Walk) -> None:
    w.project_id = w.market.act(
        bids.accept,
        w.market.payer,
        bid=bids.Bid(
            payer_id=w.market.payer_id,
            payee_id=w.market.payee_id,
            reference="bid-of-the-diagram",
            title="New kitchen",
            scope="Cabinets, worktop and connections, as drawn.",
            project_type="KITCHEN",
            fee_mode="STAGED",
            total=PART + PART,
        ),
    ).id


def default_milestones(w: Walk) -> bool:
    amounts = [each.amount_minor for each in w.market.milestones(w.project_id)]
    return sum(amounts) == (PART + PART).minor


def adjust(w: Walk) -> None:
    planned = [
        PlannedMilestone(title=title, deliverable="As drawn.", amount=PART)
        for title in ("Cabinets", "Worktop")
    ]
    w.market.act(payment_schedule.adjust, w.market.payer, project_id=w.project_id, planned=planned)


def confirm_engagement(w: Walk) -> None:
    w.market.confirm(w.project_id)
    w.milestone_id = w.market.milestones(w.project_id)[0].id


def fund_milestone(w: Walk) -> None:
    w.market.act(fund.fund, w.market.payer, milestone_id=w.milestone_id)


def provider_answers(w: Walk) -> None:
    w.market.work()


def mark_complete(w: Walk) -> None:
    w.market.wait(hours=30)
    hand_in(w)
    w.market.act(verification.submit, w.market.payee, milestone_id=w.milestone_id)


def hand_in(w: Walk) -> None:
    store = EvidenceStore(w.market.desk.settings.home)
    row = w.market.act(
        evidence.submit,
        w.market.payee,
        store=store,
        milestone_id=w.milestone_id,
        file_name="cabinets.jpg",
        content=picture(),
    )
    w.kept["evidence"], w.kept["store"] = row.id, store


def three_days_pass(w: Walk) -> None:
    w.market.later(hours=72)


def approve(w: Walk) -> None:
    w.market.act(verification.approve, w.market.payer, milestone_id=w.milestone_id)


def open_dispute(w: Walk) -> None:
    reason = DisputeReason.INCOMPLETE
    opened = w.market.act(disputes.open_dispute, w.market.payer, milestone_id=w.milestone_id, reason=reason)
    w.case_id = opened.id


def explain(w: Walk) -> None:
    words = "One door does not close."
    w.market.act(disputes.explain, w.market.payer, milestone_id=w.milestone_id, details=words)


def address_issues(w: Walk) -> None:
    w.market.wait(hours=5)
    words = "The hinge is replaced."
    w.market.act(conversation.say, w.market.payee, milestone_id=w.milestone_id, body=words)


def resubmit(w: Walk) -> None:
    w.market.act(disputes.resubmit, w.market.payee, milestone_id=w.milestone_id)


def ask_mediation(w: Walk) -> None:
    w.market.act(disputes.ask_mediation, w.market.payee, milestone_id=w.milestone_id)


def mediator(w: Walk) -> str:
    number = w.market.get(Case, w.case_id).mediator_id
    return next(name for name, staff_id in w.market.staff.items() if staff_id == number)


def review_evidence(w: Walk) -> None:
    actor = w.market.as_staff(mediator(w))
    given = {"store": w.kept["store"], "evidence_id": w.kept["evidence"]}
    w.market.act(evidence.open_evidence, actor, **given)


def decide_for(outcome: DecisionOutcome) -> WalkStep:
    part = PART.portion(4_000) if outcome is DecisionOutcome.PARTIAL_RELEASE else None
    also = (
        {"outcome": outcome, "ground": Ground.WORK_NOT_AS_AGREED}
        if outcome is DecisionOutcome.FULL_REFUND
        else {}
    )
    letter = f"decision_{outcome.value.lower()}"
    return WalkStep(
        "PM->>PS: Make Decision",
        lambda w: builders.decided(
            w.market, w.told, builders.a_draft(w.told, release=part, **also), by=mediator(w)
        ),
        wrote=(f"HO {letter}", f"C {letter}"),
        holds=lambda w: w.count(Decision, Decision.outcome == outcome, Decision.status == "EXECUTED") == 1,
    )


def review(stars: int, by: str) -> WalkStep:
    arrow = {
        "payer": "HO->>PS: Submit Contractor Review",
        "payee": "C->>PS: Submit Homeowner Review",
    }[by]
    return WalkStep(
        arrow,
        lambda w: w.market.act(
            ratings.submit, getattr(w.market, by), project_id=w.project_id, stars=stars, body="As agreed."
        ),
        wrote=("C thanks", "HO thanks") if by == "payee" else (),
    )


# The diagram

PHASE_1 = (
    WalkStep("HO->>BS: Accept Bid", accept_bid, wrote=("HO milestones_proposed",)),
    WalkStep("BS->>PS: Create Project", holds=lambda w: w.project.status == "ACTIVE"),
    WalkStep("PS->>PS: Create Default Milestones", holds=default_milestones),
    WalkStep("PS-->>HO: Show Milestone Configuration", letter="HO milestones_proposed"),
    WalkStep("HO->>PS: Adjust Milestones (optional)", adjust),
    WalkStep(
        "PS->>PS: Finalize Project Structure",
        confirm_engagement,
        wrote=("C engagement_active", "C project_started", "HO engagement_active", "HO payment_schedule"),
        holds=lambda w: w.status == "AWAITING_FUNDING",
    ),
    WalkStep(
        "PS->>PS: Generate Payment Schedule",
        holds=lambda w: (
            [each.amount_minor for each in w.market.milestones(w.project_id)][-2:] == [100_000] * 2
        ),
    ),
    WalkStep("PS-->>HO: Display Payment Schedule", letter="HO payment_schedule"),
    WalkStep("PS-->>C: Notify Project Start", letter="C project_started"),
)
PHASE_2 = (
    WalkStep(
        "HO->>PS2: Fund First Milestone", fund_milestone, holds=lambda w: w.status == "AWAITING_FUNDING"
    ),
    WalkStep(
        "PS2->>PS2: Process Payment",
        provider_answers,
        wrote=("C milestone_funded", "HO funds_held"),
        holds=lambda w: w.market.state(w.told) == "PAID_HELD",
    ),
    WalkStep("PS2->>ES: Hold Funds in Escrow", holds=lambda w: w.market.order(w.told) == {"held": 100_000}),
    WalkStep("ES-->>HO: Confirm Escrow Deposit", letter="HO funds_held"),
    WalkStep("ES-->>C: Notify Milestone Funded", letter="C milestone_funded"),
    WalkStep('PS->>PS: Update Milestone Status to "Funded"', holds=lambda w: w.status == "FUNDED"),
)
PHASE_3 = (
    WalkStep("C->>PS: Mark Milestone as Complete", mark_complete, wrote=("HO verification_requested",)),
    WalkStep(
        'PS->>PS: Update Milestone Status to "Pending Verification"',
        holds=lambda w: w.status == "PENDING_VERIFICATION",
    ),
    WalkStep("PS-->>HO: Request Milestone Verification", letter="HO verification_requested"),
    WalkStep(
        "NS-->>HO: Send Reminder Notification",
        three_days_pass,
        wrote=("HO verification_reminder",),
        letter="HO verification_reminder",
    ),
)
_APPROVED = (
    WalkStep(
        "HO->>PS: Approve Milestone Completion",
        approve,
        wrote=("C milestone_approved", "HO release_confirmed"),
    ),
    WalkStep('PS->>PS: Update Milestone Status to "Verified"', holds=lambda w: w.status == "VERIFIED"),
    WalkStep("PS->>ES: Request Fund Release", holds=lambda w: w.milestone.outcome == "RELEASED"),
    WalkStep(
        "ES->>ES: Release Funds from Escrow", holds=lambda w: w.market.order(w.told) == {"payable": 100_000}
    ),
)


def paid_out(arrow: str, *also: str) -> WalkStep:
    """The transfer is made and the payout sent; with it the milestone ends, so what follows an end is told too."""
    return WalkStep(arrow, provider_answers, wrote=("C payment_sent", *also))


NEXT = ("C next_milestone_active", "HO next_milestone_funding")
REVIEWS = ("C project_review_request", "HO project_review_request")


def approved(*after: str) -> tuple[WalkStep, ...]:
    return (
        *_APPROVED,
        paid_out("ES->>PS2: Process Payout to Contractor", *after),
        WalkStep("PS2-->>C: Notify Payment Sent", letter="C payment_sent"),
        WalkStep("PS-->>HO: Confirm Release", letter="HO release_confirmed"),
        WalkStep('PS->>PS: Update Milestone Status to "Completed"', holds=lambda w: w.status == "COMPLETED"),
    )


DISPUTED = (
    WalkStep(
        "HO->>PS: Dispute Milestone Completion",
        open_dispute,
        wrote=("C dispute_opened", "HO dispute_confirmed"),
    ),
    WalkStep('PS->>PS: Update Milestone Status to "Disputed"', holds=lambda w: w.status == "DISPUTED"),
    WalkStep("PS-->>C: Notify Dispute", letter="C dispute_opened"),
    WalkStep("HO->>PS: Provide Dispute Details", explain, wrote=("C dispute_details",)),
    WalkStep("PS-->>C: Forward Dispute Details", letter="C dispute_details"),
)
RESOLVES = (
    WalkStep("C->>PS: Address Issues", address_issues, holds=lambda w: w.count(Message) == 2),
    WalkStep("C->>PS: Request Re-verification", resubmit, wrote=("HO verification_again",)),
    WalkStep("PS-->>HO: Request Verification Again", letter="HO verification_again"),
    *_APPROVED,
    paid_out("ES->>PS2: Process Payout to Contractor", *NEXT),
    WalkStep("PS-->>HO: Confirm Release", letter="HO release_confirmed"),
)
MEDIATION = (
    WalkStep(
        "C->>PS: Request Mediation",
        ask_mediation,
        wrote=("C mediation_started", "HO mediation_started", "PM case_assigned"),
        holds=lambda w: w.status == "IN_MEDIATION",
    ),
    WalkStep(
        "PS->>PM: Assign Mediator", letter="PM case_assigned", holds=lambda w: mediator(w) in ("mia", "max")
    ),
    WalkStep("PM->>PS: Review Evidence", review_evidence, holds=lambda w: w.count(EvidenceView) == 1),
)
FULL_RELEASE = (
    decide_for(DecisionOutcome.FULL_RELEASE),
    WalkStep("PM->>ES: Authorize Full Release", holds=lambda w: w.status == "VERIFIED"),
    WalkStep("ES->>ES: Release Full Amount", holds=lambda w: w.market.order(w.told) == {"payable": 100_000}),
    paid_out("ES->>PS2: Process Full Payout", *NEXT),
    WalkStep("PS-->>HO: Notify Decision", letter="HO decision_full_release"),
    WalkStep("PS-->>C: Notify Full Payment", letter="C decision_full_release"),
)
PARTIAL_RELEASE = (
    decide_for(DecisionOutcome.PARTIAL_RELEASE),
    WalkStep("PM->>ES: Authorize Partial Release", holds=lambda w: w.milestone.outcome == "SPLIT"),
    WalkStep(
        "ES->>ES: Release Partial Amount",
        holds=lambda w: w.market.order(w.told) == {"payable": 40_000, "refundable": 60_000},
    ),
    paid_out("ES->>PS2: Process Partial Payout", "HO refund_sent", *NEXT),
    WalkStep(
        "ES->>PS2: Refund Remaining to Homeowner",
        letter="HO refund_sent",
        holds=lambda w: w.market.order(w.told) == {"released": 40_000, "refunded": 60_000},
    ),
    WalkStep("PS-->>HO: Notify Partial Refund", letter="HO decision_partial_release"),
    WalkStep("PS-->>C: Notify Partial Payment", letter="C decision_partial_release"),
)
FULL_REFUND = (
    decide_for(DecisionOutcome.FULL_REFUND),
    WalkStep("PM->>ES: Authorize Full Refund", holds=lambda w: w.status == "REFUNDED"),
    WalkStep(
        "ES->>ES: Release All Funds to Homeowner",
        holds=lambda w: w.market.order(w.told) == {"refundable": 100_000},
    ),
    WalkStep(
        "ES->>PS2: Process Refund",
        provider_answers,
        wrote=("HO refund_sent", *NEXT),
        letter="HO refund_sent",
        holds=lambda w: w.count(Refund, Refund.status == "SUCCEEDED") == 1,
    ),
    WalkStep("PS-->>HO: Notify Full Refund", letter="HO decision_full_refund"),
    WalkStep("PS-->>C: Notify Decision", letter="C decision_full_refund"),
)


def second_milestone(w: Walk) -> bool:
    w.milestone_id = w.market.milestones(w.project_id)[1].id
    return w.status == "AWAITING_FUNDING"


PHASE_4 = (
    WalkStep("PS->>PS: Activate Next Milestone", holds=second_milestone),
    WalkStep("PS-->>HO: Request Next Milestone Funding", letter="HO next_milestone_funding"),
    WalkStep("PS-->>C: Notify Next Milestone Active", letter="C next_milestone_active"),
)
FINAL = (
    WalkStep(
        'PS->>PS: Update Project Status to "Completed"', holds=lambda w: w.project.status == "COMPLETED"
    ),
    WalkStep("PS-->>HO: Request Project Review", letter="HO project_review_request"),
    WalkStep("PS-->>C: Request Project Review", letter="C project_review_request"),
    review(5, "payer"),
    review(4, "payee"),
    WalkStep("PS->>PS: Calculate Final Ratings", holds=lambda w: w.count(FinalRating) == 2),
    WalkStep("PS-->>HO: Thank for Project Completion", letter="HO thanks"),
    WalkStep("PS-->>C: Thank for Project Completion", letter="C thanks"),
)

# What we say besides: no arrow is these letters, and each is there for a reason.
BESIDES = {
    "HO engagement_active": "the engagement stands before any payment (payment-escrow-rules, Positioning)",
    "C engagement_active": "the same for the other side",
    "C milestone_approved": "the contractor hears of the approval before the money is on its way",
    "HO dispute_confirmed": "who complains is told that it arrived, and what happens next",
    "HO mediation_started": "both sides are told that a mediator decides, and by when",
    "C mediation_started": "the same for the other side",
    "C payment_sent": "the money is on its way: told after a decision too, where the diagram says it once",
}

START = (*PHASE_1, *PHASE_2, *PHASE_3)
TO_MEDIATION = (*START, *DISPUTED, *MEDIATION)
WALKS = {
    "approved, next milestone, project completed": (
        *START,
        *approved(*NEXT),
        *PHASE_4,
        *PHASE_2,
        *PHASE_3,
        *approved(*REVIEWS),
        *FINAL,
    ),
    "contractor resolves the issue": (*START, *DISPUTED, *RESOLVES, *PHASE_4),
    "full release": (*TO_MEDIATION, *FULL_RELEASE, *PHASE_4),
    "partial release": (*TO_MEDIATION, *PARTIAL_RELEASE, *PHASE_4),
    "full refund": (*TO_MEDIATION, *FULL_REFUND, *PHASE_4),
}
# In the diagram a decision is one arrow before three endings; here it begins each ending.
DIAGRAM = (
    *START,
    *approved(),
    *DISPUTED,
    *RESOLVES,
    *MEDIATION,
    *FULL_RELEASE,
    *PARTIAL_RELEASE[1:],
    *FULL_REFUND[1:],
    *PHASE_4,
    *FINAL,
)


@pytest.mark.parametrize("name", WALKS)
def test_each_arrow_tells_exactly_whom_it_names(market: Market, name: str) -> None:
    on = Walk(market)
    walk(WALKS[name], on)
    assert {each for each in on.unclaimed if each not in BESIDES} == set()
    market.lawful()


def test_the_table_has_every_arrow_of_the_diagram() -> None:
    parts = (PHASE_1, PHASE_2, PHASE_3, approved(), DISPUTED, RESOLVES, MEDIATION)
    ends = (FULL_RELEASE[1:], PARTIAL_RELEASE[1:], FULL_REFUND[1:], PHASE_4, FINAL)
    assert [len(part) for part in parts] == [9, 6, 4, 8, 5, 9, 3]
    assert [len(part) for part in ends] == [5, 6, 5, 3, 8]
    assert len(DIAGRAM) == 72


@pytest.mark.parametrize("step", DIAGRAM, ids=lambda step: step.arrow)
def test_an_arrow_to_a_party_is_a_letter_to_that_party(step: WalkStep) -> None:
    if "-->>" in step.arrow:
        reader = step.arrow.split("-->>")[1].split(":")[0]
        assert step.letter is not None
        assert step.letter.split()[0] == reader
