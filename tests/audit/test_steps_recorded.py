"""What a decision or an offer says of its steps is what their entries say; other SQL is refused or found."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import case_file
from core.actions.cases import settlement_proposals
from core.actions.decisions import confirmation
from core.audit import content_comparison
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.queries import invariants
from tests import builders
from tests.actions.deadline_stories import cooling_off
from tests.audit.conftest import Log, refused
from tests.builders import Told, Town
from tests.case_file.packs import DESK


@pytest.fixture
def town(log: Log) -> Town:
    return builders.a_town(log.database)


@pytest.fixture
def told(town: Town) -> Told:
    """Decision 1 was approved and carried out, and offer 1 ended before."""
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    offer = town.act(
        settlement_proposals.propose, town.payer, case_id=told.case, release=Money(30_000, "USD"), note="So."
    )
    town.act(settlement_proposals.withdraw, town.payer, proposal_id=offer.id)
    decision = builders.decided(town, told)
    given = {"decision_id": decision.id, "plan_hash": decision.plan_hash, "note": "Read the case."}
    town.act(confirmation.approve, town.as_staff("ada"), **given)
    builders.carry_out(town)
    return told


ALTERED = {
    "update decisions set check_note = 'Approved without looking.'": "Decision 1 (the note) is not what audit entry",
    "update decisions set checked_at = checked_at - interval '1 day'": "Decision 1 (when it was approved) is not",
    "update decisions set checker_id = (select max(id) - 1 from staff)": "Decision 1 (who approved) is not",
    "update decisions set executed_at = now()": "Decision 1 (when it was carried out) is not",
    "update decisions set execute_at = execute_at - interval '1 hour'": (
        "Decision 1 (when it may be carried out) does not follow from audit entry"
    ),
    "update decisions set status = 'COOLING_OFF'": "Decision 1 (the status) is not",
    "update decisions set needs_approval = false": "Decision 1 (whether it needs a second person) is not",
    "update decisions set approval_reasons = '[]'": "Decision 1 (why it needs a second person) is not",
    """update decisions set citations = '[]'""": "Decision 1 (the decision's citations) is not what the plan says",
    "update settlement_proposals set ended_at = now()": "Settlement proposal 1 (when it ended) is not",
    "update settlement_proposals set status = 'DECLINED'": "Settlement proposal 1 (the status) is not",
    "update settlement_proposals set expires_at = now()": "Settlement proposal 1 (until when it stands) is not",
}


def test_every_step_says_what_its_entry_says(log: Log, town: Town, told: Told, tmp_path: Path) -> None:
    log.seal()
    assert log.verify().ok
    for statement in ALTERED:
        log.tamper(statement)
    texts = [each.text for each in log.verify().findings if each.kind == "words"]
    for words in ALTERED.values():
        assert any(each.startswith(words) for each in texts), (words, texts)
    law = next(each for each in town.read(invariants.run) if each.name == "words_as_recorded")
    assert law.count == len(texts)
    log.tamper("""update decisions set plan = jsonb_set(plan, '{letters,0,text}', '"Well done."')""")
    store = EvidenceStore(tmp_path / "evidence")
    with pytest.raises(case_file.NotAsRecorded, match=r"Decision 1 \(the plan\)"):
        town.act(case_file.export, town.as_staff("cora"), store=store, signer=DESK, case_id=told.case)


REFUSED = {
    "update decisions set check_note = 'Approved without looking.'": "written with a step",
    "update decisions set execute_at = now()": "written already",
    "update decisions set checker_id = (select max(id) - 1 from staff)": "written already",
    "update decisions set approval_reasons = '[]'": "permission denied",
    "update decisions set plan = '{}'": "permission denied",
    "update settlement_proposals set note = 'All of it.'": "permission denied",
    "update settlement_proposals set ended_at = now()": "not allowed",
    "update holds set reason = 'A whim.'": "permission denied",
}


def test_the_application_cannot_write_a_step_over(town: Town, told: Told) -> None:
    for statement, words in REFUSED.items():
        assert words in refused(town.database, statement), statement


def test_a_decision_that_cools_off_keeps_its_time(log: Log, town: Town) -> None:
    """The time follows from the step that began it and the policy of the project."""
    told = cooling_off(town)
    log.seal()
    for sooner in ("now()", "null"):
        assert "written already" in refused(town.database, f"update decisions set execute_at = {sooner}")
    assert log.verify().ok
    log.tamper("update decisions set execute_at = execute_at - interval '16 hours'")
    assert log.verify().text.startswith(
        "Decision 1 (when it may be carried out) does not follow from audit entry"
    )
    with town.database.reading() as session:
        assert [each.how for each in content_comparison.others_of_milestone(session, told.milestone)] == [
            "derived"
        ]


def test_a_decision_that_ended_before_steps_left_entries_is_counted_and_not_called_altered(
    log: Log, told: Told
) -> None:
    """As a lost chargeback once voided it. Only the database's owner lists one."""
    log.seal()
    log.tamper("update decisions set status = 'VOIDED', check_note = 'Lost at the bank.'")
    assert not log.verify().ok
    log.tamper("insert into unhashed_content values ('decision_steps', '1')")
    report = log.verify()
    assert {finding.kind for finding in report.findings} == {"row"}, "only the seal of its row tells"
    assert report.older == 1
    log.tamper("update decisions set needs_approval = not needs_approval, reasons = 'None.'")
    assert "words" in {finding.kind for finding in log.verify().findings}
