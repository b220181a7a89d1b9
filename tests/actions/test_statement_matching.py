"""Every kind of line that Stripe can write has a road into the books (docs/decisions/0013)."""

from __future__ import annotations

import inspect
import re
from datetime import timedelta
from typing import Any

import pytest
import stripe

from core.actions.milestones import verification
from core.ledger import postings
from core.money import Money
from core.processes import reconciliation
from core.records import (
    Break,
    OutgoingOperation,
    Payout,
    ReconciliationRun,
    Refund,
    StatementLine,
    SuspenseItem,
)
from core.rules import statement_line_types
from core.rules.permissions import SYSTEM
from core.rules.statement_line_types import Handling
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back
from tests.actions.test_reversals import transferred
from tests.sandbox_desk import Market


def kinds() -> set[str]:
    """The types that the installed SDK names."""
    source = inspect.getsource(inspect.getmodule(stripe.BalanceTransaction) or stripe)
    literal = re.search(r"\n    type: Union\[\s*Literal\[(.*?)\]", source, re.DOTALL)
    assert literal
    return set(re.findall(r'"(\w+)"', literal[1]))


def test_every_type_that_stripe_names_has_a_road() -> None:
    assert kinds() - statement_line_types.BY_TYPE.keys() == set()


def test_what_is_newer_than_the_list_goes_by_its_category_and_else_to_a_person() -> None:
    assert statement_line_types.of("fee_of_tomorrow", "fee").handling is Handling.FEE
    assert statement_line_types.of("something_new", "something_new") == statement_line_types.UNKNOWN


def run(market: Market) -> str:
    market.control.set_clock(market.now)
    return str(market.get(ReconciliationRun, reconciliation.run(market.desk, SYSTEM)).status)


def a_day_later(market: Market) -> str:
    market.now += timedelta(days=1, hours=1)
    return run(market)


BY_PERSON = sorted(
    kind
    for kind, way in statement_line_types.BY_TYPE.items()
    if way.handling in (Handling.PERSON, Handling.CAUSE) or kind in ("payout_cancel", "payout_failure")
)


def test_what_the_desk_did_not_cause_waits_for_a_person_with_its_reason(market: Market) -> None:
    """One line of each such type, with no object of ours behind it."""
    market.control.set_clock(market.now)
    for place, kind in enumerate(BY_PERSON, start=1):
        market.control.line(kind, place * 10 + 1, "USD", source=None)
    assert run(market) == "BREAKS"
    assert a_day_later(market) == "SUSPENSE"
    items = market.all(SuspenseItem)
    assert len(items) == len(BY_PERSON)
    by_line = {each.id: each.kind for each in market.all(StatementLine)}
    assert {by_line[each.transaction_id]: each.why for each in items} == {
        kind: statement_line_types.BY_TYPE[kind].why for kind in BY_PERSON
    }
    market.lawful()


@pytest.mark.parametrize(
    ("kind", "amount", "books"),
    [
        ("topup", 5_000, {"bank": -5_000, "stripe_balance": 5_000}),
        ("topup_reversal", -700, {"bank": 700, "stripe_balance": -700}),
        ("stripe_fee", -90, {"processor_fees": 90, "stripe_balance": -90}),
        ("stripe_fee", 90, {"processor_fees": -90, "stripe_balance": 90}),
        ("stripe_fx_fee", -12, {"processor_fees": 12, "stripe_balance": -12}),
        ("tax_fee", -8, {"processor_fees": 8, "stripe_balance": -8}),
    ],
)
def test_the_platforms_own_lines_are_booked_at_once(
    market: Market, kind: str, amount: int, books: dict[str, int]
) -> None:
    market.control.set_clock(market.now)
    market.control.line(kind, amount, "USD")
    assert run(market) == "CLEAN"
    assert market.books() == books
    assert run(market) == "CLEAN"
    assert market.books() == books
    market.lawful()


# The platform's own payouts


def own_payout(market: Market, amount: int = 3_000) -> str:
    """Somebody at the platform pays a part of its balance out to its bank."""
    market.pay_in(10_000)
    market.control.set_clock(market.now)
    asked = {"amount": str(amount), "currency": "usd"}
    reply = market.control.session.post(f"{market.sandbox.url}/v1/payouts", data=asked)
    assert reply.ok, reply.text
    return str(reply.json()["id"])


