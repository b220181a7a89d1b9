"""Every money event balances, and its parts sum to the whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ledger import accounts, postings
from core.ledger.journals import (
    BooksMixed,
    Journal,
    JournalTooShort,
    PartBelowZero,
    Posting,
    UnbalancedJournal,
)
from core.money import CurrencyMismatch, Money
from tests.ledger.conftest import usd

some = st.integers(1, 10**10).map(usd)
some_or_none = st.integers(0, 10**10).map(usd)
signed = st.integers(-(10**6), 10**6).map(usd)
COMMON: dict[str, Any] = {"key": "k", "cause": {}}
OF_MILESTONE: dict[str, Any] = {**COMMON, "milestone_id": 17, "party_id": 5}
OF_PARTY: dict[str, Any] = {**COMMON, "party_id": 5}


def net(journal: Journal, account: str) -> int:
    return sum(posting.amount.minor for posting in journal.postings if posting.account == account)


def assert_sound(journal: Journal) -> None:
    assert sum(posting.amount.minor for posting in journal.postings) == 0
    assert len({posting.account for posting in journal.postings}) == len(journal.postings) >= 2
    assert not any(posting.amount.is_zero for posting in journal.postings)


@given(milestone=some, platform_fee=some_or_none, estimate=some_or_none, actual=signed)
def test_a_charge_divides_what_was_paid(
    milestone: Money, platform_fee: Money, estimate: Money, actual: Money
) -> None:
    charge = milestone + platform_fee + estimate
    journal = postings.charge_settled(
        **OF_MILESTONE, charge=charge, milestone=milestone, platform_fee=platform_fee, actual_fee=actual
    )
    assert_sound(journal)
    assert net(journal, accounts.STRIPE_BALANCE) == (charge - actual).minor
    assert net(journal, accounts.held(17)) == -milestone.minor
    assert net(journal, accounts.deferred_platform_fee(17)) == -platform_fee.minor
    assert net(journal, accounts.PROCESSOR_FEES) + net(journal, accounts.FEE_VARIANCE) == actual.minor


@given(release=some_or_none, refund=some, kept=some_or_none, returned=some_or_none, concession=some_or_none)
def test_a_decision_gives_away_exactly_what_was_held(
    release: Money, refund: Money, kept: Money, returned: Money, concession: Money
) -> None:
    journal = postings.decided(
        **COMMON,
        milestone_id=17,
        payee_id=5,
        release=release,
        refund=refund,
        fee_kept=kept,
        fee_returned=returned,
        concession=concession,
    )
    assert_sound(journal)
    assert net(journal, accounts.held(17)) == (release + refund).minor
    assert net(journal, accounts.deferred_platform_fee(17)) == (kept + returned).minor
    assert net(journal, accounts.payee_payable(5)) == -release.minor
    assert net(journal, accounts.refund_payable(17)) == -(refund + returned + concession).minor
    assert net(journal, accounts.PLATFORM_FEE_REVENUE) == -kept.minor


@given(amount=some, fee=signed)
def test_every_event_with_a_balance_transaction_moves_stripe_by_its_net(amount: Money, fee: Money) -> None:
    out = {
        postings.refund_succeeded: OF_MILESTONE,
        postings.chargeback_opened: OF_MILESTONE,
        postings.duplicate_refunded: OF_MILESTONE,
        postings.platform_payout_sent: COMMON,
    }
    back = {
        postings.refund_failed: OF_MILESTONE,
        postings.refund_canceled: OF_MILESTONE,
        postings.chargeback_won: OF_MILESTONE,
        postings.unknown_money: COMMON,
    }
    for event, common in out.items():
        journal = event(**common, amount=amount, fee=fee)  # type: ignore[operator]
        assert_sound(journal)
        assert net(journal, accounts.STRIPE_BALANCE) == (-amount - fee).minor
    for event, common in back.items():
        journal = event(**common, amount=amount, fee=fee)  # type: ignore[operator]
        assert_sound(journal)
        assert net(journal, accounts.STRIPE_BALANCE) == (amount - fee).minor


@given(amount=some, fee=signed)
def test_a_failed_refund_undoes_the_refund(amount: Money, fee: Money) -> None:
    done = postings.refund_succeeded(**OF_MILESTONE, amount=amount, fee=fee)
    undone = postings.refund_failed(**OF_MILESTONE, amount=amount, fee=-fee)
    for posting in done.postings:
        assert net(undone, posting.account) == -posting.amount.minor


@given(amount=some, data=st.data())
def test_a_withdrawal_keeps_its_fee(amount: Money, data: st.DataObject) -> None:
    fee = usd(data.draw(st.integers(0, amount.minor)))
    journal = postings.withdrawal(**OF_PARTY, amount=amount, fee=fee)
    assert_sound(journal)
    assert net(journal, accounts.payee_payable(5)) == amount.minor
    assert net(journal, accounts.STRIPE_BALANCE) == -(amount - fee).minor
    assert net(journal, accounts.WITHDRAWAL_FEE_REVENUE) == -fee.minor


@given(held=some_or_none, fee=some_or_none, loss=some)
def test_a_lost_chargeback_is_borne_in_parts_that_sum_to_it(held: Money, fee: Money, loss: Money) -> None:
    amount = held + fee + loss
    early = postings.chargeback_lost_while_held(**OF_MILESTONE, amount=amount, held_part=held, fee_part=fee)
    late = postings.chargeback_lost_after_release(
        **OF_MILESTONE, amount=amount, receivable=held, fee_part=fee, refund_due=usd(0)
    )
    for journal in (early, late):
        assert_sound(journal)
        assert net(journal, accounts.CHARGEBACK_LOSSES) == loss.minor
        assert net(journal, accounts.DISPUTED_FUNDS) == -amount.minor


@given(unapplied=some_or_none, loss=some, fee=signed)
def test_a_second_payment_charged_back_is_borne_by_what_lay_here_and_by_us(
    unapplied: Money, loss: Money, fee: Money
) -> None:
    amount = unapplied + loss
    lost = postings.chargeback_lost_on_duplicate(**OF_MILESTONE, amount=amount, unapplied=unapplied)
    again = postings.chargeback_regained(
        **OF_MILESTONE, amount=amount, fee=fee, owed=accounts.UNAPPLIED_FUNDS
    )
    for journal in (lost, again):
        assert_sound(journal)
    assert net(lost, accounts.CHARGEBACK_LOSSES) == loss.minor
    assert net(lost, accounts.UNAPPLIED_FUNDS) == unapplied.minor
    assert net(again, accounts.STRIPE_BALANCE) == (amount - fee).minor
    assert net(again, accounts.UNAPPLIED_FUNDS) == -amount.minor


@given(amount=some)
def test_what_the_bank_had_paid_is_neither_owed_nor_our_loss(amount: Money) -> None:
    journal = postings.chargeback_loss_overtaken(
        **OF_MILESTONE, amount=amount, owed=accounts.refund_payable(17)
    )
    assert_sound(journal)
    assert net(journal, accounts.refund_payable(17)) == -net(journal, accounts.CHARGEBACK_LOSSES)


@given(amount=some)
def test_the_payees_book_ends_where_it_began(amount: Money) -> None:
    sent = [postings.transfer_arrived, postings.payout_sent]
    for ending in ([postings.payout_paid], [postings.payout_failed, postings.payee_transfer_reversed]):
        total: dict[str, int] = {}
        for event in [*sent, *ending]:
            journal = event(**OF_PARTY, amount=amount)
            assert_sound(journal)
            for posting in journal.postings:
                assert accounts.account_type(posting.account).book == accounts.Book.PAYEE
                total[posting.account] = total.get(posting.account, 0) + posting.amount.minor
        assert set(total.values()) == {0}


def test_a_payout_that_comes_back_after_it_was_paid_is_the_payees_again() -> None:
    journal = postings.payout_returned(**OF_PARTY, amount=usd(700))
    assert net(journal, accounts.connected_balance(5)) == 700


@given(amounts=st.lists(st.integers(-1000, 1000).filter(bool), min_size=2, max_size=6))
def test_a_journal_that_does_not_cancel_out_cannot_be_made(amounts: list[int]) -> None:
    lines = tuple(Posting(accounts.held(n + 1), usd(amount)) for n, amount in enumerate(amounts))
    if sum(amounts):
        with pytest.raises(UnbalancedJournal, match="off by"):
            Journal("k", "test", lines)
    else:
        assert Journal("k", "test", lines).postings == lines


def test_a_journal_is_in_one_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        Journal("k", "test", (Posting("bank", usd(5)), Posting("suspense", Money(-5, "EUR"))))


def test_a_journal_is_in_one_book() -> None:
    with pytest.raises(BooksMixed):
        Journal("k", "test", (Posting("bank", usd(5)), Posting("connected_claim", usd(-5))))


def test_a_journal_of_nothing_is_refused() -> None:
    with pytest.raises(JournalTooShort):
        Journal("k", "test", (Posting("bank", usd(5)), Posting("bank", usd(-5))))


def test_an_unknown_account_is_refused() -> None:
    with pytest.raises(accounts.AccountUnknown):
        Journal("k", "test", (Posting("bank", usd(5)), Posting("biscuits", usd(-5))))


def test_a_part_below_zero_is_refused() -> None:
    with pytest.raises(PartBelowZero, match="transfer"):
        postings.withdrawal(**OF_PARTY, amount=usd(100), fee=usd(101))
    with pytest.raises(PartBelowZero, match="processing fee"):
        postings.charge_settled(
            **OF_MILESTONE, charge=usd(99), milestone=usd(100), platform_fee=usd(0), actual_fee=usd(0)
        )
