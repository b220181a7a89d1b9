"""A statement leads from its opening to its closing balance, month after month, and a milestone's T-accounts add up."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from core.db import Database
from core.errors import NotFound
from core.money import Money
from core.queries import ledger, party_statements
from core.queries.movements import FIRST, Period
from core.queries.party_statements import PartyStatement
from tests import builders
from tests.builders import Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def of(town: Town, party: int, period: Period) -> PartyStatement:
    (found,) = town.read(lambda s: party_statements.statements(s, party, period))
    return found


def divided(town: Town) -> builders.Told:
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
    builders.carry_out(town)
    return told


def test_a_payers_statement_begins_where_the_one_before_it_ended(town: Town) -> None:
    builders.funded(town)
    town.wait(days=40)
    divided(town)
    today = town.now.date()
    whole = of(town, town.payer_id, Period(FIRST, today))
    earlier = of(town, town.payer_id, Period(FIRST, today - timedelta(days=20)))
    later = of(town, town.payer_id, Period(today - timedelta(days=19), today))
    assert (earlier.closing, later.closing) == (later.opening, whole.closing)
    assert [*earlier.movements, *later.movements] == list(whole.movements)
    assert whole.opening.is_zero
    assert whole.movements[-1].balance == whole.closing
    nets = town.read(ledger.nets)
    lines = ("held", "deferred_platform_fee", "refund_payable")
    assert whole.closing == -Money.total(
        (nets[line, "USD"] for line in lines if (line, "USD") in nets), "USD"
    )


def test_a_payees_statement_shows_what_was_released_and_withdrawn(town: Town) -> None:
    divided(town)
    today = town.now.date()
    statement = of(town, town.payee_id, Period(FIRST, today))
    assert [each.amount for each in statement.movements] == [Money(20_000, "USD"), Money(-20_000, "USD")]
    assert statement.closing.is_zero


def test_nobody_has_no_statement(town: Town) -> None:
    with pytest.raises(NotFound):
        town.read(lambda s: party_statements.statements(s, 999, Period(FIRST, date(2026, 1, 1))))
    with pytest.raises(NotFound):
        town.read(lambda s: party_statements.party_of(s, "nobody"))
    assert town.read(lambda s: party_statements.statements(s, town.payer_id, Period(FIRST, FIRST))) == []


def test_the_t_accounts_of_a_milestone_balance(town: Town) -> None:
    told = divided(town)
    found = town.read(lambda s: party_statements.t_accounts(s, told.milestone))
    debits = [each.amount for account in found if "connected" not in account.code for each in account.debits]
    credits = [
        each.amount for account in found if "connected" not in account.code for each in account.credits
    ]
    assert Money.total(debits, "USD") + Money.total(credits, "USD") == Money.zero("USD")
    held = next(each for each in found if each.code == f"held:{told.milestone}")
    assert held.balance.is_zero
    assert len(held.credits) == 1


def test_both_are_pages(town: Town, tmp_path: Path) -> None:
    told = divided(town)
    serve(town, tmp_path)
    seen = words(visit(town, "fay", "t_accounts", id=told.milestone))
    assert "Client funds held" in seen
    assert f"/account?code=held:{told.milestone}" in seen
    assert "Opening balance" in words(visit(town, "fay", "party_statement", id=town.payee_id))
    assert "not for your role" in words(visit(town, "mia", "party_statement", id=town.payee_id))
    assert "There is no party 999" in words(visit(town, "fay", "party_statement", id=999)).replace("“", "")
