"""No status changes without its audit entry: one setter in the code, and a database that refuses the commit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core import audit
from core.audit import content_hashes
from core.audit.content_hashes import Words
from core.db import Database
from core.records import Case, Milestone, OutgoingOperation
from core.rules import statuses
from core.rules.permissions import SYSTEM
from core.rules.statuses import PLACES
from core.rules.transitions import IllegalMove
from tests import builders
from tests.builders import NOW, Town

ROOT = Path(__file__).resolve().parents[2]
STORED = {place.column for place in PLACES.values()}
ELSEWHERE = {
    "core/audit/statuses.py": "the one setter",
    "core/api/http/idempotency.py": "what a request was answered: a number",
}
BY_SQL = re.compile(r"\bupdate\b[^;]*\bset\b[^;]*\b(status|state)\s*=", re.I)


def assigned(tree: ast.AST) -> Iterator[str]:
    """Wherever a status is written past the setter: to a row, in bulk, by name, or in SQL."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()) if name in STORED:
                yield f"{node.lineno}: .{name} ="
            case ast.Call(func=ast.Attribute(attr="values", value=into), keywords=given):
                if {each.arg for each in given} & STORED and "insert(" not in ast.unparse(into):
                    yield f"{node.lineno}: in bulk"
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=name), _]) if (
                name in STORED
            ):
                yield f"{node.lineno}: setattr"
            case ast.Constant(value=str(words)) if BY_SQL.search(words):
                yield f"{node.lineno}: by SQL"


@pytest.mark.parametrize(
    "line",
    [
        "row.status = 'PAID'",
        "row.status, row.at = 'PAID', now",
        "session.execute(update(Payout).where(it).values(status='PAID'))",
        "setattr(order, 'state', 'RELEASED')",
        "text('update payouts set status = :it')",
    ],
)
def test_each_way_round_the_setter_is_seen(line: str) -> None:
    assert list(assigned(ast.parse(line))) != []


def test_no_status_is_written_but_by_the_setter() -> None:
    paths = [path for path in sorted((ROOT / "core").rglob("*.py")) if "gateways" not in path.parts]
    found = {
        f"{name}:{where}"
        for path in paths
        if (name := path.relative_to(ROOT).as_posix()) not in ELSEWHERE
        for where in assigned(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()


def test_every_status_that_is_stored_has_its_place(owner: Database) -> None:
    """The catalogue's columns, not a list by hand. Statuses that are numbers are those of HTTP."""
    found = text(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        " and column_name in ('status', 'state') and data_type in ('text', 'character varying')"
        " and table_name not like 'procrastinate%'"
        " and table_name <> 'stripe_payouts'"  # a copy of what Stripe says
    )
    with owner.reading() as session:
        stored = {(row.table_name, row.column_name) for row in session.execute(found)}
        guards = set(
            session.scalars(
                text(
                    "select tgrelid::regclass::text from pg_trigger"
                    " where tgfoid = 'require_status_entry'::regproc"
                )
            )
        )
    assert stored == {(table, place.column) for table, place in PLACES.items()}
    assert guards == PLACES.keys() == statuses.STEPS.keys()


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def entries(town: Town, kind: str, number: int) -> list[tuple[str, object, object]]:
    wanted = text(
        "select action, before, after from audit_entries where object_kind = :kind and object_id = :id order by id"
    )
    with town.database.reading() as session:
        rows = session.execute(wanted, {"kind": kind, "id": str(number)})
        return [(row.action, row.before, row.after) for row in rows]


@pytest.mark.parametrize(
    "by_hand",
    [
        "update cases set status = 'RESOLVED'",
        "update milestones set status = 'VERIFIED' where status = 'IN_MEDIATION'",
        "update payment_orders set state = 'REFUNDED'",
        "update notifications set status = 'FAILED' where id = (select min(id) from notifications)",
    ],
)
def test_a_change_by_hand_is_refused_unless_an_entry_says_so(town: Town, by_hand: str) -> None:
    builders.in_mediation(town)
    with (
        pytest.raises(IntegrityError, match="No entry of this transaction says"),
        town.database.transaction() as it,
    ):
        it.execute(text(by_hand))


def test_whoever_leaves_the_entry_may_change_it_by_hand(town: Town) -> None:
    told = builders.in_mediation(town)
    with town.database.transaction() as session:
        by_hand = text("update payment_orders set state = 'REFUNDED' where milestone_id = :id")
        session.execute(by_hand, {"id": told.milestone})
        audit.record(
            session,
            SYSTEM,
            "system:payment_order:correct",
            object_kind="payment_order",
            object_id=told.milestone,
            now=NOW,
            after={"state": "REFUNDED"},
        )


def test_the_actions_entry_carries_the_step(town: Town) -> None:
    told = builders.in_mediation(town)
    with town.database.transaction() as session:
        case = session.get_one(Case, told.case)
        audit.become(case, "WAITING_PARTY", now=NOW)
        audit.become(case, "UNDER_REVIEW", now=NOW)
        audit.become(case, "RESOLVED", now=NOW)
        session.flush()
        ends = content_hashes.hashes(Words("ticket_ends", case))
        audit.record(
            session,
            SYSTEM,
            "system:ticket:end",
            object_kind="ticket",
            object_id=case.id,
            now=NOW,
            after={"by": "us"},
        )
    assert entries(town, "ticket", told.case)[-1] == (
        "system:ticket:end",
        {"status": "UNDER_REVIEW"},
        {"by": "us", "status": "RESOLVED", "through": ["WAITING_PARTY", "UNDER_REVIEW"], "content": ends},
    )


def test_a_step_that_no_entry_carries_leaves_its_own_and_staying_leaves_none(town: Town) -> None:
    told = builders.in_mediation(town)
    with town.database.transaction() as session:
        call = session.query(OutgoingOperation).first()
        assert call is not None
        session.get_one(Milestone, told.milestone)
        audit.become(call, call.status, now=NOW)
    before = entries(town, "operation", call.id)
    with town.database.transaction() as session:
        call = session.get_one(OutgoingOperation, call.id)
        was = call.status
        audit.become(call, "REVIEW", now=NOW)
    assert entries(town, "operation", call.id) == [
        *before,
        ("system:operation:review", {"status": was}, {"status": "REVIEW"}),
    ]


def test_a_step_that_is_not_in_the_table_is_refused(town: Town) -> None:
    told = builders.in_mediation(town)
    with town.database.transaction() as session, pytest.raises(IllegalMove):
        audit.become(session.get_one(Case, told.case), "OPEN", now=NOW)