def test_a_payout_of_the_platforms_own_is_followed_to_its_bank(market: Market) -> None:
    payout = own_payout(market)
    assert run(market) == "CLEAN"
    assert market.books() == {"bank": -10_000, "stripe_balance": 7_000, "payout_in_transit": 3_000}
    market.control.move_payout(payout, "paid")
    assert run(market) == "CLEAN"
    assert market.books() == {"bank": -7_000, "stripe_balance": 7_000}
    assert run(market) == "CLEAN"
    market.lawful()


@pytest.mark.parametrize("arrived", [False, True])
def test_a_payout_of_the_platforms_own_that_fails_is_back_on_the_balance(
    market: Market, arrived: bool
) -> None:
    payout = own_payout(market)
    run(market)
    if arrived:
        market.control.move_payout(payout, "paid")
        run(market)
    market.control.move_payout(payout, "failed")
    assert run(market) == "CLEAN"
    assert market.books() == {"bank": -10_000, "stripe_balance": 10_000}
    assert run(market) == "CLEAN"
    market.lawful()


def test_a_payout_that_left_and_came_back_between_two_runs_is_booked_in_order(market: Market) -> None:
    payout = own_payout(market)
    market.control.move_payout(payout, "failed")
    assert run(market) == "CLEAN"
    assert market.books() == {"bank": -10_000, "stripe_balance": 10_000}
    market.lawful()


# Reversals


def test_reconciliation_books_a_reversal_whose_answer_never_came(market: Market) -> None:
    """The line names the reversal alone (`trr_…`); its transfer is found through the line."""
    dispute = charged_back(market, transferred(market))
    market.control.fault("drop", method="POST", path="/v1/transfers/*/reversals", when="after")
    bank_says(market, dispute, "lost")
    (reversal,) = market.operations("REVERSAL")
    assert market.get(OutgoingOperation, reversal.id).status == "QUEUED"
    assert run(market) == "CLEAN"
    assert market.get(OutgoingOperation, reversal.id).status == "SUCCEEDED"
    market.lawful()


def test_a_reversal_by_hand_waits_for_a_person(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.control.fault("500", method="POST", path="/v1/payouts", times=50)
    market.work()
    (payout,) = market.all(Payout)
    reply: Any = market.control.session.post(
        f"{market.sandbox.url}/v1/transfers/{payout.stripe_transfer}/reversals", data={"amount": "400"}
    )
    assert reply.ok, reply.text
    run(market)
    a_day_later(market)
    (item,) = market.all(SuspenseItem)
    assert (item.amount_minor, item.why) == (400, "A transfer that was reversed outside this desk.")


def test_a_payout_that_came_back_is_noticed_although_no_event_said_so(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    (payout,) = market.all(Payout)
    (sent,) = market.operations("PAYOUT")
    market.control.remove_endpoints()
    market.control.set_clock(market.now)
    market.control.move_payout(str(sent.provider_id), "failed")
    run(market)
    assert market.get(Payout, payout.id).status == "ADMINISTRATIVE_REVIEW"
    assert not [each.object for each in market.all(Break) if each.side == "PAYEE"]
    market.lawful()


def test_a_line_of_what_the_desk_knows_that_its_state_does_not_explain_says_so(market: Market) -> None:
    """A refund is back on the statement, and at Stripe it is paid: nobody made it outside this desk."""
    market.pay_in(10_000)
    told = market.in_mediation()
    builders.decided(market, told, builders.a_draft(told, release=Money(40_000, "USD")))
    market.work()
    (refund,) = market.all(Refund)
    market.control.set_clock(market.now)
    market.control.line("refund_failure", refund.amount_minor, "USD", source=refund.stripe_refund)
    run(market)
    market.lawful()
    a_day_later(market)
    (item,) = market.all(SuspenseItem)
    assert item.why == statement_line_types.NOT_BY_ITS_CAUSE
    market.lawful()


def test_every_money_event_has_words_for_finance() -> None:
    from core.queries.journals import KINDS

    named = {name for name in postings.__all__ if name[0].islower()}
    assert named - KINDS.keys() == set()
