"""When the ordinary way is closed: another method for a payee, another way for a refund (Error Handling 2 and 4)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.milestones import parties, verification
from core.actions.operations import operation_retry
from core.actions.payouts import method_offers, payout_review, withdrawals
from core.actions.payouts.method_offers import AlreadyOffered, NoOfferOpen, NotOffered
from core.actions.payouts.payout_review import MethodsOffered, PayoutNotInReview
from core.actions.refunds import outside_refunds
from core.actions.refunds.outside_refunds import RefundNotBack
from core.db import Database
from core.errors import NotFound
from core.money import Money
from core.policy import OFFERED, WithdrawalMethod
from core.queries import invariants, operations
from core.records import Notification, Party, Payout, PayoutOffer, Receipt, Refund, RefundReturn
from core.rules.fees import WithdrawalTooSmall
from core.rules.payouts import MethodNotSent, PayoutEvent
from core.rules.permissions import NotPermitted, NotYours
from core.rules.proposals import MakerIsChecker, ProposalWaits
from tests.actions.stripe_events import told_by_webhook
from tests.actions.test_refund_retries import failed
from tests.actions.test_reversals import look, transferred
from tests.builders import Told
from tests.sandbox_desk import Market

STANDARD, INSTANT, CHECK, WIRE = WithdrawalMethod


def payout(market: Market) -> Payout:
    (row,) = market.all(Payout)
    assert isinstance(row, Payout)
    return row


def offer(market: Market, *methods: WithdrawalMethod, by: str = "fay") -> PayoutOffer:
    return market.act(
        method_offers.offer,
        market.as_staff(by),
        payout_id=payout(market).id,
        methods=methods or (STANDARD, INSTANT),
        reason="The account is closed.",
    )


def choose(market: Market, method: WithdrawalMethod, by: Any = None) -> Payout:
    return market.act(method_offers.choose, by or market.payee, payout_id=payout(market).id, method=method)


def letters(market: Market, template: str) -> list[Notification]:
    return [each for each in market.all(Notification) if each.template == template]


def test_a_payout_that_flips_is_reviewed_offered_chosen_and_paid(market: Market) -> None:
    """Paid, failed days later, reviewed, another method offered by letter, chosen by the payee, paid."""
    market.control.next_payouts({"code": "account_closed", "after_paid": True})
    told = market.submitted()

    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    seen = []
    for _ in range(9):
        market.later(days=1)
        look(market)
        seen.append(payout(market).status)
    assert "PAID" in seen
    assert payout(market).status == "ADMINISTRATIVE_REVIEW"
    offer(market, INSTANT, STANDARD)
    (letter,) = letters(market, "payout_methods_offered")
    assert "Instant bank transfer" in letter.text
    assert "Bank transfer" in letter.text
    account = market.operations("PAYOUT")[0].payload["account"]
    market.desk.payments.replace_bank("bank", "bank:1", account=account, bank_token="btok_us_verified")
    choose(market, INSTANT)
    for _ in range(4):
        market.later(days=1)
        look(market)
    assert (payout(market).status, payout(market).method) == ("PAID", "instant")
    assert payout(market).fee_minor == market.books()["withdrawal_fee_revenue"] == 1_500
    assert [each.amount_minor for each in market.operations("REVERSAL")] == [1_500]
    assert "receivable_payee" not in market.books()
    assert letters(market, "money_taken_back") == []
    assert len(letters(market, "payout_method_chosen")) == 1
    assert [each.status for each in market.all(PayoutOffer)] == ["CHOSEN"]
    assert market.order(told) == {"released": 100_000}
    assert not market.books().keys() & {"connected_balance", "connected_in_transit"}
    market.lawful()


def refused_transfer(market: Market) -> Told:
    """The transfer itself is refused: the payee's account cannot take it."""

    told = market.submitted()

    def wrong(session: Any) -> None:
        session.get_one(Party, market.payee_id).stripe_account = "acct_gone"

    right = market.get(Party, market.payee_id).stripe_account
    market.database.run(wrong)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()

    def mended(session: Any) -> None:
        session.get_one(Party, market.payee_id).stripe_account = right

    market.database.run(mended)
    assert payout(market).status == "ADMINISTRATIVE_REVIEW"
    return told


