"""From an accepted bid to a completed project, with the books after every step (milestone-payment-flow)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from core.actions.funding import fund
from core.actions.funding.fund import NotAwaitingFunding
from core.actions.milestones import bids, engagement, payment_schedule, verification
from core.actions.milestones.orders import PaymentInFlight
from core.money import Money
from core.records import Engagement, Notification, Payout, Project
from core.rules.engagement import EngagementIncomplete
from core.rules.permissions import NotYours
from core.rules.schedule import PlannedMilestone
from tests.builders import Told
from tests.sandbox_desk import Market


@dataclass(frozen=True)
class Price:
    """Of the first milestone, in minor units; `variance`: what the sandbox takes beyond our estimate."""

    milestone: int
    platform_fee: int
    charge: int
    variance: int

    @property
    def processing(self) -> int:
        return self.charge - self.milestone - self.platform_fee


PRICES = {
    # 2.5 % on top; then the smallest charge that leaves both after 2.9 % and the fixed part (30, 25, 40, 100).
    # The sandbox takes 2.9 % + 30 in every currency; amounts in dinars end in 0.
    "USD": Price(milestone=100_000, platform_fee=2_500, charge=105_592, variance=0),
    "EUR": Price(milestone=100_000, platform_fee=2_500, charge=105_587, variance=5),
    "JPY": Price(milestone=150_000, platform_fee=3_750, charge=158_383, variance=-10),
    "KWD": Price(milestone=310_000, platform_fee=7_750, charge=327_350, variance=-77),
}


def without_nothing(**lines: int) -> dict[str, int]:
    return {line: minor for line, minor in lines.items() if minor}


@pytest.mark.parametrize("currency", PRICES)
def test_the_books_follow_a_milestone_from_the_charge_to_the_bank(market: Market, currency: str) -> None:
    price = PRICES[currency]
    market.newcomers(currency)
    told = market.funded(Money(price.milestone, currency), Money(price.milestone // 2, currency))
    fees = {
        "processor_fees": price.processing,
        "processing_fee_recovery": price.processing,
        "fee_variance": price.variance,
    }
    at_stripe = price.milestone + price.platform_fee - price.variance

    (charge,) = market.sent("/v1/payment_intents")
    assert int(charge["body"]["amount"]) == price.charge
    assert market.books(currency) == without_nothing(
        stripe_balance=at_stripe, held=price.milestone, deferred_platform_fee=price.platform_fee, **fees
    )
    assert (market.status(told), market.state(told)) == ("FUNDED", "PAID_HELD")
    assert market.order(told) == {"held": price.milestone}

    market.later(hours=30)
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    assert (market.status(told), market.state(told)) == ("PENDING_VERIFICATION", "PAID_HELD")

    market.wait(hours=10)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    assert market.books(currency) == without_nothing(
        stripe_balance=at_stripe,
        payee_payable=price.milestone,
        platform_fee_revenue=price.platform_fee,
        **fees,
    )
    assert market.order(told) == {"payable": price.milestone}
    assert (market.status(told), market.state(told)) == ("VERIFIED", "RELEASED")

    market.work()
    at_rest = without_nothing(
        stripe_balance=price.platform_fee - price.variance, platform_fee_revenue=price.platform_fee, **fees
    )
    assert market.books(currency) == {
        **at_rest,
        "connected_in_transit": price.milestone,
        "connected_claim": price.milestone,
    }
    assert market.order(told) == {"released": price.milestone}
    assert (market.status(told), market.state(told)) == ("COMPLETED", "RELEASED")
    assert [each.status for each in market.milestones(told.project)] == ["COMPLETED", "AWAITING_FUNDING"]

    market.later(days=4)
    assert market.books(currency) == at_rest
    assert [each.status for each in market.all(Payout)] == ["PAID"]
    market.lawful()


def test_after_the_last_milestone_the_project_is_completed_and_everyone_is_told(market: Market) -> None:
    told = market.funded()
    for milestone in market.milestones(told.project):
        if milestone.id != told.milestone:
            market.act(fund.fund, market.payer, milestone_id=milestone.id)
            market.work()
        market.act(verification.submit, market.payee, milestone_id=milestone.id)
        market.act(verification.approve, market.payer, milestone_id=milestone.id)
        market.later(days=3)
    market.later(days=3)
    assert [each.status for each in market.milestones(told.project)] == ["COMPLETED", "COMPLETED"]
    assert market.get(Project, told.project).status == "COMPLETED"
    assert market.books() == {
        "stripe_balance": 2_500 + 1_250,
        "platform_fee_revenue": 2_500 + 1_250,
        "processing_fee_recovery": 3_092 + 1_562,
        "processor_fees": 3_092 + 1_562,
    }
    market.later(days=14)
    letters = [(each.template, each.party_id) for each in market.all(Notification)]
    for template in ("thanks", "project_review_request"):
        assert sorted(who for name, who in letters if name == template) == [market.payer_id, market.payee_id]
    market.lawful()


def test_a_bid_brings_the_default_milestones_of_its_type_and_size(market: Market) -> None:
    project = market.act(
        bids.accept,
        market.payer,
        bid=bids.Bid(
            payer_id=market.payer_id,
            payee_id=market.payee_id,
            reference="bid-medium",
            title="New kitchen",
            scope="As drawn.",
            project_type="KITCHEN",
            fee_mode="STAGED",
            total=Money(400_000, "USD"),
        ),
    )
    made = market.milestones(project.id)
    assert [(each.position, each.amount_minor, each.status) for each in made] == [
        (1, 180_000, "PLANNED"),
        (2, 140_000, "PLANNED"),
        (3, 80_000, "PLANNED"),
    ]
    assert market.get(Engagement, project.id).status == "DRAFT"


def test_the_same_bid_accepted_twice_is_one_project(market: Market) -> None:
    bid = bids.Bid(
        reference="bid-once",
        payer_id=market.payer_id,
        payee_id=market.payee_id,
        total=Money(400_000, "USD"),
        title="New kitchen",
        scope="As drawn.",
        project_type="KITCHEN",
        fee_mode="STAGED",
    )
    first = market.act(bids.accept, market.payer, bid=bid)
    assert market.act(bids.accept, market.payer, bid=bid).id == first.id
    assert market.count(Project) == 1


def test_milestones_are_adjusted_down_and_up_again(market: Market) -> None:
    dollars = [Money(minor, "USD") for minor in (40_000, 30_000, 30_000)]
    project = market.agreed(*dollars, active=False)
    for amounts in ([100_000], [60_000, 40_000], [50_000, 25_000, 25_000]):
        planned = [
            PlannedMilestone(title="Part", deliverable="As drawn.", amount=Money(each, "USD"))
            for each in amounts
        ]
        market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=planned)
        living = [each for each in market.milestones(project.id) if each.status != "CANCELED"]
        assert [each.amount_minor for each in living] == amounts
    market.confirm(project.id)
    told = Told(project.id, living[0].id)
    assert market.status(told) == "AWAITING_FUNDING"
    market.lawful()


def test_a_milestone_whose_charge_is_under_way_keeps_its_price(market: Market) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0]
    market.act(fund.fund, market.payer, milestone_id=first.id)
    planned = [PlannedMilestone(title="All", deliverable="All.", amount=Money(150_000, "USD"))]
    with pytest.raises(PaymentInFlight):
        market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=planned)
    market.work()
    assert market.order(Told(project.id, first.id)) == {"held": 100_000}
    market.lawful()


@pytest.mark.parametrize("missing", list(engagement.Part))
def test_nothing_is_paid_before_every_part_of_the_engagement_is_confirmed(
    market: Market, missing: engagement.Part
) -> None:
    market.newcomers(platform="legal_services")
    project = market.agreed(project_type="DOCUMENT_REVIEW", active=False)
    market.confirm(project.id, *(part for part in engagement.Part if part is not missing))
    first = market.milestones(project.id)[0]
    with pytest.raises(EngagementIncomplete):
        market.act(fund.fund, market.payer, milestone_id=first.id)
    market.confirm(project.id, missing)
    market.act(fund.fund, market.payer, milestone_id=first.id)
    market.work()
    assert market.status(Told(project.id, first.id)) == "FUNDED"


def test_a_milestone_is_funded_only_in_its_turn(market: Market) -> None:
    project = market.agreed()
    second = market.milestones(project.id)[1]
    with pytest.raises(NotAwaitingFunding):
        market.act(fund.fund, market.payer, milestone_id=second.id)


def test_each_side_acts_for_itself_only(market: Market) -> None:
    told = market.funded()
    with pytest.raises(NotYours):
        market.act(verification.submit, market.payer, milestone_id=told.milestone)
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    with pytest.raises(NotYours):
        market.act(verification.approve, market.payee, milestone_id=told.milestone)
