"""A declined card is tried again by itself where time may heal it (milestone-payment-flow, Error Handling 1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.actions.funding import fund
from core.processes import timers
from core.records import Notification, OutgoingOperation, Party, PaymentOrder
from tests.builders import Told
from tests.sandbox_desk import Market

SOFT = "pm_card_chargeDeclinedInsufficientFunds"


def declined(market: Market, card: str = SOFT) -> Told:
    """The payer's card on file is refused."""
    market.newcomers()
    project = market.agreed()
    told = Told(project.id, market.milestones(project.id)[0].id)
    put_on_file(market, card)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.work()
    return told


def put_on_file(market: Market, card: str) -> None:
    def change(session: Any) -> None:
        session.get_one(Party, market.payer_id).payment_method = card

    market.database.run(change)


def order(market: Market, told: Told) -> PaymentOrder:
    found = market.get(PaymentOrder, told.milestone)
    assert isinstance(found, PaymentOrder)
    return found


def letters(market: Market) -> list[Notification]:
    return [each for each in market.all(Notification) if each.template == "payment_failed"]


def test_a_card_without_money_is_tried_four_times_with_growing_pauses_and_a_letter_each_time(
    market: Market,
) -> None:
    told = declined(market)
    pauses = []
    while (due := order(market, told).next_retry_at) is not None and len(pauses) < 9:
        pauses.append(due - market.now)
        market.now = due
        timers.run_due(market.desk)
        market.work()
    assert pauses == [timedelta(hours=hours) for hours in (2, 6, 18, 54)]
    assert [each.status for each in market.operations("CHARGE")] == ["REFUSED"] * 5
    assert len({each.key for each in market.operations("CHARGE")}) == 5
    told_of = letters(market)
    assert len(told_of) == 5
    assert all("try again by ourselves on" in each.text for each in told_of[:4])
    assert "will not try again by ourselves" in told_of[4].text.replace("\n", " ")
    assert (market.state(told), market.books()) == ("UNPAID", {})
    market.lawful()


def test_the_try_comes_at_its_instant_and_not_before(market: Market) -> None:
    told = declined(market)
    due = order(market, told).next_retry_at
    assert due is not None
    market.now = due - timedelta(microseconds=1)
    timers.run_due(market.desk)
    assert market.count(OutgoingOperation) == 1
    market.now = due
    timers.run_due(market.desk)
    timers.run_due(market.desk)
    assert market.count(OutgoingOperation) == 2


def test_a_card_that_has_healed_funds_the_milestone(market: Market) -> None:
    told = declined(market)
    put_on_file(market, "pm_card_bypassPending")
    market.later(hours=2)
    assert (market.status(told), market.order(told)) == ("FUNDED", {"held": 100_000})
    assert order(market, told).next_retry_at is None
    market.lawful()


@pytest.mark.parametrize(
    "card",
    [
        "pm_card_chargeDeclinedLostCard",
        "pm_card_chargeDeclinedStolenCard",
        "pm_card_chargeDeclinedFraudulent",
        "pm_card_chargeDeclinedExpiredCard",
        "pm_card_authenticationRequired",
        "pm_card_chargeDeclinedIncorrectCvc",
    ],
)
def test_a_hopeless_card_is_not_tried_again(market: Market, card: str) -> None:
    told = declined(market, card)
    assert order(market, told).next_retry_at is None
    market.later(days=7)
    assert len(market.operations("CHARGE")) == 1
    assert "will not try again" in letters(market)[0].text.replace("\n", " ")


def test_a_processing_error_is_tried_again(market: Market) -> None:
    assert order(market, declined(market, "pm_card_chargeDeclinedProcessingError")).next_retry_at is not None


def test_paying_by_hand_ends_the_retries(market: Market) -> None:
    told = declined(market)
    market.act(fund.fund, market.payer, milestone_id=told.milestone, payment_method="pm_card_bypassPending")
    assert order(market, told).next_retry_at is None
    market.work()
    market.later(days=7)
    assert len(market.operations("CHARGE")) == 2
    market.lawful()


def test_the_card_that_the_payer_chose_is_the_one_that_is_tried_again(market: Market) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0]
    market.act(fund.fund, market.payer, milestone_id=first.id, payment_method=SOFT)
    market.work()
    market.later(hours=2)
    assert [each.payload["payment_method"] for each in market.operations("CHARGE")] == [SOFT, SOFT]


def test_paying_by_hand_begins_the_counting_anew(market: Market) -> None:
    told = declined(market)
    market.later(hours=2)
    assert order(market, told).retries == 1
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.work()
    due = order(market, told).next_retry_at
    assert due is not None
    assert (order(market, told).retries, due - market.now) == (0, timedelta(hours=2))
