"""Words stay what they were: rewritten by SQL they are found by `audit verify`, by `check` and in a case file."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import audit, case_file
from core.actions.cases import conversation, evidence, mediator_assignment, recusal, settlement_proposals
from core.actions.chargebacks import chargeback_acceptance, chargeback_evidence
from core.actions.risk import holds, reports
from core.actions.staff import install, members, role_grants
from core.audit import content_comparison, content_hashes, migrated_rows
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.queries import invariants
from core.records import Chargeback, Message
from core.rules.permissions import SYSTEM, Actor, Role
from core.rules.reports import ReportKind, ReportOutcome
from core.rules.requests import RequestKind
from tests import builders
from tests.audit.conftest import Log, refused
from tests.builders import Told, Town, second_administrator
from tests.case_file.packs import DESK


@pytest.fixture
def town(log: Log) -> Town:
    return builders.a_town(log.database)


@pytest.fixture
def told(town: Town, tmp_path: Path) -> Told:
    """A case with one of each: a message, a file, a request, an offer, a lifted hold, a settled report, an answer to a
    bank and giving in to it, a decision, letters."""
    told = builders.in_mediation(town)
    store = EvidenceStore(tmp_path / "evidence")
    mail = {"file_name": "mail.txt", "content": b"The worktop is missing."}
    town.act(evidence.submit, town.payer, store=store, milestone_id=told.milestone, **mail)
    town.act(
        settlement_proposals.propose,
        town.payer,
        case_id=told.case,
        release=Money(30_000, "USD"),
        note="Half.",
    )
    town.act(
        conversation.ask,
        town.as_staff("mia"),
        case_id=told.case,
        party_id=town.payee_id,
        question="When did you deliver the worktop?",
        answer_due_at=town.now.replace(day=town.now.day + 2),
        kind=RequestKind.ANSWER,
    )
    _stopped_and_reported(town, told)
    town.act(recusal.recuse, town.as_staff("max"), case_id=told.case, reason="A cousin of mine.")
    mine = {"case_id": told.case, "staff_id": town.staff["mia"]}
    town.act(mediator_assignment.assign, town.as_staff("ada"), **mine, note="Look at the photographs.")
    chargeback_id = town.act(_charged_back, SYSTEM, milestone_id=told.milestone)
    town.act(
        chargeback_evidence.stage,
        town.as_staff("fay"),
        chargeback_id=chargeback_id,
        texts={"uncategorized_text": "The payer approved it."},
    )
    town.act(
        chargeback_acceptance.propose,
        town.as_staff("fay"),
        chargeback_id=chargeback_id,
        reason="It costs more to answer.",
    )
    town.act(_bank_lets_go, SYSTEM, chargeback_id=chargeback_id)
    builders.decided(town, told)
    return told


def _stopped_and_reported(town: Town, told: Told) -> None:
    hold = town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="Odd payments.")
    town.act(holds.lift, town.as_staff("ada"), hold_id=hold.id, reason="They are explained.")
    report = town.act(
        reports.file,
        town.payer,
        project_id=told.project,
        milestone_id=told.milestone,
        kind=ReportKind.OTHER,
        details="He was rude on the telephone.",
    )
    town.act(
        reports.settle,
        town.as_staff("cora"),
        report_id=report.id,
        outcome=ReportOutcome.DISMISSED,
        note="One call, and no threat in it.",
    )


def _charged_back(session: Session, actor: Actor, *, now: datetime, milestone_id: int) -> int:
    row = Chargeback(
        milestone_id=milestone_id,
        stripe_dispute="dp_1",
        stripe_charge="ch_1",
        status="needs_response",
        reason="fraudulent",
        currency="USD",
        amount_minor=100_00,
        booked_currency="USD",
        fees_currency="USD",
        due_by=now + timedelta(days=20),
        opened_at=now,
        noticed_at=now,
    )
    session.add(row)
    session.flush()
    after = {"status": row.status}
    audit.record(
        session,
        actor,
        "system:chargeback:open",
        object_kind="chargeback",
        object_id=row.id,
        now=now,
        after=after,
    )
    return row.id


def _bank_lets_go(session: Session, actor: Actor, *, now: datetime, chargeback_id: int) -> None:
    row = session.get_one(Chargeback, chargeback_id)
    audit.become(row, "won", now=now, by=actor)
    row.closed_at = now


def law(town: Town) -> list[dict[str, object]]:
    results = {each.name: each for each in town.read(invariants.run)}
    return results["words_as_recorded"].rows


REWRITTEN = {
    "update messages set body = body || '!' where id = 1": "Message 1",
    "update evidence set caption = 'Proof.' where id = 1": "Evidence 1",
    "update settlement_proposals set note = 'All of it.' where id = 1": "Settlement proposal 1",
    "update party_requests set question = 'Why so late?' where id = 1": "Request to a party 1",
    "update decisions set reasons = reasons || '.' where id = 1": "Decision 1",
    "update cases set reason = 'DAMAGE' where id = 1": "Case 1",
    "update cases set details = 'All is well.' where id = 1": "Complaint of case 1",
    "update cases set resolution_notes = 'Nobody asked.' where id = 1": "Resolution of case 1",
    "update holds set reason = 'A whim.' where id = 1": "Hold 1",
    "update cases set mediator_id = null where id = 1": "Mediator of case 1",
    "update handovers set note = 'Nothing.' where id = 1": "Handover note 1",
    "update holds set release_reason = null where id = 1": "Lifting of hold 1",
    "update reports set details = 'He was kind.' where id = 1": "Report 1",
    "update reports set outcome = 'UPHELD' where id = 1": "Outcome of report 1",
    """update chargeback_evidence set texts = '{"uncategorized_text": "Sorry."}' where id = 1""": "Answer to a bank 1",
    "update chargeback_acceptances set reason = 'Why not.' where id = 1": "Acceptance of a chargeback 1",
}


def test_rewritten_words_are_found_and_named(log: Log, town: Town, told: Told) -> None:
    log.seal()
    assert law(town) == []
    assert log.verify().ok
    for statement in REWRITTEN:
        log.tamper(statement)
    found = {(row["what"], row["how"]) for row in law(town)}
    # A decision says its reasons in its entry and in its plan as well.
    again = {("Decision 1 (the reasons)", "altered"), ("Decision 1 (the decision's reasons)", "misfit")}
    assert found == {(what, "altered") for what in REWRITTEN.values()} | again
    texts = [finding.text for finding in log.verify().findings]
    for what in REWRITTEN.values():
        assert any(each.startswith(f"{what} is not what audit entry ") for each in texts), what
    with town.database.reading() as session:
        here = {each.words for each in content_comparison.others_of_milestone(session, told.milestone)}
    assert here == {*REWRITTEN.values(), *(what for what, _ in again)}


def test_an_end_that_was_written_past_the_desk_is_found(log: Log, town: Town, told: Told) -> None:
    hold = town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="Once more.")
    log.tamper(
        "update holds set released_at = now(), released_by = 1, release_reason = 'Done.' where id = :id",
        id=hold.id,
    )
    assert [(row["what"], row["how"]) for row in law(town)] == [(f"Lifting of hold {hold.id}", "unknown")]


def test_a_role_a_name_and_a_recusal_by_sql_are_found(log: Log, town: Town, told: Told) -> None:
    admin, added = town.as_staff("ada"), {}
    for name in ("Nell", "Olga"):
        added[name] = town.act(
            install.add_staff, admin, issuer="https://id.test", subject=name, name=name,
            email=f"{name}@example.com", roles=(),
        ).id  # fmt: skip
    second_administrator(town)
    wanted = {"staff_id": added["Nell"], "roles": {Role.MEDIATOR, Role.FINANCE}, "reason": "More."}
    row = town.act(role_grants.propose, admin, **wanted)
    town.act(role_grants.approve, town.as_staff("alf"), grant_id=row.id)
    town.act(members.take_roles, admin, **{**wanted, "roles": {Role.FINANCE}})
    assert law(town) == []
    log.tamper("insert into staff_roles (staff_id, role) values (:id, 'administrator')", id=added["Nell"])
    log.tamper("update staff set name = 'Nobody' where id = :id", id=added["Olga"])
    log.tamper(
        "insert into staff (issuer, subject, name, email, title, skills, active, created_at)"
        " values ('x', 'y', 'Z', 'z@z', '', '{}', true, now())"
    )
    log.tamper("update recusals set reason = 'None.' where staff_id = :id", id=town.staff["max"])
    found = {(row["what"], row["how"]) for row in law(town)}
    roles = "Name, address or roles of member of staff"
    assert {each for each in found if each[1] == "altered"} == {
        (f"{roles} {added['Nell']}", "altered"),
        (f"{roles} {added['Olga']}", "altered"),
        (f"Recusal {told.case}-{town.staff['max']}", "altered"),
    }
    stranger = town.staff["alf"] + 1
    assert {what for what, how in found if how == "unknown"} == {
        f"Member of staff {stranger}",
        f"{roles} {stranger}",
    }


def test_nonsense_in_an_entry_stops_no_verification(log: Log, town: Town, told: Told) -> None:
    """The application's login may write any entry: what names nothing vouches for nothing."""
    for content in (
        "messages",
        {"nothing:1": "a"},
        {"messages:x": "a"},
        {"messages:1": None},
        ["messages:1"],
    ):
        log.write(1, after={"content": content})
    log.seal()
    assert log.verify().ok
    assert law(town) == []


