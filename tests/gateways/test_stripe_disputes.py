"""Chargebacks: the money goes with a fee, comes back when won, and there is one chance to answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.gateways.payments import ProviderRefused
from core.gateways.stripe_adapter import StripePayments
from core.gateways.stripe_sandbox import SandboxControl
from tests.gateways.conftest import Parties, usd


@pytest.fixture
def dispute(parties: Parties, control: SandboxControl) -> str:
    parties.paid(usd(90_000))
    return control.dispute(parties.paid(usd(10_000)).id)


def test_a_chargeback_takes_the_money_and_a_fee(payments: StripePayments, dispute: str) -> None:
    seen = payments.dispute_by_id(dispute)
    assert (seen.status, seen.amount, seen.refundable) == ("needs_response", usd(10_000), False)
    assert seen.due_by == datetime(2026, 3, 11, 23, 59, 59, tzinfo=UTC)
    (line,) = seen.lines
    assert (line.reporting_category, line.amount, line.fee, line.net) == ("dispute", -10_000, 1_500, -11_500)


def test_it_can_be_answered_once_and_won(
    payments: StripePayments, dispute: str, control: SandboxControl
) -> None:
    file = payments.upload_evidence("f:1", filename="contract.pdf", content=b"%PDF-1.7 signed")
    staged = payments.submit_evidence(
        "e", "e:1", dispute=dispute, evidence={"service_documentation": file}, submit=False
    )
    assert (staged.status, staged.has_evidence, staged.submission_count) == ("needs_response", True, 0)
    told = {"uncategorized_text": "The work was accepted."}
    sent = payments.submit_evidence("e", "e:2", dispute=dispute, evidence=told, submit=True)
    assert (sent.status, sent.submission_count, sent.op) == ("under_review", 1, "e")
    with pytest.raises(ProviderRefused):
        payments.submit_evidence("e", "e:3", dispute=dispute, evidence=told, submit=True)
    control.decide_dispute(dispute, "won")
    won = payments.dispute_by_id(dispute)
    assert won.status == "won"
    assert [(line.reporting_category, line.net) for line in won.lines] == [
        ("dispute", -11_500),
        ("dispute_reversal", 11_500),
    ]
    assert won.lines[1].fee == -1_500


def test_it_is_lost_when_nobody_answers(
    payments: StripePayments, dispute: str, control: SandboxControl
) -> None:
    control.advance(timedelta(days=10))
    lost = payments.dispute_by_id(dispute)
    assert (lost.status, lost.past_due, len(lost.lines)) == ("lost", True, 1)
    with pytest.raises(ProviderRefused):
        payments.submit_evidence(
            "e", "e:1", dispute=dispute, evidence={"uncategorized_text": "x"}, submit=True
        )


def test_it_can_be_given_up(payments: StripePayments, dispute: str) -> None:
    assert payments.accept_dispute("a:1", dispute=dispute).status == "lost"


def test_evidence_that_is_too_long_is_refused(payments: StripePayments, dispute: str) -> None:
    with pytest.raises(ProviderRefused):
        payments.submit_evidence(
            "e", "e:1", dispute=dispute, evidence={"uncategorized_text": "x" * 20_001}, submit=True
        )


def test_a_disputed_charge_cannot_be_refunded(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    parties.paid(usd(90_000))
    paid = parties.paid(usd(10_000))
    control.dispute(paid.id)
    assert payments.charge_of(paid.id).disputed
    with pytest.raises(ProviderRefused) as refused:
        payments.refund("r", "r:1", payment_intent=paid.id, amount=usd(10_000))
    assert refused.value.provider_code == "charge_disputed"


def test_an_inquiry_moves_no_money_until_it_becomes_a_chargeback(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    paid = parties.paid(usd(10_000))
    inquiry = control.dispute(paid.id, inquiry=True)
    seen = payments.dispute_by_id(inquiry)
    assert (seen.status, seen.lines, seen.refundable) == ("warning_needs_response", (), True)
    control.decide_dispute(inquiry, "needs_response")
    assert len(payments.dispute_by_id(inquiry).lines) == 1


def test_a_dispute_may_exceed_the_payment(
    payments: StripePayments, parties: Parties, control: SandboxControl
) -> None:
    dispute = control.dispute(parties.paid(usd(10_000)).id, amount=12_000)
    assert payments.dispute_by_id(dispute).lines[0].amount == -12_000


def test_some_test_cards_are_disputed_at_once(payments: StripePayments, parties: Parties) -> None:
    assert payments.charge_of(parties.paid(usd(10_000), card="pm_card_createDispute").id).disputed