@pytest.mark.parametrize(("method", "fee"), [(STANDARD, 0), (INSTANT, 1_500)])
def test_a_method_chosen_before_the_transfer_costs_its_own_tariff(
    market: Market, method: WithdrawalMethod, fee: int
) -> None:
    told = refused_transfer(market)
    offer(market, *OFFERED)
    choose(market, method)
    if method is STANDARD:
        assert payout(market).status == "REQUESTED"
        return
    market.work()
    assert payout(market).fee_minor == fee
    assert market.books()["withdrawal_fee_revenue"] == fee
    assert market.order(told) == {"released": 100_000}
    market.lawful()


def test_an_offer_may_leave_out_the_fee_and_says_so_in_the_e_mail(market: Market) -> None:
    """What the payee chooses costs nothing, and who waived it stands on the payout."""
    transferred(market)
    about: dict[str, Any] = {"payout_id": payout(market).id, "methods": [INSTANT], "reason": "Our mistake."}
    with pytest.raises(NotPermitted):
        market.act(method_offers.offer, market.as_staff("ada"), waive_fee=True, **about)
    market.act(method_offers.offer, market.as_staff("fay"), waive_fee=True, **about)
    assert "$0.00" in letters(market, "payout_methods_offered")[0].text
    choose(market, INSTANT)
    row = payout(market)
    assert (row.fee_minor, row.fee_waived_minor, row.fee_waived_by) == (0, 1_500, market.staff["fay"])
    assert market.operations("REVERSAL") == []
    market.lawful()


def test_only_the_payee_chooses_and_only_what_was_offered(market: Market) -> None:
    transferred(market)
    with pytest.raises(NotFound):
        choose(market, INSTANT)
    with pytest.raises(NotPermitted):
        offer(market, by="mia")
    nothing = {"payout_id": payout(market).id, "methods": (), "reason": "The account is closed."}
    with pytest.raises(method_offers.NothingOffered):
        market.act(method_offers.offer, market.as_staff("fay"), **nothing)
    offer(market, INSTANT)
    with pytest.raises(AlreadyOffered):
        offer(market, STANDARD)
    with pytest.raises(NotYours):
        choose(market, INSTANT, by=market.payer)
    with pytest.raises(NotOffered):
        choose(market, STANDARD)
    assert [each.id for each in market.read(lambda s: method_offers.offered(s, market.payee))]
    choose(market, INSTANT)
    assert market.read(lambda s: method_offers.offered(s, market.payee)) == []
    with pytest.raises(PayoutNotInReview):
        choose(market, INSTANT)


def test_staff_send_it_again_only_when_the_offer_to_the_payee_is_withdrawn(market: Market) -> None:
    transferred(market)
    offer(market)
    about: dict[str, Any] = {"payout_id": payout(market).id, "reason": "The bank says: now.", "anyway": True}
    with pytest.raises(
        MethodsOffered, match=r"Fay.* offered standard, instant to the payee on \d+ Mar 2026, "
    ):
        market.act(payout_review.retry, market.as_staff("ada"), **about)
    assert payout(market).status == "ADMINISTRATIVE_REVIEW"
    assert [each.status for each in market.all(PayoutOffer)] == ["OPEN"]
    taken = {"payout_id": about["payout_id"], "reason": about["reason"]}
    market.act(method_offers.withdraw, market.as_staff("ada"), **taken)
    assert len(letters(market, "payout_offer_withdrawn")) == 1
    with pytest.raises(NotFound):
        choose(market, INSTANT)
    with pytest.raises(NoOfferOpen):
        market.act(method_offers.withdraw, market.as_staff("ada"), **taken)
    market.act(payout_review.retry, market.as_staff("ada"), **about)
    assert [each.status for each in market.all(PayoutOffer)] == ["WITHDRAWN"]
    market.lawful()


@pytest.mark.parametrize("method", [CHECK, WIRE])
def test_what_stripe_does_not_send_is_neither_offered_nor_chosen_nor_charged(
    market: Market, method: WithdrawalMethod
) -> None:
    """Stripe knows the standard and the instant payout: a wire of $15.00 was told and charged, and never made."""
    refused_transfer(market)
    with pytest.raises(MethodNotSent):
        offer(market, STANDARD, method)
    with pytest.raises(MethodNotSent):
        market.act(parties.choose_withdrawal, market.payee, party_id=market.payee_id, method=method)
    about: dict[str, Any] = {"payout_id": payout(market).id, "reason": "The bank says: now."}
    with pytest.raises(MethodNotSent):
        market.act(payout_review.retry, market.as_staff("fay"), method=method, **about)
    assert market.count(PayoutOffer) == 0


