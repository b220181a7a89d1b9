"""Roles given in an emergency, groups that give roles, and retention runs, attacked with the application's login:
whoever has it writes rows and entries of their own, and nothing comes of it that takes two people."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.privacy import erasures
from core.actions.staff import emergency, group_roles, role_grants
from core.db import Database
from core.records import EmergencyGrant
from core.rules.permissions import Actor, Role
from tests import builders
from tests.builders import Town

ENTRY = (
    "select record_audit(now(), 'system', null, '', '{action}', '{kind}', (select max(id)::text from {table}),"
    " 'because', null, '{{\"status\": \"DONE\"}}')"
)


# In a colleague's name, as the desk leaves entries that take no session of theirs.
WITHOUT_SESSION = {
    "at a terminal": ("{action}", "root on desk-1"),
    "the end of an export": ("staff:export:finish", None),
    "the day when they joined": ("staff:staff:join", None),
}


def in_their_name(how: str, who: str, action: str, kind: str, table: str) -> str:
    """An entry about the newest row of `table`."""
    said, via = WITHOUT_SESSION[how]
    after = f"jsonb_build_object('status', 'DONE', 'via', '{via}')" if via else '\'{"status": "DONE"}\''
    return (
        f"select record_audit(now(), 'staff', {who}, 'administrator', '{said.format(action=action)}', '{kind}',"
        f" (select max(id)::text from {table}), 'because', null, {after})"
    )


@pytest.fixture
def town(database: Database, owner: Database) -> Town:
    """A real desk, where entries in a colleague's name take a session of theirs."""
    found = builders.a_town(database)
    builders.second_administrator(found)
    with owner.transaction() as session:
        session.execute(text("update installation set demo = false"))
    return found


def at_terminal(town: Town, subject: str) -> Actor:
    return replace(town.as_staff(subject), via="root on desk-1")


def refused(town: Town, *statements: str) -> bool:
    """Whether the database refuses the transaction, at the latest when it is committed."""
    try:
        with town.database.transaction() as session:
            for each in statements:
                session.execute(text(each), town.staff)
    except DBAPIError:
        return True
    return False


GIVE = (
    "insert into emergency_grants (staff_id, role, reason, given_by, given_at, review_by)"
    " values (:mia, '{role}', 'x', {by}, now(), now() + interval '1 hour')"
)


def roles(town: Town) -> set[str]:
    held = text("select role from staff_roles where staff_id = :mia")
    return set(town.read(lambda session: session.scalars(held, town.staff).all()))


@pytest.mark.parametrize("entry", ["system:role:give_in_emergency", "operator:role:give_in_emergency"])
@pytest.mark.parametrize(
    ("role", "by"), [("finance", ":ada"), ("administrator", ":ada"), ("finance", ":mia")]
)
def test_no_emergency_is_made_up_by_sql_with_an_entry_of_nobodys(
    town: Town, role: str, by: str, entry: str
) -> None:
    before = roles(town)
    recorded = ENTRY.format(action=entry, kind="emergency_grant", table="emergency_grants")
    assert refused(town, GIVE.format(role=role, by=by), recorded)
    assert roles(town) == before


@pytest.mark.parametrize("how", WITHOUT_SESSION)
def test_no_emergency_is_made_up_by_sql_in_an_administrators_name_without_their_session(
    town: Town, how: str
) -> None:
    before = roles(town)
    given = in_their_name(how, ":ada", "staff:role:give_in_emergency", "emergency_grant", "emergency_grants")
    assert refused(town, GIVE.format(role="finance", by=":ada"), given)
    assert roles(town) == before


def give_in_emergency(town: Town, owner: Database) -> None:
    """At a terminal, which has the owner's login for it."""
    said: dict[str, Any] = {"staff_id": town.staff["mia"], "role": Role.FINANCE, "reason": "It burns."}
    owner.run(lambda session: emergency.give(session, at_terminal(town, "ada"), now=town.now, **said))


def test_an_emergency_is_not_reviewed_by_sql_in_the_name_of_another(town: Town, owner: Database) -> None:
    give_in_emergency(town, owner)
    review = "update emergency_grants set stands = true, settled_at = now(), reviewed_by = :alf, note = 'x'"
    for action in ("system:role:keep_after_emergency", "operator:role:keep_after_emergency"):
        recorded = ENTRY.format(action=action, kind="emergency_grant", table="emergency_grants")
        assert refused(town, review, recorded)
    assert refused(town, "update emergency_grants set review_by = review_by + interval '1 hour'")


