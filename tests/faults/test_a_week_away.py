"""A worker that was down for a week, or ten of them started at once: everything is made good, in order, and once.

While nobody worked the parties went on: they approved, disputed, withdrew and paid. What they did counts; what they did
not answer is due.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core import worker
from core.actions.cases import conversation, disputes, settlement_proposals
from core.actions.funding import fund
from core.actions.milestones import payment_schedule, verification
from core.money import Money
from core.processes import timers
from core.records import Case, Decision, Notification, Payout, SettlementProposal
from core.rules.acceptance import AcceptanceRule
from core.rules.cases import DisputeReason
from core.rules.schedule import PlannedMilestone
from tests import patience
from tests.builders import Told
from tests.faults.concurrency import at_once
from tests.faults.real_worker import until
from tests.sandbox_desk import Market

MOVED_BY_TIME = text(
    """
    select action, milestone_id, project_id from audit_entries
    where id > :since and action like 'system:%' and action not like 'system:payment:%'
    order by id
    """
)


@dataclass(frozen=True)
class Week:
    """Seven milestones as they stood when the worker went down, and one payment that was refused."""

    silent: Told
    approved: Told
    disputed: Told
    withdrawn: Told
    mediated: Told
    asked: Told
    offered: Told
    unpaid: Told


def a_case(market: Market, told: Told) -> Told:
    case = market.act(
        disputes.open_dispute, market.payer, milestone_id=told.milestone, reason=DisputeReason.DEFECTIVE
    )
    return Told(told.project, told.milestone, case.id)


def a_payment_refused(market: Market) -> Told:
    market.newcomers(card="pm_card_chargeDeclinedInsufficientFunds")
    project = market.agreed()
    told = Told(project.id, market.milestones(project.id)[0].id)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.work()
    return told


def the_last_day(market: Market) -> Week:
    """Each at its own minute, so that no two deadlines are the same."""
    funded = [market.funded() for _ in range(7)]
    for told in funded:
        market.act(verification.submit, market.payee, milestone_id=told.milestone)
        market.wait(minutes=1)
    silent, approved, disputed, withdrawn, *cases = funded
    mediated, asked, offered = [a_case(market, told) for told in cases]
    for told in (mediated, asked):
        market.act(disputes.ask_mediation, market.payee, milestone_id=told.milestone)
        market.wait(minutes=1)
    market.act(settlement_proposals.propose, market.payer, case_id=offered.case, release=Money(50_000, "USD"))
    market.wait(minutes=1)
    market.act(
        conversation.ask,
        market.as_staff("mia"),
        case_id=asked.case,
        party_id=market.payee_id,
        question="When was it measured?",
        answer_due_at=market.now + timedelta(days=2),
    )
    people = market.payer_id, market.payee_id
    unpaid = a_payment_refused(market)
    market.payer_id, market.payee_id = people
    return Week(silent, approved, disputed, withdrawn, mediated, asked, offered, unpaid)


def meanwhile(market: Market, week: Week) -> None:
    """What the parties do by themselves in these eight days."""
    began = market.now
    market.now = began + timedelta(days=2)
    market.act(verification.approve, market.payer, milestone_id=week.approved.milestone)
    market.now = began + timedelta(days=4)
    a_case(market, week.disputed)
    taken_back = a_case(market, week.withdrawn)
    market.now = began + timedelta(days=4, hours=1)
    market.act(disputes.withdraw, market.payer, milestone_id=taken_back.milestone)
    market.now = began + timedelta(days=8)
    market.control.set_clock(market.now)


def last_entry(market: Market) -> int:
    with market.database.reading() as session:
        return int(session.scalar(text("select coalesce(max(id), 0) from audit_entries")) or 0)


def moved_by_time(market: Market, since: int) -> list[tuple[str, int]]:
    with market.database.reading() as session:
        return [(row.action, row.milestone_id) for row in session.execute(MOVED_BY_TIME, {"since": since})]


def letters_since(market: Market, first: int) -> Counter[tuple[str, int]]:
    return Counter((each.template, each.milestone_id) for each in market.all(Notification) if each.id > first)


@contextmanager
def at_work(market: Market, workers: int) -> Iterator[None]:
    """Workers as they run in a process, each with its own loop; here in threads of this one."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=worker.run, args=(market.desk,), kwargs={"stop": stop, "concurrency": 1})
        for _ in range(workers)
    ]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        stop.set()
        for each in threads:
            each.join(timeout=patience.SECONDS)
        assert not any(each.is_alive() for each in threads), "a worker did not stop"


def caught_up(market: Market, week: Week) -> bool:
    """The last of what was due is done. No call waits but payouts, for the money to arrive; no letter but those that go
    together with others later."""
    calls = (*market.operations("CHARGE"), *market.operations("TRANSFER"))
    unsent = [each for each in calls if each.status in ("QUEUED", "SENDING")]
    letters = [each for each in market.all(Notification) if each.status == "QUEUED"]
    waiting = [each for each in letters if each.next_try_at <= market.now]
    escalated = market.get(Case, week.asked.case).escalated and market.get(Case, week.mediated.case).escalated
    return bool(escalated) and market.status(week.silent) == "COMPLETED" and not unsent and not waiting


