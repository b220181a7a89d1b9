"""A role given by one administrator alone: told to everybody who watches, reviewed by another, or ended by itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.staff import emergency, members, role_grants
from core.actions.staff.emergency import EmergencySettled, NeverInAnEmergency, OwnEmergency
from core.actions.staff.members import OwnRoles
from core.actions.staff.role_grants import HasLeft, NothingToGive
from core.db import Database
from core.policy.limits import EMERGENCY_REVIEWED_WITHIN
from core.processes import timers
from core.queries import emergency as waiting
from core.records import EmergencyGrant, Notification, StaffRole
from core.rules.permissions import Actor, NotPermitted, Role
from core.rules.reasons import ReasonMissing
from tests import builders
from tests.builders import Town, second_administrator
from tests.desk_fixtures import a_desk
from tests.pages.visiting import serve, visit

TICK = timedelta(microseconds=1)


@pytest.fixture
def town(database: Database) -> Town:
    town = builders.a_town(database)
    second_administrator(town)
    return town


def give(town: Town, role: Role = Role.FINANCE, *, of: str = "mia", by: str = "ada") -> EmergencyGrant:
    said = {"staff_id": town.staff[of], "role": role, "reason": "Payroll is stuck and Fay is away."}
    return town.act(emergency.give, town.as_staff(by), **said)


def review(town: Town, number: int, *, stands: bool, by: str = "alf", reason: str = "It was right.") -> None:
    town.act(emergency.review, town.as_staff(by), grant_id=number, stands=stands, reason=reason)


def roles(town: Town, of: str = "mia") -> set[str]:
    wanted = select(StaffRole.role).where(StaffRole.staff_id == town.staff[of])
    return set(town.read(lambda s: s.scalars(wanted).all()))


def told(town: Town, template: str) -> set[str]:
    wanted = select(Notification.key).where(Notification.template == template)
    return {key.rpartition("-")[2] for key in town.read(lambda s: s.scalars(wanted).all())}


def entries(town: Town) -> list[str]:
    wanted = text("select action from audit_entries where object_kind = 'emergency_grant' order by id")
    return list(town.read(lambda s: s.scalars(wanted).all()))


def test_the_role_is_given_at_once_and_everybody_who_watches_is_told(town: Town) -> None:
    row = give(town)
    assert roles(town) == {"mediator", "finance"}
    assert told(town, "role_given_in_emergency") == {str(town.staff[each]) for each in ("ada", "alf", "cora")}
    (open_,) = town.read(waiting.waiting)
    assert (open_.by_id, open_.name, open_.review_by) == (
        town.staff["ada"],
        "Mia Lund",
        town.now + EMERGENCY_REVIEWED_WITHIN,
    )
    assert entries(town) == ["staff:role:give_in_emergency"]
    review(town, row.id, stands=True)
    assert (roles(town), town.read(waiting.waiting)) == ({"mediator", "finance"}, [])
    assert entries(town)[1:] == ["staff:role:keep_after_emergency"]
    with pytest.raises(EmergencySettled):
        review(town, row.id, stands=False)


def test_another_administrator_takes_it_at_once(town: Town) -> None:
    review(town, give(town).id, stands=False, reason="It could have waited.")
    assert roles(town) == {"mediator"}
    assert entries(town)[1:] == ["staff:role:end_emergency"]


def test_without_a_review_it_ends_at_its_time(town: Town, tmp_path: Path) -> None:
    give(town)
    desk = a_desk(town.database, tmp_path, clock=lambda: town.now)
    town.now += EMERGENCY_REVIEWED_WITHIN - TICK
    timers.run_due(desk)
    assert roles(town) == {"mediator", "finance"}
    town.now += TICK
    assert timers.run_due(desk) == 1
    assert timers.run_due(desk) == 0
    assert roles(town) == {"mediator"}
    assert entries(town)[1:] == ["system:role:end_emergency"]
    assert str(town.staff["alf"]) in told(town, "emergency_role_ended")


def test_nobody_is_made_administrator_and_nobody_gives_or_reviews_their_own(town: Town) -> None:
    with pytest.raises(NeverInAnEmergency):
        give(town, Role.ADMINISTRATOR)
    with pytest.raises(OwnRoles):
        give(town, of="ada")
    with pytest.raises(NothingToGive):
        give(town, Role.MEDIATOR)
    for subject in ("mia", "fay", "cora"):
        with pytest.raises(NotPermitted):
            give(town, of="max", by=subject)
    said = {"staff_id": town.staff["mia"], "role": Role.FINANCE, "reason": "It burns."}
    with pytest.raises(NotPermitted):
        town.act(emergency.give, Actor("operator", None, via="root on desk-1"), **said)
    row = give(town)
    with pytest.raises(OwnEmergency):
        review(town, row.id, stands=True, by="ada")
    with pytest.raises(NotPermitted):
        review(town, row.id, stands=True, by="cora")
    with pytest.raises(ReasonMissing):
        review(town, row.id, stands=True, reason=" ")
    of_alf = give(town, of="alf")
    with pytest.raises(OwnEmergency):
        review(town, of_alf.id, stands=True, by="alf")


def test_whoever_has_left_is_given_none_and_who_leaves_before_the_review_has_none(town: Town) -> None:
    row = give(town)
    leave = {"staff_id": town.staff["mia"], "active": False, "reason": "A new post."}
    town.act(members.set_active, town.as_staff("alf"), **leave)
    assert roles(town) == set()
    review(town, row.id, stands=False)
    assert roles(town) == set()
    with pytest.raises(HasLeft):
        give(town)


def test_what_two_administrators_gave_since_is_not_taken_with_it(town: Town) -> None:
    row = give(town)
    finance = {"staff_id": town.staff["mia"], "roles": [Role.FINANCE], "reason": "For good."}
    town.act(members.take_roles, town.as_staff("alf"), **finance)
    town.now += timedelta(minutes=1)
    proposed = town.act(role_grants.propose, town.as_staff("ada"), **finance)
    town.act(role_grants.approve, town.as_staff("alf"), grant_id=proposed.id)
    review(town, row.id, stands=False)
    assert roles(town) == {"mediator", "finance"}


@pytest.mark.parametrize(
    "broken",
    [
        "insert into emergency_grants (staff_id, role, reason, given_by, given_at, review_by)"
        " values (:mia, 'administrator', 'x', :ada, now(), now() + interval '1 hour')",
        "insert into emergency_grants (staff_id, role, reason, given_by, given_at, review_by)"
        " values (:mia, 'finance', 'x', :fay, now(), now() + interval '1 hour')",
        "insert into emergency_grants (staff_id, role, reason, given_by, given_at, review_by)"
        " values (:mia, 'finance', 'x', :ada, now(), now() + interval '2 days')",
        "insert into emergency_grants (staff_id, role, reason, given_by, given_at, review_by)"
        " values (:ada, 'finance', 'x', :ada, now(), now() + interval '1 hour')",
        # whole, but no entry tells of it
        "insert into emergency_grants (staff_id, role, reason, given_by, given_at, review_by)"
        " values (:max, 'finance', 'x', :ada, now(), now() + interval '1 hour')",
        "update emergency_grants set stands = true, settled_at = now(), reviewed_by = :ada, note = 'x'",
        "update emergency_grants set stands = true, settled_at = now(), reviewed_by = :cora, note = 'x'",
        "update emergency_grants set stands = true, settled_at = now()",
        "update emergency_grants set review_by = review_by + interval '1 day'",
        "delete from emergency_grants",
    ],
)
def test_the_database_repeats_it(town: Town, broken: str) -> None:
    give(town)
    with pytest.raises(DBAPIError):
        town.database.run(lambda s: s.execute(text(broken), town.staff))
    assert roles(town) == {"mediator", "finance"}
    assert roles(town, "max") == {"mediator"}


def test_its_review_stands_on_the_work_list_of_those_who_may_review_it(town: Town, tmp_path: Path) -> None:
    serve(town, tmp_path)
    row = give(town)

    def listed(who: str) -> bool:
        shown = [
            each.value for each in visit(town, who, "overview").dataframe if "what" in each.value.columns
        ]
        return any("emergency, to be reviewed" in each.to_string() for each in shown)

    assert {each: listed(each) for each in ("alf", "ada", "cora")} == {
        "alf": True,
        "ada": False,
        "cora": False,
    }
    review(town, row.id, stands=True)
    assert not listed("alf")
