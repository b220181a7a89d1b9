"""The policy keeps nobody longer than it says: who is due is proposed together, and another person carries it out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.actions.privacy import erasures, legal_holds, retention
from core.actions.privacy.retention import NobodyErasable
from core.db import Database
from core.desk import Desk
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.policy import HOME_SERVICES, LEGAL_SERVICES
from core.policy.profile import Profile
from core.processes import retention_run, timers
from core.queries import retention as due_people
from core.queries.retention import PersonDue
from core.records import Erasure, Notification, Party
from core.rules.permissions import NotPermitted
from core.rules.proposals import MakerIsChecker
from core.rules.reasons import ReasonMissing
from tests import builders
from tests.actions.test_statement_counts import counted
from tests.builders import Town
from tests.desk_fixtures import a_desk

TICK = timedelta(microseconds=1)


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@pytest.fixture
def desk(town: Town, tmp_path: Path) -> Desk:
    return replace(a_desk(town.database, tmp_path, clock=lambda: town.now), evidence=EvidenceStore(tmp_path))


def due(town: Town) -> list[PersonDue]:
    return town.read(lambda s: due_people.due(s, now=town.now))


def ids(town: Town) -> list[int]:
    return [each.id for each in due(town)]


def newcomers(town: Town, count: int) -> list[int]:
    """People without a project, whose time is just over."""
    numbers = [builders.a_party(town, "PAYER", f"Newcomer {number}") for number in range(count)]
    town.now += HOME_SERVICES.newcomer_kept
    return numbers


def propose(town: Town, by: str = "cora") -> list[Erasure]:
    return town.act(retention.propose, town.as_staff(by), reason="The month's run.")


def carry_out(town: Town, desk: Desk, most: int | None = None) -> tuple[list[str], dict[str, str]]:
    waiting = town.read(due_people.waiting)[:most]
    return retention_run.carry_out(desk, town.as_staff("ada"), waiting, now=town.now, reason="")


def steps(town: Town) -> list[tuple[str, dict[str, object]]]:
    wanted = text("select action, after from audit_entries where object_kind = 'retention' order by id")
    return [tuple(row) for row in town.read(lambda s: s.execute(wanted).all())]


def erased(town: Town, number: int) -> datetime | None:
    return town.read(lambda s: s.get_one(Party, number).erased_at)


def test_a_person_is_due_when_all_of_their_projects_ended_so_long_ago(town: Town, desk: Desk) -> None:
    told = builders.in_mediation(town, total=Money(100_000, "USD"))
    began = town.now
    town.now += timedelta(days=30 * 365)
    assert not {town.payer_id, town.payee_id} & set(ids(town))  # it goes on, for however long
    town.now = began
    builders.decided(town, told, builders.a_draft(told, release=Money(60_000, "USD")))
    builders.carry_out(town)
    ended = town.read(
        lambda s: s.scalar(
            text(
                "select greatest(max(m.ended_at), (select max(resolved_at) from cases),"
                " (select max(completed_at) from projects)) from milestones m"
            )
        )
    )
    town.now = ended + HOME_SERVICES.person_kept - TICK
    assert town.payer_id not in ids(town)
    town.now += TICK
    found = {each.id: each for each in due(town)}
    assert {town.payer_id, town.payee_id} <= set(found)
    assert (found[town.payer_id].worked, found[town.payer_id].since) == (True, ended)


def test_a_person_without_a_project_is_due_when_their_time_is_over(town: Town) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    town.now += HOME_SERVICES.newcomer_kept - TICK
    assert number not in ids(town)
    town.now += TICK
    (row,) = [each for each in due(town) if each.id == number]
    assert (row.worked, row.due_at) == (False, town.now)


def test_a_plan_takes_as_many_statements_for_one_person_as_for_twelve(town: Town) -> None:
    def planned() -> tuple[int, int]:
        with counted(town.database) as seen:
            plan = town.read(lambda s: due_people.planned(s, now=town.now))
        return plan.due, len(seen)

    newcomers(town, 1)
    few, statements = planned()
    for number in range(12):
        builders.a_party(town, "PAYER", f"Another {number}")
    town.now += HOME_SERVICES.newcomer_kept
    many, as_many = planned()
    assert many >= few + 12
    assert as_many == statements


def test_one_proposes_and_another_erases_them_all(town: Town, desk: Desk) -> None:
    numbers = newcomers(town, 2)
    rows = propose(town)
    assert set(numbers) <= {row.party_id for row in rows}
    assert {row.retention_month for row in rows} == {town.now.date().replace(day=1)}
    with pytest.raises(NobodyErasable):
        propose(town)
    done, refused = carry_out(town, desk)
    assert (len(done), refused) == (len(rows), {})
    assert all(erased(town, number) == town.now for number in numbers)
    assert town.read(lambda s: s.scalars(select(Erasure.files_gone_at)).all()).count(None) == 0
    assert due(town) == []
    assert carry_out(town, desk) == ([], {})
    assert steps(town) == [
        ("staff:person:propose_retention", {"due": len(rows), "proposed": len(rows), "kept": 0}),
        ("staff:person:finish_retention", {"people": {"DONE": len(rows)}}),
    ]


def test_a_run_that_is_broken_off_goes_on_and_erases_nobody_twice(town: Town, desk: Desk) -> None:
    newcomers(town, 3)
    rows = propose(town)
    done, _ = carry_out(town, desk, most=1)
    first = town.now
    town.now += timedelta(minutes=1)
    assert [action for action, _ in steps(town)] == ["staff:person:propose_retention"]
    rest, _ = carry_out(town, desk)
    assert (len(done), len(rest), set(done) & set(rest)) == (1, len(rows) - 1, set())
    assert sorted(town.read(lambda s: s.scalars(select(Erasure.erased_at)).all())) == [
        first,
        *[town.now] * len(rest),
    ]
    assert [action for action, _ in steps(town)].count("staff:person:finish_retention") == 1


def test_a_legal_hold_keeps_a_person_and_stops_no_other(town: Town, desk: Desk) -> None:
    held, later, other = newcomers(town, 3)
    hold = {"reason": "Lawsuit 17 C 42/26"}
    town.act(legal_holds.place, town.as_staff("cora"), party_id=held, **hold)
    (row,) = [each for each in due(town) if each.id == held]
    assert (row.held_by, row.held_because) == ("Cora Nwosu", hold["reason"])
    assert held not in {each.party_id for each in propose(town)}
    town.act(legal_holds.place, town.as_staff("cora"), party_id=later, **hold)
    _, refused = carry_out(town, desk)
    assert ["placed by Cora Nwosu" in why for why in refused.values()] == [True]
    assert (erased(town, held), erased(town, later), erased(town, other)) == (None, None, town.now)
    town.act(legal_holds.lift, town.as_staff("cora"), party_id=later, reason="It ended")
    carry_out(town, desk)
    assert erased(town, later) == town.now


def test_nobody_carries_out_their_own_and_the_run_is_not_for_everybody(town: Town, desk: Desk) -> None:
    newcomers(town, 1)
    for subject in ("mia", "fay", "ada"):
        with pytest.raises(NotPermitted):
            propose(town, by=subject)
    with pytest.raises(ReasonMissing):
        town.act(retention.propose, town.as_staff("cora"), reason=" ")
    rows = propose(town)
    with pytest.raises(MakerIsChecker):
        town.act(erasures.approve, town.as_staff("cora"), erasure_id=rows[0].id, typed="nobody")


def test_what_was_rejected_ends_the_run_too_and_is_proposed_with_the_next(town: Town, desk: Desk) -> None:
    newcomers(town, 1)
    rows = propose(town)
    for row in rows:
        town.act(erasures.reject, town.as_staff("ada"), erasure_id=row.id, reason="Not this month.")
    assert steps(town)[-1] == ("staff:person:finish_retention", {"people": {"REJECTED": len(rows)}})
    assert len(propose(town)) == len(rows)


def test_compliance_is_reminded_once_a_month_where_somebody_is_due(town: Town, desk: Desk) -> None:
    def told() -> list[str]:
        wanted = select(Notification).where(Notification.template == "retention_due")
        return [each.key for each in town.read(lambda s: s.scalars(wanted).all())]

    timers.run_due(desk)
    assert steps(town) == []  # a young desk keeps nobody too long
    newcomers(town, 1)
    timers.run_due(desk)
    timers.run_due(desk)
    month = f"{town.now:%Y%m}"
    assert told() == [f"retention-{month}-staff-{town.staff['cora']}"]
    assert [action for action, _ in steps(town)] == ["system:person:remind_retention"]
    town.now += timedelta(days=32)
    timers.run_due(desk)
    assert len(told()) == 2


def test_a_policy_of_before_keeps_people_as_the_first_version_does() -> None:
    for profile in (HOME_SERVICES, LEGAL_SERVICES):
        stored = profile.snapshot()
        del stored["person_kept"], stored["newcomer_kept"]
        assert Profile.from_snapshot(stored) == profile


def test_the_month_is_a_month_and_stays_what_it_is(town: Town) -> None:
    newcomers(town, 1)
    (row, *_) = propose(town)
    for broken in ("2026-03-02", "2026-03-01"):
        with pytest.raises(DBAPIError):
            town.database.run(
                lambda s, to=broken: s.execute(
                    text("update erasures set retention_month = :to where id = :id"),
                    {"to": to, "id": row.id},
                )
            )
