"""A hold on a payee stops all of their money at once, whatever milestone it is of; a hold may name its expected end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.milestones import verification
from core.actions.risk import hold_ends, holds, payee_holds
from core.db import Database
from core.money import Money
from core.processes import deadline_queries
from core.queries import invariants, release_blocks, stopped_money
from core.queries import payee_holds as queries
from core.records import Milestone, Notification, PayeeHold
from core.rules.holds import EndNotAhead, HoldKind, OwnHold
from core.rules.milestones import Status
from core.rules.permissions import NotPermitted, StepUpRequired
from tests import builders
from tests.builders import Town
from tests.sandbox_desk import Market


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def submitted(town: Town, total: Money | None = None) -> int:
    told = builders.funded(town, total=total)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    return told.milestone


def hold(town: Town, by: str = "cora", **more: object) -> PayeeHold:
    given = {"party_id": town.payee_id, "reason": "Several payers complained", **more}
    return town.act(payee_holds.place, town.as_staff(by), **given)


def status(town: Town, milestone: int) -> Status:
    return town.read(lambda s: s.get_one(Milestone, milestone)).status


def templates(town: Town) -> list[str]:
    return [each.template for each in town.read(lambda s: s.scalars(select(Notification)).all())]


def test_a_payee_on_hold_is_released_nothing_of_any_milestone_until_it_is_lifted(town: Town) -> None:
    numbers = [submitted(town, Money(140_000, "USD")) for _ in range(3)]
    placed = hold(town)
    for number in numbers:
        town.act(verification.approve, town.payer, milestone_id=number)
    assert {status(town, number) for number in numbers} == {Status.VERIFIED}
    facts = town.read(lambda s: release_blocks.facts(s, numbers))
    assert [[each.id for each in facts[number].manual_holds] for number in numbers] == [[placed.id]] * 3
    waiting = town.read(stopped_money.stopped)
    assert {row.id: row.why for row in waiting} == dict.fromkeys(
        numbers, f"Hold H-{placed.id} stops all money of the payee: Several payers complained."
    )
    row = town.read(lambda s: queries.one(s, placed.id))
    assert (row.milestones, [each.minor for each in row.stopped]) == (
        3,
        [sum(held(town, n) for n in numbers)],
    )
    released = town.act(payee_holds.lift, town.as_staff("ada"), hold_id=placed.id, reason="Unfounded")
    assert released == 3
    builders.carry_out(town)
    assert {status(town, number) for number in numbers} == {Status.COMPLETED}
    assert {"payee_hold_placed", "payee_hold_lifted"} <= set(templates(town))
    assert [each.name for each in town.read(invariants.run) if not each.holds] == []


def held(town: Town, milestone: int) -> int:
    wanted = text("select held_minor from payment_orders where milestone_id = :m")
    return int(town.read(lambda s: s.execute(wanted, {"m": milestone}).scalar_one()))


def test_what_was_released_already_is_not_sent_while_the_payee_is_on_hold(market: Market) -> None:
    """The dispatching transaction asks the same: the transfer is blocked, and goes when the hold is lifted."""
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    placed = market.act(
        payee_holds.place, market.as_staff("fay"), party_id=market.payee_id, reason="Stop all"
    )
    market.work()
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, market.at_stripe("/v1/transfers")) == ("BLOCKED", [])
    assert transfer.last_error == f"Hold H-{placed.id} stops all money of the payee: Stop all."
    market.act(payee_holds.lift, market.as_staff("ada"), hold_id=placed.id, reason="It was nothing")
    market.work()
    assert market.operations("TRANSFER")[0].status == "SUCCEEDED"
    market.lawful()


def test_a_risk_hold_on_a_payee_warns_nobody(town: Town) -> None:
    submitted(town)
    placed = hold(town, kind=HoldKind.RISK)
    town.act(payee_holds.lift, town.as_staff("ada"), hold_id=placed.id, reason="Cleared")
    assert not {each for each in templates(town) if each.startswith("payee_hold")}


def test_who_placed_it_does_not_lift_it_and_only_once_and_with_a_fresh_sign_in(town: Town) -> None:
    submitted(town)
    placed = hold(town)
    give = {"hold_id": placed.id, "reason": "Enough"}
    with pytest.raises(OwnHold):
        town.act(payee_holds.lift, town.as_staff("cora"), **give)
    with pytest.raises(NotPermitted):
        town.act(payee_holds.lift, town.as_staff("fay"), **give)
    ada = town.as_staff("ada")
    town.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        town.act(payee_holds.lift, ada, **give)
    town.act(payee_holds.lift, town.as_staff("ada"), **give)
    with pytest.raises(holds.HoldAlreadyLifted):
        town.act(payee_holds.lift, town.as_staff("ada"), **give)


def test_only_a_payee_is_held_and_only_for_a_reason_of_a_payee(town: Town) -> None:
    submitted(town)
    with pytest.raises(payee_holds.NotAPayee):
        hold(town, party_id=town.payer_id)
    with pytest.raises(payee_holds.KindOfAMilestone):
        hold(town, kind=HoldKind.REPORT)
    with pytest.raises(NotPermitted):
        town.act(payee_holds.place, town.payer, party_id=town.payee_id, reason="Mine")


@pytest.mark.parametrize(
    "statement",
    [
        "update payee_holds set released_by = placed_by, released_at = now(), release_reason = 'x'",
        "update payee_holds set released_at = now()",
        "update payee_holds set reason = 'another'",
        "delete from payee_holds",
        "insert into payee_holds (party_id, kind, reason, placed_by, placed_at) "
        "select payer_id, 'MANUAL', 'x', 1, now() from projects",
    ],
)
def test_the_database_refuses_it_too(town: Town, statement: str) -> None:
    submitted(town)
    hold(town)
    with pytest.raises(DBAPIError):
        town.database.run(lambda s: s.execute(text(statement)))


def due(town: Town) -> list[int]:
    return [row.id for row in town.read(lambda s: s.execute(deadline_queries.hold_ends(town.now)).all())]


def test_a_hold_at_its_expected_end_reminds_its_placer_once_and_stands(town: Town) -> None:
    number = submitted(town)
    end = town.now + timedelta(days=2)
    with pytest.raises(EndNotAhead):
        hold(town, expected_end=town.now)
    of_payee = hold(town, expected_end=end)
    of_milestone = town.act(
        holds.place, town.as_staff("fay"), milestone_id=number, reason="Odd", expected_end=end
    )
    town.now = end
    for each in (of_payee, of_milestone):
        assert each.id in due(town)
        assert town.database.run(lambda s, n=each.id: hold_ends.remind(s, n, now=town.now))
        assert each.id not in due(town)
    letters = [
        (each.staff_id, each.subject)
        for each in town.read(lambda s: s.scalars(select(Notification)).all())
        if each.template == "hold_end_reached"
    ]
    assert sorted(letters) == sorted(
        [
            (town.staff["cora"], f"Hold H-{of_payee.id} has reached its expected end"),
            (town.staff["fay"], f"Hold H-{of_milestone.id} has reached its expected end"),
        ]
    )
    facts = town.read(lambda s: release_blocks.facts(s, [number]))[number]
    assert {each.id for each in facts.manual_holds} == {of_payee.id, of_milestone.id}
    later = end + timedelta(days=7)
    town.act(
        hold_ends.extend, town.as_staff("mia"), hold_id=of_payee.id, until=later, reason="The bank is slow"
    )
    row = town.read(lambda s: queries.one(s, of_payee.id))
    assert (row.expected_end, town.read(lambda s: s.get_one(PayeeHold, row.id)).reminded_at) == (later, None)
    entries = text("select reason, before, after from audit_entries where action = 'staff:hold:extend'")
    (entry,) = town.read(lambda s: s.execute(entries).all())
    assert entry.reason == "The bank is slow"


def test_of_a_hold_that_was_lifted_nobody_is_reminded_and_its_end_is_not_put_off(town: Town) -> None:
    submitted(town)
    end = town.now + timedelta(days=2)
    placed = hold(town, expected_end=end)
    town.act(payee_holds.lift, town.as_staff("ada"), hold_id=placed.id, reason="Cleared")
    assert not town.database.run(lambda s: hold_ends.remind(s, placed.id, now=end))
    with pytest.raises(holds.HoldAlreadyLifted):
        town.act(
            hold_ends.extend, town.as_staff("cora"), hold_id=placed.id, until=end, reason="The bank is slow"
        )
