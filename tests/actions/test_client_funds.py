"""Client funds: Stripe's own balance covers what is owed, or payouts stop until a person has looked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import verification
from core.actions.platform import client_funds
from core.actions.platform.client_funds import StopReleased
from core.api import serializers
from core.db import Database
from core.errors import ReasonMissing
from core.gateways.payments import OutcomeUnknown
from core.money import Money
from core.processes.client_funds import read_balance
from core.processes.outgoing import dispatch
from core.queries import client_funds as queries
from core.queries import invariants, overview, stopped_money
from core.records import Milestone, Notification, OutgoingOperation, Payout, PayoutStop, StripeBalance
from core.rules import client_funds as client_funds_rules
from core.rules.client_funds import Cover
from core.rules.permissions import NotPermitted, StepUpRequired
from tests.actions.stripe_events import charged_back
from tests.sandbox_desk import Market


def by_hand(market: Market, path: str, **asked: Any) -> str:
    """Somebody does it in Stripe's own dashboard."""
    market.control.set_clock(market.now)
    reply = market.control.session.post(f"{market.sandbox.url}{path}", data=asked)
    assert reply.ok, reply.text
    return str(reply.json()["id"])


def swept(market: Market, amount: int = 60_000) -> str:
    """A payout of the platform's balance that takes more than the platform's own."""
    market.wait(days=3)
    return by_hand(market, "/v1/payouts", amount=str(amount), currency="usd")


def state(market: Market, currency: str = "USD") -> queries.Funds:
    rows = market.read(lambda session: queries.funds(session, now=market.now))
    (found,) = [each for each in rows if each.currency == currency]
    return found


def broken(market: Market) -> list[str]:
    return [each.name for each in market.read(invariants.run) if each.rows]


def test_what_stripe_holds_is_read_from_stripe_and_covers_what_is_owed(market: Market) -> None:
    market.funded()
    assert state(market).cover is Cover.UNKNOWN
    assert read_balance(market.desk) == 0
    found = state(market)
    assert found.cover is Cover.COVERED
    assert found.look is not None
    assert found.look.owed == Money(
        102_500, "USD"
    )  # the milestone and the platform's fee that is not earned yet
    assert found.look.at_stripe >= found.look.owed
    assert market.all(PayoutStop) == []
    market.lawful()


def test_a_look_that_is_old_covers_nothing(market: Market) -> None:
    market.funded()
    read_balance(market.desk)
    market.wait(minutes=30)
    assert state(market).cover is Cover.COVERED
    market.wait(seconds=1)
    assert state(market).cover is Cover.UNKNOWN


def test_a_look_that_fails_keeps_nothing_and_says_nothing(market: Market) -> None:
    market.funded()
    market.control.fault("drop", method="GET", path="/v1/balance", times=9)
    with pytest.raises(OutcomeUnknown):
        read_balance(market.desk)
    assert market.all(StripeBalance) == []
    assert state(market).cover is Cover.UNKNOWN


def test_a_sweep_by_hand_stops_payouts_tells_those_who_can_act_and_breaks_the_law(market: Market) -> None:
    told = market.submitted()
    payout = swept(market)
    assert read_balance(market.desk) == 1
    found = state(market)
    assert (found.cover, found.stop is not None) == (Cover.SHORT, True)
    assert [each.source for each in found.suspects] == [payout]
    assert broken(market) == ["client_funds_covered"]
    letters = [each for each in market.all(Notification) if each.template == "client_funds_short"]
    assert {each.staff_id for each in letters} == {market.as_staff("fay").id, market.as_staff("ada").id}
    assert all(payout in each.text and "Overview" in each.text for each in letters)

    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    (transfer,) = market.operations("TRANSFER")
    assert transfer.status == "BLOCKED"
    assert "Payouts in USD have stopped" in str(transfer.last_error)
    assert market.sent("/v1/transfers") == []
    because = client_funds_rules.stopped("USD").sentence
    assert [each.why for each in market.read(stopped_money.stopped)] == [because]
    waits = market.read(
        lambda session: serializers.of_milestone(session, session.get_one(Milestone, told.milestone))
    )["release_waits_for"]
    assert waits == [{"code": "waits", "sentence": "The money cannot be moved yet."}]

    read_balance(market.desk)
    assert len(market.all(PayoutStop)) == 1
    assert len([each for each in market.all(Notification) if each.template == "client_funds_short"]) == 2


