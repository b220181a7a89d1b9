"""Nobody writes the ledger but the functions that post and roll up: not `app`, not the owner of the tables."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.db import Database
from core.ledger import accounts
from tests.ledger.conftest import Post, charge

TABLES = (
    "journals", "balances", "accounts", "register", "hot_balances", "daily_totals", "fee_totals", "marketplace_totals",
    "ledger_roll_up",
)  # fmt: skip
WRITES = [
    *(f"delete from {table}" for table in TABLES),
    *(f"truncate {table} cascade" for table in TABLES),
    "update journals set memo = 'other'",
    "update journals set amounts = array[1, -1] where false",
    "update balances set balance = balance + 1",
    "update accounts set code = 'held:9'",
    "update register set amount = 1",
    "update hot_balances set net = 1",
    "update daily_totals set debits = 1",
    "update fee_totals set journals = 1",
    "update marketplace_totals set net = 1",
    "update ledger_roll_up set rolled_to = '0'",
    "insert into journals (key, kind, memo, cause, account_ids, amounts, posted_at) "
    "values ('k', 'k', '', '{}', '{1,2}', '{1,-1}', now())",
    "insert into balances values (1, 5, 1)",
    "insert into balances select account_id + 1, balance, side from balances",
    "insert into accounts select * from accounts where false",
    "insert into register values (1, 1, 1)",
    "insert into hot_balances values (1, 1)",
    "insert into daily_totals values (now(), 1, 840, 'k', 0, 0, 0, 1, 1, 1)",
    "insert into fee_totals values ('project', '', 840, now(), 0)",
    "insert into marketplace_totals values ('home_services', now(), 840, 'k', 0)",
    "insert into ledger_roll_up values (true, '0', 0) on conflict do nothing",
]


@pytest.mark.parametrize("write", WRITES)
def test_the_owner_cannot_write_around_posting(owner: Database, post: Post, write: str) -> None:
    post(charge(1))
    law = r"The ledger (only grows|is written by posting only)"
    with pytest.raises(DBAPIError, match=law) as refused, owner.transaction() as session:
        session.execute(text(write))
    assert getattr(refused.value.orig, "sqlstate", None) == "LD000"


@pytest.mark.parametrize("write", WRITES)
def test_app_has_no_right_to_write(database: Database, write: str) -> None:
    with pytest.raises(DBAPIError) as refused, database.transaction() as session:
        session.execute(text(write))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize(
    "call",
    [
        "roll_up('0', '5')",
        "roll_up_rows('0', '5', 0)",
        "begin_ledger_epoch()",
        "open_account(1)",
        "post_late(1, 1)",
        "journal_again('', '', '{}', '{}', null, null, '', '{}')",
    ],
)
def test_app_may_call_nothing_but_posting(database: Database, call: str) -> None:
    with pytest.raises(DBAPIError) as refused, database.transaction() as session:
        session.execute(text(f"select {call}"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_the_auditor_reads_and_cannot_post(auditor: Database, post: Post) -> None:
    post(charge(1))
    with auditor.reading() as session:
        for table in (*TABLES, "postings", "account_postings", "account_balances", "chart"):
            session.execute(text(f"select * from {table}")).all()
    with pytest.raises(DBAPIError) as refused, auditor.transaction() as session:
        session.execute(text("select post_journal('k', 'k', '{}', '{}', null, null, '', '{}', now())"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_nobody_can_log_in_as_the_bookkeeper(owner: Database) -> None:
    with owner.reading() as session:
        roles = session.execute(
            text("select rolcanlogin, rolsuper from pg_roles where rolname = 'bookkeeper'")
        )
        assert roles.one() == (False, False)


def test_a_temporary_table_cannot_stand_in_for_the_ledger(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("create temporary table journals (like public.journals)"))
        session.execute(text("create temporary table balances (like public.balances)"))
        numbers = [accounts.number(code, "USD") for code in ("bank", "suspense")]
        session.execute(
            text("select post_journal('k', 'k', :accounts, '{5,-5}', null, null, '', '{}', now())"),
            {"accounts": numbers},
        )
        assert session.execute(text("select count(*) from public.journals")).scalar_one() == 1


def test_every_definers_function_fixes_its_search_path(owner: Database) -> None:
    with owner.reading() as session:
        loose = session.execute(
            text(
                "select proname from pg_proc where pronamespace = 'public'::regnamespace and prosecdef "
                "and not coalesce(proconfig::text like '%search_path=public, pg_temp%', false)"
            )
        )
        assert loose.scalars().all() == []
