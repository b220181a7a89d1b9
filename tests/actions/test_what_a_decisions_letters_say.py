"""Every sentence of the letters about the end of a milestone against the facts: run for each ending, ground and
platform; by a decision, by agreement, by silence, by the bank."""

from __future__ import annotations

from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import audit
from core.actions.cases import settlement_proposals
from core.actions.decisions.plan import Draft
from core.actions.milestones import verification
from core.audit.actions import AuditAction
from core.money import Money
from core.queries.cases import case as read_case
from core.records import Evidence, EvidenceView, Milestone, Notification, PaymentOrder, Project
from core.rules import grounds
from core.rules.grounds import DecisionOutcome, Ground, ProjectGoesOn
from core.rules.permissions import SYSTEM
from tests import builders
from tests.actions.stripe_events import bank_says, charged, charged_back
from tests.builders import Told
from tests.sandbox_desk import Market

ENDINGS = [
    (outcome, ground)
    for outcome, ground in product(DecisionOutcome, Ground)
    if outcome in grounds.outcomes(ground) and ground is not Ground.OUTCOME_DISSATISFACTION
]
PLATFORMS = {"home_services": "KITCHEN", "legal_services": "DOCUMENT_REVIEW"}
PAYER = {"home_services": "homeowner", "legal_services": "client"}
HALF = Money(40_000, "USD")


def decided(market: Market, platform: str, outcome: DecisionOutcome, ground: Ground, **looked: int) -> Told:
    """A case decided so and carried out to its end; `pieces` handed in, of which the mediator `opened` some."""
    if platform != "home_services":
        market.newcomers(platform=platform)
    told = market.in_mediation(project_type=PLATFORMS[platform])
    market.pay_in(100_000)  # what the platform bears of a fee comes from its own money
    _evidence(market, told, **looked)
    release = HALF if outcome is DecisionOutcome.PARTIAL_RELEASE else None
    draft: Draft = builders.a_draft(told, release=release, outcome=outcome, ground=ground)
    builders.decided(market, told, draft)
    market.later(hours=24)
    market.later(days=5)
    return told


def _evidence(market: Market, told: Told, pieces: int = 0, opened: int = 0) -> None:
    def hand_in(session: Session) -> None:
        for number in range(pieces):
            row = Evidence(
                milestone_id=told.milestone,
                uploaded_by=market.payer_id,
                kind="TEXT",
                file_name=f"note-{number}.txt",
                media_type="text/plain",
                size_bytes=4,
                sha256=f"{number:02x}" * 32,
                at=market.now,
            )
            session.add(row)
            session.flush()
            audit.record(
                session,
                SYSTEM,
                AuditAction.EVIDENCE_HAND_IN.by("party"),
                object_kind="evidence",
                object_id=row.id,
                now=market.now,
                contents=[row],
            )
            if number < opened:
                seen = EvidenceView(
                    evidence_id=row.id, staff_id=market.as_staff("mia").id, first_at=market.now
                )
                session.add(seen)

    market.database.run(hand_in)


def said(market: Market, template: str, party_id: int) -> str:
    found = [
        each for each in market.all(Notification) if (each.template, each.party_id) == (template, party_id)
    ]
    return " ".join(f"{each.subject} {each.text}" for each in found).replace("\n", " ")


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(("outcome", "ground"), ENDINGS)
def test_the_letters_of_each_ending_say_what_became_of_the_money(
    market: Market, platform: str, outcome: DecisionOutcome, ground: Ground
) -> None:
    told = decided(market, platform, outcome, ground)
    order: PaymentOrder = market.get(PaymentOrder, told.milestone)
    template = f"decision_{outcome.lower()}"
    payer, payee = (words(said(market, template, each)) for each in (market.payer_id, market.payee_id))
    at_stripe = sum(each["amount"] for each in market.at_stripe("/v1/refunds"))
    refunded = Money(at_stripe, "USD")
    processing = Money(order.processing_fee_minor, "USD")
    returned = Money(order.platform_fee_minor - order.fee_kept_minor, "USD")
    absorbed = grounds.platform_absorbs(ground)

    assert (refunded.text() in payer) == refunded.is_positive
    assert ("Total refund" in payer) == (at_stripe != order.refunded_minor)
    assert ("Platform fee returned" in payer) == (refunded.is_positive and returned.is_positive)
    assert ("Card processing fee returned" in payer) == absorbed
    kept = refunded.is_positive and not absorbed
    assert (f"fee of {processing.text()} that you paid is not returned" in payer) == kept
    assert ("We tell you when it is sent" in payer) == refunded.is_positive
    assert "fees returned" not in payer + payee
    for letter in (payer, payee):
        assert "Neither of you has submitted evidence." in letter
        assert "opened all" not in letter
    if refunded.is_positive:
        assert refunded.text() in words(said(market, "refund_sent", market.payer_id))
    if platform == "legal_services":
        announced = words(said(market, "decision_announced", market.payer_id))
        assert (f"fee of {processing.text()} that you paid is not returned" in announced) == kept

    head = market.read(lambda session: read_case(session, told.case or 0, staff_id=None))
    assert (head.refunded.sent, head.refunded.waiting.minor, head.refunded.by_bank.minor) == (refunded, 0, 0)
    assert head.concession == (processing if absorbed else Money(0, "USD"))
    following = words(said(market, "next_milestone_funding", market.payer_id))
    ended = market.get(Milestone, told.milestone).status
    assert ("was refunded" in following, "is finished" in following) == (
        ended == "REFUNDED" and bool(following),
        ended == "COMPLETED" and bool(following),
    )
    market.lawful()


