"""A refund sent from our bank that comes back, or never left: the debt to the payer is open again, by two people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.operations import operation_retry
from core.actions.periods import journal_reversals, manual_journals
from core.actions.periods.journal_reversals import ReversedBefore
from core.actions.reconciliation import bank_matches, suspense
from core.actions.refunds import failed_returns, outside_refunds
from core.actions.refunds.failed_returns import (
    LeftOurBank,
    MoreThanWasSent,
    NotSentFromOurBank,
    SentInAnotherCurrency,
)
from core.db import Database
from core.ledger import journal_store
from core.money import Money
from core.queries import suspense as suspense_queries
from core.records import FailedReturn, ManualJournal, Refund, SuspenseItem
from core.rules.proposals import MakerIsChecker, ProposalFallen
from core.rules.suspense import NotAPayment, OnlyAtTheBank, SettledAs, TargetMissing
from tests.actions.test_bank_matching import Told, lawful, open_breaks, run, stated
from tests.actions.test_payment_exceptions import came_back, letters, returned
from tests.sandbox_desk import Market


def sent(market: Market) -> tuple[Any, Refund]:
    """A refund that failed at Stripe and left from our bank."""
    told = came_back(market)
    row = returned(market)
    market.act(outside_refunds.approve, market.as_staff("cora"), return_id=row.id)
    return told, market.all(Refund)[0]


def at_the_bank(market: Market, *lines: Told) -> list[int]:
    return market.database.run(lambda session: stated(session, lines))


def explain(market: Market, lines: Sequence[int], refund: int | None, by: str = "fay") -> list[SuspenseItem]:
    about = {
        "settled_as": SettledAs.REFUND_CAME_BACK,
        "target_id": refund,
        "reason": "The account is closed.",
    }
    found: list[SuspenseItem] = market.act(bank_matches.explain, market.as_staff(by), line_ids=lines, **about)
    return found


def approve(market: Market, items: Sequence[SuspenseItem], by: str = "ada") -> None:
    numbers = [each.id for each in items]
    market.act(suspense.approve, market.as_staff(by), item_ids=numbers, reason="Seen on the statement.")


def test_what_comes_back_is_owed_again_by_two_people_and_both_journals_say_so(market: Market) -> None:
    told, refund = sent(market)
    owed = refund.amount_minor
    _, back = at_the_bank(market, (0, -owed, "WT-2026-118"), (0, owed, "Returned: account closed"))
    run(market)
    row = next(each for each in open_breaks(market) if each.bank_line_id == back)
    items = explain(market, [back], refund.id)
    with pytest.raises(MakerIsChecker):
        approve(market, items, "fay")
    approve(market, items)
    (refund,) = market.all(Refund)
    assert (refund.status, refund.failure) == ("FAILED", "It was sent from our bank, and came back.")
    assert (market.state(told), market.books()["refund_payable"]) == ("REFUND_PENDING", owed)
    assert "bank" not in market.books()
    kept = market.read(lambda s: s.scalars(select(FailedReturn)).one())
    journal = market.read(lambda s: journal_store.one(s, kept.journal_id)).journal
    assert (journal.kind, journal.cause["reverses_journal"]) == ("refund_came_back", kept.sent_journal_id)
    assert [each.status for each in market.operations("REFUND")] == ["REVIEW"]
    (letter,) = letters(market, "refund_return_failed")
    assert "WT-2026-118" in letter.text
    assert row.id not in [each.id for each in open_breaks(market)]
    lawful(market)


def test_what_came_back_can_be_sent_from_our_bank_again_and_come_back_again(market: Market) -> None:
    told, refund = sent(market)
    owed = refund.amount_minor
    first, second = at_the_bank(market, (1, owed, "Returned"), (4, owed, "Returned again"))
    approve(market, explain(market, [first], refund.id))
    with pytest.raises(NotSentFromOurBank):
        explain(market, [second], refund.id)
    row = returned(market, reference="WT-2026-119")
    market.act(outside_refunds.approve, market.as_staff("cora"), return_id=row.id)
    assert market.state(told) == "REFUNDED"
    approve(market, explain(market, [second], refund.id))
    assert (market.state(told), market.count(FailedReturn)) == ("REFUND_PENDING", 2)
    lawful(market)


def test_what_came_back_can_be_sent_by_stripe_again(market: Market) -> None:
    told, refund = sent(market)
    (line,) = at_the_bank(market, (1, refund.amount_minor, "Returned"))
    approve(market, explain(market, [line], refund.id))
    again = {"operation_id": refund.operation_id, "reason": "The payer has another card."}
    market.act(operation_retry.retry, market.as_staff("fay"), **again)
    market.work()
    assert (market.all(Refund)[0].status, market.state(told)) == ("SUCCEEDED", "REFUNDED")
    lawful(market)


def test_more_than_was_sent_another_currency_and_no_refund_are_refused(market: Market) -> None:
    _, refund = sent(market)
    more, gone = at_the_bank(market, (1, refund.amount_minor + 1, "Returned"), (1, -100, "Out"))
    for number, refusal in (
        (refund.id, MoreThanWasSent),
        (refund.id + 1, NotSentFromOurBank),
        (None, TargetMissing),
    ):
        with pytest.raises(refusal):
            explain(market, [more], number)
    with pytest.raises(NotAPayment):
        explain(market, [gone], refund.id)
    with pytest.raises(SentInAnotherCurrency):
        market.read(lambda s: failed_returns.of(s, refund.id, Money(100, "EUR")))


def test_a_line_of_stripes_is_never_a_refund_from_our_bank(market: Market) -> None:
    _, refund = sent(market)
    market.pay_in(10_000)
    run(market)

    def wrong(session: Any) -> None:
        item = SuspenseItem(
            transaction_id=session.execute(text("select id from balance_transactions limit 1")).scalar_one(),
            source="", currency="USD", amount_minor=100, found_at=market.now,
        )  # fmt: skip
        session.add(item)
        session.flush()
        suspense.propose(
            session, market.as_staff("fay"), now=market.now, item_ids=[item.id], reason="So.",
            settled_as=SettledAs.REFUND_CAME_BACK, target_id=refund.id,
        )  # fmt: skip

    with pytest.raises(OnlyAtTheBank):
        market.database.run(wrong)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.integers(1, 10_000))
def test_whatever_comes_back_of_it_the_whole_debt_is_open_and_the_rest_is_a_charge(
    market: Market, share: int
) -> None:
    if not market.all(Refund):
        sent(market)
    (refund,) = market.all(Refund)
    if refund.status == "FAILED":
        row = returned(market, reference=f"WT-{share}")
        market.act(outside_refunds.approve, market.as_staff("cora"), return_id=row.id)
    before, owed = market.books(), refund.amount_minor
    arrived = max(1, owed * share // 10_000)
    bank, number = market.read(
        lambda s: s.execute(
            text("select min(account_id), coalesce(max(id), 0) + 1 from bank_statements")
        ).one()
    )
    (line,) = market.database.run(lambda s: stated(s, [(1, arrived, "Returned")], number=number, bank=bank))
    approve(market, explain(market, [line], refund.id))
    after = market.books()
    assert after["refund_payable"] - before.get("refund_payable", 0) == owed
    assert after.get("bank", 0) - before.get("bank", 0) == arrived
    assert after.get("bank_charges", 0) - before.get("bank_charges", 0) == owed - arrived
    assert "suspense" not in after


# What never left


def reverse(market: Market, by: str = "fay") -> ManualJournal:
    (number,) = market.read(
        lambda s: s.scalars(text("select id from journals where kind = 'refund_returned'")).all()
    )
    about = {"journal_id": number, "posted_on": market.now.date(), "reason": "The bank never sent it."}
    row: ManualJournal = market.act(journal_reversals.propose_of, market.as_staff(by), **about)
    return row


def test_what_never_left_our_bank_is_reversed_by_two_people_and_owed_again(market: Market) -> None:
    told, refund = sent(market)
    at_the_bank(market, (8, 100, "Something else"))
    row = reverse(market)
    with pytest.raises(ReversedBefore):
        reverse(market)
    with pytest.raises(MakerIsChecker):
        market.act(manual_journals.approve, market.as_staff("fay"), number=row.id)
    market.act(manual_journals.approve, market.as_staff("ada"), number=row.id)
    assert (market.all(Refund)[0].status, market.state(told)) == ("FAILED", "REFUND_PENDING")
    assert market.all(Refund)[0].failure == "It never left our bank."
    assert market.books()["refund_payable"] == refund.amount_minor
    kept = market.read(lambda s: s.scalars(select(FailedReturn)).one())
    assert kept.journal_id == market.all(ManualJournal)[0].journal_id
    with pytest.raises(ReversedBefore):
        reverse(market)
    run(market)
    assert not [
        each for each in open_breaks(market) if each.journal_id in (kept.journal_id, kept.sent_journal_id)
    ]
    lawful(market)


def test_what_the_bank_has_a_line_of_is_not_reversed(market: Market) -> None:
    _, refund = sent(market)
    at_the_bank(market, (0, -refund.amount_minor, "WT-2026-118"))
    run(market)
    with pytest.raises(LeftOurBank):
        reverse(market)


def test_of_two_proposals_the_second_falls(market: Market) -> None:
    _, refund = sent(market)
    (line,) = at_the_bank(market, (1, refund.amount_minor, "Returned"))
    row, items = reverse(market), explain(market, [line], refund.id)
    approve(market, items)
    with pytest.raises(ProposalFallen):
        market.act(manual_journals.approve, market.as_staff("ada"), number=row.id)
    market.act(manual_journals.reject, market.as_staff("fay"), number=row.id, reason="It came back.")
    lawful(market)


def test_the_choice_names_what_was_sent_with_the_equal_amount_first(market: Market) -> None:
    _, refund = sent(market)
    amount = Money(refund.amount_minor, refund.currency)
    (found,) = market.read(lambda s: suspense_queries.sent_refunds(s, amount))
    assert "WT-2026-118" in found.label
    name = market.read(lambda s: suspense_queries.target_name(s, SettledAs.REFUND_CAME_BACK, refund.id))
    assert name == found.label
    more = amount + Money(1, refund.currency)
    assert market.read(lambda s: suspense_queries.sent_refunds(s, more)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update failed_returns set at = now()",
        "delete from failed_returns",
        "insert into failed_returns select return_id, journal_id, sent_journal_id, at from failed_returns",
        "insert into failed_returns select id, 1, 2, now() from refund_returns where status = 'PROPOSED'",
    ],
)
def test_the_database_keeps_both_journals_together(market: Market, owner: Database, statement: str) -> None:
    _, refund = sent(market)
    (line,) = at_the_bank(market, (1, refund.amount_minor, "Returned"))
    approve(market, explain(market, [line], refund.id))
    returned(market, reference="WT-2026-120")
    with pytest.raises(DBAPIError), owner.transaction() as session:
        session.execute(text(statement))


def test_the_database_lets_nothing_else_that_was_called_off_live_again(
    market: Market, owner: Database
) -> None:
    sent(market)
    revive = "update outgoing_operations set status = 'REVIEW' where status = 'CANCELED'"
    with owner.transaction() as session:
        session.execute(text("alter table outgoing_operations disable trigger outgoing_operations_recorded"))
    with pytest.raises(DBAPIError, match="was called off"), owner.transaction() as session:
        session.execute(text(revive))
