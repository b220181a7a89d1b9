"""The holds page: what stands and what was lifted, placing and lifting with reasons, and the release that follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from core.actions.milestones import verification
from core.actions.risk import holds as hold
from core.db import Database
from core.money import Money
from core.queries import holds
from core.records import Hold, Milestone
from core.rules.permissions import TABLE, Permission
from dashboard import lift_preview
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def place(town: Town, told: Told, reason: str = "Bank details changed.") -> int:
    return town.act(hold.place, town.as_staff("cora"), milestone_id=told.milestone, reason=reason).id


def the_hold(town: Town) -> Hold:
    return town.read(lambda s: s.scalars(select(Hold).order_by(Hold.id.desc())).first()) or Hold()


def press(app: AppTest, key: str) -> AppTest:
    app.button(key=key).click().run()
    assert not app.exception, [each.value for each in app.exception]
    return app


@pytest.mark.parametrize("subject", PEOPLE)
def test_everyone_sees_holds_and_some_may_lift_them(town: Town, subject: str) -> None:
    number = place(town, builders.funded(town))
    app = visit(town, subject, "holds", id=number)
    assert "Bank details changed." in words(app)
    assert "Place a hold" in labels(app)
    assert all(each in words(app) for each in (">hold<", "held or payable")), "of one hold in one currency"
    assert ("Lift" in labels(app)) == (PEOPLE[subject][1] in TABLE[Permission.RELEASE_HOLD])


def test_what_stands_and_what_was_lifted_are_kept_apart(town: Town) -> None:
    first, second = place(town, builders.funded(town)), place(town, builders.funded(town, title="New roof"))
    town.wait(days=3)
    town.act(hold.lift, town.as_staff("ada"), hold_id=first, reason="Papers seen.")
    shown = {}
    for state in ("", "In force", "Lifted"):
        app = visit(town, "mia", "holds", state=state)
        shown[state] = [row["reference"] for row in app.dataframe[0].value.to_dict("records")]
    assert shown == {"": [f"H-{second}", f"H-{first}"], "In force": [f"H-{second}"], "Lifted": [f"H-{first}"]}
    past = words(visit(town, "mia", "holds", id=first))
    assert "Papers seen." in past
    assert "Lift" not in labels(visit(town, "ada", "holds", id=first))


def test_a_filter_that_the_address_names_by_its_stored_value_stays_in_the_address(town: Town) -> None:
    """A link of our own has it so; what is seen can be sent on and loaded again."""
    place(town, builders.funded(town))
    app = visit(town, "mia", "holds", state="ACTIVE", because="MANUAL")
    assert (app.button_group(key="state").value, app.selectbox(key="because").value) == ("ACTIVE", "MANUAL")
    assert {name: app.query_params[name] for name in ("state", "because")} == {
        "state": "In force",
        "because": "Manual",
    }


def test_each_figure_leads_to_the_holds_that_it_is_of(town: Town) -> None:
    """The oldest by its number, those lifted lately apart from those lifted before."""
    early, late = place(town, builders.funded(town)), place(town, builders.funded(town, title="New roof"))
    stands = place(town, builders.funded(town, title="New bath"))
    town.wait(days=1)
    town.act(hold.lift, town.as_staff("ada"), hold_id=early, reason="Papers seen.")
    town.wait(days=31)
    town.act(hold.lift, town.as_staff("ada"), hold_id=late, reason="Papers seen.")
    app = visit(town, "mia", "holds")
    ways = {link.proto.label: link.proto.query_string for link in app.get("page_link")}
    assert ways["In force"] == ways["What is stopped"] == "state=ACTIVE"
    assert ways[f"H-{stands}"] == f"state=ACTIVE&id={stands}"
    found = {}
    for label in ("In force", "Lifted since", "All that were lifted"):
        shown = visit(town, "mia", "holds", state=ways[label].removeprefix("state="))
        found[label] = {row["reference"] for row in shown.dataframe[0].value.to_dict("records")}
    assert found == {
        "In force": {f"H-{stands}"},
        "Lifted since": {f"H-{late}"},
        "All that were lifted": {f"H-{early}", f"H-{late}"},
    }
    figures = town.read(lambda s: holds.figures(s, now=town.now))
    assert (figures.active, figures.lifted) == (1, 1), "as many as they lead to"


def test_a_hold_is_placed_with_a_reason_and_not_without(town: Town) -> None:
    told = builders.funded(town)
    app = press(visit(town, "fay", "holds"), "open-place")
    app.text_input(key="hold-milestone").set_value(f"M-{told.milestone}").run()
    press(app, "place-hold")
    assert the_hold(town).id is None
    app.text_area(key="hold-reason").set_value("The payer called: she never ordered this.").run()
    press(app, "place-hold")
    placed = the_hold(town)
    assert (placed.milestone_id, placed.placed_by, placed.kind) == (
        told.milestone,
        town.staff["fay"],
        "MANUAL",
    )
    assert f"Hold H-{placed.id} is in place." in words(app)


def test_lifting_releases_what_was_verified_meanwhile_and_says_so_first(town: Town) -> None:
    told = builders.funded(town)
    number = place(town, told)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    row = town.read(lambda s: holds.one(s, number))
    assert row.stopped == row.held > Money(0, "USD")
    app = press(visit(town, "ada", "holds", id=number), "open-lift")
    assert f"releases {row.held.text()} to the payee now" in words(app)
    app.text_area(key="lift-reason").set_value("The bank confirmed the details.").run()
    press(app, "lift-hold")
    assert the_hold(town).release_reason == "The bank confirmed the details."
    builders.carry_out(town)
    assert town.read(lambda s: s.get_one(Milestone, told.milestone)).status == "COMPLETED"
    assert not town.read(lambda s: holds.one(s, number)).stopped.minor
    assert f"{row.held.text()} is released to the payee." in words(app)


def test_a_hold_that_a_colleague_lifted_meanwhile_says_so_and_shows_the_way_on(town: Town) -> None:
    told = builders.in_mediation(town)
    for page, opens, lifts in (("holds", "open-lift", "lift-hold"), ("case", "case-lift", "lift")):
        number = town.act(hold.place, town.as_staff("fay"), milestone_id=told.milestone, reason="Odd.").id
        app = press(visit(town, "ada", page, id=number if page == "holds" else told.case), opens)
        town.act(hold.lift, town.as_staff("cora"), hold_id=number, reason="Papers seen.")
        app.text_area(key="lift-reason").set_value("The bank confirmed the details.").run()
        assert lifts not in [button.key for button in app.button]
        assert (
            "is lifted already, by Cora Nwosu on " if page == "holds" else "a colleague has lifted it"
        ) in words(app)
        press(app, "changed-meanwhile")
        assert "changed-meanwhile" not in [button.key for button in app.button]
        assert the_hold(town).release_reason == "Papers seen."


def test_a_second_hold_keeps_the_money_where_it_is(town: Town) -> None:
    told = builders.funded(town)
    first, _ = place(town, told), place(town, told, "Second thoughts.")
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    app = press(visit(town, "ada", "holds", id=first), "open-lift")
    said = words(app)
    assert "Lifting it moves nothing yet" in said
    assert "Second thoughts." in said
    assert "releases $" not in said
    app.text_area(key="lift-reason").set_value("The bank confirmed the details.").run()
    press(app, "lift-hold")
    assert f"Hold H-{first} is lifted." in words(app)
    assert "is released to the payee" not in words(app)


def test_whoever_placed_a_hold_is_told_that_someone_else_lifts_it(town: Town) -> None:
    number = place(town, builders.funded(town))
    button = visit(town, "cora", "holds", id=number).button(key="open-lift")
    assert (button.disabled, button.help) == (True, lift_preview.OWN)
    assert not visit(town, "ada", "holds", id=number).button(key="open-lift").disabled


def test_a_release_asks_who_it_is_after_five_minutes(town: Town) -> None:
    told = builders.funded(town)
    number = place(town, told)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    app = visit(town, "ada", "holds", id=number)
    town.wait(minutes=6)
    press(app, "open-lift")
    assert "Confirm your identity" in words(app)
    assert "lift-hold" not in [button.key for button in app.button]


@pytest.mark.parametrize("typed", ["M-{0}", "{0}", "kitchen", "lindqvist"])
def test_a_milestone_is_found_by_number_title_or_party(town: Town, typed: str) -> None:
    told = builders.funded(town)
    found = town.read(lambda s: holds.candidates(s, typed.format(told.milestone)))
    assert told.milestone in [each.id for each in found]


@pytest.mark.parametrize("typed", ["", "   ", "%", "_", "no such thing"])
def test_nothing_is_offered_for_nothing(town: Town, typed: str) -> None:
    builders.funded(town)
    assert town.read(lambda s: holds.candidates(s, typed)) == []


def test_words_of_outsiders_do_nothing(town: Town) -> None:
    number = place(town, builders.funded(town), "<script>alert(1)</script> ![x](http://evil.example/x)")
    app = visit(town, "mia", "holds", id=number)
    assert "<script>" not in "".join(each.value for each in app.html)
    assert "evil.example" not in "".join(each.value for each in app.markdown)
