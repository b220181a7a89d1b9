"""The invariants: a desk that lives keeps them all, and whoever breaks one behind its back is found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from core.db import Database
from core.money import Money
from core.queries import invariants
from tests import builders, kept_stories
from tests.builders import Town

# What the owner of the tables has to switch off before any of this can be written at all.
OPEN = """
set session_replication_role = replica;
alter table payment_orders drop constraint if exists payment_orders_funded_is_accounted_for;
alter table payment_orders drop constraint if exists payment_orders_nothing_negative;
alter domain amount_not_below_zero drop constraint if exists amount_not_below_zero_check;
"""
HELD_JOURNAL = "(select id from journals where kind = 'charge_settled' order by id limit 1)"
CLOSED = (
    "insert into periods (kind, first_day, last_day, status, closed_via, closed_at, explanation, last_journal, summary)"
    " values ('DAY', '2026-03-31', '2026-03-31', 'CLOSED', 'x', '2026-05-01', '', {last}, '{summary}')"
)
CLOSED_YEAR = (
    "insert into periods (kind, first_day, last_day, status, closed_via, closed_at, explanation, last_journal, summary)"
    " values ('YEAR', '2026-01-01', '2026-12-31', 'CLOSED', 'x', '2027-05-01', '', 1000000, '{}')"
)
BREAKS = {
    "closed_periods_stand": CLOSED.replace("{last}", "0").replace("{summary}", "{}"),
    "closed_years_are_retained": CLOSED_YEAR,
    "closed_figures_stand": CLOSED.replace("{last}", "1000000").replace("{summary}", '{"figures": []}'),
    "words_as_recorded": "update messages set body = body || '!'",
    "journals_balance": f"update journals set amounts[1] = amounts[1] + 1 where id = {HELD_JOURNAL}",
    "books_balance": "update balances set balance = balance + 1 where balance > 0",
    "balances_agree": "update balances set balance = balance + 5 where balance > 0",
    "register_agrees": "insert into register values (account_number('bank', 'USD'), 1, 5)",
    "daily_totals_agree": "insert into daily_totals values ('2026-03-02', 1, 840, 'decided', 5, 0, 1, 1, 1, 1)",
    "fee_totals_agree": "insert into fee_totals values ('payee', '1', 840, '2026-03-02', 1, -5)",
    "marketplace_totals_agree": (
        "insert into marketplace_totals values ('home_services', '2026-03-01', 840, 'decided', 5)"
    ),
    "balance_sheet_balances": "insert into daily_totals values ('2026-03-02', 138, 840, 'topped_up', 5, 0, 1, 1, 1, 1)",
    "nothing_below_zero": "update balances set balance = -1 where balance > 0",
    "funded_is_accounted_for": "update payment_orders set held_minor = held_minor + 1 where held_minor > 0",
    "held_agrees": "update payment_orders set held_minor = 0, released_minor = released_minor + held_minor "
    "where held_minor > 0",
    "fees_deferred": "update payment_orders set platform_fee_minor = 1 where held_minor > 0",
    "refunds_owed": "update refunds set amount_minor = amount_minor + 1",
    "client_funds_covered": "insert into stripe_balances (currency, looked_at, at_stripe_minor, owed_minor, "
    "on_its_way_minor) values ('USD', now(), 99, 200, 100)",
    "chargebacks_agree": "insert into chargebacks (milestone_id, stripe_dispute, stripe_charge, status, reason, "
    "currency, amount_minor, booked_currency, taken_minor, lost_minor, fees_currency, fees_minor, past_due, "
    "has_evidence, "
    "submissions, opened_at, noticed_at) select min(id), 'du_x', 'ch_x', 'won', 'fraudulent', 'USD', 5, 'USD', 5, 0, "
    "'USD', 0, false, false, 0, now(), now() from milestones",
    "chargebacks_freeze": "update payment_orders set chargeback_open = true where held_minor > 0",
    "payments_twice": "insert into duplicate_payments (milestone_id, stripe_payment_intent, stripe_charge, currency, "
    "amount_minor, status, found_at) select min(id), 'pi_x', 'ch_x', 'USD', 5, 'RETURNING', now() from milestones",
    "suspense_is_listed": "insert into suspense_items (transaction_id, source, currency, amount_minor, status, "
    "found_at) values ('txn_x', 'ch_x', 'USD', 5, 'OPEN', now())",
    "documents_numbered": "update document_series set last = last + 1",
    "payees_owed": "update payment_orders set payable_minor = payable_minor + 7 where funded_minor > 0",
    "stripe_balance_is_its_lines": "update balance_transactions set net = net + 1, amount = amount + 1",
    "lines_booked_once": "delete from balance_transactions where kind = 'refund'",
    "exchange_agrees": "update balance_transactions set for_minor = amount, for_currency = 'EUR' where kind = 'charge'",
    "states_derived": "update payment_orders set state = 'RELEASED' where held_minor > 0",
    "decisions_as_planned": "update decisions set plan = jsonb_set(plan, '{journal,postings,0,amount}', '1')",
    "plans_as_queued": "update outgoing_operations set key = key || '.other' where kind = 'REFUND'",
    "nothing_left_behind": "update milestones set status = 'REFUNDED' where status = 'IN_MEDIATION'",
    "one_road": "insert into refund_returns (refund_id, way, reference, reason, proposed_by, proposed_at, status) "
    "select r.id, 'CHECK', 'R', 'Sent.', s.id, now(), 'PROPOSED' from refunds r, staff s limit 1",
    "bank_statements_add_up": "insert into bank_statements (file_id, account_id, number, reference, currency, "
    "first_on, last_on, opening_minor, closing_minor, balances, lines, lines_hash) values (1, 1, 1, '', 'EUR', "
    "'2026-09-01', '2026-09-01', 0, 5, 'STATED', 0, bank_lines_hash(0))",
    "successes_have_names": "update outgoing_operations set provider_id = null where kind = 'REFUND'",
}


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@pytest.fixture
def lived(town: Town) -> Town:
    held_and_divided(town)
    return town


@kept_stories.once
def held_and_divided(town: Town) -> None:
    """Money held, money divided by a decision, refunded and paid out."""
    builders.in_mediation(town)
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(20_000, "USD")))
    builders.carry_out(town)


def broken(session: Session) -> dict[str, list[dict[str, object]]]:
    return {each.name: each.rows for each in invariants.run(session) if not each.holds}


@contextmanager
def behind_the_back(owner: Database) -> Iterator[Session]:
    """As the owner, with every guard of the database switched off; nothing of it is kept."""
    with owner.reading() as session:
        for statement in filter(str.strip, OPEN.split(";")):
            session.execute(text(statement))
        yield session


def test_a_desk_that_lives_breaks_no_law(lived: Town) -> None:
    assert lived.read(broken) == {}


def test_an_empty_desk_breaks_no_law(database: Database) -> None:
    with database.reading() as session:
        assert broken(session) == {}


def test_what_is_committed_while_the_laws_are_asked_breaks_none(lived: Town) -> None:
    """Of an action too, whose transaction has begun: a close would be refused for what was only being written."""
    came: list[str] = []

    def somebody_writes(*asked: Any) -> None:
        if "jsonb_each_text" in asked[2] and not came:
            came.append(asked[2])
            builders.disputed(lived)

    event.listen(lived.database.engine, "after_cursor_execute", somebody_writes)
    assert lived.database.run(broken) == {}
    assert came


def test_every_law_of_the_desk_has_a_test_that_breaks_it() -> None:
    assert {law.name for law in invariants.DESK} <= BREAKS.keys()


@pytest.mark.parametrize("law", BREAKS)
def test_who_breaks_a_law_behind_the_back_of_the_desk_is_found(
    lived: Town, owner: Database, law: str
) -> None:
    with behind_the_back(owner) as session:
        assert session.execute(text(BREAKS[law])).rowcount > 0  # type: ignore[attr-defined]
        assert broken(session).get(law), f"{law} was broken and not found"
