"""Every status moves through its table, and every pair that is not in the table is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import product
from typing import Any

import pytest

from core.rules import (
    approvals,
    cases,
    engagement,
    milestones,
    payouts,
    projects,
    refunds,
    settlement_proposals,
)
from core.rules.milestones import Event, Status
from core.rules.transitions import IllegalMove, MoveEvent, status_words

TABLES: list[tuple[str, Mapping[Any, Any], Callable[[Any, Any], Any], type[StrEnum], type[MoveEvent]]] = [
    ("milestone", milestones.MOVES, milestones.after, milestones.Status, milestones.Event),
    ("project", projects.MOVES, projects.after, projects.ProjectStatus, projects.ProjectEvent),
    ("case", cases.MOVES, cases.after, cases.CaseStatus, cases.CaseEvent),
    ("decision", approvals.MOVES, approvals.after, approvals.DecisionStatus, approvals.DecisionEvent),
    (
        "engagement",
        engagement.MOVES,
        engagement.after,
        engagement.EngagementStatus,
        engagement.EngagementEvent,
    ),
    ("payout", payouts.MOVES, payouts.after, payouts.PayoutStatus, payouts.PayoutEvent),
    (
        "settlement proposal",
        settlement_proposals.MOVES,
        settlement_proposals.after,
        settlement_proposals.SettlementProposalStatus,
        settlement_proposals.SettlementProposalEvent,
    ),
    ("refund", refunds.MOVES, refunds.after, refunds.RefundStatus, refunds.RefundEvent),
]
PAIRS = [
    pytest.param(table, after, status, event, id=f"{kind}-{status}-{event}")
    for kind, table, after, statuses, events in TABLES
    for status, event in product(statuses, events)
]


@pytest.mark.parametrize(("table", "after", "status", "event"), PAIRS)
def test_a_pair_moves_if_it_is_in_the_table_and_is_refused_if_it_is_not(
    table: Mapping[Any, Any], after: Callable[[Any, Any], Any], status: StrEnum, event: MoveEvent
) -> None:
    if (status, event) in table:
        assert after(status, event) is table[status, event]
        assert after(status.value, event) is table[status, event]
        return
    with pytest.raises(IllegalMove) as refused:
        after(status, event)
    assert refused.value.message.endswith(f" is {status_words(status)}, so {event.refused}.")


@pytest.mark.parametrize(
    ("after", "status", "event", "said"),
    [
        (
            milestones.after,
            "PLANNED",
            "SUBMIT",
            "This milestone is planned, so it cannot be marked as complete.",
        ),
        (
            milestones.after,
            "FUNDED",
            "MEDIATE",
            "This milestone is funded, so mediation cannot be requested.",
        ),
        (milestones.after, "VERIFIED", "DISPUTE", "This milestone is verified, so it cannot be disputed."),
        (
            milestones.after,
            "AWAITING_FUNDING",
            "WITHDRAW",
            "This milestone is awaiting funding, so a dispute about it cannot be withdrawn.",
        ),
        (
            settlement_proposals.after,
            "DECLINED",
            "ACCEPT",
            "This settlement proposal is declined, so it cannot be accepted.",
        ),
        (
            payouts.after,
            "ADMINISTRATIVE_REVIEW",
            "SEND",
            "This payout is in administrative review, so it cannot be sent.",
        ),
        (
            cases.after,
            "WAITING_PARTY",
            "ASK_PARTY",
            "This case is waiting for a party, so nothing can be requested of a party.",
        ),
    ],
)
def test_a_refused_move_says_in_english_what_cannot_be_done(
    after: Callable[[str, Any], Any], status: str, event: str, said: str
) -> None:
    """One word for one thing: what the API calls `complete` is not called `submit` in its refusal."""
    (events,) = (row[4] for row in TABLES if row[2] == after)
    with pytest.raises(IllegalMove) as refused:
        after(status, events(event))
    assert refused.value.message == said


def test_every_move_says_what_cannot_be_done() -> None:
    said = [event.refused for *_, events in TABLES for event in events]
    assert [each for each in said if not ("cannot" in each or each.startswith(("no ", "nothing ")))] == []


@pytest.mark.parametrize(
    ("kind", "table", "after", "statuses", "events"), TABLES, ids=[row[0] for row in TABLES]
)
def test_every_event_moves_something_and_every_status_is_reached(
    kind: str, table: Mapping[Any, Any], after: Any, statuses: type[StrEnum], events: type[StrEnum]
) -> None:
    assert {event for _, event in table} == set(events)
    first = next(iter(statuses))
    reached = {first}
    for _ in statuses:
        reached |= {to for (status, _), to in table.items() if status in reached}
    assert reached == set(statuses)


def run(*events: Event) -> Status:
    status = Status.PLANNED
    for event in events:
        status = milestones.after(status, event)
    return status


FUNDED = (Event.ACTIVATE, Event.FUND)
DISPUTED = (*FUNDED, Event.SUBMIT, Event.DISPUTE)


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ((*FUNDED, Event.SUBMIT, Event.APPROVE, Event.COMPLETE), Status.COMPLETED),
        ((*DISPUTED, Event.RESUBMIT, Event.APPROVE, Event.COMPLETE), Status.COMPLETED),
        ((*DISPUTED, Event.MEDIATE, Event.DECIDE_RELEASE, Event.COMPLETE), Status.COMPLETED),
        ((*DISPUTED, Event.MEDIATE, Event.DECIDE_REFUND), Status.REFUNDED),
        ((*FUNDED, Event.DISPUTE, Event.MEDIATE, Event.DECIDE_REFUND), Status.REFUNDED),
        ((*FUNDED, Event.DISPUTE, Event.RESUME), Status.FUNDED),
        ((*DISPUTED, Event.WITHDRAW, Event.APPROVE), Status.VERIFIED),
        ((*DISPUTED, Event.AGREE_RELEASE, Event.COMPLETE), Status.COMPLETED),
        ((*DISPUTED, Event.MEDIATE, Event.AGREE_REFUND), Status.REFUNDED),
        ((*FUNDED, Event.OPEN_CASE, Event.MEDIATE, Event.DECIDE_REFUND), Status.REFUNDED),
        ((*FUNDED, Event.SUBMIT, Event.OPEN_CASE, Event.MEDIATE, Event.DECIDE_RELEASE), Status.VERIFIED),
        (
            (*FUNDED, Event.SUBMIT, Event.APPROVE, Event.OPEN_CASE, Event.MEDIATE, Event.DECIDE_REFUND),
            Status.REFUNDED,
        ),
        ((Event.CANCEL,), Status.CANCELED),
        ((Event.ACTIVATE, Event.CANCEL), Status.CANCELED),
    ],
)
def test_each_branch_of_the_payment_sequence_can_be_walked(events: tuple[Event, ...], end: Status) -> None:
    assert run(*events) is end


def test_nothing_leaves_a_final_status() -> None:
    assert not {status for status, _ in milestones.MOVES} & milestones.FINAL


def test_every_status_with_money_has_a_road_to_an_end() -> None:
    for begin in set(Status) - milestones.FINAL:
        reached = {begin}
        for _ in Status:
            reached |= {to for (status, _), to in milestones.MOVES.items() if status in reached}
        assert reached & milestones.FINAL, begin


def test_an_approval_is_set_aside_by_staff_alone() -> None:
    events = {
        event
        for (status, event), to in milestones.MOVES.items()
        if (status, to) == (Status.VERIFIED, Status.DISPUTED)
    }
    assert events == {Event.OPEN_CASE}


def test_money_that_is_held_cannot_be_canceled_away() -> None:
    for status in (
        Status.FUNDED,
        Status.PENDING_VERIFICATION,
        Status.DISPUTED,
        Status.IN_MEDIATION,
        Status.VERIFIED,
    ):
        with pytest.raises(IllegalMove):
            milestones.after(status, Event.CANCEL)


@pytest.mark.parametrize(
    ("statuses", "project", "next_index"),
    [
        (["COMPLETED", "COMPLETED"], "COMPLETED", None),
        (["COMPLETED", "REFUNDED"], "COMPLETED", None),
        (["CANCELED", "CANCELED"], "CANCELED", None),
        (["REFUNDED", "CANCELED"], "CANCELED", None),
        (["COMPLETED", "PLANNED", "PLANNED"], "ACTIVE", 1),
        (["REFUNDED", "PLANNED"], "ACTIVE", 1),
        (["VERIFIED", "PLANNED"], "ACTIVE", None),
        (["PLANNED", "PLANNED"], "ACTIVE", 0),
        ([], "ACTIVE", None),
    ],
)
def test_a_project_follows_its_milestones(statuses: list[str], project: str, next_index: int | None) -> None:
    assert projects.project_after(statuses) == project
    assert projects.next_to_activate(statuses) == next_index
