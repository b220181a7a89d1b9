"""Whether a payee can be paid, in every combination, and Stripe's names in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import get_args, get_type_hints

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from core.rules import holds, payout_failures
from core.rules.payee_accounts import (
    REASONS,
    AccountFacts,
    BankWait,
    CurrencyNotTaken,
    blocking,
    in_words,
    reason,
    require_taken,
    to_give,
)

PAST_DUE = AccountFacts(
    can_be_paid=False,
    disabled_reason="requirements.past_due",
    past_due=("external_account", "individual.dob.day"),
)
UNTIL = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)


WAITS = {"bank_changed": BankWait(UNTIL), "bank_refused": BankWait(refused=True)}


@pytest.mark.parametrize(
    ("able", "banks", "changed"),
    list(product([True, False], ["", "USD", "EUR"], ["", "bank_changed", "bank_refused"])),
)
def test_each_thing_that_stops_a_payee_is_named_and_nothing_else(
    able: bool, banks: str, changed: str
) -> None:
    account = AccountFacts(
        can_be_paid=able,
        banks=frozenset(banks.split()),
        new_banks={"USD": WAITS[changed]} if changed else {"EUR": BankWait(UNTIL)},
    )
    wanted = [
        *([] if able else ["payee_account"]),
        *(["payee_bank_currency"] if banks == "EUR" else []),
        *([changed] if changed else []),
    ]
    assert [block.code for block in blocking(account, "USD")] == wanted
    assert {block.code for block in holds.outside(blocking(account, "USD"))} == set(wanted)


def test_of_an_account_that_was_never_read_nothing_is_said() -> None:
    assert blocking(None, "USD") == ()
    require_taken(None, "USD", party="p")


def test_a_currency_is_refused_only_where_the_banks_are_known() -> None:
    require_taken(AccountFacts(can_be_paid=False), "USD", party="p")
    require_taken(AccountFacts(can_be_paid=False, banks=frozenset({"USD"})), "USD", party="p")
    with pytest.raises(CurrencyNotTaken, match="only CHF and EUR"):
        require_taken(AccountFacts(can_be_paid=True, banks=frozenset({"EUR", "CHF"})), "USD", party="p")


def test_every_reason_that_the_sdk_knows_has_words() -> None:
    hints = get_type_hints(stripe.Account.Requirements, localns={"Literal": None})
    known = {each for option in get_args(hints["disabled_reason"]) for each in get_args(option)}
    assert known, "the SDK lists them"
    assert known - REASONS.keys() == set()


def test_what_is_past_due_is_named_once_and_in_words() -> None:
    due = ("individual.dob.day", "individual.dob.year", "external_account", "person_1.address")
    account = AccountFacts(can_be_paid=False, disabled_reason="requirements.past_due", past_due=due)
    assert reason(account) == (
        "Stripe needs details from the payee that are past due (date of birth, bank account, person_1.address)"
    )


@given(st.text(max_size=40))
def test_a_name_that_nobody_knows_is_shown_as_it_is_spelled(name: str) -> None:
    assert in_words([name, name]) in ([name], in_words([name]))
    assert reason(AccountFacts(can_be_paid=False, disabled_reason=f"x{name}")).endswith(f"“x{name}”")


@pytest.mark.parametrize(
    ("account", "given"),
    [
        (AccountFacts(can_be_paid=True, banks=frozenset({"USD"})), None),
        (AccountFacts(can_be_paid=True), None),
        (AccountFacts(can_be_paid=False, disabled_reason="under_review"), None),
        (AccountFacts(can_be_paid=True, banks=frozenset({"EUR"})), "a bank account in USD"),
        (AccountFacts(can_be_paid=True, unusable=frozenset({"USD"})), "another bank account"),
        (replace(PAST_DUE, unusable=frozenset({"USD"})), "another bank account, date of birth"),
        (PAST_DUE, "a bank account in USD, date of birth"),
    ],
)
def test_what_the_payee_must_give_is_what_ends_the_wait(account: AccountFacts, given: str | None) -> None:
    assert to_give(account, "USD") == given


@pytest.mark.parametrize(
    ("account", "remedy"),
    [
        (None, None),
        (AccountFacts(can_be_paid=True, banks=frozenset({"USD"})), None),
        (AccountFacts(can_be_paid=True, unusable=frozenset({"EUR"})), None),
        (AccountFacts(can_be_paid=True, unusable=frozenset({"USD"})), "add another bank account"),
        (PAST_DUE, "Ask the payee for it first: a bank account in USD, date of birth."),
        (AccountFacts(can_be_paid=False, disabled_reason="listed"), "Wait until Stripe says"),
    ],
)
def test_an_account_that_cannot_be_paid_will_fail_again(
    account: AccountFacts | None, remedy: str | None
) -> None:
    found = payout_failures.repeats("could_not_process", bank_changed=True, account=account, currency="USD")
    assert (found is None) if remedy is None else (found is not None and remedy in found.remedy)
