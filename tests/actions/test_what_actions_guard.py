"""What a page asks for, the action asks for too; and what was agreed, canceled or released is not lost on odd roads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.actions.cases import conversation, mediator_assignment, recusal, settlement_proposals
from core.actions.decisions import confirmation, drafts, recorded_decision
from core.actions.milestones import payment_schedule, verification
from core.actions.risk import holds, reports, risk_reviews
from core.errors import ChangedMeanwhile
from core.money import Money
from core.processes import provider_accounts
from core.records import Decision, Milestone, Party, PaymentEvent, RiskReview, SettlementProposal
from core.rules.mediation import YouAreRecused
from core.rules.permissions import Actor, StepUpRequired
from core.rules.reports import ReportKind, ReportOutcome, Severity
from core.rules.risk import ReviewOutcome
from core.rules.schedule import PlannedMilestone
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back
from tests.sandbox_desk import Market

LARGE = Money(900_000, "USD")


def signed_in_long_ago(market: Market) -> Actor:
    return replace(market.as_staff("cora"), authenticated_at=market.now - timedelta(minutes=6))


# Signed in a moment ago


def test_a_hold_is_lifted_only_by_who_has_just_signed_in(market: Market) -> None:
    told = market.submitted()
    placed = market.act(holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    with pytest.raises(StepUpRequired):
        market.act(holds.lift, signed_in_long_ago(market), hold_id=placed.id, reason="Nothing in it.")
    assert market.order(told) == {"held": 100_000}
    market.act(holds.lift, market.as_staff("ada"), hold_id=placed.id, reason="Nothing in it.")
    assert market.order(told) == {"payable": 100_000}


def test_a_report_and_a_review_are_settled_only_by_who_has_just_signed_in(market: Market) -> None:
    told = market.submitted()
    filed = {"project_id": told.project, "kind": ReportKind.THREAT, "severity": Severity.SEVERE}
    report = market.act(reports.file, market.payer, details="He said he would come by night.", **filed)
    (review,) = market.all(RiskReview)
    dismissed = {"report_id": report.id, "outcome": ReportOutcome.DISMISSED, "note": "A joke."}
    cleared = {"review_id": review.id, "outcome": ReviewOutcome.CLEARED, "note": "A joke."}
    for action, given in ((reports.settle, dismissed), (risk_reviews.settle, cleared)):
        with pytest.raises(StepUpRequired):
            market.act(action, signed_in_long_ago(market), **given)
        market.act(action, market.as_staff("cora"), **given)


# Stepped back


def test_who_stepped_back_is_told_so_when_deciding(market: Market) -> None:
    told = market.in_mediation()
    market.act(recusal.recuse, market.as_staff("max"), case_id=told.case, reason="A neighbour.")
    with pytest.raises(YouAreRecused):
        market.act(confirmation.preview, market.as_staff("max"), draft=builders.a_draft(told))


def test_who_stepped_back_neither_approves_nor_returns_nor_takes_back(market: Market) -> None:
    told = builders.in_mediation(market, market.funded(LARGE))
    market.act(recusal.recuse, market.as_staff("max"), case_id=told.case, reason="A neighbour.")
    decision, who = builders.decided(market, told), market.as_staff("max")
    assert decision.status == "AWAITING_APPROVAL"
    tries: tuple[tuple[Any, dict[str, Any]], ...] = (
        (confirmation.approve, {"plan_hash": decision.plan_hash}),
        (confirmation.send_back, {"note": "Too much."}),
        (confirmation.withdraw, {"reason": "Too much."}),
    )
    for action, given in tries:
        with pytest.raises(YouAreRecused):
            market.act(action, who, decision_id=decision.id, **given)


def test_who_stepped_back_neither_reassigns_nor_asks_nor_writes_to_a_party(market: Market) -> None:
    told = market.in_mediation()
    who, ask = market.as_staff("max"), {"case_id": told.case, "party_id": market.payer.id}
    due = market.now + timedelta(days=2)
    market.act(recusal.recuse, who, case_id=told.case, reason="A neighbour.")
    with pytest.raises(YouAreRecused):
        market.act(conversation.ask, who, question="When was it laid?", answer_due_at=due, **ask)
    market.act(
        conversation.ask, market.as_staff("mia"), question="When was it laid?", answer_due_at=due, **ask
    )
    tries: tuple[tuple[Any, dict[str, Any]], ...] = (
        (mediator_assignment.assign, {"case_id": told.case, "staff_id": None}),
        (conversation.stop_waiting, {"case_id": told.case}),
        (conversation.say, {"milestone_id": told.milestone, "body": "Between us."}),
    )
    for action, given in tries:
        with pytest.raises(YouAreRecused):
            market.act(action, who, **given)
    note = {"milestone_id": told.milestone, "body": "I know the payer.", "audience": "STAFF"}
    assert market.act(conversation.say, who, **note).audience == "STAFF"


def test_an_approval_falls_with_whoever_gave_it_and_the_draft_is_its_makers(market: Market) -> None:
    market.newcomers(platform="legal_services")
    told = builders.in_mediation(market, market.funded(LARGE, project_type="DOCUMENT_REVIEW"))
    decision = builders.decided(market, told)
    given = {"decision_id": decision.id, "plan_hash": decision.plan_hash}
    assert market.act(confirmation.approve, market.as_staff("max"), **given).status == "COOLING_OFF"
    market.act(recusal.recuse, market.as_staff("max"), case_id=told.case, reason="A neighbour.")
    after = market.get(Decision, decision.id)
    assert (after.status, after.check_note) == ("VOIDED", recorded_decision.CHECKER_LEFT)
    assert market.read(lambda s: drafts.find(s, market.as_staff("mia"), case_id=told.case)) is not None
    market.later(hours=25)
    assert market.order(told) == {"held": LARGE.minor}


# What was agreed


def test_an_offer_is_not_accepted_on_other_terms_than_were_offered(market: Market) -> None:
    """The bank took a part meanwhile: the payer would get less back than the offer says."""
    told = market.in_mediation()
    offered = {"case_id": told.case, "release": Money(60_000, "USD")}
    offer = market.act(settlement_proposals.propose, market.payee, **offered)
    bank_says(market, charged_back(market, told, amount=30_000), "lost")
    with pytest.raises(ChangedMeanwhile, match=r"\$700\.00 is held now"):
        market.act(settlement_proposals.accept, market.payer, proposal_id=offer.id)
    assert (market.get(SettlementProposal, offer.id).status, market.order(told)["held"]) == ("OPEN", 70_000)
    again = market.act(settlement_proposals.propose, market.payee, **offered)
    market.act(settlement_proposals.accept, market.payer, proposal_id=again.id)
    assert market.order(told) == {"payable": 60_000, "refundable": 10_000, "refunded": 30_000}
    market.lawful()


# What was canceled


def test_a_canceled_milestone_leaves_a_payment_event(market: Market) -> None:
    project = market.agreed()
    _, second = market.milestones(project.id)
    one = [PlannedMilestone(title="All of it", deliverable="As drawn.", amount=Money(150_000, "USD"))]
    market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=one)
    events = [(each.milestone_id, each.from_state, each.to_state) for each in market.all(PaymentEvent)]
    assert events == [(second.id, "UNPAID", "CANCELED")]
    assert market.get(Milestone, second.id).status == "CANCELED"


# What was released


def test_a_payee_who_opens_an_account_late_is_paid_what_waited(market: Market) -> None:
    def without_account(session: Any) -> None:
        session.get_one(Party, market.payee_id).stripe_account = None

    market.database.run(without_account)
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    assert (market.status(told), market.order(told)) == ("VERIFIED", {"payable": 100_000})
    opening = {"currency": "USD", "bank_token": "btok_us_verified"}
    for _ in range(2):
        provider_accounts.open_at_provider(market.desk, market.payee_id, **opening)
    market.work()
    assert (market.status(told), market.order(told)) == ("COMPLETED", {"released": 100_000})
    assert len(market.sent("/v1/transfers")) == 1
    market.lawful()
