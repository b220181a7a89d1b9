"""Every timer on PostgreSQL: a microsecond before its instant nothing at all happens; at its instant it fires, once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core.actions.cases import conversation, disputes, mediator_assignment
from core.actions.milestones import verification
from core.actions.risk import holds
from core.db import Database
from core.processes import timers
from core.processes.deadlines import DEADLINES
from core.records import (
    Case,
)
from core.rules.cases import DisputeReason
from core.rules.milestones import Status
from core.rules.transitions import IllegalMove
from tests import builders
from tests.actions.deadline_stories import (
    DAY,
    HOUR,
    TICK,
    asked,
    asked_back,
    at_the_dispute,
    at_the_mediation,
    bank_alarms,
    case,
    charges,
    cooling_off,
    decision,
    declined,
    escalated,
    finished,
    legal,
    letters,
    milestone,
    offer,
    offered,
    reminded,
    reminders,
    revealed,
    run,
    status,
    submitted,
)
from tests.builders import Told, Town
from tests.db_snapshot import nothing_changes
from tests.desk_fixtures import a_desk


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@dataclass(frozen=True)
class Edge:
    """`bring` leads to a moment from which `wait` is counted; `look` is `before` until then, then `after`."""

    name: str
    bring: Callable[[Town, Path], Told]
    wait: timedelta
    look: Callable[[Town, Told], Any]
    before: Any
    after: Any


EDGES = (
    Edge("a week before a bank's last moment", lambda t, h: asked_back(t), 2 * DAY, bank_alarms, 0, 2),
    Edge("three days before it", lambda t, h: asked_back(t), 6 * DAY, bank_alarms, 2, 4),
    Edge("a day before it", lambda t, h: asked_back(t), 8 * DAY, bank_alarms, 2, 4),
    Edge("first reminder", lambda t, h: submitted(t), 72 * HOUR, reminders, (0, 0), (1, 1)),
    Edge("second reminder, one level higher", reminded, 24 * HOUR, reminders, (1, 1), (2, 2)),
    Edge(
        "approval by silence",
        lambda t, h: submitted(t),
        7 * DAY,
        status,
        Status.PENDING_VERIFICATION,
        Status.VERIFIED,
    ),
    Edge(
        "release of a legal stage by silence",
        lambda t, h: submitted(t, legal(t)),
        72 * HOUR,
        status,
        Status.PENDING_VERIFICATION,
        Status.VERIFIED,
    ),
    Edge(
        "release after the days that were agreed",
        lambda t, h: submitted(t, legal(t, rule="AUTO_RELEASE_10_DAYS")),
        10 * DAY,
        status,
        Status.PENDING_VERIFICATION,
        Status.VERIFIED,
    ),
    Edge(
        "grace of a consultation",
        lambda t, h: submitted(t, legal(t, "CONSULTATION")),
        24 * HOUR,
        status,
        Status.PENDING_VERIFICATION,
        Status.VERIFIED,
    ),
    Edge(
        "mediation by itself",
        lambda t, h: at_the_dispute(t),
        3 * DAY,
        status,
        Status.DISPUTED,
        Status.IN_MEDIATION,
    ),
    Edge("deadlock", lambda t, h: at_the_mediation(t), 7 * DAY, escalated, False, True),
    Edge("time to answer", lambda t, h: asked(t), 2 * DAY, case, "WAITING_PARTY", "UNDER_REVIEW"),
    Edge("cooling-off", lambda t, h: cooling_off(t), 24 * HOUR, decision, "COOLING_OFF", "EXECUTED"),
    Edge("offer", lambda t, h: offered(t), 3 * DAY, offer, "OPEN", "EXPIRED"),
    Edge("first try of a card again", lambda t, h: declined(t), 2 * HOUR, charges, 1, 2),
    Edge("second try", lambda t, h: declined(t, 1), 6 * HOUR, charges, 1, 2),
    Edge("third try", lambda t, h: declined(t, 2), 18 * HOUR, charges, 1, 2),
    Edge("fourth try", lambda t, h: declined(t, 3), 54 * HOUR, charges, 1, 2),
    Edge("hidden reviews", lambda t, h: finished(t), 14 * DAY, revealed, False, True),
)


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: edge.name)
def test_a_timer_fires_at_its_instant_not_before_and_only_once(
    town: Town, owner: Database, tmp_path: Path, edge: Edge
) -> None:
    told = edge.bring(town, tmp_path)
    due = town.now + edge.wait
    town.now = due - TICK
    run(town, tmp_path)  # what falls due earlier, such as reminders, has had its time
    assert edge.look(town, told) == edge.before
    with nothing_changes(owner):
        assert run(town, tmp_path) == 0
    town.now = due
    assert run(town, tmp_path) == 1
    assert edge.look(town, told) == edge.after
    with nothing_changes(owner):
        assert run(town, tmp_path) == 0
    town.now = due + TICK
    with nothing_changes(owner):
        assert run(town, tmp_path) == 0


def test_every_timer_has_its_edge_above() -> None:
    """But for what is due at once, and for the one whose edge stands with its story at the sandbox."""
    elsewhere = {
        "reassignment",
        "bank_change",
        "confirmation",
        "hold_end",
        "debt",
        "instalment",
        "unclosed_day",
        "legal_review",
        "retention_run",
        "emergency_role",
    }  # test_dispute_flow, _bank_changes, _cards_that_ask, _payee_holds, _repayment, _periods, _legal_checklist,
    # _retention, _emergency_roles
    fired = {
        "reminder": "first reminder",
        "silence": "approval by silence",
        "mediation": "mediation by itself",
        "deadlock": "deadlock",
        "answer": "time to answer",
        "execution": "cooling-off",
        "card_retry": "first try of a card again",
        "offer": "offer",
        "reviews": "hidden reviews",
        "chargeback_7": "a week before a bank's last moment",
        "chargeback_3": "three days before it",
        "chargeback_1": "a day before it",
    }
    assert fired.keys() == DEADLINES.keys() - elsewhere
    assert set(fired.values()) <= {edge.name for edge in EDGES}


def test_the_first_reminder_of_a_work_done_again_is_counted_from_the_new_notice(
    town: Town, tmp_path: Path
) -> None:
    """All clocks restart (milestone-payment-flow, Contractor Resolves Issue; DESIGN 3)."""
    told = at_the_dispute(town)
    town.wait(days=2)
    town.act(disputes.resubmit, town.payee, milestone_id=told.milestone)
    again = town.now
    now = milestone(town, told)
    assert (now.completion_notice_at, now.reminder_level) == (again, 0)
    assert (now.next_reminder_at, now.dispute_until, now.auto_approve_at) == (
        again + 72 * HOUR,
        again + 5 * DAY,
        again + 7 * DAY,
    )
    town.now = again + 72 * HOUR - TICK
    assert run(town, tmp_path) == 0
    town.now = again + 72 * HOUR
    assert run(town, tmp_path) == 1
    town.now = again + 7 * DAY - TICK
    run(town, tmp_path)
    assert status(town, told) == "PENDING_VERIFICATION"
    town.now = again + 7 * DAY
    run(town, tmp_path)
    assert status(town, told) == "VERIFIED"


def test_silence_is_reminded_of_daily_with_a_rising_level_until_it_approves(
    town: Town, tmp_path: Path
) -> None:
    told = submitted(town)
    notice, levels = town.now, []
    while status(town, told) == "PENDING_VERIFICATION":
        town.now += HOUR
        if run(town, tmp_path):
            levels.append(((town.now - notice) // HOUR, milestone(town, told).reminder_level))
    assert levels == [(72, 1), (96, 2), (120, 3), (144, 4), (168, 4)]
    assert letters(town, "verification_reminder") == 4


# -- what a person must do by a deadline --


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_dispute_that_waits_for_a_party_goes_to_mediation_all_the_same(
    town: Town, tmp_path: Path, by_itself: bool
) -> None:
    """Staff asked before there was a mediator: the answer is not waited for beyond the third day."""
    told = at_the_dispute(town)
    began = town.now
    town.act(
        conversation.ask,
        town.as_staff("mia"),
        case_id=told.case,
        party_id=town.payee_id,
        question="When was it delivered?",
        answer_due_at=began + 10 * DAY,
    )
    if by_itself:
        town.now = began + 3 * DAY
        assert run(town, tmp_path) == 1
    else:
        town.act(disputes.ask_mediation, town.payee, milestone_id=told.milestone)
    case = builders.case_of(town, told)
    assert (status(town, told), case.status, case.waiting_on) == ("IN_MEDIATION", "UNDER_REVIEW", None)
    town.now = began + 10 * DAY
    run(town, tmp_path)
    assert builders.case_of(town, told).escalated is True


# -- one that breaks, many that cannot go on --


def test_what_a_hold_keeps_from_its_time_keeps_nothing_else_from_its_own(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many decisions wait for a hold to be lifted: they fell due first, and they are not in the way."""
    monkeypatch.setattr(timers, "BATCH", 2)
    stopped = [cooling_off(town) for _ in range(3)]
    for told in stopped:
        town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    later = submitted(town, legal(town))
    town.wait(days=8)
    assert run(town, tmp_path) == 1
    assert [decision(town, told) for told in stopped] == ["COOLING_OFF"] * 3
    assert status(town, later) == "VERIFIED"