def assert_made_good(market: Market, week: Week, before: int) -> None:
    told = letters_since(market, before)
    # Nobody answered for seven days: approved, paid out, and no reminder of what is decided.
    assert (market.status(week.silent), market.state(week.silent)) == ("COMPLETED", "RELEASED")
    assert told["milestone_approved", week.silent.milestone] == 1
    assert told["verification_reminder", week.silent.milestone] == 0
    # Approved by hand in the meantime: approved once, and reminded of nothing.
    assert market.status(week.approved) == "COMPLETED"
    assert told["milestone_approved", week.approved.milestone] == 1
    assert told["verification_reminder", week.approved.milestone] == 0
    # Disputed in the meantime: never approved by silence; its three days are over, so a mediator has it.
    assert market.status(week.disputed) == "IN_MEDIATION"
    assert told["milestone_approved", week.disputed.milestone] == 0
    assert told["mediation_started", week.disputed.milestone] == 2
    assert not market.all(Case)[-2].escalated
    # Taken back after four days: the clocks began anew, and one reminder is due.
    assert market.status(week.withdrawn) == "PENDING_VERIFICATION"
    assert told["verification_reminder", week.withdrawn.milestone] == 1
    # Seven days in mediation: a deadlock; the question of the second day was over before it.
    assert market.get(Case, week.mediated.case).escalated
    assert (
        market.get(Case, week.asked.case).status,
        market.get(Case, week.asked.case).escalated,
    ) == (
        "UNDER_REVIEW",
        True,
    )
    # Three days of dispute and of offer are over.
    (offer,) = market.all(SettlementProposal)
    assert (market.status(week.offered), offer.status) == ("IN_MEDIATION", "EXPIRED")
    # One try of the card, not the four that would have been made.
    charges = [each for each in market.operations("CHARGE") if each.milestone_id == week.unpaid.milestone]
    assert [each.status for each in charges] == ["REFUSED", "REFUSED"]
    assert told["payment_failed", week.unpaid.milestone] == 1
    # Two milestones were paid out, each by one transfer.
    assert len(market.sent("/v1/transfers")) == market.count(Payout) == 2
    assert market.count(Decision) == 0
    market.lawful()


@pytest.mark.parametrize("workers", [1, 10])
def test_a_week_is_made_good_by_a_real_worker_and_by_ten(market: Market, workers: int) -> None:
    week = the_last_day(market)
    since, before = last_entry(market), max(each.id for each in market.all(Notification))
    meanwhile(market, week)
    with at_work(market, workers):
        until(lambda: caught_up(market, week))
    assert_made_good(market, week, before)
    moved = [each for each in moved_by_time(market, since) if each[0] in ORDER]
    assert Counter(moved) == Counter(expected(week))
    if workers == 1:
        assert moved == expected(week)


ORDER = {
    "system:ticket:resume",
    "system:offer:expire",
    "system:dispute:mediate",
    "system:ticket:escalate",
    "system:milestone:remind",
    "system:milestone:auto_approve",
}


def expected(week: Week) -> list[tuple[str, int]]:
    """In the order in which it fell due: on the days 2, 3, 3, 7, 7, 7, 7 and, for what was taken back, 7."""
    return [
        ("system:ticket:resume", week.asked.milestone),
        ("system:dispute:mediate", week.offered.milestone),
        ("system:offer:expire", week.offered.milestone),
        ("system:milestone:auto_approve", week.silent.milestone),
        ("system:ticket:escalate", week.mediated.milestone),
        ("system:ticket:escalate", week.asked.milestone),
        ("system:dispute:mediate", week.disputed.milestone),
        ("system:milestone:remind", week.withdrawn.milestone),
    ]


def test_ten_workers_at_the_same_instant_do_each_of_it_once(market: Market) -> None:
    """Without the queue between them: all ten sweep at once."""
    week = the_last_day(market)
    since = last_entry(market)
    meanwhile(market, week)
    at_once(*(lambda: timers.run_due(market.desk) for _ in range(10)))
    assert Counter(each for each in moved_by_time(market, since) if each[0] in ORDER) == Counter(
        expected(week)
    )
    market.work()
    assert len(market.sent("/v1/transfers")) == market.count(Payout) == 2
    keys: list[Any] = [each.key for each in market.all(Notification)]
    assert len(keys) == len(set(keys))
    market.lawful()


def test_a_month_of_silence_is_one_reminder_and_not_thirty(market: Market) -> None:
    """Where silence never approves: whoever was reminded today is reminded again tomorrow, not of every day missed."""
    project = market.agreed(Money(100_000, "USD"), active=False)
    planned = [
        PlannedMilestone(
            title="All",
            deliverable="As drawn.",
            amount=Money(100_000, "USD"),
            acceptance_rule=AcceptanceRule.CLIENT_CONFIRMS,
        )
    ]
    market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=planned)
    market.confirm(project.id)
    told = Told(project.id, market.milestones(project.id)[0].id)
    market.act(fund.fund, market.payer, milestone_id=told.milestone)
    market.work()
    market.act(verification.submit, market.payee, milestone_id=told.milestone)
    market.wait(days=30)
    assert timers.run_due(market.desk) == 1
    market.wait(hours=23)
    assert timers.run_due(market.desk) == 0
    market.wait(hours=1)
    assert timers.run_due(market.desk) == 1
    told_of = letters_since(market, 0)
    assert told_of["answer_wanted", told.milestone] == 1  # the time to answer was over as well
    assert told_of["verification_reminder", told.milestone] == 1
