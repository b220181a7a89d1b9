"""Everything that can be proved is proved once a night, what is off is named, and a killed worker costs only time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core import audit, case_file
from core.actions.cases import evidence
from core.actions.platform import check_runs as action
from core.audit.actions import title
from core.clock import SimulatedClock
from core.db import Database
from core.desk import Desk
from core.gateways.evidence_store import EvidenceStore
from core.processes import check_runs
from core.queries import check_runs as runs
from core.queries import health
from core.queries.check_runs import CheckRuns
from core.records import CheckRun
from core.rules.check_runs import BOOKS_EVERY, LATE_AFTER, LEASE, TRIES, CheckPart, PartResult, last_night
from core.rules.permissions import NotPermitted
from tests import builders, unrecorded
from tests.builders import Town
from tests.desk_fixtures import a_desk

NIGHT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


@dataclass
class Office:
    """A decided case with a file of evidence, all of it sealed, and the desk that checks it."""

    town: Town
    desk: Desk
    clock: SimulatedClock
    case: int
    file: Path

    def kinds(self) -> list[tuple[bool, int | None]]:
        """Of each run: whether of the books alone, and who asked for it."""
        runs = select(CheckRun.books_only, CheckRun.requested_by).order_by(CheckRun.id)
        return [(books, asked) for books, asked in self.town.read(lambda s: s.execute(runs).all())]

    def standing(self) -> CheckRuns:
        return self.town.read(lambda session: runs.standing(session, now=self.clock()))

    def checked(self) -> dict[CheckPart, PartResult]:
        self.town.act(action.request, self.town.as_staff("cora"))
        assert check_runs.sweep(self.desk) == 1
        last = self.standing().last
        assert last is not None
        return {each.part: each for each in last.results}

    def health(self) -> str:
        found = health.nightly_check(self.standing())
        return "" if found.ok else found.words


@pytest.fixture
def office(town: Town, tmp_path: Path) -> Office:
    told = builders.in_mediation(town)
    store = EvidenceStore(tmp_path)
    piece = town.act(
        evidence.submit,
        town.payer,
        store=store,
        milestone_id=told.milestone,
        file_name="a.txt",
        content=b"Gone.",
    )
    builders.decided(town, told, builders.a_draft(told, evidence_ids=frozenset({piece.id})))
    builders.carry_out(town)
    clock = SimulatedClock(town.now)
    desk = replace(a_desk(town.database, tmp_path, clock=clock), evidence=store)
    signer = audit.desk_signer(desk.database, tmp_path, now=town.now)
    audit.seal(desk.database, signer, tmp_path / "checkpoints", now=town.now)
    (file,) = (each for each in (tmp_path / "evidence").rglob("*") if each.is_file() and len(each.name) == 64)
    return Office(town, desk, clock, told.case, file)


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def test_where_nothing_is_off_each_part_says_how_much_was_checked(office: Office) -> None:
    found = office.checked()
    assert {part: each.wrong for part, each in found.items()} == dict.fromkeys(CheckPart, 0)
    assert found[CheckPart.BOOKS].checked > 20
    assert found[CheckPart.RECORD].checked > 20
    assert (found[CheckPart.EVIDENCE].checked, found[CheckPart.CASE_FILES].checked) == (1, 1)
    assert office.health() == ""
    newest = text("select action, after from audit_entries order by id desc limit 1")
    entry = office.town.read(lambda session: session.execute(newest).one())
    assert title(entry.action) == "Run of checks finished"
    assert entry.after["case_files"] == {"checked": 1, "wrong": 0}


def test_what_is_off_is_named_by_its_part(office: Office, owner: Database) -> None:
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("update payment_orders set state = 'RELEASED' where state <> 'RELEASED'"))
        session.execute(text("update decisions set reasons = reasons || '!'"))
        unrecorded.admit(session)
    office.file.write_bytes(b"another")
    found = office.checked()
    assert "Every payment state is the one that its amounts give." in found[CheckPart.BOOKS].first[0]
    assert any(
        each.startswith("The reason of") or "decision" in each.lower()
        for each in found[CheckPart.RECORD].first
    )
    assert "The bytes of evidence 1 are not what was submitted" in found[CheckPart.EVIDENCE].first[0]
    assert found[CheckPart.CASE_FILES].first == (
        f"The case file of D-{office.case} does not verify: export it, and verify it to read why.",
    )
    assert "that are not as they should be: page Checks" in office.health()
    assert f"checks of the books failed in the run of {office.town.now:%Y-%m-%d %H:%M} UTC" in office.health()
    assert found[CheckPart.BOOKS].rows["states_derived"] == 1


def test_a_record_that_is_held_against_no_known_key_is_not_called_well(office: Office) -> None:
    (office.desk.settings.home / "keys" / "checkpoints.pem").unlink()
    found = office.checked()[CheckPart.RECORD]
    assert found.wrong == 1
    assert found.first[0].startswith("This machine does not have the signing key")


def test_the_night_begins_one_run_and_whoever_asks_joins_the_one_that_is_under_way(office: Office) -> None:
    office.clock.set(NIGHT)
    assert check_runs.sweep(office.desk) == 1
    assert check_runs.sweep(office.desk) == 0, "the same night again"
    office.clock.set(NIGHT + timedelta(minutes=59))
    assert check_runs.sweep(office.desk) == 0
    asked = office.town.act(action.request, office.town.as_staff("fay"))
    office.clock.set(NIGHT + timedelta(days=1))
    assert office.town.act(action.request, office.town.as_staff("cora")) == asked
    assert check_runs.sweep(office.desk) == 1
    last = office.standing().last
    assert last is not None
    assert (last.id, last.requested_by) == (asked, "Fay Moreno")


def test_the_books_alone_are_checked_each_hour_and_when_somebody_asks(office: Office) -> None:
    office.clock.set(NIGHT)
    check_runs.sweep(office.desk)
    night = office.standing().last
    assert night is not None
    assert office.standing().books == night, "the night checks them too"
    office.clock.set(NIGHT + BOOKS_EVERY + timedelta(seconds=1))
    assert check_runs.sweep(office.desk) == 1
    assert check_runs.sweep(office.desk) == 0, "the same hour again"
    office.town.now = office.clock()
    fay = office.town.as_staff("fay")
    asked = office.town.act(action.request, fay, books_only=True)
    assert office.town.act(action.request, office.town.as_staff("cora"), books_only=True) == asked
    whole = office.town.act(action.request, fay)
    assert whole != asked, "a run of everything does not wait for one of the books"
    assert check_runs.sweep(office.desk) == 2
    assert office.kinds() == [(False, None), (True, None), (True, fay.id), (False, fay.id)]
    standing = office.standing()
    assert standing.last is not None
    assert standing.last.id == whole
    assert standing.books == standing.last


def test_what_the_hour_finds_is_said_until_the_books_hold_again(office: Office, owner: Database) -> None:
    office.checked()
    was = office.town.read(lambda s: s.execute(text("select milestone_id, state from payment_orders")).all())
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("update payment_orders set state = 'PAID_HELD'"))
        unrecorded.admit(session)
    assert office.health() == "", "nobody has looked yet"
    office.clock.set(office.clock() + BOOKS_EVERY + timedelta(seconds=1))
    check_runs.sweep(office.desk)
    assert "checks of the books failed" in office.health()
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        for milestone, state in was:
            session.execute(
                text("update payment_orders set state = :state where milestone_id = :id"),
                {"id": milestone, "state": state},
            )
        unrecorded.admit(session)
    office.clock.set(office.clock() + BOOKS_EVERY + timedelta(seconds=1))
    check_runs.sweep(office.desk)
    assert office.health() == ""


def test_who_may_not_run_checks_may_not_ask_for_them(office: Office) -> None:
    for actor in (office.town.as_staff("mia"), office.town.payer):
        with pytest.raises(NotPermitted):
            office.town.act(action.request, actor)


def test_a_run_that_a_killed_worker_left_goes_on_where_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = office.town.act(action.request, office.town.as_staff("cora"))
    ended: list[CheckPart] = []

    def killed(run: object, before: PartResult) -> None:
        raise SystemExit

    counted = dict(check_runs.PARTS)
    monkeypatch.setattr(check_runs, "PARTS", {**counted, CheckPart.CASE_FILES: killed})
    with pytest.raises(SystemExit):
        check_runs.sweep(office.desk)
    monkeypatch.setattr(
        check_runs,
        "PARTS",
        {
            part: lambda run, before, part=part: ended.append(part) or counted[part](run, before)
            for part in counted
        },
    )
    assert check_runs.sweep(office.desk) == 0, "its lease is not over"
    office.clock.set(office.clock() + LEASE)
    assert check_runs.sweep(office.desk) == 1
    assert ended == [CheckPart.CASE_FILES]
    last = office.standing().last
    assert last is not None
    assert (last.id, last.failure, len(last.results)) == (number, None, len(CheckPart))


def test_case_files_go_on_after_the_last_that_was_looked_at(office: Office) -> None:
    def far(session: object) -> None:
        row = session.scalars(select(CheckRun)).one()  # type: ignore[attr-defined]
        before = PartResult(CheckPart.CASE_FILES, 7, 1, ("D-1",), None, office.case)
        row.results = {CheckPart.CASE_FILES.value: dict(before.as_json())}

    office.town.act(action.request, office.town.as_staff("cora"))
    office.town.database.run(far)
    check_runs.sweep(office.desk)
    last = office.standing().last
    assert last is not None
    (found,) = (each for each in last.results if each.part == CheckPart.CASE_FILES)
    assert (found.checked, found.wrong, found.first) == (7, 1, ("D-1",))


def test_a_case_whose_rows_cannot_even_be_read_has_a_fault_and_raises_nothing(
    office: Office, owner: Database
) -> None:
    with owner.transaction() as session:
        session.execute(text("set local session_replication_role = replica"))
        session.execute(text("update decisions set plan = '{}'"))
        unrecorded.admit(session)
    with office.town.database.reading() as session:
        assert case_file.fault_of(session, office.desk.evidence, office.case) is not None


def test_a_run_ends_once(office: Office) -> None:
    office.checked()
    again = select(CheckRun)
    office.town.database.run(
        lambda session: action.finish(session, session.scalars(again).one(), now=office.clock())
    )
    ends = text("select count(*) from audit_entries where action = 'system:check_run:finish'")
    assert office.town.read(lambda session: session.scalar(ends)) == 1


def test_a_run_that_fails_each_time_is_given_up_and_said_so(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(run: object, before: PartResult) -> None:
        raise ValueError

    monkeypatch.setattr(check_runs, "PARTS", {CheckPart.BOOKS: fails})
    office.town.act(action.request, office.town.as_staff("cora"))
    for _ in range(TRIES + 1):
        assert check_runs.sweep(office.desk) == 0
        office.clock.set(office.clock() + LEASE)
    assert "was given up: The run was given up after 3 tries" in office.health()


def test_a_night_without_a_run_is_noticed(office: Office) -> None:
    office.checked()
    office.clock.set(office.clock() + LATE_AFTER + timedelta(seconds=1))
    assert "no run was finished since" in office.health()


def test_the_night_is_two_hours_after_midnight() -> None:
    assert last_night(NIGHT) == NIGHT
    assert last_night(NIGHT - timedelta(seconds=1)) == NIGHT - timedelta(days=1)
