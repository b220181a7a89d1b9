"""A legal hold names who placed it, when and why; one stands at a time, and it is under seal."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.actions.privacy import legal_holds
from core.actions.privacy.legal_holds import LegalHoldStands, NoLegalHold
from core.db import Database
from core.errors import NotFound
from core.queries import personal_data
from core.queries.personal_data import NobodyOfThatName, PersonFilter, SeveralOfThatName
from core.records import Party
from core.rules.permissions import NotPermitted, StepUpRequired
from core.rules.reasons import ReasonMissing
from tests import builders
from tests.builders import Town
from tests.database import as_owner


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def place(town: Town, by: str = "cora", reason: str = "Lawsuit 17 C 42/26") -> int:
    return town.act(legal_holds.place, town.as_staff(by), party_id=town.payer_id, reason=reason).id


def test_it_is_placed_and_lifted_with_name_time_and_reason_and_both_stand_in_the_log(town: Town) -> None:
    number = place(town)
    (row,) = town.read(lambda s: personal_data.legal_holds(s, town.payer_id))
    assert (row.id, row.reason, row.placed_at, row.lifted_at) == (
        number,
        "Lawsuit 17 C 42/26",
        town.now,
        None,
    )
    assert town.read(lambda s: personal_data.one(s, town.payer_id)).held_since == town.now
    town.act(legal_holds.lift, town.as_staff("cora"), party_id=town.payer_id, reason="The lawsuit ended")
    (row,) = town.read(lambda s: personal_data.legal_holds(s, town.payer_id))
    assert (row.lifted_by, row.lift_reason) == (row.placed_by, "The lawsuit ended")
    assert town.read(lambda s: personal_data.one(s, town.payer_id)).held_since is None
    entries = town.read(
        lambda s: s.execute(
            text("select action, reason from audit_entries where action like '%legal_hold%' order by id")
        ).all()
    )
    assert [tuple(each) for each in entries] == [
        ("staff:legal_hold:place", "Lawsuit 17 C 42/26"),
        ("staff:legal_hold:lift", "The lawsuit ended"),
    ]


def test_a_second_one_is_refused_and_names_the_first_and_none_is_lifted_twice(town: Town) -> None:
    place(town)
    with pytest.raises(LegalHoldStands, match=r"since 2 Mar 2026, 09:30 UTC, placed by"):
        place(town)
    town.act(legal_holds.lift, town.as_staff("cora"), party_id=town.payer_id, reason="Over")
    with pytest.raises(NoLegalHold):
        town.act(legal_holds.lift, town.as_staff("cora"), party_id=town.payer_id, reason="Over")
    assert place(town) > 0


def test_only_compliance_that_has_just_signed_in_places_one_and_says_why(town: Town) -> None:
    for subject in ("mia", "fay", "ada"):
        with pytest.raises(NotPermitted):
            place(town, by=subject)
    with pytest.raises(ReasonMissing):
        place(town, reason="  ")
    stale = town.as_staff("cora")
    town.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        town.act(legal_holds.place, stale, party_id=town.payer_id, reason="Lawsuit")


def test_what_was_written_of_it_stays_whatever_sql_says(town: Town) -> None:
    place(town)
    town.act(legal_holds.lift, town.as_staff("cora"), party_id=town.payer_id, reason="Over")
    for statement in (
        "update legal_holds set reason = 'another'",
        "update legal_holds set lifted_at = null, lifted_by = null, lift_reason = null",
        "update legal_holds set lift_reason = 'another'",
        "delete from legal_holds",
    ):
        with pytest.raises(DBAPIError):
            town.database.run(lambda s, statement=statement: s.execute(text(statement)))


def test_people_are_found_by_name_address_and_external_id_those_under_a_hold_first(town: Town) -> None:
    payer = town.read(lambda s: s.get_one(Party, town.payer_id))
    place(town)
    every = town.read(lambda s: personal_data.page(s, PersonFilter()))
    assert every[0].id == town.payer_id
    assert len(every) == town.read(lambda s: personal_data.count(s, PersonFilter())) > 1
    for words in (payer.name, payer.email, payer.external_id):
        found = town.read(lambda s, words=words: personal_data.page(s, PersonFilter(words)))
        assert payer.id in [each.id for each in found]
    held = town.read(lambda s: personal_data.page(s, PersonFilter(held=True)))
    assert [each.id for each in held] == [town.payer_id]


def test_nobody_who_is_not_there_is_held(town: Town) -> None:
    with pytest.raises(NotFound):
        town.act(legal_holds.place, town.as_staff("cora"), party_id=10**9, reason="Lawsuit 17 C 42/26")


def test_an_external_id_names_one_party_or_is_refused(town: Town) -> None:
    payer = town.read(lambda s: s.get_one(Party, town.payer_id))
    assert town.read(lambda s: personal_data.named(s, payer.external_id)) == payer.id
    with pytest.raises(NobodyOfThatName):
        town.read(lambda s: personal_data.named(s, "nobody"))
    other = builders.a_party(town, "PAYER", "Twin", platform="legal_services")
    with as_owner(town.database) as session:
        session.get_one(Party, other).external_id = payer.external_id
    with pytest.raises(SeveralOfThatName):
        town.read(lambda s: personal_data.named(s, payer.external_id))
    assert town.read(lambda s: personal_data.named(s, payer.external_id, payer.platform)) == payer.id
