"""What kinds of projects a colleague knows, changed after the invitation: cases follow it, and the log tells of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.actions.staff import skills
from core.actions.staff.members import NothingChanges, OwnRoles
from core.actions.staff.skills import SkillUnknown
from core.db import Database
from core.queries import mediators, team
from core.records import Party, Staff
from core.rules.permissions import NotPermitted, StepUpRequired
from core.rules.reasons import ReasonMissing
from tests import builders
from tests.builders import Town, second_administrator


@pytest.fixture
def town(database: Database) -> Town:
    town = builders.a_town(database)
    second_administrator(town)
    return town


def change(town: Town, *wanted: str, by: str = "ada", of: str = "max", reason: str = "A course.") -> None:
    said = {"staff_id": town.staff[of], "skills": wanted, "reason": reason}
    town.act(skills.change, town.as_staff(by), **said)


def held(town: Town, of: str = "max") -> list[str]:
    return town.read(lambda s: s.get_one(Staff, town.staff[of]).skills)


def test_cases_of_these_kinds_go_to_them_first(town: Town) -> None:
    told = builders.in_mediation(town, mediator=None)

    def offered() -> dict[str, bool]:
        parties = town.read(lambda s: [s.get_one(Party, town.payer_id)])
        found = town.read(lambda s: mediators.for_parties(s, parties, case_id=told.case, skill="KITCHEN"))
        return {each.name: each.skilled for each in found}

    change(town, "PLUMBING", of="mia")
    change(town, "KITCHEN", "ROOFING", "KITCHEN")
    assert held(town) == ["KITCHEN", "ROOFING"]
    assert offered() == {"Mia Lund": False, "Max Adler": True}
    newest = town.read(lambda s: team.history(s, town.staff["max"]))[0]
    assert (newest.title, newest.reason) == ("Skills changed", "A course.")


def test_an_administrator_who_was_asked_again_changes_them_and_nobody_their_own(town: Town) -> None:
    with pytest.raises(OwnRoles):
        change(town, "ROOFING", of="ada")
    for subject in ("mia", "max", "fay", "cora"):
        with pytest.raises(NotPermitted):
            change(town, "ROOFING", by=subject, of="mia")
    asked_long_ago = replace(town.as_staff("ada"), authenticated_at=town.now - timedelta(minutes=6))
    said = {"staff_id": town.staff["max"], "skills": ["ROOFING"], "reason": "A course."}
    with pytest.raises(StepUpRequired):
        town.act(skills.change, asked_long_ago, **said)


def test_what_says_nothing_changes_nothing(town: Town) -> None:
    before = held(town)
    with pytest.raises(NothingChanges):
        change(town, *reversed(before))
    with pytest.raises(SkillUnknown):
        change(town, "JUGGLING")
    with pytest.raises(ReasonMissing):
        change(town, "ROOFING", reason=" ")
    assert held(town) == before