@pytest.mark.parametrize("how", WITHOUT_SESSION)
@pytest.mark.parametrize("stands", ["true", "false"])
def test_an_emergency_is_not_reviewed_by_sql_without_a_session_of_who_reviews(
    town: Town, owner: Database, stands: str, how: str
) -> None:
    give_in_emergency(town, owner)
    review = (
        f"update emergency_grants set stands = {stands}, settled_at = now(), reviewed_by = :alf, note = 'x'"
    )
    told = in_their_name(
        how, ":alf", "staff:role:keep_after_emergency", "emergency_grant", "emergency_grants"
    )
    assert refused(town, review, told)
    assert Role.FINANCE in roles(town)
    number = town.read(lambda session: session.scalars(select(EmergencyGrant.id)).one())
    keep = stands == "true"
    said: dict[str, Any] = {"grant_id": number, "stands": keep, "reason": "Looked at."}
    owner.run(lambda session: emergency.review(session, at_terminal(town, "alf"), now=town.now, **said))
    assert (Role.FINANCE in roles(town)) is keep


PROPOSE = (
    "insert into erasures (party_id, reason, proposed_by, proposed_at, status, retention_month)"
    " values ({party}, 'x', :cora, now(), 'PROPOSED', '2026-03-01')"
)
APPROVE = "update erasures set status = 'DONE', settled_by = :ada, settled_at = now()"
ERASE = "select erase_person((select max(id) from erasures), now(), interval '1 day')"


def erased(town: Town) -> int:
    counted = text("select count(*) from parties where erased_at is not null")
    return int(town.read(lambda session: session.scalar(counted)))


@pytest.mark.parametrize("by", ["system", "operator"])
def test_no_retention_run_is_made_up_by_sql_with_entries_of_nobodys(town: Town, by: str) -> None:
    builders.a_party(town, "PAYER", "Nobody In Particular")
    recorded = [
        ENTRY.format(action=f"{by}:person:{verb}", kind="erasure", table="erasures")
        for verb in ("propose_retention", "erase")
    ]
    number = "(select min(id) from parties where role = 'PAYEE')"  # whom nobody proposed yet
    assert refused(town, PROPOSE.format(party=number), *recorded)
    assert refused(town, PROPOSE.format(party=number), APPROVE, ERASE, *recorded)
    town.act(
        erasures.propose,
        at_terminal(town, "cora"),
        party_id=town.payee_id,
        reason="Asked",
        retention_month=None,
    )
    assert refused(town, APPROVE, *recorded)
    assert refused(town, APPROVE, ERASE, *recorded)
    assert erased(town) == 0


@pytest.mark.parametrize("how", WITHOUT_SESSION)
def test_nobody_is_erased_by_sql_without_a_session_of_who_approves(town: Town, how: str) -> None:
    town.act(erasures.propose, at_terminal(town, "cora"), party_id=town.payee_id, reason="Asked")
    told = in_their_name(how, ":ada", "staff:person:erase", "erasure", "erasures")
    assert refused(town, APPROVE, told)
    assert refused(town, APPROVE, ERASE, told)
    assert erased(town) == 0


def test_a_retention_run_is_neither_hurried_nor_widened_by_sql(town: Town) -> None:
    """The policy that says how long people are kept, and who is erased by a proposal, are not the application's."""
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    row = town.act(erasures.propose, at_terminal(town, "cora"), party_id=number, reason="Asked")
    for statement in (
        f"update erasures set party_id = {town.payer_id} where id = {row.id}",
        f"update erasures set proposed_by = :ada where id = {row.id}",
        f"update erasures set retention_month = '2026-01-01' where id = {row.id}",
        "update policy_versions set snapshot = snapshot || '{\"retention_days\": 0}'",
        "insert into policy_versions (profile, version, snapshot, effective_at)"
        " select profile, max(version) + 1, '{}', now() from policy_versions group by profile",
        "delete from legal_holds",
        f"update parties set name = 'erased' , erased_at = now() where id = {number}",
        ERASE,
    ):
        assert refused(town, statement), statement
    assert erased(town) == 0


