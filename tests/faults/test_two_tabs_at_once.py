"""The same press in two tabs at the same instant, in real threads: it happens once, and the other tab is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.cases import conversation, mediator_assignment, unsent_text
from core.actions.cases.unsent_text import Shown
from core.actions.milestones import letters, verification
from core.actions.operations import operation_retry, webhook_retry
from core.actions.risk import holds
from core.money import Money
from core.records import Message, Notification, OutgoingOperation, PartyRequest, WebhookEvent
from core.rules.permissions import Actor
from tests import builders, unrecorded
from tests.builders import Told
from tests.faults.concurrency import at_once, refusals
from tests.sandbox_desk import Market

ROUNDS = range(2)
Press = Callable[[], Any]


def sending(market: Market, told: Told, who: str, body: str, tab: str) -> Press:
    """As a page sends the words of its field: what another tab used meanwhile is not used again unasked."""
    place = f"case.{told.case}.message"

    def send(session: Session, actor: Actor, *, now: Any) -> Message:
        unsent_text.require_as_shown(session, actor, [Shown(place, body, 1)], tab=tab)
        message = conversation.say(session, actor, now=now, milestone_id=told.milestone, body=body)
        unsent_text.sent(session, actor, now=now, wanted=[place])
        return message

    return lambda: market.act(send, market.as_staff(who))


def by_staff(market: Market) -> list[str]:
    return [each.body for each in market.all(Message) if each.author_kind == "staff"]


def typed(market: Market, told: Told, who: str, body: str) -> None:
    given = {"place": f"case.{told.case}.message", "body": body, "base": 0, "tab": "one"}
    market.act(unsent_text.save, market.as_staff(who), **given)


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_message_is_sent_once_and_the_other_tab_is_told(market: Market, turn: int) -> None:
    told = market.in_mediation()
    typed(market, told, "mia", "When was the floor laid?")
    results = at_once(
        *(sending(market, told, "mia", "When was the floor laid?", tab) for tab in ("two", "three"))
    )
    assert refusals(results) == ["used_in_another_tab"]
    assert by_staff(market) == ["When was the floor laid?"]


def test_two_people_who_write_at_once_are_both_read(market: Market) -> None:
    told = market.in_mediation()
    results = at_once(sending(market, told, "mia", "One.", "a"), sending(market, told, "max", "Two.", "b"))
    assert refusals(results) == []
    assert sorted(by_staff(market)) == ["One.", "Two."]


def asked(market: Market) -> tuple[Press, Press]:
    told = market.in_mediation()
    given = {
        "case_id": told.case,
        "party_id": market.payer.id,
        "answer_due_at": market.now + timedelta(1),
    }
    ask = lambda what: market.act(conversation.ask, market.as_staff("mia"), question=what, **given)  # noqa: E731
    return (lambda: ask("When?"), lambda: ask("How?"))


def lifted(market: Market) -> tuple[Press, Press]:
    told = market.submitted()
    hold = market.act(
        holds.place, market.as_staff("ada"), milestone_id=told.milestone, reason="A report came in."
    )
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    lift = lambda who: market.act(  # noqa: E731
        holds.lift, market.as_staff(who), hold_id=hold.id, reason="It was settled."
    )
    return (lambda: lift("cora"), lambda: lift("cora"))


def claimed(market: Market) -> tuple[Press, Press]:
    told = market.in_mediation()
    market.act(mediator_assignment.assign, market.as_staff("mia"), case_id=told.case, staff_id=None)
    claim = lambda who: market.act(  # noqa: E731
        mediator_assignment.assign,
        market.as_staff(who),
        case_id=told.case,
        staff_id=market.staff[who],
        taken_from=None,
    )
    return (lambda: claim("mia"), lambda: claim("max"))


def letter_again(market: Market) -> tuple[Press, Press]:
    market.funded()

    def fail(session: Session) -> int:
        letter = session.scalars(select(Notification).order_by(Notification.id).limit(1)).one()
        letter.status, letter.tries, letter.error = "FAILED", 1, "550 unknown"
        unrecorded.admit(session)
        return letter.id

    number = market.database.run(fail)
    again = lambda: market.act(letters.send_again, market.as_staff("cora"), notification_id=number)  # noqa: E731
    return (again, again)


def call_again(market: Market) -> tuple[Press, Press]:
    told = market.in_mediation()
    builders.decided(market, told, builders.a_draft(told, release=Money(40_000, "USD")))

    def leave(session: Session) -> int:
        row = session.scalars(select(OutgoingOperation).where(OutgoingOperation.kind == "REFUND")).one()
        row.status, row.last_error = "REVIEW", "no clear answer"
        unrecorded.admit(session)
        return row.id

    number = market.database.run(leave)
    again = lambda: market.act(  # noqa: E731
        operation_retry.retry, market.as_staff("fay"), operation_id=number, reason="Stripe was down."
    )
    return (again, again)


def event_again(market: Market) -> tuple[Press, Press]:
    def leave(session: Session) -> None:
        event = WebhookEvent(
            id="evt_1", kind="refund.updated", object_id="re_1", payload={}, status="FAILED", tries=8,
            error="Stripe did not answer.", next_try_at=market.now, created_at=market.now,
            received_at=market.now, finished_at=market.now,
        )  # fmt: skip
        session.add(event)
        session.flush()
        unrecorded.admit(session)

    market.database.run(leave)
    again = lambda: market.act(  # noqa: E731
        webhook_retry.retry, market.as_staff("fay"), event_id="evt_1", reason="Stripe was down."
    )
    return (again, again)


@pytest.mark.parametrize(
    ("prepared", "told"),
    [
        (asked, "illegal_move"),
        (lifted, "hold_already_lifted"),
        (claimed, "changed_meanwhile"),
        (letter_again, "letter_not_failed"),
        (call_again, "operation_not_in_review"),
        (event_again, "event_not_given_up"),
    ],
)
def test_of_two_presses_one_counts_and_the_other_is_told(
    market: Market, prepared: Callable[[Market], tuple[Press, Press]], told: str
) -> None:
    results = at_once(*prepared(market))
    assert refusals(results) == [told]
    assert market.count(PartyRequest) == (prepared is asked)
    market.work()
    if prepared is lifted:
        assert len(market.sent("/v1/transfers")) == 1
    if prepared is call_again:
        assert len(market.sent("/v1/refunds")) == 1
