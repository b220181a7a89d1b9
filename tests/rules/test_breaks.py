"""What a break is follows from what is known of both sides, and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from core.rules.breaks import MAY_STILL_COME, BreakClass, Facts, Side, classify, counted, sentence

HUNDRED, NINETY = Money(10_000, "USD"), Money(9_000, "USD")
EUROS = Money(10_000, "EUR")
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
THEIRS = Facts(Side.STRIPE, HUNDRED, None, WEEK)
OURS = Facts(Side.STRIPE, None, HUNDRED, WEEK)
BOTH = Facts(Side.STRIPE, HUNDRED, NINETY, WEEK)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(THEIRS, kind="charge", age=HOUR), "TIMING"),
        (replace(OURS, age=HOUR), "TIMING"),
        (replace(OURS, side=Side.BANK, age=timedelta(days=4)), "TIMING"),
        (replace(THEIRS, side=Side.BANK, by_us=True, age=HOUR), "TIMING"),
        (replace(THEIRS, side=Side.BANK, by_us=True), "BANK_ONLY"),
        (replace(THEIRS, kind="stripe_fee"), "FEE"),
        (replace(BOTH, only_fee_differs=True), "FEE"),
        (replace(BOTH, ours=EUROS), "CURRENCY"),
        (replace(THEIRS, kind="refund", currency_of_cause="EUR"), "CURRENCY"),
        (replace(THEIRS, kind="payment", twin=True), "DUPLICATE"),
        (replace(THEIRS, side=Side.BANK, twin=True), "DUPLICATE"),
        (replace(THEIRS, kind="transfer", by_us=True), "MISSED_WEBHOOK"),
        (replace(THEIRS, kind="refund"), "MADE_AT_STRIPE"),
        (replace(THEIRS, kind="transfer", age=HOUR, in_suspense=True), "MADE_AT_STRIPE"),
        (replace(THEIRS, side=Side.BANK), "BANK_ONLY"),
        (replace(THEIRS, side=Side.BANK, age=HOUR), "BANK_ONLY"),
        (OURS, "LEDGER_ONLY"),
        (replace(OURS, side=Side.BANK, age=timedelta(days=5)), "LEDGER_ONLY"),
        (BOTH, "AMOUNT_DIFFERS"),
        (replace(THEIRS, kind="reserve_hold"), "UNKNOWN"),
        (replace(THEIRS, kind="something_new"), "UNKNOWN"),
    ],
)
def test_each_class_has_its_facts(facts: Facts, expected: str) -> None:
    assert classify(facts) == expected


@pytest.mark.parametrize(
    ("found", "theirs", "ours", "difference", "said"),
    [
        ("FEE", HUNDRED, NINETY, False, "Its amount agrees; only Stripe's fee differs."),
        ("FEE", HUNDRED, None, True, "differs by $100.00 from what was booked; that lies in suspense"),
        ("FEE", HUNDRED, None, False, "It is a fee of Stripe's that belongs to no payment."),
        ("CURRENCY", HUNDRED, None, False, "The desk asked for it in another currency."),
        ("CURRENCY", HUNDRED, EUROS, False, "The two sides are in different currencies."),
        ("UNKNOWN", HUNDRED, None, False, "so a person says what it was."),
    ],
)
def test_the_sentence_is_true_of_what_is_known(
    found: str, theirs: Money, ours: Money | None, difference: bool, said: str
) -> None:
    kind = BreakClass(found)
    told = sentence(Side.STRIPE, kind, theirs, ours, whole_balance=False, difference=difference)
    assert said in told


def test_two_whole_balances_differ_and_no_line_says_why() -> None:
    told = sentence(Side.BANK, BreakClass.UNKNOWN, HUNDRED, NINETY, whole_balance=True)
    assert "is $100.00, and by the ledger $90.00; no line that differs explains the difference." in told


def test_a_name_keeps_its_capital_within_the_sentence() -> None:
    told = sentence(Side.PAYEE, BreakClass.AMOUNT_DIFFERS, HUNDRED, NINETY, whole_balance=False)
    assert told.startswith("The payee's statement at Stripe says $100.00")


@given(
    side=st.sampled_from(list(Side)),
    theirs=st.none() | st.just(HUNDRED),
    ours=st.none() | st.sampled_from([NINETY, EUROS]),
    age=st.timedeltas(timedelta(0), timedelta(days=90)),
    kind=st.sampled_from(["charge", "refund", "transfer", "stripe_fee", "reserve_hold", "new"]),
    flags=st.tuples(*[st.booleans()] * 4),
)
def test_whatever_is_known_there_is_a_class_and_a_sentence_that_names_every_amount(
    side: Side, theirs: Money | None, ours: Money | None, age: timedelta, kind: str, flags: tuple[bool, ...]
) -> None:
    if theirs is None and ours is None:
        return
    fee, by_us, twin, suspense = flags
    facts = Facts(side, theirs, ours, age, kind, "", fee, by_us, twin, None, suspense and theirs is not None)
    found = classify(facts)
    said = sentence(side, found, theirs, ours, whole_balance=False)
    assert all(each.text() in said for each in (theirs, ours) if each is not None)
    assert said.endswith(".")
    if age >= MAY_STILL_COME[side]:
        assert found is not BreakClass.TIMING


@pytest.mark.parametrize(
    ("open_now", "in_suspense", "words"),
    [
        (0, 0, "No open break"),
        (1, 0, "1 open break, not in suspense"),
        (1, 1, "1 open break, in suspense"),
        (1_200, 0, "1,200 open breaks, none of them in suspense"),
        (5, 3, "5 open breaks, 3 of them in suspense"),
        (5, 5, "5 open breaks, all of them in suspense"),
    ],
)
def test_open_breaks_are_counted_with_what_of_them_is_in_suspense(
    open_now: int, in_suspense: int, words: str
) -> None:
    assert counted(open_now, in_suspense) == words
