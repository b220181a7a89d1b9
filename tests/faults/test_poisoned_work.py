"""One row that breaks whatever works on it stops no other, and says itself what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import literal, select, text, union_all
from sqlalchemy.exc import OperationalError

from core import webhooks
from core.actions.funding import fund
from core.actions.milestones import verification
from core.actions.operations import webhook_retry
from core.db import is_away
from core.gateways import stripe_events
from core.processes import leases, letter_delivery, timers, webhook_processing
from core.processes.outgoing import dispatch
from core.records import Notification, OutgoingOperation, WebhookEvent
from tests.actions.stripe_events import events, intent_of
from tests.builders import Told
from tests.gateways.test_stripe_events import EVENTS, KINDS
from tests.sandbox_desk import Market

CURES_NOTHING = "Something went wrong that nobody foresaw (RuntimeError); the log has the details."


def hear(market: Market, kind: str, about: Any, **fields: Any) -> str:
    """An event as the address for webhooks keeps it."""
    number = f"evt_poison_{next(events)}"
    body = {"id": number, "type": kind, "object": "event", "created": 1772452800, "data": {"object": about}}
    event = stripe_events.event(body | fields, now=market.now)
    market.database.run(lambda session: webhooks.store(session, event, now=market.now))
    return number


def of(market: Market, number: str) -> WebhookEvent:
    found = market.get(WebhookEvent, number)
    assert isinstance(found, WebhookEvent)
    return found


class Broken:
    """The provider, one call of which breaks as nobody foresaw."""

    def __init__(self, market: Market, call: str) -> None:
        self.real, self.call = market.desk.payments, call
        market.desk = replace(market.desk, payments=self)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name == self.call:
            raise RuntimeError("a bug")
        return getattr(self.real, name)


# The inbox


@pytest.mark.parametrize(
    ("kind", "about", "why"),
    [
        ("charge.updated", {"id": "ch_1", "payment_intent": ["pi_1"]}, "its payment intent id is ['pi_1']"),
        ("charge.updated", {"id": "ch_1", "payment_intent": True}, "its payment intent id is True"),
        ("charge.updated", {"id": "ch_1", "payment_intent": 7}, "its payment intent id is 7"),
        (
            "charge.updated",
            {"id": "ch_1", "payment_intent": {"object": "x"}},
            "its payment intent id is None",
        ),
        ("charge.updated", {"id": "ch_1", "payment_intent": ".."}, "'..' is not the id of a payment intent"),
        ("payment_intent.succeeded", {"id": "."}, "'.' is not the id of a payment intent"),
        ("payment_intent.succeeded", {"id": ""}, "its data.object id is ''"),
        ("refund.updated", {"id": "pi_1"}, "'pi_1' is not the id of a refund, which begins with re_ or pyr_"),
        ("charge.dispute.created", {"id": "../charges"}, "'../charges' is not the id of a dispute"),
        ("refund.updated", None, "its data.object is {'object': None}"),
    ],
)
def test_an_event_that_cannot_be_used_fails_by_itself_and_the_next_is_applied(
    market: Market, kind: str, about: Any, why: str
) -> None:
    told = market.funded()
    bad = hear(market, kind, about)
    good = hear(market, "payment_intent.succeeded", {"id": intent_of(market, told)})
    webhook_processing.sweep(market.desk)
    assert (of(market, bad).status, of(market, bad).tries) == ("FAILED", 1)
    assert why in (of(market, bad).error or "")
    assert of(market, good).status == "APPLIED"


def test_an_expanded_payment_intent_is_looked_up_like_its_id(market: Market) -> None:
    told = market.funded()
    intent = {"id": intent_of(market, told), "object": "payment_intent"}
    number = hear(market, "charge.updated", {"id": "ch_1", "payment_intent": intent})
    webhook_processing.sweep(market.desk)
    assert of(market, number).status == "APPLIED"


def test_an_event_without_data_fails_with_its_reason(market: Market) -> None:
    number = hear(market, "payout.paid", {}, data=None)
    webhook_processing.sweep(market.desk)
    assert "its data.object is None" in (of(market, number).error or "")


def test_a_thin_event_is_fetched_where_it_names_what_the_desk_follows_and_else_ignored_with_the_reason(
    market: Market,
) -> None:
    told = market.funded()
    (charge,) = market.at_stripe("/v1/charges")
    thin = {"object": "v2.core.event", "created": "2026-03-02T09:29:58Z", "data": {}}
    fetched = hear(
        market, "v1.charge.updated", {}, **thin, related_object={"id": charge["id"], "type": "charge"}
    )
    v2 = hear(
        market,
        "v2.core.account.updated",
        {},
        **thin,
        related_object={"id": "acct_1", "type": "v2.core.account"},
    )
    webhook_processing.sweep(market.desk)
    assert of(market, fetched).status == "APPLIED"
    assert (of(market, v2).status, of(market, v2).error) == (
        "IGNORED",
        "The desk does not follow events of this kind.",
    )
    market.lawful()
    assert market.order(told) == {"held": 100_000}


def test_what_nobody_foresaw_is_tried_again_and_then_given_up_with_its_reason(market: Market) -> None:
    told = market.funded()
    number = hear(market, "refund.updated", {"id": "re_1"})
    good = hear(market, "payment_intent.succeeded", {"id": intent_of(market, told)})
    Broken(market, "refund_by_id")
    webhook_processing.sweep(market.desk)
    assert (of(market, number).status, of(market, number).error) == ("RECEIVED", CURES_NOTHING)
    assert of(market, good).status == "APPLIED"
    for _ in range(9):
        market.wait(hours=2)
        webhook_processing.sweep(market.desk)
    assert (of(market, number).status, of(market, number).error) == ("FAILED", CURES_NOTHING)


def test_an_event_that_waited_long_is_not_given_up_because_stripe_has_no_time_once(market: Market) -> None:
    """The worker was away for two days; then its first question got no answer."""
    told = market.funded()
    number = hear(market, "payment_intent.succeeded", {"id": intent_of(market, told)})
    market.wait(days=2)
    market.control.fault("429", method="GET", path="/v1/payment_intents/*")
    webhook_processing.sweep(market.desk)
    assert of(market, number).status == "RECEIVED"
    market.wait(hours=1)
    webhook_processing.sweep(market.desk)
    assert of(market, number).status == "APPLIED"


def test_a_given_up_event_is_applied_again_by_a_person_once_its_cause_is_repaired(market: Market) -> None:
    told = market.funded()
    number = hear(market, "payment_intent.succeeded", {"id": intent_of(market, told)})
    whole, market.desk = market.desk, market.desk
    Broken(market, "charge_of")
    for _ in range(10):
        webhook_processing.sweep(market.desk)
        market.wait(hours=2)
    assert of(market, number).status == "FAILED"
    market.desk = replace(whole, payments=whole.payments)
    market.act(webhook_retry.retry, market.as_staff("fay"), event_id=number, reason="The parser is repaired.")
    webhook_processing.sweep(market.desk)
    assert of(market, number).status == "APPLIED"
    with market.database.reading() as session:
        retried = (
            "select reason from audit_entries where action = 'staff:webhook_event:retry' and object_id = :id"
        )
        assert list(session.scalars(text(retried), {"id": number})) == ["The parser is repaired."]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(kind=KINDS, payload=EVENTS)
def test_no_payload_keeps_the_next_from_being_applied(
    market: Market, kind: str, payload: dict[str, Any]
) -> None:
    if not hasattr(market, "told"):
        market.told = market.funded()  # type: ignore[attr-defined]
    told: Told = market.told  # type: ignore[attr-defined]
    number = f"evt_poison_{next(events)}"
    event = stripe_events.event({"id": number, "type": kind, **payload}, now=market.now)
    market.database.run(lambda session: webhooks.store(session, event, now=market.now))
    good = hear(market, "payment_intent.succeeded", {"id": intent_of(market, told)})
    webhook_processing.sweep(market.desk)
    stood = of(market, number)
    assert stood.status in ("FAILED", "IGNORED") or (
        stood.status == "RECEIVED" and stood.next_try_at > market.now
    )
    assert stood.error
    assert of(market, good).status == "APPLIED"


# Operations


def test_an_operation_whose_answer_cannot_be_read_counts_as_sent_and_the_next_is_sent(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    real = dispatch.settle
    breaks = [RuntimeError("a bug")]

    def settle(session: Any, operation_id: int, **news: Any) -> None:
        if breaks:
            raise breaks.pop()
        real(session, operation_id, **news)

    monkeypatch.setattr(dispatch, "settle", settle)
    dispatch.sweep(market.desk)
    (transfer,) = market.operations("TRANSFER")
    assert transfer.status == "QUEUED"
    assert transfer.last_error == (
        f"It was sent, but what came of it could not be read or booked: {CURES_NOTHING}"
    )
    market.later(hours=2)
    (transfer,) = market.operations("TRANSFER")
    assert transfer.status == "SUCCEEDED"
    assert len(market.sent("/v1/transfers")) == 1
    market.lawful()


def test_an_operation_that_cannot_be_claimed_waits_with_its_reason_and_the_next_is_sent(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = (market.agreed() for _ in range(2))
    for project in (bad, good):
        (first, *_) = market.milestones(project.id)
        market.act(fund.fund, market.payer, milestone_id=first.id)
    real = dispatch._blocked
    (poisoned, healthy) = market.operations("CHARGE")

    def blocked(session: Any, context: Any, operation: OutgoingOperation, **at: Any) -> bool:
        if operation.id == poisoned.id:
            raise RuntimeError("a bug")
        return real(session, context, operation, **at)

    monkeypatch.setattr(dispatch, "_blocked", blocked)
    dispatch.sweep(market.desk)
    (poisoned, healthy) = market.operations("CHARGE")
    assert (poisoned.status, poisoned.last_error, poisoned.first_sent_at) == ("QUEUED", CURES_NOTHING, None)
    assert poisoned.next_try_at > market.now
    assert healthy.status == "SUCCEEDED"


# E-mails


class Post:
    """A mail server that takes everything."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    @contextmanager
    def opened(self) -> Iterator[Post]:
        yield self

    def send(self, message: Any) -> None:
        self.got.append(message)