@pytest.mark.parametrize(("pieces", "opened"), [(2, 2), (2, 1), (1, 0)])
def test_a_letter_speaks_of_evidence_only_as_it_was_opened(market: Market, pieces: int, opened: int) -> None:
    decided(
        market,
        "home_services",
        DecisionOutcome.FULL_RELEASE,
        Ground.WORK_DELIVERED,
        pieces=pieces,
        opened=opened,
    )
    for party_id in (market.payer_id, market.payee_id):
        letter = words(said(market, "decision_full_release", party_id))
        assert ("opened all of the evidence" in letter) == (opened == pieces)
        assert "Neither of you has submitted evidence" not in letter


def test_what_the_mediator_opens_later_does_not_change_the_decision(market: Market) -> None:
    market.newcomers(platform="legal_services")
    told = market.in_mediation(project_type="DOCUMENT_REVIEW")
    _evidence(market, told, pieces=1)
    decision = builders.decided(market, told)
    market.wait(hours=1)

    def open_it(session: Session) -> None:
        (piece,) = session.query(Evidence).all()
        mia = market.as_staff("mia").id
        session.add(EvidenceView(evidence_id=piece.id, staff_id=mia, first_at=market.now))

    market.database.run(open_it)
    market.later(days=1)
    assert market.get(type(decision), decision.id).status == "EXECUTED"


@pytest.mark.parametrize("ends", [True, False])
def test_the_mediator_chooses_whether_the_project_goes_on_after_a_no_show(market: Market, ends: bool) -> None:
    market.pay_in(100_000)
    told = market.in_mediation()
    no_show = {"outcome": DecisionOutcome.FULL_REFUND, "ground": Ground.PROVIDER_NO_SHOW}
    decision = builders.decided(market, told, builders.a_draft(told, **no_show, ends_project=ends))
    market.work()
    market.later(days=5)
    assert market.get(type(decision), decision.id).ends_project == ends
    assert decision.plan["ends_project"] == ends
    statuses = [each.status for each in market.milestones(told.project)]
    assert statuses == ["REFUNDED", "CANCELED" if ends else "AWAITING_FUNDING"]
    assert market.get(Project, told.project).status == ("CANCELED" if ends else "ACTIVE")
    for party_id in (market.payer_id, market.payee_id):
        assert ("ends. Its milestones" in words(said(market, "decision_full_refund", party_id))) == ends
    assert bool(said(market, "next_milestone_funding", market.payer_id)) == (not ends)
    assert bool(said(market, "next_milestone_active", market.payee_id)) == (not ends)
    market.lawful()


def test_only_a_ground_that_leaves_nobody_at_work_ends_a_project(market: Market) -> None:
    told = market.in_mediation()
    badly = {"outcome": DecisionOutcome.FULL_REFUND, "ground": Ground.WORK_NOT_AS_AGREED}
    with pytest.raises(ProjectGoesOn):
        builders.decided(market, told, builders.a_draft(told, **badly, ends_project=True))
    decision = builders.decided(market, told, builders.a_draft(told, **badly))
    with pytest.raises(DBAPIError), market.database.transaction() as session:
        session.execute(text("update decisions set ends_project = true where id = :id"), {"id": decision.id})


