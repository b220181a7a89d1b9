"""Blind mode: no name of a party anywhere on the page until a first judgement is saved, and that is recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from streamlit.testing.v1 import AppTest

from core.actions.cases import conversation, evidence, names_hidden, settlement_proposals
from core.actions.staff import ties
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.policy import HOME_SERVICES
from core.records import CaseReveal, PolicyVersion, Project
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.name_redaction import NothingToReveal
from core.rules.permissions import NotPermitted
from tests import builders
from tests.builders import Told, Town
from tests.database import as_owner
from tests.pages.downloading import offered
from tests.pages.test_case import TABS, fill, press
from tests.pages.test_disputes import rows
from tests.pages.visiting import labels, serve, visit, words

NAMES = ("ana", "lindqvist", "ben", "okafor")


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


@pytest.fixture
def told(town: Town, tmp_path: Path) -> Told:
    """A case in which everybody names everybody: titles, messages, files, notes, offers, ties."""
    told = builders.in_mediation(town, title="Ana Lindqvist's kitchen")
    town.act(
        conversation.say,
        town.payer,
        milestone_id=told.milestone,
        body="Ben Okafor promised; OKAFOR never came. Write to ana.lindqvist@example.com. Ana",
    )
    town.act(
        conversation.say,
        town.as_staff("mia"),
        milestone_id=told.milestone,
        body="Ben was reached.",
        audience="STAFF",
    )
    piece = town.act(
        evidence.submit,
        town.payee,
        store=EvidenceStore(tmp_path),
        milestone_id=told.milestone,
        file_name="okafor-to-ana.txt",
        caption="Ben Okafor's delivery note",
        content=b"Dear Ana Lindqvist, yours, Ben.",
    )
    town.act(
        evidence.open_evidence, town.as_staff("mia"), store=EvidenceStore(tmp_path), evidence_id=piece.id
    )
    offer: dict[str, Any] = {"release": Money(50_000, "USD"), "note": "Take it, Ben. Ana"}
    town.act(settlement_proposals.propose, town.payer, case_id=told.case, **offer)
    town.act(
        ties.declare_tie,
        town.as_staff("max"),
        staff_id=town.staff["max"],
        party_id=town.payee_id,
        reason="Ben Okafor is a cousin",
    )
    return told


def wants_it(town: Town, subject: str = "mia") -> None:
    town.act(names_hidden.prefer, town.as_staff(subject), blind=True)


def everything(app: AppTest) -> str:
    """Whatever reaches the browser: every element as it is sent."""
    return " ".join(str(getattr(node, "proto", "")) for node in app._tree).lower()


def named(app: AppTest) -> list[str]:
    import re

    shown = everything(app)
    return [name for name in NAMES if re.search(rf"(?<![a-z]){name}(?![a-z])", shown)]


@pytest.mark.parametrize("tab", [*TABS, "E-mails"])
def test_no_name_of_a_party_reaches_the_browser(town: Town, told: Told, tab: str) -> None:
    assert named(visit(town, "mia", "case", id=told.case, tab=tab))
    wants_it(town)
    app = visit(town, "mia", "case", id=told.case, tab=tab)
    assert named(app) == []
    assert "The homeowner and The contractor" in words(app)
    assert next(each for each in app.button if each.label == "Case file").disabled


@pytest.mark.parametrize("page", ["disputes", "approvals"])
def test_the_lists_name_nobody_before_the_judgement(town: Town, told: Told, page: str) -> None:
    wants_it(town)
    assert named(visit(town, "mia", page)) == []


def test_the_queue_says_roles_for_names_until_the_judgement(town: Town, told: Told) -> None:
    wants_it(town)
    (row,) = rows(visit(town, "mia", "disputes"))
    assert (row["payer"], row["payee"]) == ("Homeowner", "Contractor")
    (row,) = rows(visit(town, "max", "disputes"))
    assert (row["payer"], row["payee"]) == ("Ana Lindqvist", "Ben Okafor")
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.FULL_RELEASE, ground=Ground.WORK_DELIVERED)
    press(app, "Save draft and show names")
    (row,) = rows(visit(town, "mia", "disputes"))
    assert (row["payer"], row["payee"]) == ("Ana Lindqvist", "Ben Okafor")


def test_a_file_that_is_open_is_without_names_and_cannot_be_taken(town: Town, told: Told) -> None:
    wants_it(town)
    app = visit(town, "mia", "case", id=told.case)
    press(app, "Open")
    assert named(app) == []
    assert any("Dear the homeowner, yours, the contractor." in each.value for each in app.code)
    assert not offered(app)


def test_the_plan_and_its_letters_are_without_names_too(town: Town, told: Told) -> None:
    wants_it(town)
    app = visit(town, "mia", "case", id=told.case)
    fill(app, told, outcome=DecisionOutcome.FULL_RELEASE, ground=Ground.WORK_DELIVERED)
    press(app, "Preview plan")
    assert "Plan hash" in words(app)
    assert named(app) == []


def test_names_are_shown_after_a_first_judgement_which_is_kept_and_recorded(town: Town, told: Told) -> None:
    wants_it(town)
    app = visit(town, "mia", "case", id=told.case)
    press(app, "Save draft and show names")
    assert "Choose an outcome and a ground" in words(app)
    assert named(app) == []
    fill(app, told, outcome=DecisionOutcome.FULL_RELEASE, ground=Ground.WORK_DELIVERED)
    press(app, "Save draft and show names")
    assert "Ana Lindqvist" in words(app)
    assert "Save draft and show names" not in labels(app)
    assert named(visit(town, "mia", "case", id=told.case))
    kept = town.read(lambda s: s.scalars(select(CaseReveal)).one())
    assert (kept.staff_id, kept.draft["outcome"]) == (town.staff["mia"], "FULL_RELEASE")
    entry = "select after from audit_entries where action = 'mediator:case:reveal'"
    assert town.read(lambda s: s.scalars(text(entry)).all()) == [
        {"ground": "WORK_DELIVERED", "outcome": "FULL_RELEASE"}
    ]


def test_it_is_each_mediators_own_and_nobody_elses(town: Town, told: Told) -> None:
    wants_it(town)
    for other in ("cora", "ada"):
        assert named(visit(town, other, "case", id=told.case))
    builders.decided(town, told)
    assert named(visit(town, "mia", "case", id=told.case))


def test_the_policy_of_the_platform_is_the_default_and_a_mediator_may_choose_otherwise(
    town: Town, told: Told
) -> None:
    with as_owner(town.database) as session:
        snapshot = replace(HOME_SERVICES, version=2, blind=True).snapshot()
        version = PolicyVersion(profile="home_services", version=2, snapshot=snapshot, effective_at=town.now)
        session.add(version)
        session.flush()
        session.get_one(Project, told.project).policy_version_id = version.id
    app = visit(town, "mia", "case", id=told.case)
    assert named(app) == []
    app.toggle(key=f"blind-{told.case}").set_value(False).run()
    assert named(app)


def test_only_who_decides_judges_and_only_with_a_judgement(town: Town, told: Told) -> None:
    with pytest.raises(NothingToReveal):
        town.act(names_hidden.reveal, town.as_staff("mia"), case_id=told.case)
    for other in ("fay", "cora"):
        with pytest.raises(NotPermitted):
            town.act(names_hidden.reveal, town.as_staff(other), case_id=told.case)