def test_a_method_that_would_cost_everything_is_not_offered(market: Market) -> None:
    told = market.submitted(Money(50, "USD"), Money(1_000, "USD"))
    assert told

    def wrong(session: Any) -> None:
        session.get_one(Party, market.payee_id).stripe_account = "acct_gone"

    market.database.run(wrong)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    with pytest.raises(WithdrawalTooSmall):
        offer(market, INSTANT)
    assert market.count(PayoutOffer) == 0


# Refunds


def came_back(market: Market, status: str = "failed") -> Told:
    """Refunded by decision, and then it came back: the debt is open again. What was canceled had never arrived."""
    told, _ = failed(market, status)
    return told


def returned(market: Market, by: str = "fay", **more: Any) -> RefundReturn:
    (refund,) = market.all(Refund)
    given = {"way": "BANK_TRANSFER", "reference": "WT-2026-118", "reason": "The card is closed.", **more}
    return market.act(outside_refunds.propose, market.as_staff(by), refund_id=refund.id, **given)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_came_back_is_returned_from_our_bank_by_two_people(market: Market, status: str) -> None:
    told = came_back(market, status)
    owed = market.all(Refund)[0].amount_minor
    assert market.books()["refund_payable"] == owed
    row = returned(market)
    assert market.books()["refund_payable"] == owed
    with pytest.raises(ProposalWaits):
        returned(market, by="ada")
    with pytest.raises(MakerIsChecker):
        market.act(outside_refunds.approve, market.as_staff("fay"), return_id=row.id)
    said = "Seen on the bank statement."
    market.act(outside_refunds.approve, market.as_staff("cora"), return_id=row.id, reason=said)
    entries = text("select reason from audit_entries where action = 'finance:refund:confirm_return'")
    assert market.read(lambda session: session.scalars(entries).all()) == [said]
    books = market.books()
    assert "refund_payable" not in books
    assert books["bank"] == -owed
    assert (market.all(Refund)[0].status, market.state(told)) == ("RETURNED", "REFUNDED")
    (call,) = market.operations("REFUND")
    assert call.status == "CANCELED"
    (letter,) = letters(market, "refund_returned")
    assert "WT-2026-118" in letter.text
    notes = [each.total_minor for each in market.all(Receipt) if each.kind == "REFUND"]
    assert notes == [owed], "one credit note, whoever sent the money"
    market.lawful()


def test_after_it_went_another_way_stripe_is_not_asked_again_and_late_news_do_nothing(market: Market) -> None:
    came_back(market)
    (refund,) = market.all(Refund)
    row = returned(market)
    market.act(outside_refunds.approve, market.as_staff("cora"), return_id=row.id)
    told_by_webhook(market, "refund.failed", refund.stripe_refund)
    with pytest.raises(operation_retry.OperationNotInReview):
        market.act(
            operation_retry.retry,
            market.as_staff("fay"),
            operation_id=refund.operation_id,
            reason="Once more.",
        )
    with pytest.raises(RefundNotBack):
        returned(market)
    assert len(market.sent("/v1/refunds")) == 1
    market.lawful()


def test_a_return_that_was_withdrawn_leaves_the_debt(market: Market) -> None:
    came_back(market)
    row = returned(market)
    market.act(outside_refunds.reject, market.as_staff("fay"), return_id=row.id, reason="Not so.")
    assert market.all(Refund)[0].status == "FAILED"
    (refund,) = market.all(Refund)
    market.act(
        operation_retry.retry, market.as_staff("fay"), operation_id=refund.operation_id, reason="Once more."
    )
    market.work()
    assert market.all(Refund)[0].status == "SUCCEEDED"
    market.lawful()


def test_the_database_itself_refuses_one_person_for_a_return(market: Market, owner: Database) -> None:
    came_back(market)
    returned(market)
    one = "update refund_returns set status = 'DONE', settled_by = proposed_by, settled_at = now()"
    with pytest.raises(IntegrityError, match="two_people"), owner.transaction() as session:
        session.execute(text(one))


