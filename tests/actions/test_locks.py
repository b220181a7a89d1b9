"""Locks are taken in one order (`core.actions.milestones.milestone_context`): these crossed before it was kept.

Nothing here runs through `Database.run`, which would try again after a deadlock and hide it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.decisions import daily_limits
from core.actions.funding import fund_several
from core.actions.milestones import projects, verification
from core.actions.milestones.milestone_context import open_milestone
from core.actions.payouts import division
from core.records import Milestone, PaymentOrder, Project
from core.rules import splits
from core.rules.projects import Funding
from tests import builders, patience
from tests.actions.stripe_events import bank_says, charged_back
from tests.actions.test_chargebacks import released
from tests.sandbox_desk import Market

WAITS = text(
    "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
)


def while_waiting(
    market: Market, other: Callable[[Session], Any], mine: Callable[[Session], Iterator[None]]
) -> Any:
    """`mine` up to its `yield`; `other` in another transaction until it waits for us; then the rest of `mine`."""

    def alone() -> Any:
        with market.database.transaction() as session:
            return other(session)

    def until_it_waits(running: Future[Any]) -> None:
        end = time.monotonic() + patience.SECONDS
        while not running.done() and time.monotonic() < end:
            if market.read(lambda session: session.scalar(WAITS)):
                return
            time.sleep(0.02)

    with ThreadPoolExecutor(1) as pool:
        with market.database.transaction() as session:
            steps = mine(session)
            next(steps)
            running = pool.submit(alone)
            until_it_waits(running)
            next(steps, None)
        return running.result(timeout=patience.SECONDS)


def test_a_release_that_keeps_a_debt_back_and_a_decision_for_the_same_payee(market: Market) -> None:
    told = released(market)
    market.later(days=4)
    bank_says(market, charged_back(market, told, amount=30_000), "lost")
    assert market.books()["receivable_payee"] == 30_000
    one, other = market.submitted(), market.submitted()

    def decide(session: Session) -> Iterator[None]:
        context = open_milestone(session, other.milestone)
        daily_limits.lock_parties(session, context)
        yield
        fee = context.money(context.order.platform_fee_minor)
        split = splits.full_release(context.money(context.order.held_minor), fee)
        division.post_split(session, context, split, key="decided", now=market.now, cause={})

    def approve(session: Session) -> None:
        verification.approve(session, market.payer, now=market.now, milestone_id=one.milestone)

    while_waiting(market, approve, decide)
    assert market.get(PaymentOrder, one.milestone).held_minor == 0
    assert market.get(PaymentOrder, other.milestone).held_minor == 0
    assert "receivable_payee" not in market.books()


def test_ending_a_milestone_and_funding_the_next_ones(market: Market) -> None:
    told = market.submitted()
    following = market.milestones(told.project)[1]

    def approve(session: Session) -> Iterator[None]:
        open_milestone(session, told.milestone)
        yield
        verification.approve(session, market.payer, now=market.now, milestone_id=told.milestone)

    def fund_next(session: Session) -> Any:
        return fund_several.fund_several(
            session, market.payer, now=market.now, project_id=told.project, milestone_ids=[following.id]
        )

    market.act(projects.choose_funding, market.payer, project_id=told.project, funding=Funding.AHEAD)
    assert len(while_waiting(market, fund_next, approve)) == 1
    market.work()
    market.work()
    assert market.get(Milestone, told.milestone).status == "COMPLETED"
    assert market.get(Milestone, following.id).status == "FUNDED"
    market.lawful()


def test_two_milestones_that_end_at_once_end_the_project(market: Market) -> None:
    market.withdraws_by_hand()  # then an approval ends a milestone at once
    told = market.submitted()
    market.act(projects.choose_funding, market.payer, project_id=told.project, funding=Funding.AHEAD)
    following = market.milestones(told.project)[1]
    ahead = {"project_id": told.project, "milestone_ids": [following.id]}
    market.act(fund_several.fund_several, market.payer, **ahead)
    market.work()
    builders.clear_reviews(market, following.id)
    market.wait(hours=30)
    market.act(verification.submit, market.payee, milestone_id=following.id)

    def first(session: Session) -> Iterator[None]:
        verification.approve(session, market.payer, now=market.now, milestone_id=told.milestone)
        yield

    def second(session: Session) -> None:
        verification.approve(session, market.payer, now=market.now, milestone_id=following.id)

    while_waiting(market, second, first)
    assert [each.status for each in market.milestones(told.project)] == ["COMPLETED", "COMPLETED"]
    assert market.get(Project, told.project).status == "COMPLETED"
    market.lawful()