def test_removed_words_and_words_put_in_are_found(log: Log, town: Town, told: Told) -> None:
    log.seal()
    log.tamper(
        "insert into messages (milestone_id, author_kind, audience, body, at)"
        " values (:milestone, 'system', 'PARTIES', 'Nobody wrote this.', now())",
        milestone=told.milestone,
    )
    log.tamper("delete from evidence_notes")
    log.tamper("delete from party_requests where id = 1")
    assert {row["how"] for row in law(town)} == {"unknown", "removed"}
    assert not log.verify().ok


def test_a_later_entry_makes_no_rewritten_words_good(town: Town, told: Told) -> None:
    with town.database.reading() as session:
        kept = {each.key: each.value for each in session.execute(content_comparison.EVERYWHERE)}
        message = session.get_one(Message, 1)
        assert kept["messages:1"] == content_hashes.hashes(message)["messages:1"]


def test_the_application_cannot_rewrite_a_message(town: Town, told: Told) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), town.database.transaction() as session:
        session.execute(text("update messages set body = 'I agree.'"))


def test_a_case_file_of_rewritten_words_does_not_prove_itself(
    log: Log, town: Town, told: Told, tmp_path: Path
) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    town.act(case_file.export, town.as_staff("cora"), store=store, signer=DESK, case_id=told.case)
    log.tamper("update messages set body = 'I agree to everything.' where id = 2")
    store = EvidenceStore(tmp_path / "evidence")
    with pytest.raises(case_file.NotAsRecorded, match="Message 2 is not what audit entry"):
        town.act(case_file.export, town.as_staff("cora"), store=store, signer=DESK, case_id=told.case)


