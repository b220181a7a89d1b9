"""Stopped money: who has each stop, what comes next and when, as far as the desk knows it."""

from __future__ import annotations

from datetime import timedelta

from core.actions.risk import holds
from core.queries import stopped_money
from core.records import Case, Staff
from core.rules.holds import FOR_STAFF, OUTSIDE
from core.rules.stopped_money import ENDS, UNKNOWN, Stop, standing
from tests.sandbox_desk import Market

OF_A_RELEASE = {
    "open_case", "hold", "payee_hold", "silent_hold", "waits", "chargeback", "severe_content_event", "review",
}  # fmt: skip


def name(market: Market, subject: str) -> str:
    return market.get(Staff, market.staff[subject]).name


def test_a_hold_is_with_whoever_placed_it_and_ends_when_they_expect(market: Market) -> None:
    told = market.submitted()
    end = market.now + timedelta(days=3)
    held = market.act(
        holds.place, market.as_staff("fay"), milestone_id=told.milestone, reason="Odd.", expected_end=end
    )
    (row,) = market.read(stopped_money.stopped)
    assert (row.owner, row.next_at) == (name(market, "fay"), end)
    assert row.next == f"Hold H-{held.id} is expected to end"


def test_a_case_is_with_its_mediator_and_its_next_day_comes_before_a_hold_without_one(market: Market) -> None:
    told = market.in_mediation()
    market.act(holds.place, market.as_staff("fay"), milestone_id=told.milestone, reason="Odd.")
    (row,) = market.read(stopped_money.stopped)
    case = market.get(Case, told.case)
    mediator = market.get(Staff, case.mediator_id).name if case.mediator_id else None
    assert row.next_at == (case.answer_due_at or case.decision_due_at)
    assert f"D-{case.id}" in row.next
    assert row.owner == ", ".join(each for each in (mediator, name(market, "fay")) if each)


def test_of_every_stop_of_a_payment_it_is_said_what_ends_it() -> None:
    assert set(ENDS) == (set(OUTSIDE) | set(FOR_STAFF)) - OF_A_RELEASE


def test_nothing_is_said_that_is_not_known() -> None:
    nobody = standing([], payout_owner=None, tried_at=None)
    assert (nobody.next, nobody.at, nobody.owners) == (UNKNOWN, None, ())
    both = standing([Stop("A", None, "Fay"), Stop("B")], payout_owner="Fay", tried_at=None)
    assert (both.next, both.at, both.owners) == ("A", None, ("Fay",))
