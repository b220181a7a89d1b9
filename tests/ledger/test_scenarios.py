"""Money events as an accountant reads them: a few lines of text in, the journal as text out.

Each file of `scenarios/` tells stories of one kind. A block begins with a sentence; then come the event and its facts,
then what is booked, in decimal units of the currency that stands beside the event. Milestone 17, payer 5 and payee 6
are everyone's. To see what an event books, write the facts alone and run this test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from core.ledger import accounts, postings
from core.ledger.journals import Journal
from core.money import CURRENCIES, Money

IN_TESTS_OF_THEIR_OWN = {
    "exchanged",
    "journal_reversed",
    "manual_journal",
    "manual_journal_reversed",
    "payee_line_booked",
    "year_closed",
    "year_reopened",
}
BY_HAND = {"retained_earnings", "stripe_reserve", "other_income", "other_expense", "bank_charges", "bad_debt"}
FILES = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))
PEOPLE = {"milestone_id": 17, "party_id": 5, "payee_id": 6}
FACT = re.compile(r"    (\w+) +(-?[\d,.]+|[a-z_:\d]+)")
LINE = re.compile(r"    (debit|credit) +([a-z_:\d]+) +([\d,.]+)(?: [A-Z]{3})?")


@dataclass(frozen=True)
class Scenario:
    sentence: str
    event: str
    currency: str
    facts: tuple[tuple[str, str], ...]
    booked: tuple[str, ...]

    def journal(self) -> Journal:
        given: dict[str, Any] = {"key": "scenario", "cause": {}}
        function = getattr(postings, self.event)
        given |= {name: number for name, number in PEOPLE.items() if name in signature(function).parameters}
        for name, value in self.facts:
            given[name] = money(value, self.currency) if value.lstrip("-")[0].isdigit() else value
        if given.pop("party", "payer") == "payee":
            given["party_id"] = PEOPLE["payee_id"]
        journal = function(**given)
        assert isinstance(journal, Journal)
        return journal


def money(text: str, currency: str) -> Money:
    return Money(int(Decimal(text.replace(",", "")).scaleb(CURRENCIES[currency].digits)), currency)


def read(path: Path) -> list[Scenario]:
    """`A sentence.` / `event_name CUR` / `    fact  amount` / `    debit|credit  account  amount`."""
    found = []
    for block in re.split(r"\n\n+", path.read_text(encoding="utf-8").strip()):
        sentence, event, *rest = block.splitlines()
        name, currency = event.split()
        lines = [line for line in rest if LINE.fullmatch(line)]
        facts = [FACT.fullmatch(line) for line in rest if line not in lines]
        assert all(facts), f"{path.name}: cannot read {block!r}"
        found.append(
            Scenario(
                sentence, name, currency, tuple((f[1], f[2]) for f in facts if f), tuple(map(normal, lines))
            )
        )
    return found


def normal(line: str) -> str:
    return " ".join(line.split())


def as_text(journal: Journal) -> tuple[str, ...]:
    return tuple(
        f"{'debit' if each.amount.is_positive else 'credit'} {each.account} {plain(abs(each.amount))}"
        for each in journal.postings
    )


def plain(amount: Money) -> str:
    digits = CURRENCIES[amount.currency].digits
    return f"{Decimal(amount.minor).scaleb(-digits):,.{digits}f}"


SCENARIOS = [each for path in FILES for each in read(path)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.sentence)
def test_an_event_books_what_the_accountant_reads(scenario: Scenario) -> None:
    booked = as_text(scenario.journal())
    assert sorted(booked) == sorted(scenario.booked), "\n".join(("books", *booked))


def test_every_money_event_has_a_scenario() -> None:
    events = {name for name in postings.__all__ if name[0].islower()} - IN_TESTS_OF_THEIR_OWN
    assert events == {each.event for each in SCENARIOS}


def test_every_account_is_met_in_a_scenario() -> None:
    met = {line.split()[1].split(":")[0] for each in SCENARIOS for line in each.booked}
    assert set(accounts.CHART) - met - BY_HAND == {accounts.EXCHANGE_DIFFERENCE}


def test_a_payment_that_stripe_converted_is_booked_in_both_currencies() -> None:
    """€1,000.00 is held; at Stripe lie $1,092.77, after a fee of $4.53, at a rate of 1.0973."""
    paid = postings.charge_settled(
        key="scenario",
        milestone_id=17,
        party_id=5,
        charge=money("1,000.00", "EUR"),
        milestone=money("1,000.00", "EUR"),
        platform_fee=money("0.00", "EUR"),
        actual_fee=money("0.00", "EUR"),
        cause={},
    )
    euros, dollars = postings.exchanged(
        paid, amount=money("1,097.30", "USD"), fee=money("4.53", "USD"), fees_to=accounts.PROCESSOR_FEES
    )
    assert as_text(euros) == ("debit exchange_difference 1,000.00", "credit held:17 1,000.00")
    assert as_text(dollars) == (
        "debit stripe_balance 1,092.77",
        "debit processor_fees 4.53",
        "credit exchange_difference 1,097.30",
    )
