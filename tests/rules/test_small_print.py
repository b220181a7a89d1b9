"""Rules at their edges, where nothing else in the suite stands: sizes, names, areas, values that cannot be read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core.ledger import accounts, invariants, journal_store
from core.money import Money, UnknownCurrency
from core.rules import evidence, file_names, items, permissions, plan_diff, policy_values, reports, suspense
from core.rules.evidence import MAX_BYTES, MIB, AreaOutside, FileEmpty, FileTooLarge
from core.rules.permissions import SYSTEM, Actor, NotPermitted
from core.rules.policy_values import ValueUnreadable
from core.rules.reports import DetailsTooLong
from core.rules.suspense import OneAtATime, SettledAs

OUT, IN = Money(-700, "USD"), Money(700, "USD")


@pytest.mark.parametrize(
    ("kind", "category", "amount", "settled_as"),
    [
        ("reserve_transaction", "risk_reserved_funds", OUT, SettledAs.RESERVE),
        ("payout_minimum_balance_hold", "payout_minimum_balance_hold", OUT, SettledAs.RESERVE),
        ("stripe_fee", "fee", OUT, SettledAs.PROCESSOR_FEE),
        ("charge", "charge", IN, SettledAs.RETURN_TO_PAYER),
        ("refund", "refund", OUT, SettledAs.REFUND_OWED),
        ("adjustment", "dispute", OUT, SettledAs.CHARGEBACK_LOSS),
        ("adjustment", "dispute_reversal", IN, SettledAs.CHARGEBACK_LOSS),
        ("adjustment", "other_adjustment", OUT, SettledAs.OTHER_EXPENSE),
        ("adjustment", "other_adjustment", IN, SettledAs.OTHER_INCOME),
        ("topup", "topup", IN, SettledAs.OWN_MONEY),
        ("transfer", "transfer", OUT, SettledAs.PAYEE_OWES),
        ("transfer", "transfer", IN, None),
        ("something_new", "something_new", OUT, None),
    ],
)
def test_what_a_line_most_likely_was_is_something_that_it_can_be(
    kind: str, category: str, amount: Money, settled_as: SettledAs | None
) -> None:
    known = {"payment_intent": "pi_1", "milestone_id": 1}
    assert suspense.likely(kind, category, amount, **known) == settled_as
    assert settled_as is None or settled_as in suspense.fitting([amount])


def test_of_an_unknown_milestone_neither_a_payment_nor_a_refund_is_its() -> None:
    unknown: dict[str, Any] = {"payment_intent": "pi_1", "milestone_id": None}
    assert suspense.likely("charge", "charge", IN, **unknown) is None
    assert suspense.likely("refund", "refund", OUT, **unknown) == SettledAs.CONCESSION


@pytest.mark.parametrize("area", [(0, 0, evidence.WHOLE, evidence.WHOLE), (10, 20, 1, 1)])
def test_an_area_lies_on_the_picture(area: evidence.Area) -> None:
    assert evidence.check_area(area) == area


@pytest.mark.parametrize(
    "area", [(-1, 0, 5, 5), (0, 0, 0, 5), (1, 0, evidence.WHOLE, 5), (0, 1, 5, evidence.WHOLE)]
)
def test_an_area_beside_it_or_of_nothing_is_refused(area: evidence.Area) -> None:
    with pytest.raises(AreaOutside):
        evidence.check_area(area)


def test_a_file_is_neither_empty_nor_too_large() -> None:
    evidence.check_size("a.pdf", MAX_BYTES)
    with pytest.raises(FileEmpty):
        evidence.check_size("a.pdf", 0)
    with pytest.raises(FileTooLarge):
        evidence.check_size("a.pdf", MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("size", "words"),
    [(1, "1 bytes"), (2048, "2 KiB"), (MIB, "1 MiB"), (MIB * 3 // 2, "1.5 MiB"), (25 * MIB, "25 MiB")],
)
def test_a_size_is_said_in_whole_or_tenths(size: int, words: str) -> None:
    assert evidence.in_words(size) == words


@pytest.mark.parametrize("name", ["con.txt", "LPT1", "nul.tar.gz"])
def test_names_that_windows_keeps_for_itself_are_changed(name: str) -> None:
    assert file_names.clean(name).startswith("_")


def test_more_items_than_there_are_cents_become_one() -> None:
    listed = items.proposed("Doors. Drawers. Worktop.", Money(2, "USD"))
    assert listed == (("Doors", Money(2, "USD")),)


def test_an_operator_is_named_by_their_account_and_is_no_member_of_staff() -> None:
    operator = Actor("operator", None, via="anna on desk-1")
    assert operator.label == "anna on desk-1 (command line)"
    for actor in (operator, SYSTEM):
        with pytest.raises(NotPermitted):
            permissions.staff_number(actor, action="decide")


def test_a_plan_that_waits_for_an_account_says_so() -> None:
    call = {"kind": "TRANSFER", "account": None, "params": {}, "waits": "ACCOUNT"}
    assert plan_diff._target({"operations": [call]}, "TRANSFER") == "the account that the payee opens"


def test_a_rule_of_no_known_kind_is_not_guessed() -> None:
    before: Any = 1.5
    with pytest.raises(ValueUnreadable):
        policy_values.read("note", before, "other words", currency="USD")


def test_none_of_a_time_is_no_time_at_all() -> None:
    assert policy_values.read(
        "decision_cooling_off", timedelta(hours=1), "none", currency="USD"
    ) == timedelta(0)


def test_a_report_is_not_endless() -> None:
    with pytest.raises(DetailsTooLong):
        reports.checked("x" * (reports.MOST + 1))


def test_what_one_payment_explains_explains_one_amount() -> None:
    two = [Money(100, "USD"), Money(200, "USD")]
    with pytest.raises(OneAtATime):
        suspense.check(SettledAs.RETURN_TO_PAYER, two, payment_intent="pi_1", target_id=1)


def test_accounts_of_unknown_currencies_and_lines_are_refused() -> None:
    with pytest.raises(UnknownCurrency):
        accounts.number(accounts.STRIPE_BALANCE, "XTS")
    with pytest.raises(accounts.AccountUnknown):
        accounts.code_of(255 << 10)


def test_a_law_is_named_once() -> None:
    name = next(iter(invariants.INVARIANTS))
    with pytest.raises(ValueError, match="already"):
        invariants.invariant(name, "A law.", "select 1")


def test_what_the_database_says_of_something_else_is_not_taken_for_a_refusal() -> None:
    from sqlalchemy.exc import OperationalError

    away = OperationalError("select 1", {}, Exception("gone"))
    journal: Any = None
    with pytest.raises(OperationalError):
        journal_store._refused(journal, away)
