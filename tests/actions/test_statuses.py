"""Whoever writes a status by hand, past every action, is refused by the database where the rules have no such step."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.actions.cases import settlement_proposals
from core.actions.operations import operation_states
from core.db import Database
from core.money import Money
from core.records import OutgoingOperation
from core.rules import statuses
from core.rules.statuses import STEPS
from core.rules.transitions import IllegalMove
from tests import builders
from tests.builders import Town


def column(relation: str) -> str:
    return "state" if relation == "payment_orders" else "status"


def test_the_database_keeps_the_same_table(owner: Database) -> None:
    with owner.reading() as session:
        rows = session.execute(text("select relation, from_status, to_status from status_moves"))
        kept = {tuple(row) for row in rows}
    # Milestones have a table of their own: `tests/migrations/test_schema.py`.
    others = STEPS.keys() - {"milestones"}
    assert kept == {(name, *pair) for name in others for pair in statuses.kept(name)}


def test_every_table_with_a_status_is_guarded(owner: Database) -> None:
    found = text("select tgrelid::regclass::text from pg_trigger where tgname like '%\\_legal\\_move'")
    with owner.reading() as session:
        assert set(session.scalars(found)) == STEPS.keys()


@pytest.mark.parametrize("relation", sorted(STEPS.keys() - {"milestones"}))
def test_each_pair_is_let_through_or_refused_as_the_rules_say(owner: Database, relation: str) -> None:
    """The whole product, on a bare table of the same name, so that nothing but the guard answers."""
    name = column(relation)
    function = "check_payment_state" if name == "state" else "check_status_move"
    known = sorted({status for pair in statuses.kept(relation) for status in pair})
    with owner.engine.begin() as connection:
        connection.execute(text("create schema probe"))
        connection.execute(text(f"create table probe.{relation} ({name} varchar)"))
        connection.execute(text(f"insert into probe.{relation} values ('')"))
        passed, said = set(), set()
        for before, after in product(known, repeat=2):
            connection.execute(text(f"drop trigger if exists guard on probe.{relation}"))
            connection.execute(text(f"update probe.{relation} set {name} = '{before}'"))
            connection.execute(
                text(
                    f"create trigger guard before update of {name} on probe.{relation} for each row"
                    f" when (old.{name} is distinct from new.{name}) execute function public.{function}()"
                )
            )
            try:
                with connection.begin_nested():
                    connection.execute(text(f"update probe.{relation} set {name} = '{after}'"))
                passed.add((before, after))
            except IntegrityError as refused:
                said.add(str(refused.orig).partition("\n")[0])
        connection.rollback()
    assert passed == statuses.kept(relation) | {(each, each) for each in known}
    refused_pairs = set(product(known, repeat=2)) - passed
    assert said == {f"{before} cannot become {after} in {relation}" for before, after in refused_pairs}


@pytest.mark.parametrize(
    "before", ["QUEUED", "SENDING", "BLOCKED", "REVIEW", "REFUSED", "SUCCEEDED", "CANCELED"]
)
def test_a_call_ends_only_as_its_table_says(before: str) -> None:
    now, session = builders.NOW, Session()  # of no database: nothing is written
    ends: dict[str, Callable[[OutgoingOperation], None]] = {
        "SUCCEEDED": lambda call: operation_states.succeeded(call, provider_id="re_1", now=now),
        "REFUSED": lambda call: operation_states.refused(call, reason="No.", now=now),
        "REVIEW": lambda call: operation_states.for_review(call, reason="Look.", now=now),
        "CANCELED": lambda call: operation_states.canceled(call, reason="Not wanted.", now=now),
        "QUEUED": lambda call: operation_states.later(call, at=now, reason="Later.", now=now),
        "BLOCKED": lambda call: operation_states.later(
            call, at=now, reason="A hold.", now=now, status="BLOCKED"
        ),
    }
    for after, end in ends.items():
        call = OutgoingOperation(id=1, status=before)
        session.add(call)
        if before == after or (before, after) in STEPS["outgoing_operations"]:
            end(call)
            assert call.status == after
        else:
            with pytest.raises(IllegalMove):
                end(call)
            assert call.status == before


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@pytest.mark.parametrize(
    "by_hand",
    [
        "update cases set status = 'OPEN' where status = 'RESOLVED'",
        "update decisions set status = 'COOLING_OFF' where status = 'EXECUTED'",
        "update settlement_proposals set status = 'OPEN', ended_at = null where status in ('WITHDRAWN', 'REPLACED')",
        "update engagements set status = 'DRAFT' where status = 'ACTIVE'",
        "update outgoing_operations set status = 'CANCELED' where status = 'SUCCEEDED'",
        "update payment_orders set state = 'UNPAID' where state = 'RELEASED'",
        "update payment_orders set state = 'NOWHERE'",
        "update cases set status = 'LOST'",
        "update milestones set status = 'FUNDED' where status = 'COMPLETED'",
    ],
)
def test_the_application_itself_cannot_write_an_illegal_status(town: Town, by_hand: str) -> None:
    told = builders.in_mediation(town)
    for half in (100_000, 120_000):  # the second takes the place of the first
        town.act(settlement_proposals.propose, town.payer, case_id=told.case, release=Money(half, "USD"))
    builders.decided(town, told)
    builders.carry_out(town)
    with pytest.raises(DBAPIError), town.database.transaction() as session:
        session.execute(text(by_hand))