def test_a_group_that_asks_for_administrator_gives_what_the_owner_named_and_nothing_else(
    town: Town, owner: Database
) -> None:
    with owner.transaction() as session:
        machine = Actor("operator", None, via="root on desk-1")
        group_roles.name(
            session, machine, group="desk-finance", role=Role.FINANCE, now=town.now, reason="As agreed."
        )
    follow = {"staff_id": town.staff["mia"], "now": town.now}
    wanted = ["administrator", "Administrator", "desk-administrator", "%", "*", "desk-finance'--", ""]
    town.database.run(lambda session: group_roles.follow(session, groups=wanted, **follow))
    assert roles(town) == {"mediator"}
    town.database.run(lambda session: group_roles.follow(session, groups=["desk-finance"], **follow))
    assert roles(town) == {"mediator", "finance"}
    entry = (
        "select record_audit(now(), 'system', null, '', 'system:role:follow_groups', 'staff', '{staff}', null,"
        " null, '{{}}')"
    )
    for statement in (
        "insert into group_roles (group_name, role, added_at) values ('mine', 'administrator', now())",
        "update group_roles set role = 'administrator'",
        "update group_roles set ended_at = null",
        "insert into provider_roles (staff_id, role, group_name, held_before, given_at)"
        " values (:mia, 'administrator', 'mine', false, now())",
        "insert into staff_roles values (:mia, 'administrator')",
    ):
        assert refused(town, statement, entry.format(staff=town.staff["mia"])), statement
    assert roles(town) == {"mediator", "finance"}


@pytest.mark.parametrize("by", ["system", "operator"])
def test_no_role_is_given_by_sql_with_a_second_person_who_did_nothing(town: Town, by: str) -> None:
    town.act(
        role_grants.propose,
        at_terminal(town, "ada"),
        staff_id=town.staff["mia"],
        roles=[Role.MEDIATOR, Role.FINANCE],
        reason="More work.",
    )
    approve = "update role_grants set status = 'DONE', settled_by = :alf, settled_at = now()"
    for action, kind, table in (
        ("role:grant", "role_grant", "role_grants"),
        ("role:grant", "staff", "staff"),
    ):
        assert refused(town, approve, ENTRY.format(action=f"{by}:{action}", kind=kind, table=table))
    assert roles(town) == {"mediator"}


LAID_BEFORE = """
create temporary table audit_entries as select * from public.audit_entries where false;
insert into audit_entries (id, at, actor_kind, actor_id, role, action, object_kind, object_id, after, xid)
select 1, now(), 'staff', :alf, 'administrator', 'staff:role:grant', 'role_grant', max(id)::text, '{"status": "DONE"}',
       pg_current_xact_id() from role_grants
"""


def test_no_temporary_table_is_taken_for_the_log(town: Town) -> None:
    """PostgreSQL looks there first, unless the path of a function names it."""
    town.act(
        role_grants.propose,
        at_terminal(town, "ada"),
        staff_id=town.staff["mia"],
        roles=[Role.MEDIATOR, Role.ADMINISTRATOR],
        reason="More work.",
    )
    approve = "update role_grants set status = 'DONE', settled_by = :alf, settled_at = now()"
    assert refused(town, approve, *LAID_BEFORE.strip().split(";"))
    assert roles(town) == {"mediator"}


def test_every_function_looks_at_temporary_tables_last(owner: Database) -> None:
    paths = text(
        "select p.oid::regprocedure::text, substr(setting, 13) from pg_proc p, unnest(p.proconfig) as setting"
        " where p.pronamespace = 'public'::regnamespace and setting like 'search_path=%'"
    )
    pathless = text(
        "select p.oid::regprocedure::text from pg_proc p join pg_trigger t on t.tgfoid = p.oid"
        " where p.pronamespace = 'public'::regnamespace and p.prosrc ~* 'from' and p.proname !~ '^procrastinate'"
        " and not exists (select from unnest(p.proconfig) as setting where setting like 'search_path=%')"
    )
    with owner.reading() as session:
        found = session.execute(paths).all()
        assert len(found) > 100
        assert [name for name, path in found if not path.endswith(", pg_temp")] == []
        assert session.scalars(pathless).all() == []
