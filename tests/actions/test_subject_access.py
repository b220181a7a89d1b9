"""One file for one person: all that is theirs, and nothing private of the other party."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest
from sqlalchemy import text

from core.actions.cases import conversation
from core.actions.parties import details
from core.actions.privacy import subject_access
from core.actions.privacy.subject_access import SubjectAccess
from core.db import Database
from core.errors import NotFound
from core.gateways.evidence_store import EvidenceStore
from core.records import Party
from core.rules.messages import Audience
from core.rules.parties import PartyErased
from core.rules.permissions import NotPermitted, StepUpRequired
from tests import builders
from tests.actions.test_erasures import (
    BEFORE,
    BYTES,
    CAPTION,
    COMPLAINT,
    FILE,
    MAIL,
    NAME,
    WORDS,
    a_home,
    erase,
    sent,
    told_of,
)  # fmt: skip
from tests.builders import Town

NOTE = "The payer sounds nervous; watch for a chargeback."
OTHER_NAME, OTHER_MAIL = "Bogumil Private", "bogumil.private@example.com"


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


@pytest.fixture
def store(tmp_path: object) -> EvidenceStore:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    return EvidenceStore(tmp_path)


def taken(town: Town, store: EvidenceStore, party: int, by: str = "cora") -> SubjectAccess:
    return town.act(subject_access.take, town.as_staff(by), store=store, party_id=party)


def read(made: SubjectAccess) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made.content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def lived(town: Town, store: EvidenceStore) -> None:
    wanted = {"name": OTHER_NAME, "email": OTHER_MAIL}
    town.act(details.change, town.payee, party_id=town.payee_id, wanted=wanted)
    told = told_of(town, store)
    aside = {"milestone_id": told.milestone, "body": NOTE, "audience": Audience.STAFF}
    town.act(conversation.say, town.as_staff("mia"), **aside)
    town.act(
        conversation.say,
        town.payee,
        milestone_id=told.milestone,
        body=f"Write to {OTHER_MAIL} and ask for {OTHER_NAME}.",
    )


def test_it_holds_what_is_theirs_and_nothing_private_of_the_other(town: Town, store: EvidenceStore) -> None:
    lived(town, store)
    made = taken(town, store, town.payer_id)
    files = read(made)
    whole = b"\n".join(files.values()).decode()
    for mine in (NAME, MAIL, BEFORE, WORDS, COMPLAINT, CAPTION, FILE, BYTES.decode()):
        assert mine in whole, mine
    other = town.read(lambda s: s.get_one(Party, town.payee_id))
    private = (OTHER_NAME, OTHER_MAIL, "Ben Okafor", other.external_id, other.stripe_account or "?", NOTE)
    for theirs in (*private, "Signed at delivery.", "ours.txt"):
        assert theirs.casefold() not in whole.casefold(), theirs
    said = [(each["by"], each["body"]) for each in json.loads(files["messages.json"])]
    assert ("the payee", f"Dear {NAME}, it is only a scratch.") in said
    assert ("the payee", "Write to the payee and ask for the payee.") in said
    assert ("you", WORDS) in said
    (piece,) = json.loads(files["evidence.json"])
    assert files[f"files/{piece['id']}.txt"] == BYTES
    assert hashlib.sha256(BYTES).hexdigest() == piece["sha256"]
    assert json.loads(files["payments.json"])
    assert json.loads(files["emails.json"])
    (entry,) = town.read(
        lambda s: s.execute(
            text("select after from audit_entries where action = 'staff:person:access'")
        ).all()
    )
    assert entry.after["sha256"] == made.sha256 == hashlib.sha256(made.content).hexdigest()


def test_of_whoever_is_not_there_is_nothing(town: Town, store: EvidenceStore) -> None:
    with pytest.raises(NotFound):
        taken(town, store, 10**9)


def test_the_other_side_gets_its_own(town: Town, store: EvidenceStore) -> None:
    lived(town, store)
    whole = b"\n".join(read(taken(town, store, town.payee_id)).values()).decode()
    assert OTHER_NAME in whole
    assert "Signed at delivery." in whole
    for theirs in (NAME, MAIL, BEFORE, CAPTION, FILE, BYTES.decode(), NOTE):
        assert theirs.casefold() not in whole.casefold(), theirs


def test_a_file_that_cannot_be_read_is_said(town: Town, store: EvidenceStore) -> None:
    lived(town, store)
    for path in (store.folder / str(town.payer_id)).rglob("*"):
        if path.is_file():
            path.unlink()
    made = taken(town, store, town.payer_id)
    assert made.unread == 1
    assert any(name.endswith(".missing.txt") for name in read(made))


def test_only_compliance_takes_it_and_of_whoever_is_erased_there_is_none(
    town: Town, store: EvidenceStore, tmp_path: object
) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    for subject in ("ada", "mia", "fay"):
        with pytest.raises(NotPermitted):
            taken(town, store, town.payer_id, by=subject)
    cora = town.as_staff("cora")
    town.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        town.act(subject_access.take, cora, store=store, party_id=town.payer_id)
    told_of(town, store)
    sent(town, a_home(town, store, tmp_path))
    erase(town)
    with pytest.raises(PartyErased):
        taken(town, store, town.payer_id)