def test_files_are_read_where_that_is_asked_and_the_report_says_which(
    log: Log, town: Town, told: Told, tmp_path: Path
) -> None:
    log.seal()
    store = EvidenceStore(tmp_path / "evidence")
    assert "1 evidence file was not read." in log.verify().text
    assert "1 evidence file was read and has the bytes on record." in log.verify(files=store.get).text
    (file,) = (each for each in store.folder.rglob("*") if len(each.name) == 64)
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    altered = log.verify(files=store.get)
    assert [finding.kind for finding in altered.findings] == ["file"]
    assert altered.text.startswith(
        "The bytes of evidence 1 are not what was submitted, or not there. The file"
    )
    file.unlink()
    assert "is not in the evidence store" in log.verify(files=store.get).text
    assert log.verify().ok, "without the files it says nothing of them but that they were not read"
    store.erase(town.payer_id, retention=None)
    erased = log.verify(files=store.get)
    assert erased.ok
    assert "0 evidence files were read and have the bytes on record; 1 erased by right" in erased.text


LONG_AGO = """
insert into messages (id, milestone_id, author_kind, audience, body, at) overriding system value
values (0, {milestone}, 'system', 'PARTIES', 'Long ago.', '2020-01-01')
"""


def test_what_was_recorded_before_hashes_is_never_called_intact(log: Log, town: Town, told: Told) -> None:
    """Which rows those are is listed by the migration that came with the list; here it had none to list."""
    log.seal()
    log.tamper(LONG_AGO.format(milestone=told.milestone))
    report = log.verify()
    assert (report.older, report.findings[0].text) == (0, UNKNOWN.format("Message 0"))
    assert [finding.kind for finding in report.findings[1:]] == ["row"]
    log.tamper("insert into unhashed_content values ('messages', '0')")
    report = log.verify()
    assert report.older == 1
    assert report.findings[0].text.startswith("Row 0 of messages is in its table, and was never logged")
    assert report.findings[1].text.startswith(
        "Row messages-0 of unhashed_content is in its table, and was never"
    )
    with log.owner.transaction() as session:
        session.execute(text("select take_rows_in('messages'), take_rows_in('unhashed_content')"))
        migrated_rows.leave_entry(session.connection())
    report = log.verify()
    assert report.ok
    assert "1 messages, files, letters" in report.text
    assert "nothing proves those" in report.text


