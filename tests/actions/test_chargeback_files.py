"""What is attached to an answer: files of the case, the desk's own papers, uploads, and several as one PDF."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.cases import conversation, evidence
from core.actions.chargebacks import chargeback_evidence as answers
from core.actions.chargebacks import chargeback_files as own
from core.actions.chargebacks import chargeback_remarks
from core.actions.milestones import verification
from core.db import Database
from core.errors import NotFound, ReasonMissing
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.processes import letter_delivery
from core.queries import chargeback_case, chargeback_outcomes, chargebacks
from core.records import ChargebackFile, ChargebackRemark
from core.rules.chargebacks import EvidenceUnknown, FilesTooLarge
from core.rules.evidence import EvidenceRefused
from core.rules.irreversible import NotTyped
from core.rules.permissions import NotPermitted
from tests.actions.stripe_events import bank_says, chargeback, charged_back, told_by_webhook
from tests.actions.test_quicker_banks import refund_decided
from tests.gateways.evidence_builders import pdf, picture
from tests.sandbox_desk import Market


@pytest.fixture
def shelf(market: Market, tmp_path: Path) -> Market:
    """A market with a store for evidence, and a payment that its payer's bank disputes."""
    market.desk = replace(market.desk, evidence=EvidenceStore(tmp_path))
    told = market.submitted()
    market.act(
        evidence.submit,
        market.payee,
        store=market.desk.evidence,
        milestone_id=told.milestone,
        file_name="report.pdf",
        content=pdf(3),
        caption="Signed",
    )
    charged_back(market, told)
    return market


def draft(market: Market, exhibits: dict[str, list[str]], by: str = "fay", **texts: str) -> Any:
    return market.act(
        own.draft,
        market.as_staff(by),
        store=market.desk.evidence,
        settings=market.desk.settings,
        chargeback_id=chargeback(market).id,
        texts=texts,
        exhibits=exhibits,
    )


def upload(market: Market, name: str, content: bytes, by: str = "fay") -> ChargebackFile:
    return market.act(
        own.upload,
        market.as_staff(by),
        store=market.desk.evidence,
        chargeback_id=chargeback(market).id,
        file_name=name,
        content=content,
    )


def the_case(market: Market) -> chargeback_case.ChargebackCase:
    return market.read(lambda session: chargeback_case.case(session, chargeback(market).id))


def test_the_case_fills_what_it_knows_and_offers_what_it_has(shelf: Market) -> None:
    case = the_case(shelf)
    texts = case.texts
    assert {"customer_name", "customer_email_address", "product_description", "service_date"} <= texts.keys()
    assert "the payer paid" in texts["uncategorized_text"]
    assert "approved" not in texts["uncategorized_text"], "nothing that did not happen is said"
    codes = [each.code.partition(":")[0] for each in case.sources]
    assert codes.count("receipt") == 1
    assert {"evidence", "log"} <= set(codes)
    assert "emails" not in codes, "no e-mail has left yet"
    assert not case.refunds


def test_several_files_of_one_document_go_as_one_pdf_with_numbered_exhibits(shelf: Market) -> None:
    receipt, piece = (
        next(each.code for each in the_case(shelf).sources if each.code.startswith(kind))
        for kind in ("receipt", "evidence")
    )
    photo = upload(shelf, "photo.png", picture("PNG"))
    made = draft(
        shelf,
        {"service_documentation": [piece, f"file:{photo.id}", "log"], "receipt": [receipt]},
        product_description="A kitchen.",
    )
    shelf.work()
    (seen,) = shelf.read(lambda session: chargebacks.answers(session, chargeback(shelf).id))
    bundle = seen.files["service_documentation"]
    assert [(title, first) for title, first, _ in bundle.exhibits][:2] == [
        ("report.pdf", 2),
        ("photo.png", 5),
    ]
    shown = shelf.act(
        own.opened,
        shelf.as_staff("cora"),
        store=shelf.desk.evidence,
        chargeback_id=chargeback(shelf).id,
        code=bundle.code,
    )
    with pikepdf.open(io.BytesIO(shown.content)) as document:
        assert len(document.pages) == 1 + sum(count for _, _, count in bundle.exhibits)
    sent = {each["filename"]: each["size"] for each in shelf.at_stripe("/v1/files")}
    assert sent["service_documentation.pdf"] == len(shown.content), "the bank gets what was looked at"
    assert sent.keys() == {"service_documentation.pdf", "receipt.pdf"}
    with pytest.raises(NotTyped):
        shelf.act(answers.submit, shelf.as_staff("cora"), evidence_id=made.id, typed="CB-77")
    shelf.act(answers.submit, shelf.as_staff("cora"), evidence_id=made.id, typed=f"CB-{made.chargeback_id}")
    shelf.work()
    assert chargeback(shelf).submissions == 1
    shelf.lawful()