# A debt is paid in one way at a time


def send_again(market: Market, by: str = "ada") -> None:
    (call,) = market.operations("REFUND")
    market.act(operation_retry.retry, market.as_staff(by), operation_id=call.id, reason="Asked.")


def by_hand(owner: Database, trigger: str, statement: str) -> None:
    with owner.transaction() as session:
        session.execute(text(f"set constraints {trigger} immediate"))
        session.execute(text(statement))


def test_what_is_recorded_as_sent_from_our_bank_is_not_sent_again_by_stripe(market: Market) -> None:
    told = came_back(market)
    row = returned(market)
    with pytest.raises(ProposalWaits, match=r"Fay.*by bank transfer, reference WT-2026-118"):
        send_again(market)
    assert [each.status for each in market.operations("REFUND")] == ["REVIEW"]
    market.act(outside_refunds.reject, market.as_staff("fay"), return_id=row.id, reason="Not so.")
    send_again(market)
    market.work()
    assert market.order(told) == {"refunded": 100_000}
    assert len(market.sent("/v1/refunds")) == 2
    market.lawful()


def test_what_stripe_was_asked_to_send_again_is_not_recorded_as_sent_from_our_bank(market: Market) -> None:
    came_back(market)
    send_again(market)
    with pytest.raises(RefundNotBack):
        returned(market)
    market.lawful()


def test_of_two_people_who_take_a_road_at_once_one_is_refused(market: Market) -> None:
    came_back(market)
    start = Barrier(2)

    def attempt(road: Callable[[Market], object]) -> str:
        start.wait()
        try:
            road(market)
        except (ProposalWaits, RefundNotBack) as refused:
            return type(refused).__name__
        return "taken"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(attempt, (returned, send_again)))
    assert outcomes in (["ProposalWaits", "taken"], ["RefundNotBack", "taken"])
    market.lawful()


def test_the_database_refuses_a_second_road_as_well(market: Market, owner: Database) -> None:
    came_back(market)
    row = returned(market)
    with pytest.raises(IntegrityError, match="recorded as sent from our bank"):
        by_hand(owner, "refunds_one_road", "update refunds set status = 'QUEUED'")
    market.act(outside_refunds.reject, market.as_staff("fay"), return_id=row.id, reason="Not so.")
    send_again(market)
    again = text(
        "insert into refund_returns (refund_id, way, reference, reason, proposed_by, proposed_at, status) "
        "select refund_id, way, reference, reason, proposed_by, proposed_at, 'PROPOSED' from refund_returns"
    )
    with (
        pytest.raises(IntegrityError, match="recorded as sent from our bank"),
        owner.transaction() as session,
    ):
        session.execute(again)


def test_a_record_that_stripe_was_quicker_than_can_still_be_withdrawn(
    market: Market, owner: Database
) -> None:
    """As it was before both were refused: found by the law, shown, and ended by a person."""
    came_back(market)
    row = returned(market)
    with owner.transaction() as session:
        session.execute(text("set session_replication_role = replica"))
        session.execute(text("update refunds set status = 'QUEUED'"))
    broken = [each.name for each in market.read(invariants.run) if each.rows]
    assert broken == ["one_road"]
    (call,) = market.operations("REFUND")
    shown = market.read(lambda session: operations.returned_refund(session, call.id))
    assert shown is not None
    assert (shown.id, shown.back) == (row.id, False)
    with pytest.raises(RefundNotBack):
        market.act(outside_refunds.approve, market.as_staff("cora"), return_id=row.id)
    market.act(outside_refunds.reject, market.as_staff("ada"), return_id=row.id, reason="Not so.")
    assert [each.name for each in market.read(invariants.run) if each.rows] == []


def test_an_offer_ends_when_its_payout_leaves_review(market: Market, owner: Database) -> None:
    refused_transfer(market)
    offer(market, INSTANT)
    with pytest.raises(IntegrityError, match="may still choose"):
        by_hand(owner, "payouts_one_road", "update payouts set status = 'REQUESTED'")
    number = payout(market).id
    with market.desk.database.transaction() as session:
        withdrawals.move(session.get_one(Payout, number), PayoutEvent.RETRY, now=market.now)
    assert [each.status for each in market.all(PayoutOffer)] == ["OVERTAKEN"]
