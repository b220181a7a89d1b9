"""Chargebacks: frozen while the bank decides, then carried by whoever has to bear them (docs/decisions/0013)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.chargebacks import lifecycle
from core.actions.funding import fund
from core.actions.milestones import verification
from core.actions.reconciliation import suspense
from core.gateways.payments import BalanceLine
from core.money import Money
from core.processes import statement_matching
from core.queries import chargebacks as shown
from core.records import (
    Case,
    Chargeback,
    Milestone,
    Notification,
    PaymentEvent,
    PaymentOrder,
    Refund,
    StatementLine,
    SuspenseItem,
    WebhookEvent,
)
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.suspense import OwesLess, SettledAs
from tests import builders
from tests.actions.stripe_events import (
    bank_says,
    chargeback,
    charged,
    charged_back,
    intent_of,
    told_by_webhook,
)
from tests.builders import Told
from tests.sandbox_desk import Market

FEE = 1_500


def letters_to(market: Market, party_id: int) -> list[str]:
    return [each.template for each in market.all(Notification) if each.party_id == party_id]


def approved(market: Market, told: Told) -> Told:
    market.wait(hours=30)
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    return told


def released(market: Market) -> Told:
    return approved(market, market.funded())


def bearers(market: Market) -> dict[str, int]:
    """Who bore the last chargeback, as its page says, and that it is all of what the bank kept."""
    with market.desk.database.transaction() as session:
        row = shown.page(session)[0]
        said = shown.burden(session, row)
    if said is None:
        return {}
    parts = {name: part.minor for name, part in vars(said).items() if not part.is_zero}
    assert sum(parts.values()) - said.since_owed.minor == row.lost.minor
    return parts


# Opened


def test_an_open_chargeback_freezes_the_milestone_and_takes_the_money_for_now(market: Market) -> None:
    told = market.funded()
    charge = charged(market, told)
    before = market.books()
    charged_back(market, told)
    books = market.books()
    assert bearers(market) == {}
    assert (books["disputed_funds"], books["dispute_fees"]) == (charge, FEE)
    assert before["stripe_balance"] - books["stripe_balance"] == charge + FEE
    assert market.state(told) == "CHARGEBACK_REVIEW"
    assert market.order(told) == {"held": 100_000}
    approved(market, told)
    assert (market.status(told), market.order(told)) == ("VERIFIED", {"held": 100_000})
    assert market.sent("/v1/transfers") == []
    assert chargeback(market).due_by is not None
    assert "chargeback_opened" in letters_to(market, market.payer_id)
    assert "chargeback_opened" in letters_to(market, market.payee_id)
    market.lawful()


def test_the_same_news_twice_and_out_of_order_is_booked_once(market: Market) -> None:
    told = market.funded()
    dispute = charged_back(market, told)
    old = market.desk.payments.dispute_by_id(dispute)
    told_by_webhook(market, "charge.dispute.funds_withdrawn", dispute)
    bank_says(market, dispute, "won")
    market.database.run(lambda session: lifecycle.follow(session, old, now=market.now))
    assert chargeback(market).status == "won"
    assert market.state(told) == "PAID_HELD"
    assert "disputed_funds" not in market.books()
    market.lawful()


def test_an_inquiry_books_nothing_and_freezes_nothing_until_it_becomes_a_chargeback(market: Market) -> None:
    told = market.funded()
    before = market.books()
    dispute = charged_back(market, told, inquiry=True)
    assert (market.books(), market.state(told)) == (before, "PAID_HELD")
    assert chargeback(market).status == "warning_needs_response"
    assert "chargeback_opened" not in letters_to(market, market.payer_id)
    market.lawful()
    market.control.decide_dispute(dispute, "needs_response")
    told_by_webhook(market, "charge.dispute.updated", dispute)
    assert market.state(told) == "CHARGEBACK_REVIEW"
    assert market.books()["disputed_funds"] == charged(market, told)
    market.lawful()


def test_a_chargeback_of_somebody_elses_payment_is_not_ours(market: Market) -> None:
    told = market.funded()
    dispute = charged_back(market, told)

    def forget(session: object) -> None:
        from dataclasses import replace

        found = market.desk.payments.dispute_by_id(dispute)
        stranger = replace(found, id="du_other", payment_intent="pi_other", charge="ch_other")
        assert lifecycle.follow(session, stranger, now=market.now) is None  # type: ignore[arg-type]

    market.database.run(forget)
    assert market.count(Chargeback) == 1


# Won


def test_a_chargeback_that_is_won_brings_the_money_back_and_frozen_work_goes_on(market: Market) -> None:
    market.control.terms(dispute_fee_returned=False)
    told = market.funded()
    dispute = charged_back(market, told)
    approved(market, told)
    bank_says(market, dispute, "won")
    assert (market.status(told), market.order(told)) == ("COMPLETED", {"released": 100_000})
    assert market.books()["dispute_fees"] == FEE, "Stripe keeps its fee unless the line says otherwise"
    states = [(each.from_state, each.to_state) for each in market.all(PaymentEvent)]
    assert ("PAID_HELD", "CHARGEBACK_REVIEW") in states
    assert ("CHARGEBACK_REVIEW", "PAID_HELD") in states
    assert "chargeback_won" in letters_to(market, market.payee_id)
    market.lawful()


def test_a_fee_that_comes_back_is_booked_with_its_sign(market: Market) -> None:
    market.control.terms(dispute_fee_returned=True)
    told = market.funded()
    dispute = charged_back(market, told)
    bank_says(market, dispute, "won")
    assert "dispute_fees" not in market.books()
    assert chargeback(market).fees_minor == 0
    market.lawful()


def test_a_withdrawal_that_was_frozen_is_sent_when_the_chargeback_is_won(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    dispute = charged_back(market, told)
    (transfer,) = market.operations("TRANSFER")
    assert transfer.status == "BLOCKED"
    assert market.state(told) == "CHARGEBACK_REVIEW"
    bank_says(market, dispute, "won")
    market.work()
    assert market.operations("TRANSFER")[0].status == "SUCCEEDED"
    assert market.state(told) == "RELEASED"
    market.lawful()


# Lost while held


def test_lost_while_held_takes_what_is_held_and_the_unearned_fee(market: Market) -> None:
    told = market.funded()
    charge = charged(market, told)
    dispute = charged_back(market, told)
    bank_says(market, dispute, "lost")
    books = market.books()
    assert (market.status(told), market.state(told)) == ("REFUNDED", "REFUNDED")
    assert market.order(told) == {"refunded": 100_000}
    assert books["chargeback_losses"] == charge - 102_500
    assert bearers(market) == {"held": 100_000, "unearned_fee": 2_500, "loss": charge - 102_500}
    assert not books.keys() & {"held", "deferred_platform_fee", "disputed_funds", "receivable_payee"}
    assert market.get(Milestone, told.milestone).ended_at is not None
    assert "chargeback_lost" in letters_to(market, market.payee_id)
    market.lawful()


def test_lost_while_disputed_closes_the_case(market: Market) -> None:
    told = market.in_mediation()
    bank_says(market, charged_back(market, told), "lost")
    case = market.get(Case, told.case)
    assert (case.status, case.resolution) == ("RESOLVED", "CHARGEBACK_LOST")
    assert market.status(told) == "REFUNDED"
    market.lawful()


def test_lost_while_verified_but_frozen_ends_refunded(market: Market) -> None:
    told = market.funded()
    dispute = charged_back(market, told)
    approved(market, told)
    bank_says(market, dispute, "lost")
    assert (market.status(told), market.order(told)) == ("REFUNDED", {"refunded": 100_000})
    market.lawful()


def test_part_of_the_payment_lost_leaves_the_rest_to_be_released(market: Market) -> None:
    told = market.funded()
    bank_says(market, charged_back(market, told, amount=30_000), "lost")
    assert (market.status(told), market.order(told)) == ("FUNDED", {"held": 70_000, "refunded": 30_000})
    market.lawful()
    approved(market, told)
    assert (market.status(told), market.order(told)) == (
        "COMPLETED",
        {"released": 70_000, "refunded": 30_000},
    )
    market.lawful()


def test_what_stays_held_can_be_sent_to_its_last_digit(market: Market) -> None:
    market.newcomers("KWD")
    told = market.funded(Money(310_000, "KWD"), Money(310_000, "KWD"))
    bank_says(market, charged_back(market, told, amount=10_005), "lost")
    assert market.order(told) == {"held": 300_000, "refunded": 10_000}
    assert market.books("KWD")["chargeback_losses"] == 5
    approved(market, told)
    assert market.order(told) == {"released": 300_000, "refunded": 10_000}
    market.lawful()


def test_a_little_less_than_everything_lost_leaves_no_fee_behind(market: Market) -> None:
    told = market.funded()
    bank_says(market, charged_back(market, told, amount=101_000), "lost")
    books = market.books()
    assert (market.status(told), books["platform_fee_revenue"]) == ("REFUNDED", 1_500)
    assert "deferred_platform_fee" not in books
    market.lawful()


def test_more_than_the_payment_lost_is_our_loss(market: Market) -> None:
    told = market.funded()
    charge = charged(market, told)
    bank_says(market, charged_back(market, told, amount=charge + 5_000), "lost")
    assert market.books()["chargeback_losses"] == charge + 5_000 - 102_500
    assert market.status(told) == "REFUNDED"
    market.lawful()


# Lost after release


def test_lost_after_release_is_owed_by_the_payee(market: Market) -> None:
    told = released(market)
    market.later(days=4)
    charge = charged(market, told)
    bank_says(market, charged_back(market, told), "lost")
    books = market.books()
    assert books["receivable_payee"] == 100_000
    assert bearers(market) == {"receivable": 100_000, "earned_fee": 2_500, "loss": charge - 102_500}
    assert "platform_fee_revenue" not in books
    assert books["chargeback_losses"] == charge - 102_500
    assert (market.status(told), market.state(told)) == ("COMPLETED", "REFUNDED")
    assert market.operations("REVERSAL") == [], "the money has left for the payee's bank"
    market.lawful()


def test_a_debt_is_set_off_against_later_releases(market: Market) -> None:
    told = market.funded(Money(100_000, "USD"), Money(60_000, "USD"), Money(90_000, "USD"))
    approved(market, told)
    market.later(days=4)
    bank_says(market, charged_back(market, told), "lost")
    for number, (owed, sent) in enumerate(((40_000, 0), (0, 50_000)), start=1):
        following = market.milestones(told.project)[number]
        market.act(fund.fund, market.payer, milestone_id=following.id)
        market.work()
        approved(market, Told(told.project, following.id))
        assert market.books().get("receivable_payee", 0) == owed
        assert market.get(Milestone, following.id).status == "COMPLETED"
        paid = [each for each in market.operations("TRANSFER") if each.milestone_id == following.id]
        assert sum(each.amount_minor for each in paid) == sent
        market.lawful()
    assert letters_to(market, market.payee_id).count("debt_kept_back") == 2


def test_a_debt_that_is_said_to_be_paid_is_not_kept_back_as_well(market: Market) -> None:
    """The payee sent $300.00, which one person has said and another is to agree to: that much waits for it."""
    told = market.funded(Money(100_000, "USD"), Money(90_000, "USD"))
    approved(market, told)
    market.later(days=4)
    bank_says(market, charged_back(market, told), "lost")
    first, second = (in_suspense(market, name, amount) for name, amount in (("a", 30_000), ("b", 80_000)))
    given: dict[str, Any] = {
        "settled_as": SettledAs.PAYEE_DEBT,
        "target_id": market.payee_id,
        "reason": "Wired.",
    }
    market.act(suspense.propose, market.as_staff("fay"), item_ids=[first], **given)
    with pytest.raises(OwesLess, match=r"700\.00 that neither"):
        market.act(suspense.propose, market.as_staff("fay"), item_ids=[second], **given)
    following = market.milestones(told.project)[1]
    market.act(fund.fund, market.payer, milestone_id=following.id)
    market.work()
    approved(market, Told(told.project, following.id))
    assert market.books()["receivable_payee"] == 30_000
    market.lawful()
    market.act(suspense.approve, market.as_staff("cora"), item_ids=[first], reason="On the statement.")
    assert "receivable_payee" not in market.books()
    assert sum(each.amount_minor for each in market.operations("TRANSFER")) == 100_000 + 20_000
    market.lawful()


def in_suspense(market: Market, name: str, amount: int) -> int:
    def find(session: Session) -> int:
        line = StatementLine(
            id=f"txn_{name}", kind="payment", reporting_category="charge", amount=amount, fee=0, net=amount,
            currency="USD", source=f"py_{name}", created_at=market.now, fetched_at=market.now,
        )  # fmt: skip
        session.add(line)
        session.flush()
        statement_matching.to_suspense(session, line.id, now=market.now)
        return session.scalars(select(SuspenseItem.id).where(SuspenseItem.source == line.source)).one()

    return market.database.run(find)


def test_a_release_that_was_not_sent_yet_pays_the_debt_at_once(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    dispute = charged_back(market, told)
    bank_says(market, dispute, "lost")
    market.work()
    assert [each.status for each in market.operations("TRANSFER")] == ["CANCELED"]
    assert market.order(told) == {"refunded": 100_000}
    assert not market.books().keys() & {"receivable_payee", "payee_payable", "disputed_funds"}
    assert market.sent("/v1/transfers") == []
    market.lawful()


def test_a_payee_who_withdraws_by_hand_pays_from_what_was_not_withdrawn(market: Market) -> None:
    market.withdraws_by_hand()
    told = released(market)
    assert market.order(told) == {"payable": 100_000}
    bank_says(market, charged_back(market, told), "lost")
    assert market.order(told) == {"refunded": 100_000}
    assert not market.books().keys() & {"payee_payable", "receivable_payee"}
    market.lawful()


def test_part_lost_of_a_release_that_was_not_sent_yet_sends_the_rest(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    bank_says(market, charged_back(market, told, amount=30_000), "lost")
    market.work()
    assert market.order(told) == {"released": 70_000, "refunded": 30_000}
    assert [each["body"]["amount"] for each in market.sent("/v1/transfers")] == ["70000"]
    assert market.status(told) == "COMPLETED"
    market.lawful()


def test_a_refund_that_was_still_due_is_taken_by_the_bank_instead(market: Market) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, release=Money(60_000, "USD"))
    builders.decided(market, told, draft)
    dispute = charged_back(market, told)
    assert [each.status for each in market.operations("REFUND")] == ["BLOCKED"]
    bank_says(market, dispute, "lost")
    market.work()
    assert [each.status for each in market.all(Refund)] == ["CHARGED_BACK"]
    assert [each.status for each in market.operations("REFUND")] == ["CANCELED"]
    assert market.sent("/v1/refunds") == []
    assert market.order(told) == {"refunded": 100_000}
    assert not market.books().keys() & {"refund_payable", "payee_payable", "receivable_payee"}
    market.lawful()


def test_a_refund_that_stripe_refuses_because_the_bank_was_quicker_waits_for_the_bank(market: Market) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    market.control.set_clock(market.now)
    dispute = market.control.dispute(intent_of(market, told))
    market.work()
    assert [each.status for each in market.operations("REFUND")] == ["QUEUED"]
    told_by_webhook(market, "charge.dispute.created", dispute)
    market.later(hours=1)
    assert [each.status for each in market.operations("REFUND")] == ["BLOCKED"]
    bank_says(market, dispute, "lost")
    assert [each.status for each in market.all(Refund)] == ["CHARGED_BACK"]
    assert market.order(told) == {"refunded": 100_000}
    market.lawful()


def test_a_refund_waits_while_the_bank_decides_and_is_sent_when_it_is_won(market: Market) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    bank_says(market, charged_back(market, told), "won")
    market.work()
    assert [each.status for each in market.all(Refund)] == ["SUCCEEDED"]
    market.lawful()


# Lines


def test_more_than_was_taken_cannot_come_back_unexplained(market: Market) -> None:
    from dataclasses import replace

    told = market.funded()
    dispute = charged_back(market, told, amount=20_000)
    found = market.desk.payments.dispute_by_id(dispute)
    odd = BalanceLine(
        "txn_odd", "adjustment", "dispute_reversal", 20_001, 0, 20_001, "USD", dispute,
        market.now, market.now, "available",
    )  # fmt: skip
    market.database.run(
        lambda session: lifecycle.follow(session, replace(found, lines=(*found.lines, odd)), now=market.now)
    )
    assert [(each.amount_minor, each.status) for each in market.all(SuspenseItem)] == [(20_001, "OPEN")]
    assert market.books()["suspense"] == 20_001
    market.lawful()


def test_several_lines_of_one_chargeback_are_each_booked_once(market: Market) -> None:
    from dataclasses import replace

    told = market.funded()
    dispute = charged_back(market, told, amount=20_000)
    found = market.desk.payments.dispute_by_id(dispute)
    more = replace(found.lines[0], id="txn_more", amount=-5_000, fee=-200, net=-4_800)
    both = replace(found, lines=(*found.lines, more))
    for _ in range(2):
        market.database.run(lambda session: lifecycle.follow(session, both, now=market.now))
    row = chargeback(market)
    assert (row.taken_minor, row.fees_minor) == (25_000, FEE - 200)
    assert market.books()["disputed_funds"] == 25_000
    market.lawful()


def test_a_chargeback_booked_in_another_currency_is_our_loss_and_leaves_a_hold(market: Market) -> None:
    from dataclasses import replace

    told = market.funded()
    dispute = charged_back(market, told, inquiry=True)
    found = market.desk.payments.dispute_by_id(dispute)
    line = BalanceLine(
        "txn_eur", "adjustment", "dispute", -90_000, 1_500, -91_500, "EUR", dispute,
        market.now, market.now, "available",
    )  # fmt: skip
    for status in ("needs_response", "lost"):
        told_now = replace(found, status=status, lines=(line,))
        market.database.run(lambda s, seen=told_now: lifecycle.follow(s, seen, now=market.now))  # type: ignore[misc]
    assert market.books("EUR") == {
        "stripe_balance": -91_500,
        "dispute_fees": 1_500,
        "chargeback_losses": 90_000,
    }
    assert market.order(told) == {"held": 100_000}
    approved(market, told)
    assert market.order(told) == {"held": 100_000}, "a hold keeps it until a person has decided"
    market.lawful()


def test_a_chargeback_that_comes_before_its_payment_is_booked_is_tried_again(market: Market) -> None:
    told = market.funded()

    def unfund(session: object) -> None:
        session.get_one(PaymentOrder, told.milestone).funded_minor = 0  # type: ignore[attr-defined]
        session.get_one(PaymentOrder, told.milestone).held_minor = 0  # type: ignore[attr-defined]

    market.database.run(unfund)
    market.control.set_clock(market.now)
    dispute = market.control.dispute(market.get(PaymentOrder, told.milestone).stripe_payment_intent)
    number = told_by_webhook(market, "charge.dispute.created", dispute)
    assert market.get(WebhookEvent, number).status == "RECEIVED"
    assert market.count(Chargeback) == 0


@pytest.mark.parametrize("verdict", ["won", "lost"])
def test_nothing_is_told_twice(market: Market, verdict: str) -> None:
    told = market.funded()
    dispute = charged_back(market, told)
    bank_says(market, dispute, verdict)
    count = market.count(Notification)
    told_by_webhook(market, "charge.dispute.closed", dispute)
    assert market.count(Notification) == count
