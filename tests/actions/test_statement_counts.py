"""How many statements an action takes: a read that every part makes anew, or a row at a time, is found here.

The numbers are limits of what was reached (`make bench ARGS="--only actions"` has the times); jobs add one statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select

from core.actions.decisions import confirmation
from core.actions.milestones import verification
from core.db import Database
from core.money import Money
from core.processes import webhook_processing
from core.records import Party, Payout, WebhookEvent
from core.rules.cautions import Caution
from tests.builders import Town, a_draft, a_town, funded, in_mediation
from tests.sandbox_desk import Market

APPROVE, PREVIEW, CONFIRM, WEBHOOK = 12, 7, 21, 12

pytestmark = (
    pytest.mark.lived
)  # what was read once and is known since, as the desk's name, is known from the story


@pytest.fixture
def town(database: Database) -> Town:
    return a_town(database)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """Every statement that is sent meanwhile."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        seen.append(" ".join(statement.split()))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_approving_and_releasing_takes_few_statements(town: Town) -> None:
    told = funded(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    with counted(town.database) as seen:
        town.act(verification.approve, town.payer, milestone_id=told.milestone)
    assert len(seen) <= APPROVE, "\n".join(seen)


def test_previewing_and_confirming_a_decision_takes_few_statements(town: Town) -> None:
    told = in_mediation(town)
    draft, actor = a_draft(told, release=Money(60_000, "USD")), town.as_staff("mia")
    with counted(town.database) as seen:
        plan, _ = town.act(confirmation.preview, actor, draft=draft)
    assert len(seen) <= PREVIEW, "\n".join(seen)
    given = {"draft": draft, "plan_hash": plan.hash, "intent": "counted", "known": tuple(Caution)}
    with counted(town.database) as seen:
        town.act(confirmation.confirm, actor, **given)
    assert len(seen) <= CONFIRM, "\n".join(seen)


def test_a_webhook_that_settles_takes_few_statements(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    market.wait(days=4)
    market.control.set_clock(market.now)
    (payout,) = market.read(lambda session: session.scalars(select(Payout)).all())
    paid = WebhookEvent(
        id="evt_paid",
        kind="payout.paid",
        object_id=payout.stripe_payout,
        payload={
            "account": market.get(Party, market.payee_id).stripe_account,
            "data": {"object": {"id": payout.stripe_payout}},
        },
        next_try_at=market.now,
        created_at=market.now,
        received_at=market.now,
    )
    market.database.run(lambda session: session.add(paid))
    with counted(market.database) as seen:
        webhook_processing.apply(market.desk, "evt_paid")
    assert market.get(Payout, payout.id).status == "PAID"
    print(*seen, sep="\n")
    assert len(seen) <= WEBHOOK, "\n".join(seen)
