"""A colleague is invited, joins with the link once, and has no role until two administrators gave one."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.actions.staff import install, invitations, members, role_grants
from core.actions.staff.invitations import InvitationUnknown, Invited, InvitedAlready, NotInvited
from core.actions.staff.skills import SkillUnknown
from core.db import Database
from core.policy.limits import INVITATION_STANDS
from core.records import RoleGrant, Staff, StaffInvitation
from core.rules.permissions import Actor, NotPermitted, Role
from core.rules.templates import ProjectType
from tests import builders
from tests.builders import Town, second_administrator

OPERATOR = Actor("operator", None, via="root on desk-1")


@pytest.fixture
def town(database: Database) -> Town:
    town = builders.a_town(database)
    second_administrator(town)
    return town


def invite(town: Town, by: str = "ada", **other: object) -> Invited:
    asked = {
        "email": "nell@example.com",
        "name": "Nell Hart",
        "roles": [Role.MEDIATOR],
        "skills": [ProjectType.KITCHEN],
        "title": "Mediator",
        "reason": "More kitchens.",
    }
    return town.act(invitations.invite, town.as_staff(by), **{**asked, **other})


def accept(town: Town, token: str, **other: str | None) -> Staff:
    who: dict[str, str | None] = {"issuer": "https://id.test", "subject": "nell", **other}
    return town.database.run(lambda s: invitations.accept(s, token, now=town.now, **who))  # type: ignore[arg-type]


def test_who_is_invited_joins_without_a_role_and_their_roles_are_proposed(town: Town) -> None:
    invited = invite(town)
    assert town.read(lambda s: invitations.named(s, invited.token, now=town.now)) == "Nell Hart"
    nell = accept(town, invited.token, email="Nell@Example.com")
    assert (nell.name, nell.skills, nell.title) == ("Nell Hart", [ProjectType.KITCHEN], "Mediator")
    held = text("select count(*) from staff_roles where staff_id = :id")
    assert town.read(lambda s: s.scalar(held, {"id": nell.id})) == 0
    grant = town.read(lambda s: s.scalars(select(RoleGrant)).one())
    assert (grant.roles, grant.proposed_by, grant.status) == (["mediator"], town.staff["ada"], "PROPOSED")
    town.act(role_grants.approve, town.as_staff("alf"), grant_id=grant.id)
    assert town.read(lambda s: s.scalar(held, {"id": nell.id})) == 1
    entries = text(
        "select action from audit_entries where object_kind in ('staff_invitation', 'staff', 'role_grant') order by id"
    )
    said = town.read(lambda s: list(s.scalars(entries)))
    assert said[-5:] == [
        "staff:staff:invite",
        "system:staff:add",
        "staff:staff:join",
        "system:role:propose",
        "staff:role:grant",
    ]


def test_who_is_invited_without_a_role_joins_and_waits_for_nobody(town: Town) -> None:
    nell = accept(town, invite(town, roles=[]).token)
    assert nell.active
    assert town.read(lambda s: s.scalars(select(RoleGrant)).all()) == []


def test_a_link_is_good_once_for_a_week_and_for_its_address(town: Town) -> None:
    invited = invite(town)
    with pytest.raises(NotInvited):
        accept(town, invited.token, email="somebody@example.com")
    with pytest.raises(InvitationUnknown):
        accept(town, "something else")
    accept(town, invited.token)
    with pytest.raises(InvitationUnknown):
        accept(town, invited.token, subject="other")
    late = invite(town, email="olga@example.com")
    town.now += INVITATION_STANDS
    assert town.read(lambda s: invitations.named(s, late.token, now=town.now)) is None
    with pytest.raises(InvitationUnknown):
        accept(town, late.token, subject="olga")


def test_a_link_is_good_for_nothing_once_called_off_or_when_its_maker_is_gone(town: Town) -> None:
    invited = invite(town)
    with pytest.raises(InvitedAlready):
        invite(town, by="alf", email="NELL@example.com")
    town.act(
        invitations.call_off, town.as_staff("alf"), invitation_id=invited.id, reason="The wrong address."
    )
    with pytest.raises(InvitationUnknown):
        town.act(invitations.call_off, town.as_staff("alf"), invitation_id=invited.id, reason="Again.")
    with pytest.raises(InvitationUnknown):
        accept(town, invited.token)
    for nothing in (None, ""):
        assert town.read(lambda s, said=nothing: invitations.named(s, said, now=town.now)) is None  # type: ignore[misc]
    again = invite(town)
    town.act(
        members.set_active, town.as_staff("alf"), staff_id=town.staff["ada"], active=False, reason="Gone."
    )
    with pytest.raises(InvitationUnknown):
        accept(town, again.token)
    assert town.read(lambda s: invitations.named(s, again.token, now=town.now)) is None, "nobody is welcomed"


def test_only_an_administrator_invites_and_only_with_what_the_desk_knows(town: Town) -> None:
    with pytest.raises(NotPermitted):
        invite(town, by="cora")
    with pytest.raises(NotPermitted):
        town.act(invitations.invite, OPERATOR, email="a@example.com", name="A", roles=[], reason="x")
    with pytest.raises(SkillUnknown):
        invite(town, skills=["juggling"])
    with pytest.raises(install.letters.AddressUnusable):
        invite(town, email="nowhere")


def test_the_token_is_not_stored_and_an_end_is_one(town: Town, owner: Database) -> None:
    invited = invite(town)
    row = town.read(lambda s: s.get_one(StaffInvitation, invited.id))
    assert invited.token.encode() not in row.token_hash
    both = text("update staff_invitations set ended_at = now(), ended_by = 1, staff_id = 1")
    with pytest.raises(IntegrityError, match="ended_once"), owner.transaction() as session:
        session.execute(both)
