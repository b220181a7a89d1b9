"""A colleague with the e-mail address of a party: found by itself, settled by a person before any case is theirs."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.cases import mediator_assignment
from core.actions.staff import proposals, ties
from core.actions.staff.ties import NoTieFound, OwnTie
from core.db import Database
from core.processes import deadline_queries
from core.queries import mediators, people, team
from core.records import Case, Party, Staff
from core.rules import mediation
from core.rules.permissions import Actor, NotPermitted
from tests import builders
from tests.builders import Town, second_administrator


@pytest.fixture
def town(database: Database, owner: Database) -> Town:
    """Mia has the payer's address, written otherwise."""
    town = builders.a_town(database)
    second_administrator(town)
    email = town.read(lambda s: s.get_one(Party, town.payer_id).email)
    with owner.transaction() as session:
        session.get_one(Staff, town.staff["mia"]).email = email.upper()
    return town


def found(town: Town, subject: str = "mia") -> list[int]:
    return [each.party_id for each in town.read(lambda s: people.found(s, town.staff[subject]))]


def rule_out(town: Town, by: str = "ada", party: int | None = None) -> None:
    who = {"staff_id": town.staff["mia"], "party_id": party or town.payer_id, "reason": "A shared mailbox."}
    town.act(ties.rule_out, town.as_staff(by), **who)


def test_a_case_is_not_given_to_whom_an_address_ties_to_its_party(town: Town) -> None:
    assert (found(town), found(town, "max")) == ([town.payer_id], [])
    told = builders.in_mediation(town, mediator=None)
    town.database.run(lambda s: mediator_assignment.pass_on(s, now=town.now, case_id=told.case))
    assert town.read(lambda s: s.get_one(Case, told.case).mediator_id) == town.staff["max"]
    give = {"case_id": told.case, "staff_id": town.staff["mia"]}
    with pytest.raises(mediation.ColleagueTied):
        town.act(mediator_assignment.assign, town.as_staff("ada"), **give)
    parties = town.read(lambda s: [s.get_one(Party, town.payer_id)])
    why = {
        each.id: each.why_not
        for each in town.read(lambda s: mediators.for_parties(s, parties, case_id=told.case))
    }
    assert why[town.staff["mia"]] == mediators.FOUND
    rule_out(town)
    assert found(town) == []
    town.act(mediator_assignment.assign, town.as_staff("ada"), **give)
    assert (
        town.read(lambda s: team.history(s, town.staff["mia"]))[0].title
        == "Tie that was found declared wrong"
    )


def test_confirmed_by_the_colleague_it_is_a_tie_like_any_other(town: Town) -> None:
    me = {"staff_id": town.staff["mia"], "party_id": town.payer_id, "reason": "My own kitchen."}
    town.act(ties.declare_tie, town.as_staff("mia"), **me)
    assert found(town) == []
    assert [each.reason for each in town.read(lambda s: people.ties(s, town.staff["mia"]))] == [
        "My own kitchen."
    ]
    with pytest.raises(NoTieFound):
        rule_out(town)


def test_a_case_that_is_theirs_already_is_passed_on(town: Town, owner: Database) -> None:
    rule_out(town)
    told = builders.in_mediation(town)
    town.act(mediator_assignment.assign, town.as_staff("ada"), case_id=told.case, staff_id=town.staff["mia"])
    assert town.read(lambda s: list(s.execute(deadline_queries.reassignments(town.now)))) == []
    with owner.transaction() as session:
        session.get_one(Staff, town.staff["mia"]).email = session.get_one(Party, town.payee_id).email
    due = town.read(lambda s: [row.id for row in s.execute(deadline_queries.reassignments(town.now))])
    assert due == [told.case]


def test_only_another_administrator_rules_one_out(town: Town, owner: Database) -> None:
    for by in ("mia", "cora"):
        with pytest.raises(NotPermitted):
            rule_out(town, by)
    operator = Actor("operator", None, via="root on desk-1")
    with pytest.raises(NotPermitted):
        town.act(ties.rule_out, operator, staff_id=town.staff["mia"], party_id=town.payer_id, reason="x")
    with pytest.raises(NoTieFound):
        rule_out(town, party=town.payee_id)
    with owner.transaction() as session:
        session.get_one(Staff, town.staff["ada"]).email = session.get_one(Party, town.payee_id).email
    own = {"staff_id": town.staff["ada"], "party_id": town.payee_id, "reason": "Mine."}
    with pytest.raises(OwnTie):
        town.act(ties.rule_out, town.as_staff("ada"), **own)
    by_sql = text("insert into ties_ruled_out values (:id, :party, 'x', :id, now())")
    with pytest.raises(IntegrityError, match="by_another"), town.database.transaction() as session:
        session.execute(by_sql, {"id": town.staff["ada"], "party": town.payee_id})


def test_whom_an_address_ties_to_a_party_is_not_the_second_person_in_its_matters(town: Town) -> None:
    about = proposals.Subject(frozenset({town.payer_id}))
    known = town.read(lambda s: proposals.known_of(s, town.staff["mia"], about))
    assert known.tied
    assert not town.read(lambda s: proposals.known_of(s, town.staff["max"], about)).tied
    rule_out(town)
    assert not town.read(lambda s: proposals.known_of(s, town.staff["mia"], about)).tied
