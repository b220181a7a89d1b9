"""A payee of the demo gives another bank account; the page Bank changes shows it, and what is released waits."""

from __future__ import annotations

from sqlalchemy import func, select

from core.demo.payment_scenarios import NEW_BANK
from core.processes import provider_accounts
from core.records import BankChange
from tests.sandbox_desk import Market


def test_the_new_bank_account_of_the_demo_is_another_than_the_one_before(market: Market) -> None:
    changes = select(func.count()).select_from(BankChange)
    before = market.database.run(lambda session: session.scalar(changes)) or 0
    market.control.set_clock(market.now)
    provider_accounts.replace_bank(market.desk, market.payee_id, asked_as="demo", bank_token=NEW_BANK)
    assert market.database.run(lambda session: session.scalar(changes)) == before + 1
