"""Who gives roles and who takes them: two administrators, one, and never oneself; and the last administrator stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.actions.staff import install, members, role_grants, sessions
from core.actions.staff.members import LastAdministrator, NothingChanges, OwnRoles
from core.actions.staff.role_grants import HasLeft, NothingToGive, TwoAdministratorsGive
from core.db import Database
from core.policy.limits import PROPOSAL_STANDS
from core.queries import team
from core.records import Notification, RoleGrant, Staff
from core.rules.permissions import Actor, NotPermitted, Role, StepUpRequired
from core.rules.proposals import MakerIsChecker, ProposalEnded, ProposalFallen, ProposalWaits
from tests import builders
from tests.builders import Town, second_administrator

OPERATOR = Actor("operator", None, via="root on desk-1")


@pytest.fixture
def town(database: Database) -> Town:
    town = builders.a_town(database)
    second_administrator(town)
    return town


def propose(town: Town, by: str = "ada", to: str = "mia", *roles: Role) -> RoleGrant:
    wanted = roles or (Role.FINANCE,)
    who = town.staff[to]
    return town.act(role_grants.propose, town.as_staff(by), staff_id=who, roles=wanted, reason="She audits.")


def roles(town: Town, subject: str) -> list[str]:
    wanted = text("select role from staff_roles where staff_id = :id order by role")
    return list(town.read(lambda s: s.scalars(wanted, {"id": town.staff[subject]}).all()))


def refused_by_the_database(database: Database, *statements: str, **values: Any) -> str:
    def act(session: Session) -> None:
        for each in statements:
            session.execute(text(each), values)

    with pytest.raises(DBAPIError) as refused:
        database.run(act)
    return str(refused.value.orig)


def test_a_role_is_given_when_a_second_administrator_approves(town: Town) -> None:
    token = town.database.run(lambda s: sessions.sign_in(s, staff_id=town.staff["mia"], now=town.now))
    row = propose(town)
    assert roles(town, "mia") == ["mediator"]
    told = town.read(lambda s: s.scalars(select(Notification)).all())
    assert [(each.template, each.staff_id) for each in told] == [("roles_proposed", town.staff["alf"])]
    town.act(role_grants.approve, town.as_staff("alf"), grant_id=row.id)
    assert roles(town, "mia") == ["finance", "mediator"]
    signed_in = town.read(lambda s: sessions.resolve(s, token, now=town.now, touch=False))
    assert signed_in is not None
    assert signed_in.roles == {Role.FINANCE, Role.MEDIATOR}
    left = text(
        "select action, reason, after -> 'roles' as roles from audit_entries where object_kind = 'role_grant' "
        "order by id"
    )
    entries = town.read(lambda s: [tuple(each) for each in s.execute(left)])
    assert entries == [
        ("staff:role:propose", "She audits.", None),
        ("staff:role:grant", "She audits.", ["finance", "mediator"]),
    ]


def test_neither_the_maker_nor_the_person_nor_anybody_else_approves(town: Town) -> None:
    row = propose(town)
    with pytest.raises(MakerIsChecker):
        town.act(role_grants.approve, town.as_staff("ada"), grant_id=row.id)
    with pytest.raises(NotPermitted):
        town.act(role_grants.approve, town.as_staff("cora"), grant_id=row.id)
    with pytest.raises(NotPermitted, match="manage staff"):
        propose(town, "mia", "max")
    with pytest.raises(NotPermitted):  # an account of the machine is nobody of the two
        town.act(role_grants.approve, OPERATOR, grant_id=row.id)
    own = propose(town, "ada", "alf", Role.FINANCE)
    for act in (role_grants.approve, role_grants.reject):
        with pytest.raises(OwnRoles):
            town.act(act, town.as_staff("alf"), grant_id=own.id, reason="Mine.")
    with pytest.raises(OwnRoles):
        propose(town, "ada", "ada", Role.FINANCE)
    assert roles(town, "mia") == ["mediator"]


def test_it_asks_for_a_fresh_sign_in(town: Town) -> None:
    row, stale = propose(town), town.as_staff("alf")
    town.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        town.act(role_grants.approve, stale, grant_id=row.id)


def test_it_is_rejected_withdrawn_or_returned_and_then_over(town: Town) -> None:
    row = propose(town)
    with pytest.raises(ProposalWaits, match="to give Mia Lund the role of finance"):
        propose(town, "alf")
    town.act(role_grants.reject, town.as_staff("alf"), grant_id=row.id, reason="Not yet.")
    again = propose(town)
    town.act(role_grants.reject, town.as_staff("ada"), grant_id=again.id, reason="A mistake.")
    statuses = town.read(lambda s: list(s.scalars(select(RoleGrant.status).order_by(RoleGrant.id))))
    assert statuses == ["REJECTED", "WITHDRAWN"]
    for each in (row, again):
        with pytest.raises(ProposalEnded):
            town.act(role_grants.approve, town.as_staff("alf"), grant_id=each.id)
    old = propose(town)
    town.now += PROPOSAL_STANDS + timedelta(seconds=1)
    with pytest.raises(ProposalFallen, match="14 days"):
        town.act(role_grants.approve, town.as_staff("alf"), grant_id=old.id)
    assert town.database.run(lambda s: role_grants.return_stale(s, now=town.now, number=old.id))
    assert roles(town, "mia") == ["mediator"]


def test_nothing_is_given_to_whoever_left_or_has_it(town: Town) -> None:
    with pytest.raises(NothingToGive, match="mediator"):
        propose(town, "ada", "mia", Role.MEDIATOR)
    row = propose(town)
    leave = {"staff_id": town.staff["mia"], "active": False, "reason": "A new post."}
    town.act(members.set_active, town.as_staff("ada"), **leave)
    assert town.read(lambda s: role_grants.stale(s, now=town.now)) == [row.id]
    with pytest.raises(HasLeft):
        town.act(role_grants.approve, town.as_staff("alf"), grant_id=row.id)
    with pytest.raises(HasLeft):
        propose(town, "ada", "mia", Role.COMPLIANCE)


def test_who_comes_back_has_no_role_until_two_give_one(town: Town) -> None:
    change = {"staff_id": town.staff["mia"], "reason": "A new post."}
    town.act(members.set_active, town.as_staff("ada"), active=False, **change)
    assert roles(town, "mia") == []
    town.act(members.set_active, town.as_staff("ada"), active=True, **change)
    assert roles(town, "mia") == []
    row = propose(town, "ada", "mia", Role.MEDIATOR)
    town.act(role_grants.approve, town.as_staff("alf"), grant_id=row.id)
    assert roles(town, "mia") == ["mediator"]


def test_one_administrator_takes_a_role_at_once(town: Town) -> None:
    take = {"staff_id": town.staff["mia"], "roles": [Role.MEDIATOR], "reason": "Moves on."}
    town.act(members.take_roles, town.as_staff("ada"), **take)
    assert roles(town, "mia") == []
    with pytest.raises(NothingChanges):
        town.act(members.take_roles, town.as_staff("ada"), **take)


def test_the_last_administrator_stays(town: Town) -> None:
    take = {"roles": [Role.ADMINISTRATOR], "reason": "Moves on."}
    town.act(members.take_roles, town.as_staff("ada"), staff_id=town.staff["alf"], **take)
    with pytest.raises(LastAdministrator):
        town.act(members.take_roles, OPERATOR, staff_id=town.staff["ada"], **take)
    with pytest.raises(LastAdministrator):
        town.act(members.set_active, OPERATOR, staff_id=town.staff["ada"], active=False, reason="Goes.")


def test_the_database_keeps_the_last_administrator(town: Town, owner: Database) -> None:
    ada, alf = town.staff["ada"], town.staff["alf"]
    gone = "delete from staff_roles where staff_id = :id and role = 'administrator'"
    left = "update staff set active = false where id = :id"
    for one, other in ((gone, gone), (left, left), (gone, left), (left, gone)):
        said = refused_by_the_database(owner, one.replace(":id", str(ada)), other.replace(":id", str(alf)))
        assert "no administrator would work here any more" in said
    assert roles(town, "ada") == roles(town, "alf") == ["administrator"]


def together(*acts: Callable[[], Any]) -> list[BaseException]:
    """What came of each, all at the same time."""
    at_once, came = Barrier(len(acts)), dict[int, BaseException]()

    def run(place: int) -> None:
        at_once.wait()
        try:
            acts[place]()
        except Exception as problem:
            came[place] = problem

    threads = [Thread(target=run, args=(place,)) for place in range(len(acts))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return list(came.values())


def test_two_administrators_at_once_do_not_both_remove_the_other(town: Town, owner: Database) -> None:
    """By the action and, past it, by SQL alone."""

    def by_action(by: str, of: str) -> Callable[[], Any]:
        who = {"staff_id": town.staff[of], "roles": [Role.ADMINISTRATOR], "reason": "Out."}
        return lambda: town.act(members.take_roles, town.as_staff(by), **who)

    came = together(by_action("ada", "alf"), by_action("alf", "ada"))
    assert [type(each) for each in came] == [LastAdministrator]
    with owner.transaction() as session:
        again = text("insert into staff_roles values (:id, 'administrator') on conflict do nothing")
        session.execute(again, [{"id": town.staff["ada"]}, {"id": town.staff["alf"]}])

    def by_sql(of: str) -> Callable[[], Any]:
        def act() -> None:
            with owner.transaction() as session:
                session.execute(text("select take_staff_role(:id, 'administrator')"), {"id": town.staff[of]})

        return act

    came = together(by_sql("ada"), by_sql("alf"))
    assert len([each for each in came if isinstance(each, IntegrityError)]) == 1


def test_the_application_gives_no_role_past_two_people(town: Town) -> None:
    mia, ada, alf = town.staff["mia"], town.staff["ada"], town.staff["alf"]
    insert = "insert into staff_roles (staff_id, role) values (:mia, 'administrator')"
    assert "permission denied" in refused_by_the_database(town.database, insert, mia=mia)
    update = "update staff_roles set role = 'administrator' where staff_id = :mia"
    assert "permission denied" in refused_by_the_database(town.database, update, mia=mia)
    alone = "select give_role_alone(:mia, 'administrator')"
    assert "it takes both" in refused_by_the_database(town.database, alone, mia=mia)
    propose_ = (
        "insert into role_grants (staff_id, roles, reason, proposed_by, proposed_at, status, settled_by, settled_at) "
        "values (:mia, '[\"finance\"]', 'x', :maker, now(), :status, :checker, "
        "case when cast(:checker as bigint) > 0 then now() end)"
    )
    done = {"mia": mia, "maker": ada, "checker": alf, "status": "DONE"}
    assert "not allowed" in refused_by_the_database(town.database, propose_, **done)
    begun = {"mia": mia, "checker": None, "status": "PROPOSED"}
    settle = "update role_grants set status = 'DONE', settled_at = now(), settled_by = {}"
    for maker, checker, said in (
        (ada, ada, "two_people"),
        (ada, mia, "not_ones_own"),
        (mia, ada, "not_ones_own"),
        (ada, town.staff["cora"], "no administrator"),
        (town.staff["cora"], ada, "no longer may"),
        (ada, alf, "No entry of this transaction"),
    ):
        told = refused_by_the_database(town.database, propose_, settle.format(checker), maker=maker, **begun)
        assert said in told, (maker, checker)


def test_while_one_administrator_works_here_the_machine_gives_roles_and_everybody_is_told(
    database: Database,
) -> None:
    town = builders.a_town(database)
    give = {"staff_id": town.staff["mia"], "roles": [Role.ADMINISTRATOR], "reason": "The second one."}
    with pytest.raises(NotPermitted):
        town.act(role_grants.give_alone, town.as_staff("ada"), **give)
    town.act(role_grants.give_alone, OPERATOR, **give)
    assert roles(town, "mia") == ["administrator", "mediator"]
    letters = town.read(lambda s: s.scalars(select(Notification).order_by(Notification.staff_id)).all())
    assert {each.template for each in letters} == {"roles_given_alone"}
    assert {each.staff_id for each in letters} == {town.staff["ada"], town.staff["cora"]}
    entry = text(
        "select actor_kind, role, reason from audit_entries where action = 'operator:role:grant_alone'"
    )
    assert town.read(lambda s: tuple(s.execute(entry).one())) == ("operator", OPERATOR.via, "The second one.")
    (alarm,) = town.read(lambda s: team.given_alone(s, now=town.now))
    assert list(alarm.roles) == [Role.ADMINISTRATOR], "what she had before was not given alone"
    # Now there are two, so it takes two.
    more = {**give, "staff_id": town.staff["max"]}
    with pytest.raises(TwoAdministratorsGive):
        town.act(role_grants.give_alone, OPERATOR, **more)
    someone = {"issuer": "i", "subject": "s", "name": "N", "email": "n@example.com"}
    for actor in (OPERATOR, town.as_staff("ada")):
        with pytest.raises(TwoAdministratorsGive):
            town.act(install.add_staff, actor, roles=(Role.FINANCE,), **someone)
    row = town.act(install.add_staff, town.as_staff("ada"), roles=(), **someone)
    assert town.read(lambda s: s.get_one(Staff, row.id)).active