def test_an_email_that_cannot_be_put_together_costs_its_own_letters_a_try_and_no_others(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    market.funded()
    market.wait(days=1)
    post = Post()
    market.desk = replace(market.desk, mail=post)
    first = min(each.id for each in market.all(Notification) if each.status == "QUEUED")
    real = letter_delivery._envelope

    def envelope(rows: Any) -> Any:
        if first in [row[0].id for row in rows]:
            raise RuntimeError("a bug")
        return real(rows)

    monkeypatch.setattr(letter_delivery, "_envelope", envelope)
    while letter_delivery.deliver_due(market.desk):
        pass
    rows = {each.id: each for each in market.all(Notification)}
    assert (rows[first].status, rows[first].tries, rows[first].error) == ("QUEUED", 1, CURES_NOTHING)
    others = [each for each in rows.values() if each.mail != rows[first].mail]
    assert others
    assert {each.status for each in others} == {"SENT"}


# Deadlines, and the loops themselves


def the_database_said(state: str | None) -> OperationalError:
    class Answer(Exception):
        sqlstate = state

    return OperationalError("select 1", {}, Answer())


@pytest.mark.parametrize(
    ("state", "away"),
    [(None, True), ("08006", True), ("57P01", True), ("53300", True), ("57014", False), ("55P03", False)],
)
def test_only_a_database_that_is_away_is_nobodys_fault(state: str | None, away: bool) -> None:
    assert is_away(the_database_said(state)) is away


def test_a_deadline_that_runs_into_a_time_limit_stops_no_other(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`OperationalError` is also what a statement that took too long raises."""
    first, second = market.submitted(), market.submitted()
    real = verification.remind

    def remind(session: Any, *, milestone_id: int, **at: Any) -> None:
        if milestone_id == first.milestone:
            raise the_database_said("57014")
        real(session, milestone_id=milestone_id, **at)

    monkeypatch.setattr(verification, "remind", remind)
    market.wait(hours=73)
    timers.run_due(market.desk)
    reminded = {
        each.milestone_id for each in market.all(Notification) if each.template == "verification_reminder"
    }
    assert second.milestone in reminded
    assert first.milestone not in reminded


def test_a_loop_goes_on_after_whatever_one_row_raises_and_ends_where_the_database_is_away(
    market: Market,
) -> None:
    due: Any = union_all(*(select(literal(number)) for number in (1, 2, 3)))
    seen: list[int] = []

    def work(desk: Any, number: int) -> None:
        seen.append(number)
        if number == 2:
            raise RuntimeError("a bug")

    assert leases.each_due(market.desk, due, work) == 3
    assert sorted(seen) == [1, 2, 3]
    broken: list[int] = []

    def alone(desk: Any, number: int) -> None:
        leases.alone(desk, number, work, failed=lambda _, key, problem: broken.append(key))

    assert leases.each_due(market.desk, due, alone) == 3
    assert broken == [2]

    def away(desk: Any, number: int) -> None:
        raise the_database_said(None)

    with pytest.raises(OperationalError):
        leases.each_due(market.desk, due, away)
