"""A disk that is full, or cannot be written: one sentence, nothing half done, and everything goes on when it can."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from core import audit
from core.actions.bank_statements import accounts, imports
from core.actions.cases import evidence
from core.actions.exports import requests
from core.actions.staff import sessions
from core.audit.keys import PUBLIC_FILE
from core.db import Database
from core.demo.bank_files import DemoLine, DemoStatement, camt053
from core.gateways.evidence_store import EvidenceStore
from core.gateways.files import DiskUnusable
from core.gateways.stripe_sandbox import StripeSandbox
from core.money import Money
from core.processes import exports, letter_delivery
from core.records import BankLine, BankStatementFile, Evidence, Export, Notification
from core.rules.exports import ExportKind
from core.rules.notifications import LetterStatus
from core.rules.permissions import Actor
from core.worker import upkeep
from tests.api.api_client import ApiClient, an_api_client, code
from tests.faults.small_disk import UNUSABLE, Disk, a_disk
from tests.sandbox_desk import Market, a_market

NOTE = b"It leans by 11 cm at the top. " * 40
WHY = {
    "full": ("no space left on device", "file too large"),
    "read-only": ("read-only file system", "file too large"),
}
HOW = pytest.mark.parametrize("how", UNUSABLE)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with a_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def market(database: Database, running_sandbox: StripeSandbox, disk: Disk) -> Market:
    """A desk whose home lies on the small disk."""
    market = a_market(database, running_sandbox, disk.folder)
    market.desk = replace(market.desk, evidence=EvidenceStore(disk.folder))
    return market


def said(refusal: DiskUnusable, how: str) -> bool:
    return any(f"its disk just now ({why})" in refusal.message for why in WHY[how])


def parts(folder: Path) -> list[str]:
    """Whatever was begun and is not whole."""
    return [each.name for each in folder.rglob("*") if each.name.endswith(".part")]


@HOW
def test_evidence_is_refused_in_a_sentence_and_can_be_handed_in_afterwards(
    market: Market, disk: Disk, how: str
) -> None:
    told = market.submitted()
    asked = {"milestone_id": told.milestone, "file_name": "note.txt", "content": NOTE}
    with disk.unusable(how), pytest.raises(DiskUnusable) as refused:
        market.act(evidence.submit, market.payer, store=market.desk.evidence, **asked)
    assert said(refused.value, how), refused.value.message
    assert (market.count(Evidence), parts(disk.folder)) == (0, [])
    row = market.act(evidence.submit, market.payer, store=market.desk.evidence, **asked)
    assert market.desk.evidence.get(market.payer_id, row.sha256) == NOTE


@HOW
def test_a_program_is_told_to_come_again_and_its_same_request_is_done_then(
    market: Market, disk: Disk, how: str
) -> None:
    home: ApiClient = an_api_client(market)
    told = market.submitted()
    with market.database.reading() as session:
        path = session.execute(
            text("select '/milestones/' || id from milestones where id = :id"), {"id": told.milestone}
        ).scalar_one()
    file = ("note.txt", NOTE, "text/plain")
    with disk.unusable(how):
        refused = home.upload(f"{path}/evidence", party=home.payer, file=file, key="photo")
    assert (refused.status_code, code(refused)) == (503, "unavailable"), refused.text
    assert int(refused.headers["retry-after"]) > 0
    assert market.count(Evidence) == 0
    again = home.upload(f"{path}/evidence", party=home.payer, file=file, key="photo")
    assert (again.status_code, market.count(Evidence)) == (201, 1), again.text


@HOW
def test_letters_wait_for_the_disk_and_each_is_written_once(market: Market, disk: Disk, how: str) -> None:
    market.submitted()
    with disk.unusable(how):
        assert letter_delivery.deliver_due(market.desk) == 0
    queued = market.count(Notification, Notification.status == LetterStatus.QUEUED)
    assert queued > 0
    assert parts(disk.folder) == []
    market.wait(minutes=2)
    assert letter_delivery.deliver_due(market.desk) > 0
    assert market.count(Notification, Notification.status == LetterStatus.QUEUED) == 0
    mails = {each.mail for each in market.all(Notification)}
    assert {each.stem for each in disk.folder.rglob("*.eml")} == mails


@HOW
def test_the_record_is_signed_again_when_there_is_room(
    market: Market, auditor: Database, disk: Disk, how: str
) -> None:
    folder = disk.folder / "checkpoints"
    upkeep.seal(market.desk)
    market.submitted()
    with disk.unusable(how):
        for _ in range(3):
            with pytest.raises(DiskUnusable) as refused:
                upkeep.seal(market.desk)
            market.funded()
    assert said(refused.value, how), refused.value.message
    upkeep.seal(market.desk)
    report = audit.verify(auditor, folder)
    assert report.ok, report.text
    assert report.unsigned == 0


@HOW
def test_a_first_checkpoint_that_finds_no_room_spoils_nothing(
    market: Market, auditor: Database, disk: Disk, how: str
) -> None:
    """Neither the signing key nor the public one beside the checkpoints is there in part."""
    with disk.unusable(how), pytest.raises(DiskUnusable):
        upkeep.seal(market.desk)
    upkeep.seal(market.desk)
    assert audit.verify(auditor, disk.folder / "checkpoints").ok
    assert (disk.folder / "checkpoints" / PUBLIC_FILE).exists()


def test_a_public_key_that_was_not_laid_beside_the_checkpoints_is_laid_there_later(
    market: Market, auditor: Database, disk: Disk
) -> None:
    """The process died between the first checkpoint and the key."""
    upkeep.seal(market.desk)
    beside = disk.folder / "checkpoints" / PUBLIC_FILE
    beside.unlink()
    upkeep.seal(market.desk)
    assert audit.verify(auditor, beside.parent).ok
    assert beside.exists()


def signed_in(market: Market, subject: str) -> Actor:
    def begin(session: object) -> Actor:
        token = sessions.sign_in(session, staff_id=market.staff[subject], now=market.now)  # type: ignore[arg-type]
        found = sessions.resolve(session, token, now=market.now)  # type: ignore[arg-type]
        assert found is not None
        return found.actor

    return market.database.run(begin)


@HOW
@pytest.mark.parametrize("kind", list(ExportKind))
def test_an_export_says_what_stopped_it_and_the_next_one_is_whole(
    market: Market, disk: Disk, how: str, kind: ExportKind
) -> None:
    market.funded()
    upkeep.seal(market.desk)
    cora = signed_in(market, "cora")
    asked = {"kind": kind, "format": "csv", "ending": "csv", "filter": {}}
    number = market.act(requests.request, cora, **asked)
    with disk.unusable(how):
        exports.sweep(market.desk)
    row: Export = market.get(Export, number)
    assert row.finished_at is None
    assert any(f"its disk just now ({why})" in str(row.failure) for why in WHY[how]), row.failure
    assert parts(disk.folder) == []
    again = market.act(requests.request, cora, **asked)
    exports.sweep(market.desk)
    made: Export = market.get(Export, again)
    assert (again != number, made.failure, made.finished_at) == (True, None, market.now)


@HOW
def test_a_bank_statement_is_not_imported_by_halves(market: Market, disk: Disk, how: str) -> None:
    fay = market.as_staff("fay")
    identifier, first = "NL26VAYB8060476890", date(2026, 3, 1)
    market.act(accounts.register, fay, code="main", name="Main", currency="EUR", identifier=identifier)
    lines = [DemoLine(first, Money(-1_000, "EUR"), "", "", "Rent")]
    content = camt053(DemoStatement(identifier, "S1", Money(5_000, "EUR"), first, first, lines))
    asked = {"code": "main", "file": "a.xml", "content": content, "store": market.desk.evidence}
    with disk.unusable(how), pytest.raises(DiskUnusable) as refused:
        market.act(imports.take, fay, **asked)
    assert said(refused.value, how), refused.value.message
    assert (market.count(BankStatementFile), market.count(BankLine)) == (0, 0)
    taken = market.act(imports.take, fay, **asked)
    assert taken.before is None
    assert market.count(BankLine) == 1
    assert market.desk.evidence.get(0, hashlib.sha256(content).hexdigest()) == content
