"""What the demo's breaks tell is so at Stripe too: whoever works them finds what the page says."""

from __future__ import annotations

from datetime import timedelta

from core.clock import SimulatedClock
from core.demo import break_scenarios
from core.demo.world import World
from core.processes import break_refetch, reconciliation
from core.records import Break, Refund
from core.rules.breaks import BreakClass, BreakStatus
from core.rules.permissions import SYSTEM
from core.rules.refunds import RefundStatus
from tests.actions.test_refund_retries import refunded
from tests.sandbox_desk import Market


def test_a_refund_that_no_webhook_told_of_is_explained_by_fetching_it_again(market: Market) -> None:
    market.pay_in(10_000)
    refunded(market)
    (refund,) = market.all(Refund)
    assert refund.status == RefundStatus.SUCCEEDED
    market.wait(hours=1)
    market.control.set_clock(market.now)
    world = World(
        market.desk,
        SimulatedClock(market.now),
        market.control,
        next_tick=market.now,
        ends=market.now + timedelta(hours=3),
    )
    break_scenarios.unheard_of(world)
    market.wait(hours=1)
    market.control.set_clock(market.now)
    reconciliation.run(market.desk, SYSTEM)
    (missed,) = (each for each in market.all(Break) if each.class_ == BreakClass.MISSED_WEBHOOK)
    assert (missed.status, missed.theirs) == (BreakStatus.OPEN, refund.amount_minor)
    assert market.get(Refund, refund.id).status == RefundStatus.SUCCEEDED
    assert break_refetch.fetch_again(market.desk, missed.id)
    assert market.get(Break, missed.id).status == BreakStatus.CLOSED
    assert market.get(Refund, refund.id).status == RefundStatus.FAILED
    market.lawful()


def test_a_fee_that_stripe_restated_was_booked_by_two_people_as_variance(market: Market) -> None:
    market.funded()
    reconciliation.run(market.desk, SYSTEM)
    clock = SimulatedClock(market.now)
    world = World(
        market.desk, clock, market.control, next_tick=market.now, ends=market.now + timedelta(days=90)
    )
    (wait, *_) = [*break_scenarios.restated(world, 35)]
    assert wait == timedelta(hours=4)
    assert market.books()["fee_variance"] == 35
    market.lawful()