def test_a_person_who_has_looked_lets_payouts_go_on_until_more_is_missing(market: Market) -> None:
    told = market.submitted()
    market.funded()
    swept(market, 10_000)
    read_balance(market.desk)
    (stop,) = market.all(PayoutStop)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    fay = replace(market.as_staff("fay"), authenticated_at=market.now)
    market.act(
        client_funds.release, fay, stop_id=stop.id, reason="Our own payout; the bank returns it tomorrow."
    )
    with pytest.raises(StopReleased):
        market.act(client_funds.release, fay, stop_id=stop.id, reason="Again.")
    read_balance(market.desk)
    assert len(market.all(PayoutStop)) == 1
    assert state(market).cover is Cover.SHORT

    market.work()
    assert [each.status for each in market.operations("TRANSFER")] == ["SUCCEEDED"], "woken by the release"

    swept(market, 15_000)
    read_balance(market.desk)
    assert len(market.all(PayoutStop)) == 2


def test_once_it_was_all_there_again_any_shortage_stops(market: Market) -> None:
    market.submitted()
    swept(market, 10_000)
    read_balance(market.desk)
    (stop,) = market.all(PayoutStop)
    fay = replace(market.as_staff("fay"), authenticated_at=market.now)
    market.act(client_funds.release, fay, stop_id=stop.id, reason="Known.")
    market.wait(minutes=5)
    market.pay_in(50_000)
    read_balance(market.desk)
    assert state(market).cover is Cover.COVERED
    market.wait(minutes=5)
    swept(market, 45_000)
    read_balance(market.desk)
    assert len(market.all(PayoutStop)) == 2


def test_only_who_may_and_has_just_signed_in_releases_with_a_reason(market: Market) -> None:
    market.submitted()
    swept(market)
    read_balance(market.desk)
    (stop,) = market.all(PayoutStop)
    fay = replace(market.as_staff("fay"), authenticated_at=market.now)
    with pytest.raises(NotPermitted):
        market.act(client_funds.release, market.as_staff("mia"), stop_id=stop.id, reason="Fine.")
    with pytest.raises(ReasonMissing):
        market.act(client_funds.release, fay, stop_id=stop.id, reason=" ")
    stale = replace(fay, authenticated_at=market.now - timedelta(minutes=6))
    with pytest.raises(StepUpRequired):
        market.act(client_funds.release, stale, stop_id=stop.id, reason="Fine.")
    assert state(market).stop is not None


def test_money_that_may_have_left_already_is_not_called_missing(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.control.fault("drop", when="after", method="POST", path="/v1/transfers", times=1)
    dispatch.sweep(market.desk)
    assert [each.provider_id for each in market.operations("TRANSFER")] == [None]
    assert read_balance(market.desk) == 0
    assert market.all(PayoutStop) == []


def test_what_the_payers_bank_holds_is_not_missing_at_stripe(market: Market) -> None:
    told = market.funded()
    charged_back(market, told)
    assert market.state(told) == "CHARGEBACK_REVIEW"
    (total,) = market.read(overview.totals)
    funds = state(market)
    assert total.at_banks == funds.at_banks == Money(102_500, "USD")
    assert (total.owed, funds.owed_now) == (Money(102_500, "USD"), Money.zero("USD"))
    assert total.own == total.at_stripe, (
        "the platform's own is what Stripe holds and nobody else is owed of it"
    )
    market.pay_in(10_000)  # what is gone for good are the fees of Stripe and of the bank
    read_balance(market.desk)
    assert market.all(PayoutStop) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update stripe_balances set at_stripe_minor = 5",
        "delete from stripe_balances",
        "update payout_stops set short_minor = 1",
        "delete from payout_stops",
        "insert into payout_stops (currency, short_minor, opened_at) values ('USD', 5, now())",
        "update payout_stops set released_at = now()",
    ],
)
def test_the_database_keeps_looks_and_stops_as_they_were(
    market: Market, database: Database, statement: str
) -> None:
    market.submitted()
    swept(market)
    read_balance(market.desk)
    with pytest.raises(DBAPIError), database.engine.begin() as connection:
        connection.execute(text(statement))


def test_unpaid_payouts_stay_requested_while_they_wait(market: Market) -> None:
    told = market.submitted()
    swept(market)
    read_balance(market.desk)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    assert [each.status for each in market.all(Payout)] == ["REQUESTED"]
    assert market.count(OutgoingOperation, OutgoingOperation.status == "REVIEW") == 0
