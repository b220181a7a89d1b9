"""Whoever has the application's login and says that the system did it is not the second person, nor the first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.actions.staff import invitations
from core.db import Database
from core.records import Decision, RoleGrant
from core.rules.permissions import Actor, Role
from core.rules.proposals import ProposalKind
from tests.actions.test_second_person import STORIES
from tests.builders import second_administrator
from tests.sandbox_desk import Market

Told = dict[str, Any]
ANOTHER = {"actor_kind": "system", "actor_id": None, "role": None, "proof": None}


def of_the_system(entry: Told) -> Told:
    return entry | ANOTHER


def at_terminal(entry: Told) -> Told:
    return entry | {"after": {**(entry["after"] or {}), "via": "root on desk-1"}, "proof": None}


def of_an_export(entry: Told) -> Told:
    return entry | {"action": "staff:export:finish", "proof": None}


def of_the_first_day(entry: Told) -> Told:
    return entry | {"action": "staff:staff:join", "proof": None}


@contextmanager
def entries_on_their_way(
    database: Database, become: Callable[[Told], Told] = of_the_system
) -> Iterator[None]:
    """Every entry of a colleague's that goes to the database from here is another on its way."""

    def forge(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: bool) -> tuple[str, Any]:
        if "record_audit" in statement and "entries" in parameters:
            told = [
                become(each) if each["actor_kind"] == "staff" else each
                for each in json.loads(parameters["entries"])
            ]
            parameters = parameters | {"entries": json.dumps(told)}
        return statement, parameters

    event.listen(database.engine, "before_cursor_execute", forge, retval=True)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", forge)


@pytest.mark.parametrize("kind", ProposalKind)
def test_an_entry_of_the_system_is_not_the_second_persons(market: Market, kind: ProposalKind) -> None:
    second_administrator(market)
    story = STORIES[kind](market)
    checker = Actor(
        "staff", market.staff[story.checker], market.roles[story.checker], authenticated_at=market.now
    )
    confirmed = lambda session: story.confirm(session, checker, market.now)  # noqa: E731
    with entries_on_their_way(market.database), pytest.raises(DBAPIError, match="No entry of"):
        market.database.run(confirmed)
    assert market.read(story.status) in ("PROPOSED", "AWAITING_APPROVAL")
    market.database.run(confirmed)  # in their own name it is done


@pytest.mark.parametrize("forged", [at_terminal, of_an_export, of_the_first_day])
@pytest.mark.parametrize("kind", ProposalKind)
def test_an_entry_that_took_no_session_is_not_the_second_persons(
    market: Market, kind: ProposalKind, forged: Callable[[Told], Told]
) -> None:
    """Of all that takes two people: also where the command line confirms, which does so with the owner's login."""
    second_administrator(market)
    story = STORIES[kind](market)
    checker = market.as_staff(story.checker)
    with entries_on_their_way(market.database, forged), pytest.raises(DBAPIError, match="No entry of"):
        market.database.run(lambda session: story.confirm(session, checker, market.now))
    assert market.read(story.status) in ("PROPOSED", "AWAITING_APPROVAL")


@pytest.mark.parametrize("kind", ProposalKind)
def test_an_entry_of_the_system_is_not_the_first_persons(market: Market, kind: ProposalKind) -> None:
    second_administrator(market)
    with entries_on_their_way(market.database), pytest.raises(DBAPIError, match="No entry of"):
        STORIES[kind](market)


# Where it waits, who made it, and how it would stand there with its second person from the first.
DONE = "status = 'DONE', settled_by = :checker, settled_at = now()"
PLACES: dict[ProposalKind, tuple[str, str, str]] = {
    ProposalKind.DECISION: (
        "decisions",
        "maker_id",
        "intent = 'another', status = 'RETURNED', checker_id = :checker, checked_at = now(), check_note = 'No.'",
    ),
    ProposalKind.POLICY_CHANGE: ("policy_proposals", "proposed_by", DONE.replace("DONE", "PUBLISHED")),
    ProposalKind.CHARGEBACK_ACCEPTANCE: (
        "chargeback_acceptances",
        "proposed_by",
        DONE.replace("DONE", "ACCEPTED"),
    ),
    ProposalKind.CHARGEBACK_ANSWER: (
        "chargeback_evidence",
        "drafted_by",
        "submitted_by = :checker, submitted_at = now()",
    ),
    ProposalKind.REFUND_RETURN: ("refund_returns", "proposed_by", DONE),
    ProposalKind.PERIOD_REOPENING: ("period_reopenings", "proposed_by", DONE),
    ProposalKind.MANUAL_JOURNAL: ("manual_journals", "proposed_by", DONE.replace("DONE", "REJECTED")),
    ProposalKind.DEBT_WRITE_OFF: ("debt_write_offs", "proposed_by", DONE),
    ProposalKind.BANK_CHANGE: ("bank_change_proposals", "proposed_by", DONE),
    ProposalKind.HOLD_LIFT: ("hold_lifts", "proposed_by", DONE),
    ProposalKind.ROLE_GRANT: ("role_grants", "proposed_by", DONE),
    ProposalKind.ERASURE: ("erasures", "proposed_by", DONE),
}  # a line in suspense is known once: there is no second row of it


