"""Words stay what they were: rewritten by SQL they are found by `audit verify`, by `check` and in a case file."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import case_file
from core.actions.cases import conversation, evidence, offers
from core.audit import content_hashes
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.queries import invariants
from core.records import Message
from core.rules.requests import RequestKind
from tests import builders
from tests.audit.conftest import Log
from tests.builders import Told, Town
from tests.case_file.packs import DESK


@pytest.fixture
def town(log: Log) -> Town:
    return builders.a_town(log.database)


@pytest.fixture
def told(town: Town, tmp_path: Path) -> Told:
    """A case with one of each: a message, a file, a request, an offer, a decision, letters that were sent."""
    told = builders.in_mediation(town)
    store = EvidenceStore(tmp_path / "evidence")
    mail = {"file_name": "mail.txt", "content": b"The worktop is missing."}
    town.act(evidence.hand_in, town.payer, store=store, milestone_id=told.milestone, **mail)
    town.act(offers.propose, town.payer, ticket_id=told.ticket, release=Money(30_000, "USD"), note="Half.")
    town.act(
        conversation.ask,
        town.as_staff("mia"),
        ticket_id=told.ticket,
        party_id=town.payee_id,
        question="When did you deliver the worktop?",
        answer_due_at=town.now.replace(day=town.now.day + 2),
        kind=RequestKind.ANSWER,
    )
    builders.decided(town, told)
    return told


def law(town: Town) -> list[dict[str, object]]:
    results = {each.name: each for each in town.read(invariants.run)}
    return results["words_as_recorded"].rows


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("update messages set body = body || '!' where id = 1", "Message 1"),
        ("update evidence set caption = 'Proof.' where id = 1", "Evidence 1"),
        ("update offers set note = 'All of it.' where id = 1", "Offer 1"),
        ("update party_requests set question = 'Why so late?' where id = 1", "Request to a party 1"),
        ("update decisions set reasons = reasons || '.' where id = 1", "Decision 1"),
    ],
)
def test_rewritten_words_are_found_and_named(
    log: Log, town: Town, told: Told, statement: str, what: str
) -> None:
    log.seal()
    assert law(town) == []
    assert log.verify().ok
    log.tamper(statement)
    assert [(row["what"], row["how"]) for row in law(town)] == [(what, "altered")]
    report = log.verify()
    assert report.first_bad is not None
    assert report.first_bad.text.startswith(f"{what} is not what audit entry ")


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
        kept = {each.key: each.value for each in session.execute(content_hashes.KNOWN)}
        message = session.get_one(Message, 1)
        assert kept["messages:1"] == content_hashes.hashes(message)["messages:1"]


def test_the_application_cannot_rewrite_a_message(town: Town, told: Told) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), town.database.transaction() as session:
        session.execute(text("update messages set body = 'I agree.'"))


def test_a_case_file_of_rewritten_words_does_not_prove_itself(
    log: Log, town: Town, told: Told, tmp_path: Path
) -> None:
    log.tamper("update messages set body = 'I agree to everything.' where id = 2")
    store = EvidenceStore(tmp_path / "evidence")
    with pytest.raises(case_file.NotAsRecorded, match="message 2 is not what audit entry"):
        town.act(case_file.export, town.as_staff("cora"), store=store, signer=DESK, ticket_id=told.ticket)


def test_what_was_recorded_before_hashes_is_never_called_intact(log: Log, town: Town, told: Told) -> None:
    log.seal()
    assert log.verify().older == 0
    log.tamper(  # as one from before has it: older than the first that has a hash
        "insert into messages (id, milestone_id, author_kind, audience, body, at)"
        " values (0, :milestone, 'system', 'PARTIES', 'Long ago.', now())",
        milestone=told.milestone,
    )
    assert log.verify().older == 1
    assert "1 messages, files, letters" in log.verify().text
    assert "nothing proves those" in log.verify().text
