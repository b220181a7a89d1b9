"""Whatever field of a row in a case file says something else than before, its checks find it, or it is named here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.actions.cases import evidence, settlement_proposals
from core.actions.decisions import confirmation
from core.case_file import verification
from core.case_file.check_helpers import Wrong
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from tests import builders
from tests.case_file.packs import Files, export, unpacked

# Nothing that a case file tells rests on these: where a click came from, and what moves with the clock and with visits.
SAYS_NOTHING = {
    "decision.json": {"intent"},
    "case.json": {
        *("version", "escalated", "waiting_on", "due_at", "answer_due_at"),
        *("mediation_due_at", "in_mediation_at", "decision_due_at"),
    },
}


@pytest.fixture
def files(town: builders.Town, tmp_path: Path) -> Files:
    """An offer that ended, a file, a decision that a second person approved, all carried out."""
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    store = EvidenceStore(tmp_path)
    mail = {"file_name": "mail.txt", "content": b"The worktop is missing."}
    town.act(evidence.submit, town.payer, store=store, milestone_id=told.milestone, **mail)
    offer = town.act(
        settlement_proposals.propose, town.payer, case_id=told.case, release=Money(30_000, "USD"), note="So."
    )
    town.act(settlement_proposals.withdraw, town.payer, proposal_id=offer.id)
    decision = builders.decided(town, told)
    given = {"decision_id": decision.id, "plan_hash": decision.plan_hash, "note": "Read the case."}
    town.act(confirmation.approve, town.as_staff("ada"), **given)
    builders.carry_out(town)
    return unpacked(export(town, store, told.case).content, tmp_path)


def row_of(files: Files, name: str) -> dict[str, Any]:
    content = json.loads(files[name])
    row: dict[str, Any] = content["ticket"] if name == "case.json" else content
    return row[0] if isinstance(row, list) else row


def altered(files: Files, name: str, field: str) -> Files:
    content = json.loads(files[name])
    row = content["ticket"] if name == "case.json" else content
    row = row[0] if isinstance(row, list) else row
    row[field] = another(row[field])
    return {**files, name: json.dumps(content).encode()}


def another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str() if value[:2] == "20" and "T" in value:
            return value.replace("20", "19", 1)
        case str():
            return f"{value} No."
        case list():
            return [*value, *value[:1]] or [1]
    return 1


def found(files: Files) -> bool:
    """By any check but those of the whole file, which any change would break."""
    try:
        for what, check in verification.CHECKS:
            needed = verification.NEEDED.get(what.partition(":")[0], verification.MANIFEST)
            if check not in (verification._manifest, verification._printed) and needed in files:
                check(files)
    except (Wrong, ValueError, KeyError):
        return True
    return False


@pytest.mark.parametrize(
    "name", ["decision.json", "offers.json", "case.json", "evidence.json", "messages.json"]
)
def test_every_field_is_held_against_something(files: Files, name: str) -> None:
    assert not found(files)
    quiet = {field for field in row_of(files, name) if not found(altered(files, name, field))}
    assert quiet == SAYS_NOTHING.get(name, set())
