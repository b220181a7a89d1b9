"""Roles that follow the groups of the sign-in provider: given and taken as the groups say, recorded as what they are,
and never more than the owner of the database has named."""

from __future__ import annotations

from typing import Any

import httpx
import oidc_provider_mock
import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from core import audit
from core.actions.staff import group_roles, members
from core.actions.staff.group_roles import GroupNamed, GroupNotNamed
from core.clock import system_clock
from core.db import Database
from core.records.people import Staff
from core.rules.permissions import Actor, NotPermitted, Role
from dashboard import oidc, request_context
from tests.dashboard.desk_fixtures import HTML, Office, browser_of
from tests.dashboard.oidc_provider import Provider
from tests.dashboard.test_single_sign_on import (
    BACK,
    desk,
    http,
    leave,
    provider,
    running,
    sign_in,
)

__all__ = ["desk", "http", "provider", "running"]  # fixtures
MACHINE = Actor("operator", None, via="root on desk-1")


def named(owner: Database, group: str, role: Role) -> None:
    with owner.transaction() as session:
        group_roles.name(session, MACHINE, group=group, role=role, now=system_clock(), reason="as agreed")


def ended(owner: Database, group: str, role: Role) -> None:
    with owner.transaction() as session:
        group_roles.end(session, MACHINE, group=group, role=role, now=system_clock(), reason="as agreed")


def roles(office: Office, role: Role = Role.MEDIATOR) -> set[Role]:
    with office.desk.database.reading() as session:
        return members.roles_of(session, office.staff[role])


def entries(office: Office, action: str = "system:role:follow_groups") -> list[Any]:
    with office.desk.database.reading() as session:
        wanted = text(
            "select object_id, before, after, actor_kind from audit_entries where action = :a order by id"
        )
        return list(session.execute(wanted, {"a": action}))


def says(provider: Provider, *groups: str) -> None:
    provider.claims = {"groups": list(groups)}


def test_roles_are_given_and_taken_as_the_groups_say_and_the_entry_says_who_did_it(
    http: TestClient, desk: Office, provider: Provider, owner: Database
) -> None:
    named(owner, "desk-finance", Role.FINANCE)
    named(owner, "desk-compliance", Role.COMPLIANCE)
    says(provider, "desk-finance", "canteen")
    sign_in(http, provider)
    assert roles(desk) == {Role.MEDIATOR, Role.FINANCE}
    says(provider, "desk-compliance")
    sign_in(http, provider)
    assert roles(desk) == {Role.MEDIATOR, Role.COMPLIANCE}
    says(provider)
    sign_in(http, provider)
    assert roles(desk) == {Role.MEDIATOR}, "what two administrators gave stays"
    first, second, third = entries(desk)
    assert first.object_id == str(desk.staff[Role.MEDIATOR])
    assert first.actor_kind == "system"
    assert first.after == {"roles": ["finance", "mediator"], "by_groups": {"finance": "desk-finance"}} | {
        name: value for name, value in first.after.items() if name not in ("roles", "by_groups")
    }
    assert second.before["roles"] == ["finance", "mediator"]
    assert third.after["by_groups"] == {}
    sign_in(http, provider)
    assert len(entries(desk)) == 3, "nothing changed, so nothing is recorded"


def test_where_no_group_is_named_claims_change_nothing(
    http: TestClient, desk: Office, provider: Provider
) -> None:
    says(provider, "administrator", "finance", "desk-finance")
    sign_in(http, provider)
    assert roles(desk) == {Role.MEDIATOR}
    assert entries(desk) == []


def test_a_group_is_left_also_when_somebody_confirms_who_they_are(
    http: TestClient, desk: Office, provider: Provider, owner: Database
) -> None:
    named(owner, "desk-finance", Role.FINANCE)
    says(provider, "desk-finance")
    sign_in(http, provider)
    assert Role.FINANCE in roles(desk)
    provider.claims = {}  # no claim at all says no group
    answer = sign_in(http, provider, path="/sign-in/again?next=/disputes")
    assert answer.status_code == 303
    assert roles(desk) == {Role.MEDIATOR}


def test_what_was_given_otherwise_as_well_stays_and_an_ended_group_gives_nothing(
    http: TestClient, desk: Office, provider: Provider, owner: Database
) -> None:
    named(owner, "desk-mediators", Role.MEDIATOR)
    says(provider, "desk-mediators")
    sign_in(http, provider)
    ended(owner, "desk-mediators", Role.MEDIATOR)
    sign_in(http, provider)
    assert roles(desk) == {Role.MEDIATOR}
    assert len(entries(desk)) == 2
    with pytest.raises(GroupNotNamed):
        ended(owner, "desk-mediators", Role.MEDIATOR)
    named(owner, "desk-mediators", Role.MEDIATOR)
    with pytest.raises(GroupNamed):
        named(owner, "desk-mediators", Role.MEDIATOR)


def test_a_role_of_a_group_that_an_administrator_takes_is_gone_at_once_and_comes_back_with_the_group(
    http: TestClient, desk: Office, provider: Provider, owner: Database
) -> None:
    named(owner, "desk-finance", Role.FINANCE)
    says(provider, "desk-finance")
    sign_in(http, provider)
    with desk.desk.database.transaction() as session:
        members.take_roles(
            session, MACHINE, now=system_clock(), staff_id=desk.staff[Role.MEDIATOR],
            roles=[Role.FINANCE], reason="at once",
        )  # fmt: skip
    assert roles(desk) == {Role.MEDIATOR}
    sign_in(http, provider)
    assert roles(desk) == {Role.MEDIATOR, Role.FINANCE}