def test_a_deadline_that_breaks_is_noted_and_the_others_have_their_time(
    town: Town, owner: Database, tmp_path: Path
) -> None:
    first = submitted(town)
    second = submitted(town)
    with owner.transaction() as session:
        session.execute(
            text(
                "create function broken() returns trigger language plpgsql as $$ begin "
                f"if new.id = {first.milestone} then raise exception 'broken'; end if; return new; end $$"
            )
        )
        session.execute(
            text("create trigger broken before update on milestones for each row execute function broken()")
        )
    town.wait(days=8)
    assert run(town, tmp_path) == 1
    assert (status(town, first), status(town, second)) == ("PENDING_VERIFICATION", "VERIFIED")


# -- the deadline of one dispute is not that of the next --


def test_a_deadline_is_asked_for_again_under_the_lock(town: Town, tmp_path: Path) -> None:
    """Found due; before its turn the first dispute was taken back and another opened, which has 3 days of its own."""
    told = at_the_dispute(town)
    town.now += 3 * DAY
    desk = a_desk(town.database, tmp_path, clock=lambda: town.now)
    (found,) = timers._due(desk, after=None)
    town.act(disputes.withdraw, town.payer, milestone_id=told.milestone)
    town.act(
        disputes.open_dispute, town.payer, milestone_id=told.milestone, reason=DisputeReason.NOT_AS_AGREED
    )
    assert not timers._handle(desk, found)
    assert status(town, told) == "DISPUTED"


def test_a_silence_that_was_broken_meanwhile_approves_nothing(town: Town, tmp_path: Path) -> None:
    told = submitted(town)
    town.now += 7 * DAY
    desk = a_desk(town.database, tmp_path, clock=lambda: town.now)
    found: Sequence[Any] = timers._due(desk, after=None)
    assert [kind for _, kind, _ in found] == ["silence"]
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    assert not timers._handle(desk, found[0])
    with pytest.raises(IllegalMove):
        town.act(verification.approve, town.payer, milestone_id=told.milestone)
    assert letters(town, "milestone_approved") == 1


def test_an_administrator_who_decides_in_time_is_not_told_of_a_deadlock(town: Town, tmp_path: Path) -> None:
    told = at_the_mediation(town)
    town.act(mediator_assignment.assign, town.as_staff("mia"), case_id=told.case, staff_id=town.staff["mia"])
    town.now += 7 * DAY - TICK
    builders.decided(town, told)
    town.now += TICK
    run(town, tmp_path)
    assert not town.read(lambda session: session.get_one(Case, told.case)).escalated
