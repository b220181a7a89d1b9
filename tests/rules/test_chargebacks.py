"""Who bears a lost chargeback, what freezes a milestone, and when a bank takes an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from core.rules import card_retries, chargebacks
from core.rules.chargebacks import NoAnswerAllowed
from core.rules.suspense import DoNotCancelOut, SettledAs, check_each_other, fitting, words

AMOUNTS = st.integers(min_value=0, max_value=10**9).map(lambda minor: Money(minor, "USD"))
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
STATUSES = chargebacks.UNDECIDED | chargebacks.INQUIRIES | chargebacks.CLOSED


@given(lost=AMOUNTS, held=AMOUNTS, fee=AMOUNTS)
def test_what_is_held_bears_first_then_the_unearned_fee_and_never_more_than_is_there(
    lost: Money, held: Money, fee: Money
) -> None:
    bears = chargebacks.while_held(lost, held=held, fee=fee)
    assert bears.held == min(lost, held)
    assert bears.fee == min(lost - bears.held, fee)
    assert not (lost - bears.held - bears.fee).is_negative
    assert bears.receivable.is_zero
    assert bears.refund_due.is_zero


@given(lost=AMOUNTS, refund_due=AMOUNTS, payee=AMOUNTS, fee=AMOUNTS)
def test_after_a_release_due_refunds_bear_first_then_the_payee_then_the_fee(
    lost: Money, refund_due: Money, payee: Money, fee: Money
) -> None:
    bears = chargebacks.after_release(lost, refund_due=refund_due, payee=payee, fee=fee)
    borne = bears.refund_due + bears.receivable + bears.fee
    assert borne == min(lost, refund_due + payee + fee)
    assert bears.refund_due == min(lost, refund_due)
    assert bears.receivable <= payee
    assert bears.fee.is_zero or bears.receivable == payee
    assert bears.held.is_zero


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_only_an_undecided_or_unborne_chargeback_freezes(status: str) -> None:
    nothing, something = Money.zero("USD"), Money(1, "USD")
    assert chargebacks.freezes(status, nothing) == (status in {"needs_response", "under_review"})
    assert chargebacks.freezes(status, something) == (status in {"needs_response", "under_review", "lost"})


@pytest.mark.parametrize("told", sorted(STATUSES))
@pytest.mark.parametrize("before", sorted(STATUSES))
def test_what_is_closed_is_not_opened_again_by_older_news(before: str, told: str) -> None:
    reopened = before in chargebacks.CLOSED and told not in chargebacks.CLOSED
    assert chargebacks.present(before, told) == (before if reopened else told)


@pytest.mark.parametrize("status", sorted(STATUSES))
def test_an_answer_is_taken_only_where_one_is_wanted(status: str) -> None:
    if status in {"needs_response", "warning_needs_response"}:
        chargebacks.check_answerable(status, NOW, NOW)
        with pytest.raises(NoAnswerAllowed):
            chargebacks.check_answerable(status, NOW, NOW + timedelta(microseconds=1))
        with pytest.raises(NoAnswerAllowed):
            chargebacks.check_answerable(status, None, NOW)
    else:
        with pytest.raises(NoAnswerAllowed):
            chargebacks.check_answerable(status, NOW, NOW)


def test_all_texts_together_have_a_limit_of_their_own() -> None:
    most = dict.fromkeys(list(chargebacks.FIELDS)[:7], "x" * 20000)
    fits = {**most, "uncategorized_text": "x" * 10_000}
    assert chargebacks.check_evidence(fits) == fits
    with pytest.raises(chargebacks.EvidenceTooLong, match="150000"):
        chargebacks.check_evidence({**most, "uncategorized_text": "x" * 10_001})


@pytest.mark.parametrize(("retries", "hours"), [(0, 2), (1, 6), (2, 18), (3, 54)])
def test_a_soft_decline_is_tried_again_later_and_later(retries: int, hours: int) -> None:
    assert card_retries.next_retry("insufficient_funds", retries, NOW) == NOW + timedelta(hours=hours)


def test_four_automatic_tries_are_enough() -> None:
    assert card_retries.next_retry("insufficient_funds", 4, NOW) is None


@pytest.mark.parametrize(
    "code", [None, "stolen_card", "lost_card", "fraudulent", "expired_card", "news_to_us"]
)
def test_what_time_does_not_heal_is_left_to_the_payer(code: str | None) -> None:
    assert card_retries.next_retry(code, 0, NOW) is None


def test_amounts_cancel_each_other_out_or_are_not_settled_so() -> None:
    check_each_other([Money(500, "USD"), Money(-500, "USD")])
    for amounts in ([Money(0, "USD")], [Money(500, "USD"), Money(-499, "USD")]):
        with pytest.raises(DoNotCancelOut):
            check_each_other(amounts)


OWN, FEE, LOSS = SettledAs.OWN_MONEY, SettledAs.PROCESSOR_FEE, SettledAs.CHARGEBACK_LOSS
EITHER = {OWN, FEE, LOSS, SettledAs.RESERVE, SettledAs.BANK_CHARGE}
PAID = {SettledAs.CONCESSION, SettledAs.OTHER_EXPENSE}
EARNED = {SettledAs.INTEREST, SettledAs.OTHER_INCOME}


@pytest.mark.parametrize(
    ("minors", "fits"),
    [
        (
            (500,),
            EITHER | EARNED | {SettledAs.RETURN_TO_PAYER, SettledAs.PAYEE_DEBT, SettledAs.DEBT_RECOVERED},
        ),
        ((-500,), EITHER | PAID | {SettledAs.REFUND_OWED, SettledAs.PAYEE_OWES}),
        ((-500, -1), EITHER | PAID),
        ((500, -1), EITHER),
        ((500, -500), EITHER | {SettledAs.EACH_OTHER}),
        ((0,), EITHER),
    ],
)
def test_what_money_can_have_been_follows_from_whether_it_came_in(
    minors: tuple[int, ...], fits: set[SettledAs]
) -> None:
    assert set(fitting([Money(each, "USD") for each in minors])) == fits


def test_only_at_our_bank_can_a_refund_sent_from_it_come_back() -> None:
    for minor in (500, -500):
        there = set(fitting([Money(minor, "USD")], at_the_bank=True))
        assert (SettledAs.REFUND_CAME_BACK in there) is (minor > 0)


def test_a_fee_given_back_is_not_called_a_fee() -> None:
    assert [words(FEE, [Money(each, "USD")]) for each in (-1, 1)] == [
        "A fee of Stripe's",
        "A fee that Stripe gave back",
    ]


@pytest.mark.parametrize(
    ("status", "known", "said"),
    [
        ("won", {"answered": 1}, "on our answer"),
        ("won", {"answered": 0}, "without an answer"),
        ("lost", {"answered": 1}, "although we had answered"),
        ("lost", {"answered": 0, "accepted": True}, "two people accepted it"),
        ("lost", {"answered": 0, "past_due": True}, "last moment"),
        ("lost", {"answered": 0}, "without an answer"),
        ("warning_closed", {"answered": 0}, "took no money"),
        ("prevented", {"answered": 0}, "Prevented before any money was taken"),
    ],
)
def test_why_it_ended_is_said_as_far_as_it_is_known(status: str, known: dict[str, Any], said: str) -> None:
    assert said in (chargebacks.why_it_ended(status, **{"accepted": False, "past_due": False, **known}) or "")
    assert chargebacks.why_it_ended("under_review", answered=1, accepted=False, past_due=False) is None


def test_the_rate_of_those_won_leaves_out_what_is_undecided() -> None:
    assert (chargebacks.win_rate(2, 1), chargebacks.win_rate(0, 0), chargebacks.win_rate(0, 3)) == (
        "67 %",
        "—",
        "0 %",
    )


def test_files_that_are_too_much_together_are_refused() -> None:
    chargebacks.check_together([4_500_000], 49)
    for sizes, pages in (([4_500_000, 1], 2), ([1], 50)):
        with pytest.raises(chargebacks.FilesTooLarge):
            chargebacks.check_together(sizes, pages)