def test_the_last_administrator_is_not_lost_whatever_the_provider_says(
    http: TestClient, desk: Office, provider: Provider, owner: Database
) -> None:
    """The mediator becomes administrator by a group, and then the only one."""
    named(owner, "desk-heads", Role.ADMINISTRATOR)
    says(provider, "desk-heads")
    sign_in(http, provider)
    assert Role.ADMINISTRATOR in roles(desk)
    with desk.desk.database.transaction() as session:
        for each in session.scalars(
            text("select staff_id from staff_roles where role = 'administrator' and staff_id <> :me"),
            {"me": desk.staff[Role.MEDIATOR]},
        ).all():
            members.take_roles(
                session, MACHINE, now=system_clock(), staff_id=each, roles=[Role.ADMINISTRATOR], reason="left"
            )
    says(provider)
    assert sign_in(http, provider).status_code == 303, "they can still sign in"
    assert Role.ADMINISTRATOR in roles(desk)


def test_only_whoever_runs_the_machine_names_groups_and_only_with_the_owners_login(
    desk: Office, owner: Database
) -> None:
    administrator = Actor("staff", desk.staff[Role.MEDIATOR], frozenset({Role.ADMINISTRATOR}))
    with owner.transaction() as session, pytest.raises(NotPermitted):
        group_roles.name(
            session, administrator, group="g", role=Role.FINANCE, now=system_clock(), reason="I want to"
        )
    for statement in (
        "insert into group_roles (group_name, role, added_at) values ('mine', 'administrator', now())",
        "insert into provider_roles (staff_id, role, group_name, held_before, given_at)"
        " select min(id), 'administrator', 'mine', false, now() from staff",
        "update group_roles set role = 'administrator'",
        "select apply_group_roles((select min(id) from staff), '{desk-finance}', now())",  # and no entry
    ):
        named_once(owner)
        with pytest.raises(DBAPIError), desk.desk.database.transaction() as session:
            session.execute(text(statement))
    with desk.desk.database.transaction() as session:
        session.execute(
            text("select apply_group_roles((select min(id) from staff), '{administrator}', now())")
        )
    assert entries(desk) == []


def named_once(owner: Database) -> None:
    try:
        named(owner, "desk-finance", Role.FINANCE)
    except GroupNamed:
        return


@pytest.mark.parametrize(
    ("claim", "claims", "found"),
    [
        ("groups", {"groups": ["a", "b"]}, ("a", "b")),
        ("groups", {"groups": "a"}, ("a",)),
        ("groups", {"groups": {"a": 1}}, ()),
        ("groups", {"groups": ["a", 7, None, ["b"]]}, ("a",)),
        ("groups", {}, ()),
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, ("a",)),
        ("realm_access.roles", {"realm_access": ["roles"]}, ()),
        ("https://desk.example/groups", {"https://desk.example/groups": ["a"]}, ("a",)),
    ],
)
def test_groups_are_read_from_the_claim_that_is_named(
    claim: str, claims: dict[str, Any], found: tuple[str, ...]
) -> None:
    assert oidc._groups(claims, claim) == found


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # its own, of the library that it is made with
def test_the_groups_of_a_provider_of_somebody_elses_making(desk: Office, owner: Database) -> None:
    named(owner, "desk-finance", Role.FINANCE)
    person = oidc_provider_mock.User(sub="mia", claims={"desk": {"groups": ["desk-finance"]}})
    with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=[person]) as server:
        issuer = f"http://localhost:{server.server_port}"
        written = oidc.SECRETS.read_text().splitlines()
        metadata = f'server_metadata_url = "{issuer}/.well-known/openid-configuration"'
        oidc.SECRETS.write_text(
            "\n".join(metadata if line.startswith("server_metadata") else line for line in written)
            + '\ngroups_claim = "desk.groups"\n'
        )
        request_context.use(desk.desk)
        with owner.transaction() as session:
            changed = update(Staff).where(Staff.id == desk.staff[Role.MEDIATOR])
            session.execute(changed.values(issuer=issuer, subject="mia"))
        with browser_of(desk) as browser:
            back = httpx.post(leave(browser), data={"sub": "mia"}).headers["location"]
            assert back.startswith(BACK)
            assert browser.get(back.removeprefix("http://127.0.0.1:8501"), headers=HTML).status_code == 303
    assert roles(desk) == {Role.MEDIATOR, Role.FINANCE}


def test_what_groups_gave_verifies(
    http: TestClient, desk: Office, provider: Provider, owner: Database
) -> None:
    def findings() -> set[str]:
        report = audit.verify(desk.desk.auditor, desk.desk.settings.home / "checkpoints")
        return {each.text for each in report.findings}

    before = findings()  # people of a test are put in by hand
    named(owner, "desk-finance", Role.FINANCE)
    says(provider, "desk-finance")
    sign_in(http, provider)
    assert findings() <= before
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("update group_roles set group_name = 'canteen'"))
    assert any("Group role" in each or "group_roles" in each for each in findings() - before)
