"""The parties settle it themselves: one offers a division, the other accepts, and nobody decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.cases import disputes, settlement_proposals
from core.actions.cases.mediator_assignment import CaseClosed
from core.actions.decisions.confirmation import AlreadyDecided
from core.actions.risk import holds
from core.db import Database
from core.money import Money
from core.policy.limits import SETTLEMENT_PROPOSAL_STANDS
from core.records import Case, Milestone, Notification, Refund, SettlementProposal
from core.rules.holds import ReleaseBlocked
from core.rules.permissions import NotYours
from core.rules.settlement_proposals import SettlementProposalExpired, SettlementProposalNotYours
from core.rules.splits import MoreThanHeld
from core.rules.transitions import IllegalMove
from tests import builders
from tests.builders import Told
from tests.sandbox_desk import Market

FEES = {"processing_fee_recovery": 3_092, "processor_fees": 3_092}


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def offered(
    market: Market, told: Told, release: int = 60_000, *, by: str = "payer", note: str = ""
) -> SettlementProposal:
    made: SettlementProposal = market.act(
        settlement_proposals.propose, getattr(market, by), case_id=told.case, release=usd(release), note=note
    )
    return made


def the(market: Market, offer: SettlementProposal) -> SettlementProposal:
    found: SettlementProposal = market.get(SettlementProposal, offer.id)
    return found


def letters(market: Market, template: str) -> set[int]:
    rows = text("select party_id from notifications where template = :template")
    return set(market.read(lambda s: s.scalars(rows, {"template": template}).all()))


@pytest.mark.parametrize("begin", ["disputed", "in_mediation"])
def test_an_accepted_offer_divides_the_money_and_closes_the_case(market: Market, begin: str) -> None:
    told = getattr(builders, begin)(market, market.funded())
    offer = offered(market, told, note="Let us end this.")
    assert letters(market, "settlement_proposal_made") == {market.payee_id}
    market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    case, milestone = market.get(Case, told.case), market.get(Milestone, told.milestone)
    assert (case.status, case.resolution) == ("RESOLVED", "AGREED")
    assert (milestone.status, milestone.outcome) == ("VERIFIED", "SPLIT")
    assert letters(market, "settlement_proposal_accepted") == {market.payer_id, market.payee_id}
    market.later(days=1)
    market.later(days=3)
    assert market.order(told) == {"released": 60_000, "refunded": 40_000}
    assert market.get(Milestone, told.milestone).status == "COMPLETED"
    assert market.books() == {"stripe_balance": 1_500, "platform_fee_revenue": 1_500, **FEES}
    market.lawful()


def test_what_was_planned_is_what_was_booked(market: Market) -> None:
    told = market.in_mediation()
    offer = offered(market, told)
    market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    plan = the(market, offer).plan
    assert plan is not None
    key = f"agreement.{told.case}.1"
    assert (plan["journal"]["key"], plan["ground"], plan["outcome"]) == (
        key,
        "AGREED_SPLIT",
        "PARTIAL_RELEASE",
    )
    booked = text(
        "select a.code, p.amount from journals j join postings p on p.journal_id = j.id "
        "join accounts a on a.id = p.account_id where j.key = :key"
    )
    rows = market.read(lambda s: s.execute(booked, {"key": key}).all())
    assert sorted(map(tuple, rows)) == sorted(
        (each["account"], each["amount"]) for each in plan["journal"]["postings"]
    )


@pytest.mark.parametrize(
    ("release", "status", "outcome"), [(100_000, "VERIFIED", "RELEASED"), (0, "REFUNDED", None)]
)
def test_all_or_nothing_can_be_agreed_too(market: Market, release: int, status: str, outcome: Any) -> None:
    told = market.in_mediation()
    offer = offered(market, told, release, by="payee")
    market.act(settlement_proposals.accept, market.payer, proposal_id=offer.id)
    milestone = market.get(Milestone, told.milestone)
    assert (milestone.status, milestone.outcome) == (status, outcome)
    market.later(days=1)
    market.later(days=3)
    market.lawful()


def test_accepting_twice_moves_the_money_once(market: Market) -> None:
    told = market.in_mediation()
    offer = offered(market, told)
    for _ in range(2):
        market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    assert len(market.read(lambda s: s.query(Refund).all())) == 1


def test_nobody_accepts_or_declines_their_own_offer_and_no_stranger_any(market: Market) -> None:
    told = market.in_mediation()
    offer = offered(market, told)
    stranger = builders.a_party(market, "PAYEE", "Cleo Mbeki")
    for action in (settlement_proposals.accept, settlement_proposals.decline):
        with pytest.raises(SettlementProposalNotYours):
            market.act(action, market.payer, proposal_id=offer.id)
        for nobody in (market.as_staff("mia"), builders.Actor("party", stranger)):
            with pytest.raises(NotYours):
                market.act(action, nobody, proposal_id=offer.id)
    with pytest.raises(SettlementProposalNotYours):
        market.act(settlement_proposals.withdraw, market.payee, proposal_id=offer.id)
    with pytest.raises(NotYours):
        market.act(settlement_proposals.propose, market.as_staff("mia"), case_id=told.case, release=usd(1))


def test_a_new_offer_takes_the_place_of_the_old_one(market: Market) -> None:
    told = market.in_mediation()
    first = offered(market, told, 50_000)
    second = offered(market, told, 55_000)
    third = offered(market, told, 70_000, by="payee")
    assert [the(market, each).status for each in (first, second, third)] == ["REPLACED", "DECLINED", "OPEN"]
    with pytest.raises(IllegalMove):
        market.act(settlement_proposals.accept, market.payee, proposal_id=second.id)
    market.act(settlement_proposals.accept, market.payer, proposal_id=third.id)
    assert (the(market, third).plan or {})["journal"]["key"] == f"agreement.{told.case}.3"


def test_declining_tells_the_other_side_and_the_case_goes_on(market: Market) -> None:
    told = market.in_mediation()
    offer = offered(market, told)
    market.act(settlement_proposals.decline, market.payee, proposal_id=offer.id)
    assert the(market, offer).status == "DECLINED"
    assert letters(market, "settlement_proposal_declined") == {market.payer_id}
    assert builders.decided(market, told).status == "EXECUTED"


def test_an_offer_ends_with_its_time(market: Market) -> None:
    told = market.in_mediation()
    offer = offered(market, told)
    market.now += SETTLEMENT_PROPOSAL_STANDS
    with pytest.raises(SettlementProposalExpired):
        market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    market.later(seconds=0)
    assert the(market, offer).status == "EXPIRED"


def test_or_with_its_case(market: Market) -> None:
    told = market.in_mediation()
    offer = offered(market, told)
    builders.decided(market, told)
    with pytest.raises((AlreadyDecided, CaseClosed)):
        market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    market.later(hours=1)
    assert the(market, offer).status == "EXPIRED"


def test_what_is_decided_and_waits_for_its_second_person_cannot_be_agreed_on(market: Market) -> None:
    told = market.in_mediation(usd(9_000_000))
    offer = offered(market, told)
    assert builders.decided(market, told).status == "AWAITING_APPROVAL"
    with pytest.raises(AlreadyDecided):
        market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    with pytest.raises(AlreadyDecided):
        offered(market, told, 10_000)


def test_a_hold_keeps_an_agreement_from_moving_money(market: Market) -> None:
    told = market.in_mediation()
    offer = offered(market, told)
    market.act(holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="Papers missing.")
    with pytest.raises(ReleaseBlocked):
        market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    assert the(market, offer).status == "OPEN"


def test_more_than_is_held_cannot_be_offered_nor_after_the_dispute(market: Market) -> None:
    told = market.in_mediation()
    with pytest.raises(MoreThanHeld):
        offered(market, told, 100_001)
    builders.decided(market, told)
    with pytest.raises(CaseClosed):
        offered(market, told)


def test_a_rework_ends_the_dispute_and_its_offer(market: Market) -> None:
    told = builders.disputed(market, market.funded())
    offer = offered(market, told)
    market.act(disputes.resubmit, market.payee, milestone_id=told.milestone)
    with pytest.raises(CaseClosed):
        market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)


@pytest.mark.parametrize(
    "change", ["release_minor = 1", "note = 'other'", "expires_at = expires_at + interval '1 day'"]
)
def test_the_terms_of_an_offer_cannot_be_rewritten_even_in_sql(
    market: Market, owner: Database, change: str
) -> None:
    offer = offered(market, market.in_mediation())
    with pytest.raises(DBAPIError, match="not allowed"), owner.transaction() as session:
        session.execute(text(f"update settlement_proposals set {change} where id = {offer.id}"))
    assert the(market, offer).expires_at - offer.made_at == timedelta(days=3)


def test_one_offer_is_open_at_a_time_even_in_sql(market: Market) -> None:
    offer = offered(market, market.in_mediation())
    again = text(
        "insert into settlement_proposals (case_id, proposed_by, currency, release_minor, refund_minor, note, status,"
        " made_at, expires_at) select case_id, proposed_by, currency, 1, 1, '', 'OPEN', made_at, expires_at"
        f" from settlement_proposals where id = {offer.id}"
    )
    with pytest.raises(DBAPIError, match="settlement_proposals_one_open_idx"):
        market.database.run(lambda s: s.execute(again))
    assert market.read(lambda s: s.query(Notification).count()) > 0
