"""Chargebacks on screen: what is due, what was booked, and an answer that two people give."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.actions.chargebacks import chargeback_acceptance, chargeback_evidence, lifecycle
from core.db import Database
from core.gateways.evidence_store import EvidenceStore
from core.gateways.payments import BalanceLine, DisputeSnapshot
from core.money import Money
from core.records import Chargeback, ChargebackAcceptance, ChargebackEvidence, Evidence, PaymentOrder
from dashboard.ui import confirm
from tests import builders, unrecorded
from tests.builders import Town
from tests.gateways.evidence_builders import pdf
from tests.pages.visiting import labels, serve, visit, words


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Town:
    town = builders.a_town(database)
    serve(town, tmp_path)
    return town


def charged_back(town: Town, *, again: bool = False, **known: Any) -> Chargeback:
    """A bank asks for the payment back; `again`: it says something else of the same one."""
    if not again:
        builders.funded(town)
    order = town.read(lambda s: s.query(PaymentOrder).filter(PaymentOrder.funded_minor > 0).one())
    line = BalanceLine(
        "txn_dispute", "adjustment", "dispute", -order.charge_minor, 1_500, -order.charge_minor - 1_500, "USD",
        "du_1", town.now, town.now, "available",
    )  # fmt: skip
    snapshot = DisputeSnapshot(
        id="du_1",
        status="needs_response",
        amount=Money(order.charge_minor, "USD"),
        created=town.now,
        op=None,
        reason="product_not_received",
        charge=order.stripe_charge or "",
        payment_intent=order.stripe_payment_intent,
        due_by=town.now + timedelta(days=9),
        past_due=False,
        has_evidence=False,
        submission_count=0,
        refundable=False,
        lines=(line,),
    )
    row = town.database.run(lambda s: lifecycle.follow(s, replace(snapshot, **known), now=town.now))
    assert row is not None
    return row


@pytest.mark.parametrize("subject", builders.PEOPLE)
def test_everybody_sees_what_is_due_and_only_some_may_answer(town: Town, subject: str) -> None:
    row = charged_back(town)
    app = visit(town, subject, "chargebacks")
    queue, every, outcomes = app.dataframe
    for table in (queue, every):
        shown = table.value.iloc[0]
        assert (shown["reference"], shown["answer_by"]) == (f"CB-{row.id}", ["in 9 days"])
    assert queue.value.iloc[0]["standing"] == "No draft yet"
    counted = outcomes.value.iloc[0]
    assert (counted["title"], counted["opened"], counted["rate"]) == ("Product not received", "1", "—")
    detail = visit(town, subject, "chargebacks", id=row.id)
    assert "Chargeback opened" in str(detail.dataframe[0].value)
    assert "11 Mar 2026" in words(detail)
    assert ("Keep as draft" in labels(detail)) == (subject in ("fay", "cora"))


def test_an_empty_list_says_what_will_fill_it(town: Town) -> None:
    assert "No chargebacks" in words(visit(town, "fay", "chargebacks"))


def test_one_person_drafts_and_another_sends(town: Town) -> None:
    row = charged_back(town)
    app = visit(town, "fay", "chargebacks", id=row.id)
    app.text_area(key="evidence-uncategorized_text").set_value("The payer approved the work.").run()
    next(button for button in app.button if button.label == "Keep as draft").click().run()
    assert not app.exception
    drafts = town.read(lambda s: s.query(ChargebackEvidence).all())
    assert [each.texts["uncategorized_text"] for each in drafts] == ["The payer approved the work."]
    assert "Send to the bank" not in labels(visit(town, "fay", "chargebacks", id=row.id))
    other = visit(town, "cora", "chargebacks", id=row.id)
    assert "The payer approved the work." in words(other)
    next(button for button in other.button if button.label == "Send to the bank").click().run()
    assert f"Type CB-{row.id} to confirm" in words(other)
    assert [each.submitted_by for each in town.read(lambda s: s.query(ChargebackEvidence).all())] == [None]
    next(field for field in other.text_input if "to send it" in field.label).set_value(f"cb-{row.id}").run()
    next(button for button in other.button if button.label == "Send to the bank").click().run()
    assert not other.exception
    (sent,) = town.read(lambda s: s.query(ChargebackEvidence).all())
    assert (sent.drafted_by, sent.submitted_by) == (town.staff["fay"], town.staff["cora"])


def test_what_is_decided_shows_its_answer_and_takes_no_other(town: Town) -> None:
    row = charged_back(town)
    town.act(
        chargeback_evidence.stage,
        town.as_staff("fay"),
        chargeback_id=row.id,
        texts={"uncategorized_text": "A."},
    )
    town.database.run(lambda s: _decide(s, row.id))
    app = visit(town, "cora", "chargebacks", id=row.id)
    assert not {"Keep as draft", "Send to the bank"} & set(labels(app))


def _decide(session: Any, number: int) -> None:
    session.get_one(Chargeback, number).status = "won"
    unrecorded.admit(session)


def test_what_the_bank_kept_is_shown_with_who_bore_it(town: Town) -> None:
    """Lost while all of it was held: nothing is the platform's loss but the processor's fee, and the parts add up."""
    row = charged_back(town)
    assert "Who bore it" not in words(visit(town, "fay", "chargebacks", id=row.id))
    charged_back(town, again=True, status="lost")
    lost = town.read(lambda s: s.get_one(Chargeback, row.id))
    order = town.read(lambda s: s.get_one(PaymentOrder, row.milestone_id))
    assert lost.lost_minor == order.charge_minor
    read = words(visit(town, "fay", "chargebacks", id=row.id))
    assert f"The bank kept {Money(lost.lost_minor, 'USD').text()}" in read
    for label, minor in (
        ("Held for the payee", order.funded_minor),
        ("Platform fee, not yet earned", order.platform_fee_minor),
        ("Loss of the platform", order.processing_fee_minor),
    ):
        _, _, after = read.partition(f"<dt>{label}</dt>")
        assert Money(minor, "USD").text() in after[:200], label
    assert "Charged to the payee" not in read


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, "Without one the bank keeps the money."),
        (
            {"status": "warning_needs_response", "lines": ()},
            "The bank has taken nothing so far; without an answer it may take the money.",
        ),
    ],
)
def test_what_comes_of_no_answer_is_said_as_it_is_known(town: Town, known: dict[str, Any], said: str) -> None:
    row = charged_back(town, **known)
    read = words(visit(town, "fay", "chargebacks", id=row.id))
    assert said in read
    assert ("Without one the bank keeps" in read) == (not known)


def test_a_number_that_is_none_says_so(town: Town) -> None:
    assert "There is no chargeback 99" in words(visit(town, "fay", "chargebacks", id=99))


def test_one_person_proposes_to_give_in_and_another_does_it(town: Town) -> None:
    row = charged_back(town)
    app = visit(town, "fay", "chargebacks", id=row.id)
    assert "The bank waits for an answer" in words(app)
    app.text_input(key="give-in-reason").set_value("The payer is right.").run()
    next(button for button in app.button if button.label == "Submit for approval").click().run()
    assert not app.exception
    mine = visit(town, "fay", "chargebacks", id=row.id)
    assert "someone else must accept the chargeback" in words(mine)
    assert not [label for label in labels(mine) if label.startswith("Accept:")]
    other = visit(town, "cora", "chargebacks", id=row.id)
    next(field for field in other.text_input if "to accept it" in field.label).set_value(f"CB-{row.id}").run()
    next(button for button in other.button if button.label.startswith("Accept: ")).click().run()
    assert not other.exception
    (done,) = town.read(lambda s: s.query(ChargebackAcceptance).all())
    assert (done.status, done.settled_by) == ("ACCEPTED", town.staff["cora"])
    assert "Keep as draft" not in labels(visit(town, "fay", "chargebacks", id=row.id))


def test_a_proposal_to_give_in_that_a_colleague_took_away_meanwhile_is_not_made_later(town: Town) -> None:
    row = charged_back(town)
    app = visit(town, "fay", "chargebacks", id=row.id)
    app.text_input(key="give-in-reason").set_value("The payer is right.").run()
    made = town.act(
        chargeback_acceptance.propose, town.as_staff("cora"), chargeback_id=row.id, reason="No answer helps."
    )
    next(button for button in app.button if button.label == "Submit for approval").click().run()
    assert confirm.LOST in words(app)
    assert "Cora Nwosu proposes to accept the chargeback" in words(app)
    town.act(chargeback_acceptance.reject, town.as_staff("cora"), acceptance_id=made.id, reason="Not so.")
    app.run()
    assert "Submit for approval" in labels(app)
    assert [each.status for each in town.read(lambda s: s.query(ChargebackAcceptance).all())] == ["WITHDRAWN"]


def test_a_piece_of_evidence_is_chosen_and_says_what_it_is(town: Town, tmp_path: Path) -> None:
    row = charged_back(town)
    sha256 = EvidenceStore(tmp_path).put(town.payee_id, pdf(2))

    def keep(session: Any) -> None:
        session.add(
            Evidence(
                milestone_id=row.milestone_id, uploaded_by=town.payee_id, kind="PDF", file_name="contract.pdf",
                media_type="application/pdf", size_bytes=9, sha256=sha256, caption="Signed", at=town.now,
            )
        )  # fmt: skip

    town.database.run(keep)
    (piece,) = town.read(lambda s: s.query(Evidence).all())
    app = visit(town, "fay", "chargebacks", id=row.id)
    for field in app.multiselect:
        field.set_value([])
    app.multiselect(key="evidence-files-customer_signature").set_value([f"evidence:{piece.id}"]).run()
    next(button for button in app.button if button.label == "Keep as draft").click().run()
    assert not app.exception
    (draft,) = town.read(lambda s: s.query(ChargebackEvidence).all())
    assert draft.files == {"customer_signature": piece.id}
    assert "contract.pdf" in words(visit(town, "cora", "chargebacks", id=row.id))