# Without a decision: the parties settle it, the time to answer runs out, the bank takes the money


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("release", [100_000, 40_000, 0])
def test_the_letters_of_a_settlement_say_what_became_of_the_money(
    market: Market, platform: str, release: int
) -> None:
    if platform != "home_services":
        market.newcomers(platform=platform)
    told = market.in_mediation(project_type=PLATFORMS[platform])
    offer = market.act(
        settlement_proposals.propose, market.payer, case_id=told.case, release=Money(release, "USD"), note=""
    )
    market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    market.work()
    market.later(days=5)
    order: PaymentOrder = market.get(PaymentOrder, told.milestone)
    payer, payee = (
        words(said(market, "settlement_proposal_accepted", each))
        for each in (market.payer_id, market.payee_id)
    )
    refunded = Money(sum(each["amount"] for each in market.at_stripe("/v1/refunds")), "USD")
    processing = Money(order.processing_fee_minor, "USD")
    returned = Money(order.platform_fee_minor - order.fee_kept_minor, "USD")
    assert order.released_minor == release
    for letter in (payer, payee):
        assert Money(release, "USD").text() in letter
        assert "mediator" not in letter
        assert "decision" not in letter
    assert f"Back to the {PAYER[platform]}: {Money(100_000 - release, 'USD').text()}" in payer
    assert not refunded.is_positive or refunded.text() in payer
    assert ("Platform fee returned" in payer) == (refunded.is_positive and returned.is_positive)
    assert (f"Card processing fee, not returned: {processing.text()}" in payer) == refunded.is_positive
    on_its_way = "We tell you when your part is on its way."
    assert (on_its_way in payer) == bool(said(market, "refund_sent", market.payer_id))
    assert (on_its_way in payee) == bool(said(market, "payment_sent", market.payee_id))
    assert not any(each.template.startswith("decision") for each in market.all(Notification))
    after_it(market, told)
    market.lawful()


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_letters_of_a_release_by_silence_say_that_nobody_answered(market: Market, platform: str) -> None:
    if platform != "home_services":
        market.newcomers(platform=platform)
    told = market.submitted(project_type=PLATFORMS[platform])
    for _ in range(10):
        market.later(days=1)
    assert market.order(told) == {"released": 100_000}
    payer = words(said(market, "release_confirmed", market.payer_id))
    assert "We had no answer from you in the time you had to verify the work" in payer
    assert "Released: $1,000.00" in payer
    assert said(market, "payment_sent", market.payee_id)
    assert not said(market, "refund_sent", market.payer_id)
    after_it(market, told)
    market.lawful()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("paid_out", [False, True])
def test_the_letters_of_a_lost_chargeback_say_who_has_the_money(
    market: Market, platform: str, paid_out: bool
) -> None:
    if platform != "home_services":
        market.newcomers(platform=platform)
    market.pay_in(1_000_000)
    told = market.submitted(project_type=PLATFORMS[platform])
    if paid_out:
        market.act(verification.approve, market.payer, milestone_id=told.milestone)
        market.work()
    chargeback = charged_back(market, told)
    opened = words(said(market, "chargeback_opened", market.payee_id))
    assert Money(charged(market, told), "USD").text() in opened
    bank_says(market, chargeback, "lost")
    market.work()
    payer, payee = (
        words(said(market, "chargeback_lost", each)) for each in (market.payer_id, market.payee_id)
    )
    assert "we send nothing in addition" in payer
    assert not said(market, "refund_sent", market.payer_id)
    assert not market.at_stripe("/v1/refunds")
    assert ("You had already been paid" in payee) == paid_out
    assert ("You had not been paid yet, so nothing is owed by you" in payee) == (not paid_out)
    assert ("is now owed by you: $1,000.00" in payee) == paid_out
    assert not any(each.template.startswith("decision") for each in market.all(Notification))
    after_it(market, told)
    market.lawful()


def after_it(market: Market, told: Told) -> None:
    """The next milestone is asked for only after this one is over, in the words of how it ended."""
    following = words(said(market, "next_milestone_funding", market.payer_id))
    milestone: Milestone = market.get(Milestone, told.milestone)
    assert bool(following) == (milestone.ended_at is not None)
    assert ("was refunded" in following) == (milestone.status == "REFUNDED" and bool(following))
    assert ("is finished" in following) == (milestone.status == "COMPLETED" and bool(following))
