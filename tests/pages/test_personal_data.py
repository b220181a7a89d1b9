"""Personal data as a page: people are found, and compliance places and lifts a legal hold."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest

from core.actions.privacy import legal_holds
from core.db import Database
from core.policy import HOME_SERVICES
from core.queries import personal_data
from core.records import Party
from dashboard.ui.safe import says_itself
from tests import builders
from tests.builders import Town
from tests.pages.downloading import taken
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def test_compliance_places_a_legal_hold_and_lifts_it(town: Town) -> None:
    app = visit(town, "cora", "personal_data", id=town.payer_id)
    assert "nothing about this person is erased" in words(app)
    app.button(key="open-place-legal-hold").click().run()
    app.text_area(key="legal-hold-reason").input("Lawsuit 17 C 42/26").run()
    app.button(key="place-legal-hold").click().run()
    assert not app.exception
    assert "Placed by Cora Nwosu" in words(app)
    assert "Lawsuit 17 C 42/26" in words(app)
    app.button(key="open-lift-legal-hold").click().run()
    app.text_area(key="legal-hold-lift-reason").input("The lawsuit ended").run()
    app.button(key="lift-legal-hold").click().run()
    assert "The lawsuit ended" in words(app)
    (row,) = town.read(lambda s: personal_data.legal_holds(s, town.payer_id))
    assert row.lifted_by == "Cora Nwosu"


def test_administrators_look_and_place_none_and_others_do_not_come_in(town: Town) -> None:
    app = visit(town, "ada", "personal_data", id=town.payer_id)
    assert "Place legal hold" not in labels(app)
    for subject in ("mia", "fay"):
        assert "Legal hold" not in words(visit(town, subject, "personal_data", id=town.payer_id))


def test_whoever_is_not_there_is_said(town: Town) -> None:
    assert "no party 999" in words(visit(town, "cora", "personal_data", id=999)).lower()


def test_one_proposes_to_erase_a_person_and_another_approves(town: Town) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    app = visit(town, "cora", "personal_data", id=number)
    app.button(key="open-propose-erasure").click().run()
    app.text_area(key="erasure-reason").input("They wrote on 3 March").run()
    app.button(key="propose-erasure").click().run()
    assert not app.exception
    assert "Cora Nwosu proposes to erase" in words(app)
    assert "Approve and erase" not in labels(app)
    app = visit(town, "ada", "personal_data", id=number)
    assert "They wrote on 3 March" in words(app)
    assert "Nobody can bring them back" in words(app)
    app.button(key="erasure-1-confirm").click().run()
    assert "Type PAYER-" in words(app)
    assert town.read(lambda s: s.get_one(Party, number)).erased_at is None
    app.text_input(key="type-erasure-1").input(builders.party_of(town, number).external_id).run()
    app.button(key="erasure-1-confirm").click().run()
    assert not app.exception
    assert "is erased." in words(app)
    app = visit(town, "cora", "personal_data", id=number)
    assert "Nobody In Particular" not in words(app)
    assert "Approved by" in words(app)
    assert "Not yet" not in words(app)


def test_what_is_in_the_way_is_listed(town: Town) -> None:
    told = builders.funded(town)
    app = visit(town, "cora", "personal_data", id=town.payer_id)
    assert f"1 project is open (P-{told.project})." in words(app)
    assert "Client funds are held" in words(app)
    assert "Erase this person" not in labels(app)


def test_the_retention_run_is_proposed_by_one_and_carried_out_by_another(town: Town) -> None:
    numbers = [builders.a_party(town, "PAYER", f"Newcomer {each}") for each in range(2)]
    assert "Retention: nobody is due" in {
        each.label for each in visit(town, "cora", "personal_data").expander
    }
    kept = builders.a_party(town, "PAYER", "Sued By Somebody")
    town.act(legal_holds.place, town.as_staff("cora"), party_id=kept, reason="Lawsuit 17 C 42/26")
    town.now += HOME_SERVICES.newcomer_kept
    app = visit(town, "cora", "personal_data")
    assert "Retention: due" in " ".join(each.label for each in app.expander)
    assert "Propose the run" not in labels(visit(town, "ada", "personal_data"))
    app.button(key="open-propose-retention").click().run()
    ids = [builders.party_of(town, each).external_id for each in numbers]
    said = words(app)
    assert all(each in said for each in ids)
    assert "Proposed 4" in said
    assert "Left out 1, because of what is in the way" in said
    assert (
        "Lost for good is what they wrote and what names them, where there is any: name, address and "
        "payment method, messages" in said
    )
    assert "Newcomer 0" not in said
    app.text_area(key="retention-reason").input("The month's run").run()
    app.button(key="propose-retention").click().run()
    assert not app.exception
    assert "Proposed: 4, left out: 1." in words(app)
    key = f"retention-{town.staff['cora']}-{town.now:%Y%m}"
    own = visit(town, "cora", "personal_data")
    assert "Carry out" not in labels(own)
    assert "Withdraw" in labels(own)
    app = visit(town, "ada", "personal_data")
    said = words(app)
    assert "Cora Nwosu proposes to erase 4" in said
    assert all(each in said for each in ids)
    assert all(
        each in said for each in ("Left out 1", "Lawsuit 17", "Lost for good is what they wrote", "messages")
    )
    assert "Newcomer 0" not in said
    app.button(key=f"{key}-no").click().run()
    (refusal,) = app.error
    assert "Give a reason" in refusal.value
    app.button(key=f"{key}-yes").click().run()
    assert len(app.error) == 1
    assert f"Type {town.now:%Y-%m} to confirm" in words(app)
    label = app.text_input(key=f"type-{key}").label
    assert label == f"This cannot be undone. Type {town.now:%Y-%m} to erase these 4 people"
    assert not any(town.read(lambda s, n=n: s.get_one(Party, n).erased_at) for n in numbers)
    app.text_input(key=f"type-{key}").input(f"{town.now:%Y-%m}").run()
    app.button(key=f"{key}-yes").click().run()
    assert not app.exception
    assert "Erased." in str(app.dataframe[0].value) or "done" in words(app)
    assert all(town.read(lambda s, n=n: s.get_one(Party, n).erased_at) for n in numbers)
    assert "Retention: due 1" in {each.label for each in visit(town, "cora", "personal_data").expander}


def test_all_that_is_held_about_a_person_is_taken_from_the_page_after_a_fresh_sign_in(town: Town) -> None:
    app = visit(town, "cora", "personal_data", id=town.payer_id)
    given = taken(app, f"person-{town.payer_id}.zip")
    assert given.status_code == 200, given.text
    with zipfile.ZipFile(io.BytesIO(given.content)) as packed:
        assert "Ana Lindqvist" in "".join(packed.read(each).decode() for each in packed.namelist())
    town.now += timedelta(minutes=6)
    late = taken(app, f"person-{town.payer_id}.zip")
    assert (late.status_code, "Sign in again" in late.text) == (409, True)


@pytest.mark.parametrize(
    ("given", "itself"),
    [
        ("2027-04", True),
        ("CB-17", True),
        ("user_7.old/2", True),
        ("*all*", False),
        ("www.example.com", False),
        ("a@b.example", False),
        ("![](x)", False),
        (":red[x]", False),
        ("_x_", False),
    ],
)
def test_a_label_has_givenas_they_are_where_markdown_leaves_them_alone(given: str, itself: bool) -> None:
    assert says_itself(given) is itself