def test_the_same_file_is_kept_once_and_what_no_bank_opens_is_refused(shelf: Market) -> None:
    first = upload(shelf, "photo.png", picture("PNG"))
    assert upload(shelf, "again.png", picture("PNG")).id == first.id
    with pytest.raises(EvidenceRefused):
        upload(shelf, "photo.png", b"no picture at all")
    with pytest.raises(NotPermitted):
        upload(shelf, "other.png", picture("JPEG"), by="mia")
    assert shelf.count(ChargebackFile) == 1


def test_more_pages_than_a_bank_takes_are_refused_and_nothing_is_kept(shelf: Market) -> None:
    long = upload(shelf, "long.pdf", pdf(50))
    with pytest.raises(FilesTooLarge):
        draft(shelf, {"uncategorized_file": [f"file:{long.id}"]})
    with pytest.raises(FilesTooLarge):
        draft(shelf, {"uncategorized_file": [f"file:{long.id}", "log"]})
    assert shelf.count(ChargebackFile) == 1
    for code in ("file:99", "receipt:99", "evidence:99", "ledger"):
        with pytest.raises(NotFound):
            draft(shelf, {"uncategorized_file": [code]})


def test_what_was_written_and_sent_goes_to_the_bank_on_paper(shelf: Market) -> None:
    milestone = chargeback(shelf).milestone_id
    shelf.act(conversation.say, shelf.payee, milestone_id=milestone, body="The worktop comes on Friday.")
    letter_delivery.deliver_due(shelf.desk)
    draft(shelf, {"customer_communication": ["messages", "emails"]})
    (bundle,) = shelf.all(ChargebackFile)
    papers = [title for title, _, _ in bundle.contents]
    assert papers == ["Messages between payer and payee", "E-mails sent to the payer"]


def test_several_files_of_an_unknown_document_are_refused(shelf: Market) -> None:
    with pytest.raises(EvidenceUnknown):
        draft(shelf, {"love_letter": ["log", "log"]})
    assert shelf.count(ChargebackFile) == 0


def test_what_was_refunded_before_is_said_and_offered(market: Market) -> None:
    told = refund_decided(market, release=Money(60_000, "USD"))
    market.work()
    market.later(hours=2)
    charged_back(market, told, reason="credit_not_processed", amount=50_000)
    case = the_case(market)
    (refund,) = case.refunds
    assert refund.sentence in case.texts["refund_refusal_explanation"]
    assert [each.field for each in case.sources if "Credit note" in each.label] == ["uncategorized_file"]


def test_a_remark_is_kept_as_it_was_written(market: Market, owner: Database) -> None:
    charged_back(market, market.funded())
    number = chargeback(market).id
    with pytest.raises(ReasonMissing):
        market.act(chargeback_remarks.add, market.as_staff("fay"), chargeback_id=number, body="  ")
    with pytest.raises(NotPermitted):
        market.act(chargeback_remarks.add, market.as_staff("mia"), chargeback_id=number, body="No proof.")
    market.act(chargeback_remarks.add, market.as_staff("fay"), chargeback_id=number, body="No proof.")
    assert [each.body for each in market.all(ChargebackRemark)] == ["No proof."]
    for statement in ("update chargeback_remarks set body = 'x'", "delete from chargeback_remarks"):
        with pytest.raises(IntegrityError, match="stays as it was written"), owner.transaction() as session:
            session.execute(text(statement))


def test_what_it_cost_is_what_the_ledger_says(market: Market) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    market.later(days=5)
    dispute = charged_back(market, told)
    bank_says(market, dispute, "lost")
    told_by_webhook(market, "charge.dispute.closed", dispute)
    since = market.now.replace(year=market.now.year - 1)
    (row,) = market.read(lambda s: chargeback_outcomes.outcomes(s, since=since, until=market.now))
    books = market.books()
    assert (row.opened, row.won, row.lost, row.rate) == (1, 0, 1, "0 %")
    assert (row.fees.minor, row.losses.minor) == (books["dispute_fees"], books["chargeback_losses"])
    assert row.returned.minor == chargeback(market).lost_minor
