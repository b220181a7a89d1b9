"""Holds on payees on the page: the table first, who may place and lift, and what is said."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.actions.risk import holds, payee_holds
from core.db import Database
from core.money import Money
from core.queries import holds as milestone_holds
from core.queries import payee_holds as queries
from core.records import Party, PaymentOrder
from core.rules.holds import HoldKind
from tests import builders
from tests.builders import Town
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    builders.funded(town)
    return town


def test_a_payee_is_put_on_hold_on_the_page_and_lifted_by_another(town: Town) -> None:
    name = town.read(lambda s: s.get_one(Party, town.payee_id).name)
    app = visit(town, "fay", "holds")
    app.button(key="open-place-payee").click().run()
    app.text_input(key="payee-hold-payee").set_value(name[:4]).run()
    app.text_area(key="payee-hold-reason").set_value("Several complaints").run()
    app.button(key="place-payee-hold").click().run()
    assert not app.exception
    said = words(app)
    assert "stops all money of this payee" in said
    assert "Holds on payees" in said
    assert "Several complaints" in said
    assert "Lift" not in labels(app)  # finance may place, not lift
    app = visit(town, "ada", "holds")
    app.button(key="open-lift-payee-1").click().run()
    app.text_area(key="lift-reason").set_value("Unfounded").run()
    app.button(key="lift-payee-hold").click().run()
    assert not app.exception
    assert "Hold H-1 is lifted. No verified work waited for it." in words(app)
    assert "Holds on payees" not in words(visit(town, "ada", "holds", state="ACTIVE"))
    lifted = words(visit(town, "ada", "holds", state="RELEASED"))
    assert "Unfounded" in lifted
    assert "No hold on a milestone was lifted yet" in lifted


def test_the_cards_count_holds_on_payees_and_what_two_holds_stop_once(town: Town) -> None:
    number = town.act(
        payee_holds.place, town.as_staff("cora"), party_id=town.payee_id, reason="Odd", kind=HoldKind.RISK
    ).id
    assert "Nothing is on hold" not in words(visit(town, "ada", "holds", state="ACTIVE"))
    ((held,),) = [each.stopped for each in town.read(queries.page)]
    figures = town.read(lambda s: milestone_holds.figures(s, now=town.now))
    assert (figures.active, figures.oldest, figures.stopped) == (1, town.now, (held,))
    milestone = town.read(
        lambda s: s.scalar(select(PaymentOrder.milestone_id).where(PaymentOrder.held_minor > 0))
    )
    town.act(holds.place, town.as_staff("cora"), milestone_id=milestone, reason="This one too")
    figures = town.read(lambda s: milestone_holds.figures(s, now=town.now))
    assert (figures.active, figures.stopped) == (2, (held,))
    town.wait(days=2)
    town.act(payee_holds.lift, town.as_staff("ada"), hold_id=number, reason="Unfounded")
    figures = town.read(lambda s: milestone_holds.figures(s, now=town.now))
    assert (figures.active, figures.lifted, figures.median) == (1, 1, timedelta(days=2))


def test_the_expected_end_is_changed_with_a_reason(town: Town) -> None:
    town.act(payee_holds.place, town.as_staff("cora"), party_id=town.payee_id, reason="Odd")
    app = visit(town, "mia", "holds")
    app.button(key="open-extend-1").click().run()
    app.date_input(key="extend-end").set_value(town.now.date()).run()
    app.text_area(key="extend-reason").set_value("The bank is slow").run()
    app.button(key="extend-hold").click().run()
    assert not app.exception
    assert "is expected to end before" in words(app)


def test_a_hold_on_the_payee_is_lifted_in_the_case_and_found_by_its_number(town: Town) -> None:
    told = builders.in_mediation(town)
    held = town.act(payee_holds.place, town.as_staff("cora"), party_id=town.payee_id, reason="Odd.")
    assert f"H-{held.id}" in words(visit(town, "fay", "holds", id=held.id))
    app = visit(town, "ada", "case", id=told.case)
    app.button(key="case-lift").click().run()
    assert app.selectbox[0].options == [f"H-{held.id}, on all money of the payee: Odd."]
    app.text_area(key="lift-reason").set_value("Unfounded").run()
    app.button(key="lift").click().run()
    assert not app.exception
    assert f"Hold H-{held.id} is lifted." in words(app)
    assert "case-lift" not in [each.key for each in visit(town, "ada", "case", id=told.case).button]


@pytest.mark.parametrize("of_payee", [True, False])
def test_above_the_threshold_one_proposes_and_another_lifts_on_the_page(town: Town, of_payee: bool) -> None:
    told = builders.funded(town, total=Money(3_000_000, "USD"))
    if of_payee:
        held = town.act(payee_holds.place, town.as_staff("cora"), party_id=town.payee_id, reason="Odd.").id
        opens, button = f"open-lift-payee-{held}", "lift-payee-hold"
    else:
        place = {"milestone_id": told.milestone, "reason": "Odd."}
        held = town.act(holds.place, town.as_staff("cora"), **place).id
        opens, button = "open-lift", "lift-hold"
    app = visit(town, "cora", "holds", id=held)  # who placed it may propose
    app.button(key=opens).click().run()
    assert "two people lift it" in words(app)
    app.text_area(key="lift-reason").set_value("The bank confirmed.").run()
    app.button(key=f"{button}-propose").click().run()
    assert not app.exception
    assert f"Submitted. Hold H-{held} is lifted when someone else approves." in words(app)
    app = visit(town, "ada", "holds", id=held)
    assert "“The bank confirmed.”" in words(app)
    app.button(key=opens).click().run()
    assert "Cora Nwosu proposes to lift it" in words(app).replace("\\", "")
    app.button(key="lift-1-confirm").click().run()
    assert not app.exception
    assert f"Hold H-{held} is lifted." in words(app)
