"""A bid is accepted once, as it was, between a payer and a payee; then one milestone or several are funded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.funding import fund
from core.actions.funding.fund_several import fund_several
from core.actions.milestones import bids, payment_schedule, projects, verification
from core.actions.milestones.bids import BidKnownOtherwise, OtherPlatform, WrongRole
from core.audit.entries import ADDRESS
from core.db import Database
from core.errors import DeskError
from core.money import AmountNotStripeExact, Money
from core.policy.amounts import LARGEST_CHARGE, SMALLEST_CHARGE
from core.records import Milestone, Notification, Project
from core.rules.amount_limits import AmountOutsideLimits
from core.rules.milestones import Status
from core.rules.projects import FundedInTurn, FundedWithGap, Funding, InLine, require_fundable
from core.rules.schedule import PlannedMilestone
from tests.db_snapshot import nothing_changes
from tests.sandbox_desk import Market

ENTRIES = text("select action, reason, before, after from audit_entries order by id")


def a_bid(market: Market, **other: Any) -> bids.Bid:
    same = bids.Bid(
        reference="bid-once",
        payer_id=market.payer_id,
        payee_id=market.payee_id,
        total=Money(150_000, "USD"),
        title="New kitchen",
        scope="As drawn.",
        project_type="KITCHEN",
        fee_mode="STAGED",
    )
    return replace(same, **other)


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"total": Money(150_001, "USD")}, "total"),
        ({"total": Money(150_000, "EUR")}, "total"),
        ({"title": "Old kitchen"}, "title"),
        ({"scope": "As drawn, and a sink."}, "scope"),
        ({"project_type": "BATHROOM"}, "project_type"),
        ({"fee_mode": "CONSULTATION_FIXED"}, "fee_mode"),
    ],
)
def test_the_same_bid_on_other_terms_is_refused(
    market: Market, owner: Database, other: dict[str, Any], what: str
) -> None:
    first = market.act(bids.accept, market.payer, bid=a_bid(market))
    with nothing_changes(owner), pytest.raises(BidKnownOtherwise) as refusal:
        market.act(bids.accept, market.payer, bid=a_bid(market, **other))
    assert refusal.value.facts["fields"] == [what]
    assert market.act(bids.accept, market.payer, bid=a_bid(market)).id == first.id


def test_the_same_bid_of_other_people_is_refused(market: Market) -> None:
    market.act(bids.accept, market.payer, bid=a_bid(market))
    payee, market.payee_id = market.payee_id, market.party("PAYEE")
    with pytest.raises(BidKnownOtherwise, match="payee"):
        market.act(bids.accept, market.payer, bid=a_bid(market))
    market.payee_id, market.payer_id = payee, market.party("PAYER")
    with pytest.raises(BidKnownOtherwise, match="payer"):
        market.act(bids.accept, market.payer, bid=a_bid(market))


def test_a_bid_is_between_a_payer_and_a_payee_of_one_platform(market: Market) -> None:
    with pytest.raises(WrongRole):
        market.act(bids.accept, market.payer, bid=a_bid(market, payee_id=market.party("PAYER")))
    with pytest.raises(WrongRole):
        market.act(bids.accept, market.payee, bid=a_bid(market, payer_id=market.payee_id))
    lawyer = market.party("PAYEE", platform="legal_services")
    with pytest.raises(OtherPlatform):
        market.act(bids.accept, market.payer, bid=a_bid(market, payee_id=lawyer))
    assert market.count(Project) == 0


def test_one_bid_at_the_same_moment_is_one_project_for_everybody(market: Market) -> None:
    with ThreadPoolExecutor(4) as crowd:
        made = crowd.map(lambda _: market.act(bids.accept, market.payer, bid=a_bid(market)).id, range(4))
        assert len(set(made)) == 1
    assert market.count(Project) == 1


def test_titles_that_name_somebody_stay_out_of_the_log(market: Market) -> None:
    project = market.act(bids.accept, market.payer, bid=a_bid(market, title="Ask ana@example.com"))
    mine = PlannedMilestone(
        title="Cabinets, call ben@example.com", deliverable="As drawn.", amount=Money(150_000, "USD")
    )
    market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=[mine])
    assert market.milestones(project.id)[0].title == mine.title
    entries = market.read(lambda session: session.execute(ENTRIES).all())
    adjusted = [each.after for each in entries if each.action == "party:milestones:adjust"]
    assert [each["minor"] for each in adjusted[-1]["milestones"]] == [150_000]
    assert not [each for each in entries if ADDRESS.search(str(each))]


# Funding: one, or several


def three(market: Market, funding: Funding = Funding.AHEAD) -> tuple[int, list[int]]:
    project = market.agreed(*(Money(each, "USD") for each in (50_000, 30_000, 20_000)))
    if funding is Funding.AHEAD:
        market.act(projects.choose_funding, market.payer, project_id=project.id, funding=funding)
    return project.id, [each.id for each in market.milestones(project.id)]


def statuses(market: Market, project_id: int) -> list[str]:
    return [each.status for each in market.milestones(project_id)]


def test_several_are_funded_at_once_each_with_its_own_charge(market: Market) -> None:
    project, ids = three(market)
    asked = market.act(fund_several, market.payer, project_id=project, milestone_ids=ids[:2])
    assert [each.milestone_id for each in asked] == ids[:2]
    market.work()
    assert statuses(market, project) == ["FUNDED", "FUNDED", "PLANNED"]
    assert [each.amount_minor for each in market.operations("CHARGE")] == [52_812, 31_699]
    told = [each.template for each in market.all(Notification) if each.milestone_id == ids[1]]
    assert "milestone_funded" in told
    assert "next_milestone_funding" not in told
    market.lawful()


def test_what_was_funded_ahead_takes_its_turn_and_the_rest_follows(market: Market) -> None:
    project, ids = three(market)
    market.act(fund_several, market.payer, project_id=project, milestone_ids=ids[:2])
    market.work()
    for number in (ids[1], ids[0]):  # the second is done first
        market.act(verification.submit, market.payee, milestone_id=number)
        market.act(verification.approve, market.payer, milestone_id=number)
        market.work()
    assert statuses(market, project) == ["COMPLETED", "COMPLETED", "AWAITING_FUNDING"]
    market.act(fund_several, market.payer, project_id=project, milestone_ids=[ids[2]])
    market.work()
    market.act(verification.submit, market.payee, milestone_id=ids[2])
    market.act(verification.approve, market.payer, milestone_id=ids[2])
    market.work()
    assert market.get(Project, project).status == "COMPLETED"
    market.lawful()


def test_one_declined_charge_leaves_the_others_as_they_are(market: Market) -> None:
    project, ids = three(market)
    market.act(fund_several, market.payer, project_id=project, milestone_ids=ids[:2])
    market.work()
    market.act(
        fund_several,
        market.payer,
        project_id=project,
        milestone_ids=[ids[2]],
        payment_method="pm_card_chargeDeclinedLostCard",
    )
    market.work()
    assert statuses(market, project) == ["FUNDED", "FUNDED", "AWAITING_FUNDING"]
    market.lawful()


def test_in_turn_only_the_next_one_is_funded(market: Market, owner: Database) -> None:
    project, ids = three(market, Funding.IN_TURN)
    for chosen in (ids[:2], [ids[1]], ids):
        with nothing_changes(owner), pytest.raises(FundedInTurn):
            market.act(fund_several, market.payer, project_id=project, milestone_ids=chosen)
    market.act(fund_several, market.payer, project_id=project, milestone_ids=ids[:1])


def test_ahead_leaves_none_out(market: Market, owner: Database) -> None:
    project, ids = three(market)
    for chosen in ([ids[0], ids[2]], [ids[2]]):
        with nothing_changes(owner), pytest.raises(FundedWithGap):
            market.act(fund_several, market.payer, project_id=project, milestone_ids=chosen)


def test_all_of_them_or_none(market: Market, owner: Database) -> None:
    project, ids = three(market)
    market.act(fund.fund, market.payer, milestone_id=ids[0])
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        market.act(fund_several, market.payer, project_id=project, milestone_ids=ids[:2])
    assert refusal.value.code == "payment_in_flight"
    with nothing_changes(owner), pytest.raises(DeskError, match="milestone"):
        market.act(fund_several, market.payer, project_id=project, milestone_ids=[ids[1], 9_999])


def test_only_the_payer_chooses_and_funds(market: Market, owner: Database) -> None:
    project, ids = three(market)
    with nothing_changes(owner):
        for who in (market.payee, market.as_staff("ada")):
            with pytest.raises(DeskError, match="party concerned"):
                market.act(fund_several, who, project_id=project, milestone_ids=ids)
            with pytest.raises(DeskError, match="party concerned"):
                market.act(projects.choose_funding, who, project_id=project, funding=Funding.IN_TURN)
        market.act(projects.choose_funding, market.payer, project_id=project, funding=Funding.AHEAD)


def test_nothing_is_funded_ahead_before_the_engagement_is_active(market: Market) -> None:
    project = market.agreed(active=False)
    market.act(projects.choose_funding, market.payer, project_id=project.id, funding=Funding.AHEAD)
    ids = [each.id for each in market.milestones(project.id)]
    with pytest.raises(DeskError) as refusal:
        market.act(fund_several, market.payer, project_id=project.id, milestone_ids=ids)
    assert refusal.value.code == "engagement_incomplete"
    assert {each.status for each in market.all(Milestone)} == {"PLANNED"}


def test_the_rule_of_turns_by_itself() -> None:
    line = [
        InLine(1, "First", Status.FUNDED),
        InLine(2, "Second", Status.PLANNED),
        InLine(3, "Third", Status.PLANNED),
    ]
    require_fundable(Funding.AHEAD, line, {2})
    require_fundable(Funding.AHEAD, line, {2, 3})
    require_fundable(Funding.IN_TURN, line, {1})
    with pytest.raises(FundedWithGap, match="Second"):
        require_fundable(Funding.AHEAD, line, {3})
    with pytest.raises(FundedInTurn, match="Second"):
        require_fundable(Funding.IN_TURN, line, {2})


# Amounts that Stripe would not take


@pytest.mark.parametrize(
    ("minor", "currency", "kind"),
    [
        (1, "USD", "KITCHEN"),
        (49, "USD", "KITCHEN"),
        (99, "EUR", "KITCHEN"),
        (9_000_000_000_000_000, "USD", "KITCHEN"),
        (300_000_000, "USD", "PLUMBING"),
    ],
)
def test_one_cent_and_ninety_trillion_are_refused_at_the_bid(
    market: Market, owner: Database, minor: int, currency: str, kind: str
) -> None:
    payee = market.party("PAYEE", currency)
    bid = a_bid(market, total=Money(minor, currency), project_type=kind, payee_id=payee)
    with nothing_changes(owner), pytest.raises(AmountOutsideLimits) as refused:
        market.act(bids.accept, market.payer, bid=bid)
    facts = refused.value.facts
    assert (facts["field"], facts["amount"]) == ("total", bid.total)
    for edge in (facts["minimum"], facts["maximum"]):
        market.act(bids.accept, market.payer, bid=replace(bid, reference=f"bid-{edge.minor}", total=edge))


def test_dinars_that_stripe_cannot_move_are_refused_at_the_bid(market: Market, owner: Database) -> None:
    bid = a_bid(market, total=Money(1_000_001, "KWD"), payee_id=market.party("PAYEE", "KWD"))
    with nothing_changes(owner), pytest.raises(AmountNotStripeExact):
        market.act(bids.accept, market.payer, bid=bid)


def test_a_milestone_that_cannot_be_charged_is_refused_when_it_is_laid_out(
    market: Market, owner: Database
) -> None:
    total = Money(100_000_000, "USD")
    project = market.act(bids.accept, market.payer, bid=a_bid(market, total=total))

    def divided(*minors: int) -> None:
        planned = [
            PlannedMilestone(title="Part", deliverable="Done.", amount=Money(each, "USD")) for each in minors
        ]
        market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=planned)

    for minors, field in (
        ((100_000_000,), "milestones[0].amount"),
        ((50_000_000, 49_999_960, 40), "milestones[2].amount"),
    ):
        with nothing_changes(owner), pytest.raises(AmountOutsideLimits) as refused:
            divided(*minors)
        assert refused.value.facts["field"] == field
    divided(50_000_000, 50_000_000)


def test_the_database_keeps_no_price_that_stripe_would_not_take(market: Market, owner: Database) -> None:
    project = market.agreed(Money(100_000, "USD"))
    (first,) = market.milestones(project.id)
    for change in ("charge_minor = 100000000", "charge_minor = charge_minor, currency = 'XXX'"):
        with (
            pytest.raises(IntegrityError, match="cannot be charged at Stripe"),
            owner.transaction() as session,
        ):
            session.execute(text(f"update payment_orders set {change} where milestone_id = {first.id}"))
    for code, smallest in SMALLEST_CHARGE.minor.items():
        with owner.transaction() as session:
            row = session.execute(
                text("select smallest_charge, largest_charge from currencies where code = :code"),
                {"code": code},
            ).one()
        assert tuple(row) == (smallest, LARGEST_CHARGE.minor[code])
