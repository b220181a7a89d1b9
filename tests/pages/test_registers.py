"""The registers of the legal specification on screen: what each row holds, where it leads, and who may read them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core.db import Database
from core.rules.permissions import TABLE, Permission
from dashboard.compliance import registers
from tests import builders
from tests.builders import PEOPLE, Told, Town
from tests.pages.visiting import serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.fixture
def told(town: Town) -> Told:
    """A case that was decided and carried out, and another milestone beside it."""
    told = builders.in_mediation(town)
    builders.decided(town, told)
    builders.carry_out(town)
    builders.funded(town)
    return told


def grid(app: AppTest) -> list[dict[str, object]]:
    return list(app.dataframe[0].value.to_dict("records"))


@pytest.mark.parametrize("subject", PEOPLE)
def test_who_may_read_the_log_may_read_the_registers(town: Town, subject: str) -> None:
    app = visit(town, subject, "registers")
    assert ("Registers" in [each.value for each in app.title]) == (
        PEOPLE[subject][1] in TABLE[Permission.READ_AUDIT]
    )


def test_a_payment_intent_has_its_stripe_id_amount_and_state_to_the_second(town: Town, told: Told) -> None:
    rows = grid(visit(town, "cora", "registers"))
    query = text(
        "select o.provider_id, o.amount_minor from charges c join outgoing_operations o on o.id = c.operation_id"
    )
    known = {row.provider_id: row.amount_minor for row in town.read(lambda s: s.execute(query).all())}
    assert len(rows) == len(known) >= 2
    assert {str(row["stripe_id"]) for row in rows} == set(known)
    assert {str(row["status"]) for row in rows} == {"Succeeded"}
    app = visit(town, "cora", "registers")
    assert '"D MMM YYYY, HH:mm:ss"' in app.dataframe[0].proto.columns


@pytest.mark.parametrize("register", registers.REGISTERS, ids=lambda each: each.title)
def test_a_case_narrows_every_register_and_another_finds_nothing(
    town: Town, told: Told, register: registers.Register
) -> None:
    whole = len(grid(visit(town, "cora", "registers", register=register.title)))
    own = visit(town, "cora", "registers", register=register.title, case=f"D-{told.case}")
    assert 0 < len(grid(own)) <= whole
    assert own.query_params["case"] == f"D-{told.case}"
    none = visit(town, "cora", "registers", register=register.title, case="D-4711")
    assert not none.dataframe


def test_a_decision_names_its_ground_and_its_four_references_with_their_hashes(
    town: Town, told: Told
) -> None:
    (row,) = grid(visit(town, "cora", "registers", register="Refund decisions"))
    assert row["case"] == f"D-{told.case}"
    assert min(int(str(row[each.value.lower()])) for each in registers.Reference) >= 1
    app = visit(town, "cora", "registers", register="Refund decisions", decisions="1")
    cited = town.read(lambda s: s.execute(text("select citations from decisions")).scalar_one())
    seen = words(app)
    assert all(each["sha256"] in seen for each in cited)
    assert all(each.label in seen for each in registers.Reference)


def test_a_receipt_is_shown_with_what_was_agreed(town: Town, told: Told) -> None:
    app = visit(town, "cora", "registers", register="Receipts", receipts="1")
    scope, digest = town.read(
        lambda s: s.execute(text("select scope, scope_hash from receipts where id = 1")).one()
    )
    assert digest in " ".join(each.value for each in app.code)
    assert all(str(value) in words(app) for value in scope.values() if isinstance(value, str))
    assert "This register has no row 999." in words(
        visit(town, "cora", "registers", register="Receipts", receipts="999")
    )


def test_what_was_done_stands_with_before_and_after_side_by_side(town: Town, told: Told) -> None:
    rows = grid(visit(town, "cora", "registers", register="Holds and releases", case=told.case))
    done = next(row for row in rows if row["title"] == "Decision carried out")
    assert "Status: Cooling off" in str(done["before"])
    assert "Status: Executed" in str(done["after"])
    assert done["case"] == f"D-{told.case}"
    app = visit(town, "cora", "registers", register="Holds and releases", entry=int(str(done["id"])))
    assert "<th>Before</th><th>After</th>" in words(app)


def test_a_filter_of_another_register_is_said_and_not_dropped(town: Town, told: Told) -> None:
    seen = words(visit(town, "cora", "registers", register="Receipts", intent="SUCCEEDED"))
    assert "“SUCCEEDED” is not a valid value for “Every state (Payment intents)”" in seen
    assert "until then nothing is shown" in seen


def test_exports_are_in_the_register_of_administration(town: Town, told: Told) -> None:
    from core.actions.exports import requests
    from core.actions.staff import sessions
    from core.rules.exports import ExportKind

    token = town.database.run(lambda s: sessions.sign_in(s, staff_id=town.staff["cora"], now=town.now))
    person = town.read(lambda s: sessions.resolve(s, token, now=town.now, touch=False))
    assert person is not None
    town.act(requests.request, person.actor, kind=ExportKind.AUDIT, format="csv", ending="csv", filter={})
    seen = grid(visit(town, "cora", "registers", register="Administration"))
    assert "Export started" in [row["title"] for row in seen]
