"""Transfer reversals: a lost chargeback takes back what still lies on the payee's balance (docs/decisions/0013)."""

from __future__ import annotations

from core.actions.milestones import verification
from core.actions.payouts import payout_review
from core.money import Money
from core.processes.outgoing import dispatch
from core.queries import payouts
from core.records import Notification, Payout
from tests.actions.stripe_events import bank_says, charged_back
from tests.builders import Told
from tests.sandbox_desk import Market


def transferred(market: Market) -> Told:
    """Released and transferred, but the payout to the bank was refused: the money lies on the payee's balance."""
    market.control.next_payouts({"code": "account_closed"})
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    for _ in range(3):
        market.later(days=1)
        look(market)
    assert market.books()["connected_balance"] == 100_000
    return told


def look(market: Market) -> None:
    for operation in market.operations("PAYOUT"):
        if operation.provider_id:
            seen = market.desk.payments.payout_by_id(
                operation.provider_id, account=operation.payload["account"]
            )
            market.database.run(
                lambda session, number=operation.id, seen=seen: dispatch.settle(  # type: ignore[misc]
                    session, number, snapshot=seen, now=market.now
                )
            )


def test_money_on_the_payees_balance_is_taken_back_and_settles_the_debt(market: Market) -> None:
    told = transferred(market)
    bank_says(market, charged_back(market, told), "lost")
    market.work()
    (reversal,) = market.operations("REVERSAL")
    assert (reversal.status, reversal.amount_minor) == ("SUCCEEDED", 100_000)
    assert not market.books().keys() & {"receivable_payee", "connected_balance", "connected_claim"}
    assert [each.status for each in market.all(Payout)] == ["CANCELED"]
    assert "money_taken_back" in [each.template for each in market.all(Notification)]
    transfer = market.at_stripe("/v1/transfers")[0]
    assert transfer["amount_reversed"] == 100_000
    market.lawful()


def test_only_the_debt_is_taken_back_and_the_rest_can_be_paid_out(market: Market) -> None:
    told = transferred(market)
    bank_says(market, charged_back(market, told, amount=30_000), "lost")
    market.work()
    assert [each.amount_minor for each in market.operations("REVERSAL")] == [30_000]
    assert market.books()["connected_balance"] == 70_000
    account = market.operations("PAYOUT")[0].payload["account"]
    market.desk.payments.replace_bank("bank", "bank:1", account=account, bank_token="btok_us_verified")
    (payout,) = market.all(Payout)
    if payout.status == "ADMINISTRATIVE_REVIEW":
        market.act(
            payout_review.retry, market.as_staff("fay"), payout_id=payout.id, reason="New bank.", anyway=True
        )
        market.work()
    market.later(days=4)
    look(market)
    assert [each.status for each in market.all(Payout)] == ["PAID"]
    assert not market.books().keys() & {"receivable_payee", "connected_balance", "connected_in_transit"}
    market.lawful()
    shown = market.read(lambda session: payouts.payout(session, payout.id))
    assert (shown.amount, shown.sent) == (Money(70_000, "USD"), Money(70_000, "USD"))


def test_a_second_chargeback_takes_back_from_what_the_first_left(market: Market) -> None:
    told = transferred(market)
    first = charged_back(market, told, amount=30_000)
    second = charged_back(market, told, amount=20_000)
    for dispute in (first, second):
        bank_says(market, dispute, "lost")
        market.work()
    assert [each.amount_minor for each in market.operations("REVERSAL")] == [30_000, 20_000]
    assert market.books()["connected_balance"] == 50_000
    assert market.all(Payout)[0].amount_minor == 50_000
    assert market.operations("PAYOUT")[-1].amount_minor == 50_000
    market.lawful()


def test_a_letter_about_a_shortened_payout_that_fails_names_what_was_sent(market: Market) -> None:
    told = transferred(market)
    market.control.next_payouts({"code": "account_closed"})
    bank_says(market, charged_back(market, told, amount=30_000), "lost")
    for _ in range(4):
        market.work()
        look(market)
        market.later(days=1)
    letters = [each for each in market.all(Notification) if each.template == "payout_delayed"]
    assert "$700.00" in letters[-1].text
    assert "$1,000.00" not in letters[-1].text.replace("milestone of $1,000.00", "")


def test_a_reversal_that_stripe_refuses_leaves_the_debt_for_later_releases(market: Market) -> None:
    told = transferred(market)
    account = market.operations("PAYOUT")[0].payload["account"]
    market.desk.payments.replace_bank("bank", "bank:1", account=account, bank_token="btok_us_verified")
    dispute = charged_back(market, told)
    market.desk.payments.payout("by-hand", "by-hand:1", account=account, amount=Money(100_000, "USD"))
    bank_says(market, dispute, "lost")
    market.work()
    assert [each.status for each in market.operations("REVERSAL")] == ["REFUSED"]
    assert market.books()["receivable_payee"] == 100_000
    market.lawful()


def test_while_a_reversal_is_under_way_a_release_does_not_settle_the_same_debt(market: Market) -> None:
    from core.actions.debts import receivables

    told = transferred(market)
    dispute = charged_back(market, told)
    market.control.decide_dispute(dispute, "lost")
    found = market.desk.payments.dispute_by_id(dispute)
    from core.actions.chargebacks import lifecycle

    market.database.run(lambda session: lifecycle.follow(session, found, now=market.now))
    assert market.read(lambda s: receivables.owed(s, market.payee_id, "USD")) == Money(100_000, "USD")
    assert market.read(lambda s: receivables.free(s, market.payee_id, "USD")).is_zero
    market.work()
    market.lawful()


def test_a_reversal_whose_answer_is_lost_is_not_made_twice(market: Market) -> None:
    told = transferred(market)
    dispute = charged_back(market, told)
    market.control.fault("drop", method="POST", path="/v1/transfers/*/reversals", when="after")
    bank_says(market, dispute, "lost")
    assert [each.status for each in market.operations("REVERSAL")] == ["QUEUED"]
    market.later(hours=30)
    assert [each.status for each in market.operations("REVERSAL")] == ["SUCCEEDED"]
    assert market.at_stripe("/v1/transfers")[0]["amount_reversed"] == 100_000
    market.lawful()
