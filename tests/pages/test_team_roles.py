"""Roles and invitations on the page People: two administrators, each in their own visit."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.actions.staff import role_grants
from core.db import Database
from core.records import Case, Party, Staff
from core.rules.permissions import Actor, Role
from core.rules.templates import ProjectType
from tests import builders
from tests.builders import PEOPLE, Town, second_administrator
from tests.pages.visiting import labels, serve, visit, words

OPERATOR = Actor("operator", None, via="root on desk-1")


@pytest.fixture
def alone(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.fixture
def town(alone: Town) -> Town:
    second_administrator(alone)
    return alone


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, [each.value for each in app.exception]
    return app


def roles(town: Town, subject: str) -> list[str]:
    wanted = text("select role from staff_roles where staff_id = :id order by role")
    return list(town.read(lambda s: s.scalars(wanted, {"id": town.staff[subject]}).all()))


def propose(town: Town) -> None:
    app = press(visit(town, "ada", "people", id=town.staff["mia"]), "open-give-roles")
    app.multiselect(key=f"give-roles-{town.staff['mia']}").set_value([Role.FINANCE]).run()
    app.text_area(key="give-reason").set_value("She audits as well.").run()
    app = press(app, "give-roles")
    assert "when another administrator approves" in words(app)


def test_one_administrator_proposes_and_another_approves(town: Town) -> None:
    propose(town)
    assert roles(town, "mia") == ["mediator"]
    own = visit(town, "ada", "people")
    assert "someone else must approve them" in words(own)
    assert "Approve roles" not in labels(own)
    assert "Withdraw" in labels(own)
    app = visit(town, "alf", "people")
    assert "She audits as well." in words(app)
    press(app, "grant-1-confirm")
    assert roles(town, "mia") == ["finance", "mediator"]


def test_another_administrator_rejects_with_a_reason(town: Town) -> None:
    propose(town)
    app = press(visit(town, "alf", "people"), "grant-1-reject")
    assert "reason" in words(app).casefold()
    app.text_input(key="grant-1-reason").set_value("Not yet.").run()
    press(app, "grant-1-reject")
    assert roles(town, "mia") == ["mediator"]
    assert "Roles that wait" not in words(visit(town, "alf", "people"))


def test_roles_are_taken_by_one(town: Town) -> None:
    app = press(visit(town, "ada", "people", id=town.staff["fay"]), "open-take-roles")
    app.multiselect(key=f"take-roles-{town.staff['fay']}").set_value([Role.FINANCE]).run()
    app.text_area(key="take-reason").set_value("Moves on.").run()
    press(app, "take-roles")
    assert roles(town, "fay") == []


def test_a_role_is_given_in_an_emergency_and_reviewed_by_another_administrator(town: Town) -> None:
    mia = town.staff["mia"]
    app = press(visit(town, "ada", "people", id=mia), "open-emergency")
    app.selectbox(key=f"emergency-{mia}").set_value(Role.FINANCE).run()
    app.text_area(key="emergency-reason").set_value("Payroll is stuck.").run()
    assert "has the role now" in words(press(app, "emergency"))
    assert roles(town, "mia") == ["finance", "mediator"]
    own = visit(town, "ada", "people")
    assert "Another administrator reviews it." in words(own)
    assert "Keep the role" not in labels(own)
    assert "Role given in an emergency" in words(visit(town, "fay", "overview"))
    theirs = words(visit(town, "cora", "people", id=mia))  # and not like any other role
    assert "Finance until" in theirs
    assert "Finance in an emergency, given by Ada Berg alone: Payroll is stuck." in theirs
    app = visit(town, "alf", "people")
    app.text_input(key="emergency-1-reason").set_value("It could have waited.").run()
    press(app, "emergency-1-reject")
    assert roles(town, "mia") == ["mediator"]
    assert "Role given in an emergency" not in words(visit(town, "fay", "overview"))


def test_skills_are_changed_on_the_page_and_not_ones_own(town: Town) -> None:
    app = press(visit(town, "ada", "people", id=town.staff["max"]), "open-skills")
    app.multiselect(key=f"skills-{town.staff['max']}").set_value([ProjectType.PAINTING]).run()
    app.text_area(key="skills-reason").set_value("A course.").run()
    assert "The skills of Max Adler are changed." in words(press(app, "skills"))
    assert town.read(lambda s: s.get_one(Staff, town.staff["max"]).skills) == ["PAINTING"]
    assert "Change skills" not in labels(visit(town, "ada", "people", id=town.staff["ada"]))


@pytest.mark.parametrize("subject", [each for each in PEOPLE if each != "fay"])
def test_only_administrators_are_offered_to_change_anybody(town: Town, subject: str) -> None:
    offered = {"Give roles", "Take roles", "Emergency role", "Change skills", "Invite a colleague"} & set(
        labels(visit(town, subject, "people", id=town.staff["max"]))
    )
    assert bool(offered) == (subject == "ada")


def test_nobody_is_offered_their_own_roles(town: Town) -> None:
    app = visit(town, "ada", "people", id=town.staff["ada"])
    assert not {"Give roles", "Take roles"} & set(labels(app))
    assert "Nobody changes their own roles" in words(app)


def test_a_desk_with_one_administrator_says_how_the_second_comes_in(alone: Town) -> None:
    assert "escrow-desk staff role NUMBER --give administrator" in words(visit(alone, "ada", "people"))
    assert "You are the only administrator" not in words(visit(alone, "cora", "people"))
    app = press(visit(alone, "ada", "people", id=alone.staff["max"]), "open-give-roles")
    assert "when another administrator approves" not in words(app)
    app.multiselect(key=f"give-roles-{alone.staff['max']}").select(Role.FINANCE).run()
    app.text_area(key="give-reason").input("Audits").run()
    assert "Nobody can approve the roles until another administrator works here" in words(
        press(app, "give-roles")
    )
    give = {"staff_id": alone.staff["max"], "roles": [Role.ADMINISTRATOR], "reason": "The second."}
    alone.act(role_grants.give_alone, OPERATOR, **give)
    for subject, page in (("fay", "overview"), ("cora", "people")):
        shown = words(visit(alone, subject, page))
        assert "root on desk-1 made Max Adler administrator" in shown
    alone.wait(days=8)
    assert "root on desk-1" not in words(visit(alone, "fay", "overview"))


def test_an_administrator_invites_and_sees_the_link_once(town: Town) -> None:
    app = press(visit(town, "ada", "people"), "open-invite")
    app.text_input(key="invite-name").set_value("Nell Hart").run()
    app.text_input(key="invite-email").set_value("nell@example.com").run()
    app.multiselect(key="invite-roles").set_value([Role.MEDIATOR]).run()
    app.text_area(key="invite-reason").set_value("More kitchens.").run()
    app = press(app, "invite")
    assert "/sign-in?invitation=" in app.code[0].value
    app.run()
    assert not app.code
    assert "Invitations" in words(app)
    app = press(app, "call-off-1")
    app.text_area(key="call-off-reason").set_value("Wrong address.").run()
    press(app, "call-off")
    assert "Invitations" not in words(visit(town, "ada", "people"))


def test_whoever_is_deactivated_hands_over_on_the_page_and_comes_back(town: Town) -> None:
    told = builders.in_mediation(town)
    mia = town.staff["mia"]
    app = visit(town, "ada", "people", id=mia)
    assert "History" in words(app)
    app = press(app, "open-deactivate")
    app.selectbox(key=f"hand-over-{told.case}").set_value(town.staff["max"]).run()
    app.text_area(key="leave-reason").set_value("A new post.").run()
    app = press(app, "deactivate")
    assert "One case is handed over." in words(app)
    assert town.read(lambda s: s.get_one(Case, told.case).mediator_id) == town.staff["max"]
    left = visit(town, "ada", "people", state="left", id=mia)
    assert [row["name"] for row in left.dataframe[0].value.to_dict("records")] == ["Mia Lund"]
    app = press(left, "open-reactivate")
    app.text_area(key="return-reason").set_value("She is back.").run()
    press(app, "reactivate")
    assert roles(town, "mia") == []


def test_a_tie_that_was_found_is_settled_on_the_page(town: Town, owner: Database) -> None:
    with owner.transaction() as session:
        email = session.get_one(Party, town.payer_id).email
        for subject in ("mia", "max"):
            session.get_one(Staff, town.staff[subject]).email = email
    shown = f"Same e-mail address as payer {town.payer_id}"
    ways = {"Confirm the tie", "Declare it wrong"}
    for subject, offered in (("cora", set()), ("mia", {"Confirm the tie"}), ("ada", ways)):
        app = visit(town, subject, "people", id=town.staff["mia"])
        assert shown in words(app)
        assert ways & set(labels(app)) == offered
    app.text_input(key=f"found-reason-{town.payer_id}").set_value("A shared mailbox.").run()
    press(app, f"found-no-{town.payer_id}")
    assert shown not in words(visit(town, "ada", "people", id=town.staff["mia"]))
    own = visit(town, "max", "people", id=town.staff["max"])
    own.text_input(key=f"found-reason-{town.payer_id}").set_value("My kitchen.").run()
    assert "My kitchen." in words(press(own, f"found-yes-{town.payer_id}"))


def test_one_declares_a_tie_of_ones_own(town: Town) -> None:
    app = press(visit(town, "mia", "people", id=town.staff["mia"]), "open-tie")
    app.number_input(key="tie-party").set_value(town.payee_id).run()
    app.text_area(key="tie-reason").set_value("A cousin.").run()
    assert "A cousin." in words(press(app, "tie"))
    assert "Declare a tie" not in labels(visit(town, "mia", "people", id=town.staff["max"]))