UNKNOWN = "{} has no audit entry: it was put in past the desk."
PUT_IN = {
    LONG_AGO: "Message 0",
    """insert into evidence_notes (id, evidence_id, staff_id, body, at) overriding system value
    values (-5, 1, {staff}, 'Staged.', '2020-01-01')""": "Note -5",
    """insert into handovers (id, case_id, by_id, note, at) overriding system value
    values (-5, {case}, {staff}, 'Refund all of it.', '2020-01-01')""": "Handover note -5",
    """insert into reports (id, project_id, milestone_id, kind, source, severity, details, author_kind, at)
    overriding system value
    select -3, project_id, milestone_id, kind, source, severity, 'He threatened me.', author_kind, '2020-01-01'
    from reports limit 1""": "Report -3",
    "insert into recusals values ({case}, {staff}, 'forged', '2020-01-01')": "Recusal {case}-{staff}",
    """update holds set released_at = '2020-01-01', released_by = {staff}, release_reason = 'x'
    where id = {hold}""": "Lifting of hold {hold}",
}


def test_what_sql_puts_in_before_the_first_hashed_row_is_found(
    log: Log, town: Town, told: Told, tmp_path: Path
) -> None:
    """As the application's own login, which may add rows; none counts as older, and no case file vouches for one."""
    hold = town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="Once more.")
    these = {"milestone": told.milestone, "case": told.case, "hold": hold.id, "staff": town.staff["ada"]}
    log.seal()
    for statement in PUT_IN:
        with log.database.transaction() as session:
            session.execute(text(statement.format(**these)))
    found = {what.format(**these) for what in PUT_IN.values()}
    assert {(row["what"], row["how"]) for row in law(town)} == {(what, "unknown") for what in found}
    report = log.verify()
    assert report.older == 0
    words = {finding.text for finding in report.findings if finding.kind == "words"}
    assert words == {UNKNOWN.format(what) for what in found}
    rows = {finding.why.split()[3] for finding in report.findings if finding.wrong == "row_unrecorded"}
    assert rows == {"messages", "evidence_notes", "handovers", "reports", "recusals", "holds"}
    with town.database.reading() as session:
        here = {each.words for each in content_comparison.others_of_milestone(session, told.milestone)}
    assert here == found
    store = EvidenceStore(tmp_path / "evidence")
    with pytest.raises(case_file.NotAsRecorded, match="has no audit entry"):
        town.act(case_file.export, town.as_staff("cora"), store=store, signer=DESK, case_id=told.case)


def test_nobody_but_the_owner_says_which_rows_are_older(town: Town) -> None:
    for statement in (
        "insert into unhashed_content values ('messages', '0')",
        "update unhashed_content set row_id = '0'",
    ):
        assert "permission denied" in refused(town.database, statement)


def test_words_from_before_a_column_took_its_present_name_keep_their_hash() -> None:
    row = {
        "id": 1,
        "milestone_id": 2,
        "author_kind": "party",
        "author_id": 3,
        "audience": "PARTIES",
        "body": "Hello",
        "at": "2026-09-05T20:37:00+00:00",
    }
    digest = content_hashes.digest("messages", row | {"ticket_id": 4})
    assert digest == content_hashes.digest("messages", row | {"case_id": 4})
    assert digest != content_hashes.digest("messages", row | {"case_id": 5})