@pytest.mark.parametrize("kind", PLACES)
def test_nothing_is_put_in_as_settled_already_without_the_second_persons_entry(
    market: Market, kind: ProposalKind
) -> None:
    """The first person's entry is there, and more than is asked for: of every kind of object that the row could be."""
    second_administrator(market)
    story = STORIES[kind](market)
    table, maker, settled = PLACES[kind]
    new = dict(each.split(" = ") for each in settled.split(", "))

    def put_in(session: Session) -> None:
        row = session.execute(text(f"select * from {table} order by id desc limit 1")).mappings().one()
        columns = [name for name in row if name not in ("id", "xid")]
        values = ", ".join(new.get(name, name) for name in columns)
        number = session.execute(
            text(
                f"insert into {table} ({', '.join(columns)}) select {values} from {table} where id = :id returning id"
            ),
            {"id": row["id"], "checker": market.staff[story.checker]},
        ).scalar_one()
        session.execute(
            text(
                "select record_audit(now(), 'staff', :maker, null, 'staff:test:fill', kind, :number) from"
                " (select distinct object_kind from audit_entries) each (kind)"
            ),
            {"maker": row[maker], "number": str(number)},
        )

    refused = "No entry of this transaction is of staff|stays as it was written"
    with pytest.raises(DBAPIError, match=refused):
        market.database.run(put_in)


TAKE = (
    "update decisions set status = '{status}', checker_id = {checker}, checked_at = now(), execute_at = now(),"
    " executed_at = {executed} where id = :decision"
)
TELL = (
    "select record_audit(now(), '{kind}', {checker}, 'administrator', '{action}', 'decision', :number, null,"
    ' \'{{"status": "AWAITING_APPROVAL"}}\', cast(:after as jsonb), p_proof => {proof})'
)
FORGERIES = {
    "an entry of the system": {"kind": "system", "entry_of": "null"},
    "an entry of an account of the machine": {"kind": "operator", "entry_of": "null"},
    "their entry, without a session": {},
    "their entry, with a proof that was made up": {"proof": "'made up'"},
    "their entry at a terminal": {"via": "root on desk-1"},
    "their entry of an export that ended": {"action": "administrator:export:finish"},
    "their entry of the day when they joined": {"action": "staff:staff:join"},
    "the first person's entry at a terminal, and no second person": {
        "checker": "null",
        "entry_of": ":mia",
        "via": "root on desk-1",
    },
    "the first person's entry at a terminal, as the second": {"checker": ":mia", "via": "root on desk-1"},
    "no entry": {"kind": ""},
}


@pytest.mark.parametrize("status", ["COOLING_OFF", "EXECUTED"])
@pytest.mark.parametrize("how", FORGERIES)
def test_a_decision_that_waits_is_not_approved_by_sql(
    market: Market, owner: Database, how: str, status: str
) -> None:
    """Of a real desk, where an entry in a colleague's name takes a session of theirs."""
    story = STORIES[ProposalKind.DECISION](market)
    (waiting,) = market.all(Decision)
    with owner.transaction() as session:
        session.execute(text("update installation set demo = false"))
    forged: dict[str, str] = {
        "kind": "staff",
        "checker": ":ada",
        "action": "staff:decision:approve",
        "proof": "null",
        **FORGERIES[how],
    }
    after = {"status": status} | ({"via": forged["via"]} if "via" in forged else {})
    given = {
        **market.staff,
        "decision": waiting.id,
        "number": str(waiting.id),
        "after": json.dumps(after),
    }
    executed = "now()" if status == "EXECUTED" else "null"
    told = forged | {"checker": forged.get("entry_of", forged["checker"])}

    def approve(session: Session) -> None:
        session.execute(text(TAKE.format(status=status, checker=forged["checker"], executed=executed)), given)
        if forged["kind"]:
            session.execute(text(TELL.format(**told)), given)

    with pytest.raises(DBAPIError):
        market.database.run(approve)
    assert market.read(story.status) == "AWAITING_APPROVAL"


def test_an_invitation_is_made_in_ones_own_name_and_stands_for_the_roles_that_it_brings(
    market: Market,
) -> None:
    second_administrator(market)
    invite: dict[str, Any] = {"email": "new@example.org", "name": "Nia New", "reason": "She begins."}
    with entries_on_their_way(market.database), pytest.raises(DBAPIError, match="No entry of"):
        market.act(invitations.invite, market.as_staff("ada"), roles=[Role.FINANCE], **invite)
    invited = market.act(invitations.invite, market.as_staff("ada"), roles=[Role.FINANCE], **invite)
    who = {"issuer": "https://id.example.org", "subject": "nia"}
    market.database.run(lambda session: invitations.accept(session, invited.token, now=market.now, **who))
    (grant,) = market.all(RoleGrant)
    assert (grant.proposed_by, grant.roles) == (market.staff["ada"], ["finance"])
