"""Every sentence of the letters about a decision against the facts: run for each ending, ground and platform."""

from __future__ import annotations

from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.actions.plan import Draft
from core.money import Money
from core.queries.cases import case as read_case
from core.records import Evidence, EvidenceView, Milestone, Notification, PaymentOrder, Project
from core.rules import grounds
from core.rules.grounds import DecisionOutcome, Ground, ProjectGoesOn
from tests import stories
from tests.market import Market
from tests.stories import Told

ENDINGS = [
    (outcome, ground)
    for outcome, ground in product(DecisionOutcome, Ground)
    if outcome in grounds.outcomes(ground) and ground is not Ground.OUTCOME_DISSATISFACTION
]
PLATFORMS = {"home_services": "KITCHEN", "legal_services": "DOCUMENT_REVIEW"}
HALF = Money(40_000, "USD")


def decided(market: Market, platform: str, outcome: DecisionOutcome, ground: Ground, **looked: int) -> Told:
    """A case decided so and carried out to its end; `pieces` handed in, of which the mediator `opened` some."""
    if platform != "home_services":
        market.newcomers(platform=platform)
    told = market.in_mediation(project_type=PLATFORMS[platform])
    market.pay_in(100_000)  # what the platform bears of a fee comes from its own money
    _evidence(market, told, **looked)
    release = HALF if outcome is DecisionOutcome.PARTIAL_RELEASE else None
    draft: Draft = stories.a_draft(told, release=release, outcome=outcome, ground=ground)
    stories.decided(market, told, draft)
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
    assert ("Refund in all" in payer) == (at_stripe != order.refunded_minor)
    assert ("Platform fee returned" in payer) == (refunded.is_positive and returned.is_positive)
    assert ("Card processing fee returned" in payer) == absorbed
    kept = refunded.is_positive and not absorbed
    assert (f"fee of {processing.text()} that you paid is not returned" in payer) == kept
    assert ("We tell you when it is sent" in payer) == refunded.is_positive
    assert "fees returned" not in payer + payee
    for letter in (payer, payee):
        assert "Neither of you has handed in evidence." in letter
        assert "opened all" not in letter
    if refunded.is_positive:
        assert refunded.text() in words(said(market, "refund_sent", market.payer_id))
    if platform == "legal_services":
        announced = words(said(market, "decision_announced", market.payer_id))
        assert (f"fee of {processing.text()} that you paid is not returned" in announced) == kept

    head = market.read(lambda session: read_case(session, told.ticket or 0, staff_id=None))
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
        assert "Neither of you has handed in evidence" not in letter


def test_what_the_mediator_opens_later_does_not_change_the_decision(market: Market) -> None:
    market.newcomers(platform="legal_services")
    told = market.in_mediation(project_type="DOCUMENT_REVIEW")
    _evidence(market, told, pieces=1)
    decision = stories.decided(market, told)
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
    decision = stories.decided(market, told, stories.a_draft(told, **no_show, ends_project=ends))
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
        stories.decided(market, told, stories.a_draft(told, **badly, ends_project=True))
    decision = stories.decided(market, told, stories.a_draft(told, **badly))
    with pytest.raises(DBAPIError), market.database.transaction() as session:
        session.execute(text("update decisions set ends_project = true where id = :id"), {"id": decision.id})
