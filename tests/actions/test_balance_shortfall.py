"""When the platform's balance at Stripe is too small, what is owed waits with its reason and goes when money comes."""

from __future__ import annotations

from core.actions.milestones import verification
from core.actions.operations.operation_states import SHORT_OF_MONEY
from core.queries import operations
from tests.actions.stripe_events import bank_says, charged_back
from tests.builders import Told
from tests.sandbox_desk import Market


def short(market: Market, times: int = 1) -> Told:
    """Released, but Stripe has not enough of the platform's money for the transfer."""
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.control.fault("short", method="POST", path="/v1/transfers", times=times)
    return told


def test_a_transfer_waits_for_money_says_so_and_is_sent_when_it_is_there(market: Market) -> None:
    told = short(market)
    market.work()
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, transfer.attempt, transfer.last_error) == ("QUEUED", 2, SHORT_OF_MONEY)
    (waits,) = market.read(operations.waits_for_money)
    assert (waits.amount.minor, waits.number) == (100_000, 1)
    assert market.order(told) == {"payable": 100_000}

    market.later(hours=1)
    assert market.read(operations.waits_for_money) == []
    assert market.order(told) == {"released": 100_000}
    assert len(market.at_stripe("/v1/transfers")) == 1
    market.lawful()


def test_it_waits_as_long_as_it_takes(market: Market) -> None:
    """No eight tries and then a person: a balance is topped up when somebody comes to it."""
    short(market, times=30)
    for _ in range(29):
        market.later(hours=1)
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, transfer.last_error) == ("QUEUED", SHORT_OF_MONEY)
    market.control.clear_faults()
    market.later(hours=1)
    assert market.operations("TRANSFER")[0].status == "SUCCEEDED"
    market.lawful()


def test_a_chargeback_may_make_the_balance_negative_and_the_books_say_so(market: Market) -> None:
    """The bank takes what is not there: Stripe's balance is negative, and the desk books what Stripe says."""
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    market.later(days=5)
    bank_says(market, charged_back(market, told), "lost")
    at_stripe = market.desk.payments.balance()["USD"].minor
    assert at_stripe < 0
    assert market.books()["stripe_balance"] == at_stripe
    market.lawful()
