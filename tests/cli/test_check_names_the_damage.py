"""`escrow-desk check` on a database that its owner has damaged: every law, the rows that break it, exit code 1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from core.db import Database
from core.embedded_postgres import Server, Urls
from core.money import Money
from core.queries import invariants
from tests import builders
from tests.cli.terminal import Terminal
from tests.database import fresh_copy
from tests.queries.test_invariants import BREAKS, OPEN

# What a row of each law must say, so that a person finds what is meant.
NAMES = {
    "journals_balance": {"journal_id", "off_by"},
    "balances_agree": {"code", "currency", "net", "net_of_postings"},
    "nothing_below_zero": {"code", "currency", "balance"},
    "books_balance": {"currency", "book", "off_by"},
    "register_agrees": {"account_id", "journal_id"},
    "daily_totals_agree": {"line", "currency_number"},
    "fee_totals_agree": {"dimension", "key", "currency_number", "day"},
    "marketplace_totals_agree": {"platform", "month", "currency_number", "kind"},
    "balance_sheet_balances": {"currency", "assets", "liabilities", "equity", "off_by"},
    "funded_is_accounted_for": {"milestone_id"},
    "held_agrees": {"milestone_id"},
    "fees_deferred": {"milestone_id"},
    "refunds_owed": {"milestone_id"},
    "chargebacks_agree": {"currency", "chargebacks_say", "ledger_says"},
    "chargebacks_freeze": {"milestone_id", "order_says", "chargebacks_say"},
    "payments_twice": {"currency", "duplicates_say", "ledger_says"},
    "suspense_is_listed": {"currency", "items_say", "ledger_says"},
    "documents_numbered": {"series", "year", "last", "issued", "highest"},
    "payees_owed": {"party_id", "orders_say", "ledger_says"},
    "client_funds_covered": {"currency", "looked_at", "at_stripe_minor", "owed_minor"},
    "one_road": {"debt", "id", "status", "second_road", "since"},
    "plans_as_queued": {"plan"},
    "exchange_agrees": {"currency", "ledger_says", "lines_say"},
    "words_as_recorded": {"what", "how", "entry"},
    "stripe_balance_is_its_lines": {"currency", "ledger_says", "lines_say"},
    "lines_booked_once": {"transaction_id", "journal_id"},
    "closed_periods_stand": {"period_id", "last_day", "journal_id"},
    "closed_years_are_retained": {"period_id", "journal_id", "name", "currency", "left_over"},
    "closed_figures_stand": {"period_id", "currency", "name", "signed", "posted"},
    "bank_statements_add_up": {"statement", "currency", "lines_say"},
    "states_derived": {"milestone_id", "stored", "derived"},
    "decisions_as_planned": {"decision_id", "planned", "posted"},
    "nothing_left_behind": {"milestone_id", "status", "order_holds", "ledger_holds"},
    "successes_have_names": {"operation_id", "key", "kind"},
}


@pytest.fixture(scope="module")
def lived(server: Server, template: str) -> Iterator[str]:
    """A database in which money is held, was divided by a decision, refunded and paid out; copied for each damage."""
    with fresh_copy(server, template) as urls:
        database = Database(urls.app_url)
        town = builders.a_town(database)
        builders.in_mediation(town)
        told = builders.in_mediation(town)
        builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
        builders.carry_out(town)
        database.dispose()
        yield urls.app_url.rpartition("/")[2].partition("?")[0]


@pytest.fixture
def urls(server: Server, lived: str) -> Iterator[Urls]:
    with fresh_copy(server, lived) as copy:
        yield copy


def damage(owner: Database, law: str) -> None:
    """Every guard of the database switched off, as only the owner of its tables can; and then it is kept."""
    with owner.transaction() as session:
        for statement in filter(str.strip, OPEN.split(";")):
            session.execute(text(statement))
        changed = session.execute(text(BREAKS[law]))
        assert changed.rowcount > 0  # type: ignore[attr-defined]


def broken(said: Any) -> dict[str, list[dict[str, Any]]]:
    return {each["invariant"]: each["rows"] for each in said if each["rows"]}


def test_every_law_has_its_damage_and_its_words() -> None:
    assert {law.name for law in invariants.laws_in_force()} == BREAKS.keys() == NAMES.keys()


def test_an_undamaged_copy_is_lawful_and_says_so_of_every_law(terminal: Terminal) -> None:
    said = terminal.run("check", "--json").well().json
    assert [each["invariant"] for each in said] == [law.name for law in invariants.laws_in_force()]
    assert broken(said) == {}
    lines = terminal.run("check").well().out.splitlines()
    verdicts = {line.split()[0]: line.split()[-1] for line in lines if line.split()}
    assert {name: verdicts[name] for name in NAMES} == dict.fromkeys(NAMES, "none")


@pytest.mark.parametrize("law", sorted(BREAKS))
def test_the_damaged_rows_are_named_in_words_and_as_json(
    terminal: Terminal, owner: Database, law: str
) -> None:
    damage(owner, law)
    found = terminal.run("check", "--json")
    assert found.code == 1
    rows = broken(found.json)[law]
    assert all(NAMES[law] <= row.keys() for row in rows), rows[0].keys()
    told = terminal.run("check")
    assert told.code == 1
    spoken = "".join(told.out.split())
    for row in rows[:20]:
        assert "".join(f"{law} {json.dumps(row, ensure_ascii=False)}".split()) in spoken


def test_the_rows_that_are_named_are_those_that_were_damaged(terminal: Terminal, owner: Database) -> None:
    with owner.reading() as session:
        held = session.scalars(text("select milestone_id from payment_orders where held_minor > 0")).all()
        decision = session.scalars(text("select id from decisions")).one()
    assert held
    damage(owner, "held_agrees")
    damage(owner, "decisions_as_planned")
    named = broken(terminal.run("check", "--json").json)
    assert [row["milestone_id"] for row in named["held_agrees"]] == list(held)
    assert [row["decision_id"] for row in named["decisions_as_planned"]] == [decision]
    assert {"funded_is_accounted_for", "journals_balance", "books_balance"}.isdisjoint(named)
