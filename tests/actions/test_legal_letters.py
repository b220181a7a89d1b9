"""The rules of payment-escrow-rules, walked line by line: CL is the client, AT the attorney, PM the mediator, COMP
compliance, ADM the administrators, FIN finance. Each row: what happens, who is told what by it, and what holds then."""

from __future__ import annotations

from typing import Any

import pytest

from core.actions.cases import disputes, evidence, mediator_assignment
from core.actions.decisions import confirmation
from core.actions.funding import fund
from core.actions.milestones import bids, verification
from core.actions.risk import holds
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.records import Decision, Hold, Notification
from core.rules.cases import DisputeReason
from core.rules.grounds import DecisionOutcome, Ground
from tests import builders
from tests.actions.sequence_walk import Walk, WalkStep, walk
from tests.gateways.evidence_builders import picture
from tests.sandbox_desk import Market

FEE = Money(100_000, "USD")


def quote_selected(w: Walk) -> None:
    """Nothing is confirmed yet: quote selection is not engagement."""
    w.project_id = w.market.agreed(FEE, active=False, project_type="DOCUMENT_REVIEW").id
    w.milestone_id = w.market.milestones(w.project_id)[0].id


def consultation_booked(w: Walk) -> None:
    w.project_id = w.market.act(
        bids.accept,
        w.market.payer,
        bid=bids.Bid(
            payer_id=w.market.payer_id,
            payee_id=w.market.payee_id,
            reference="consultation",
            title="A lease",
            scope="One session, with a summary.",
            project_type="CONSULTATION",
            fee_mode="CONSULTATION_FIXED",
            total=FEE,
        ),
    ).id
    w.milestone_id = w.market.milestones(w.project_id)[0].id


def preconditions(w: Walk) -> None:
    w.market.confirm(w.project_id)


def paid(w: Walk) -> None:
    w.market.act(fund.fund, w.market.payer, milestone_id=w.milestone_id)
    w.market.work()


def delivered(w: Walk) -> None:
    w.market.act(verification.submit, w.market.payee, milestone_id=w.milestone_id)


def session_completed(w: Walk) -> None:
    w.market.act(verification.complete_session, w.market.payee, milestone_id=w.milestone_id)


def client_confirms(w: Walk) -> None:
    w.market.act(verification.approve, w.market.payer, milestone_id=w.milestone_id)


def later(**span: float) -> Any:
    return lambda w: w.market.later(**span)


def disputed(w: Walk) -> None:
    opened = w.market.act(
        disputes.open_dispute, w.market.payer, milestone_id=w.milestone_id, reason=DisputeReason.OTHER
    )
    w.case_id = opened.id


def mediation_asked(w: Walk) -> None:
    w.market.act(disputes.ask_mediation, w.market.payer, milestone_id=w.milestone_id)


def mine(w: Walk) -> None:
    """A mediator takes the case: nobody writes to those who do it themselves."""
    mia = w.market.as_staff("mia")
    w.market.act(mediator_assignment.assign, mia, case_id=w.case_id, staff_id=w.market.staff["mia"])


def held_by_compliance(w: Walk) -> None:
    cora = w.market.as_staff("cora")
    w.market.act(holds.place, cora, milestone_id=w.milestone_id, reason="A report about the attorney.")


def lifted(w: Walk) -> None:
    (number,) = w.market.read(lambda session: [each.id for each in session.query(Hold).all()])
    w.market.act(holds.lift, w.market.as_staff("ada"), hold_id=number, reason="Looked into.")


def decided(release: Money | None, **draft: Any) -> Any:
    return lambda w: builders.decided(w.market, w.told, builders.a_draft(w.told, release=release, **draft))


def new_evidence(w: Walk) -> None:
    w.market.act(
        evidence.submit,
        w.market.payee,
        store=EvidenceStore(w.market.desk.settings.home),
        milestone_id=w.milestone_id,
        file_name="memo.jpg",
        content=picture(),
    )


def decision_is(status: str) -> Any:
    return lambda w: w.market.all(Decision)[-1].status == status


def order_is(**places: int) -> Any:
    return lambda w: w.market.order(w.told) == places


BOTH_ENGAGED = ("AT engagement_active", "AT project_started", "CL engagement_active", "CL payment_schedule")
FUNDED = ("AT milestone_funded", "CL funds_held")
RELEASED = ("AT milestone_approved", "CL release_confirmed")
ENDED = ("AT project_review_request", "CL project_review_request")
ENGAGED = (
    WalkStep("Quote selection is not engagement", quote_selected, wrote=("CL milestones_proposed",)),
    WalkStep("Five preconditions, then ACTIVE", preconditions, wrote=BOTH_ENGAGED),
    WalkStep("Payment is held", paid, wrote=FUNDED, holds=order_is(held=100_000)),
)
DISPUTE = (
    WalkStep("The deliverable is handed in", delivered, wrote=("CL verification_requested",)),
    WalkStep("Case OPEN", disputed, wrote=("AT dispute_opened", "CL dispute_confirmed")),
    WalkStep(
        "Case UNDER_REVIEW",
        mediation_asked,
        wrote=("AT mediation_started", "CL mediation_started", "PM case_assigned"),
    ),
    WalkStep("A mediator takes it", mine),
)
ANNOUNCED = ("AT decision_announced", "CL decision_announced")
WALKS: dict[str, tuple[WalkStep, ...]] = {
    "consultation fee: session completed, 24 h without a dispute": (
        WalkStep("Consultation booked", consultation_booked, wrote=("CL milestones_proposed",)),
        *ENGAGED[1:],
        WalkStep("Session completed", session_completed, wrote=("CL verification_requested",)),
        WalkStep("One hour before the end of the grace", later(hours=23), holds=order_is(held=100_000)),
        WalkStep(
            "24 h grace is over",
            later(hours=1),
            wrote=(*RELEASED, "AT payment_sent", *ENDED),
            holds=order_is(released=100_000),
        ),
    ),
    "stage fee: the client confirms the deliverable": (
        *ENGAGED,
        WalkStep("The deliverable is handed in", delivered, wrote=("CL verification_requested",)),
        WalkStep("The client confirms", client_confirms, wrote=RELEASED, holds=order_is(payable=100_000)),
        WalkStep("It is paid out", later(), wrote=("AT payment_sent", *ENDED)),
    ),
    "stage fee: 72 h without an answer": (
        *ENGAGED,
        WalkStep("The deliverable is handed in", delivered, wrote=("CL verification_requested",)),
        WalkStep("A second before", later(hours=72, seconds=-1), holds=order_is(held=100_000)),
        WalkStep("Auto-release", later(seconds=1), wrote=(*RELEASED, "AT payment_sent", *ENDED)),
    ),
    "manual hold": (
        *ENGAGED,
        WalkStep("Compliance holds", held_by_compliance, wrote=("AT hold_placed",)),
        WalkStep("The deliverable is handed in", delivered, wrote=("CL verification_requested",)),
        # Approved, and said so; that it waits is in the same letter. The client is told when it is released.
        WalkStep(
            "The client confirms",
            client_confirms,
            wrote=("AT milestone_approved",),
            holds=order_is(held=100_000),
        ),
        WalkStep("The hold is lifted", lifted, wrote=("AT hold_released", "CL release_confirmed")),
        WalkStep("It is paid out", later(), wrote=("AT payment_sent", *ENDED)),
    ),
    "full refund: service not started, after 24 h": (
        *ENGAGED,
        WalkStep("Case OPEN", disputed, wrote=("AT dispute_opened", "CL dispute_confirmed")),
        *DISPUTE[2:],
        WalkStep(
            "Decided, and cooling off",
            decided(None, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.AGREED_CANCELLATION),
            wrote=ANNOUNCED,
            holds=order_is(held=100_000),
        ),
        WalkStep("A second before", later(hours=24, seconds=-1), holds=decision_is("COOLING_OFF")),
        WalkStep(
            "Carried out",
            later(seconds=1),
            wrote=("AT decision_full_refund", "CL decision_full_refund", "CL refund_sent"),
            holds=order_is(refunded=100_000),
        ),
    ),
    "partial refund: decided, voided by new evidence, decided again": (
        *ENGAGED,
        *DISPUTE,
        WalkStep("Decided, and cooling off", decided(FEE.portion(4_000)), wrote=ANNOUNCED),
        WalkStep(
            "The attorney hands in evidence, and it is void at once",
            new_evidence,
            wrote=("AT decision_voided", "CL decision_voided", "PM decision_voided"),
            holds=decision_is("VOIDED"),
        ),
        WalkStep("Decided again", decided(FEE.portion(6_000)), wrote=ANNOUNCED),
        WalkStep(
            "Carried out",
            later(hours=24),
            wrote=(
                "AT decision_partial_release",
                "CL decision_partial_release",
                "AT payment_sent",
                "CL refund_sent",
                *ENDED,
            ),
            holds=order_is(released=60_000, refunded=40_000),
        ),
    ),
    "a mediator takes the decision back": (
        *ENGAGED,
        *DISPUTE,
        WalkStep("Decided, and cooling off", decided(FEE.portion(4_000)), wrote=ANNOUNCED),
        WalkStep(
            "Taken back",
            lambda w: w.market.act(
                confirmation.withdraw,
                w.market.as_staff("max"),
                decision_id=w.market.all(Decision)[-1].id,
                reason="A message was overlooked.",
            ),
            wrote=("AT decision_voided", "CL decision_voided", "PM decision_voided"),
        ),
    ),
    "a dispute that is withdrawn": (
        *ENGAGED,
        *DISPUTE[:2],
        WalkStep(
            "Withdrawn",
            lambda w: w.market.act(disputes.withdraw, w.market.payer, milestone_id=w.milestone_id),
            wrote=("AT dispute_withdrawn", "CL dispute_withdrawn"),
        ),
    ),
    "nobody decides": (
        *ENGAGED,
        *DISPUTE,
        WalkStep(
            "After 7 days it is the administrators'",
            later(days=7),
            wrote=("ADM case_escalated", "AT decision_late", "CL decision_late", "PM case_escalated"),
        ),
    ),
}


@pytest.mark.parametrize("name", WALKS)
def test_each_step_of_a_legal_matter_tells_exactly_whom_it_concerns(market: Market, name: str) -> None:
    market.newcomers(platform="legal_services")
    walk(WALKS[name], Walk(market, platform="legal_services"))
    market.lawful()


def test_an_announced_decision_says_when_it_is_carried_out_and_what_can_still_be_done(market: Market) -> None:
    market.newcomers(platform="legal_services")
    on = Walk(market, platform="legal_services")
    walk((*ENGAGED, *DISPUTE, WALKS["a mediator takes the decision back"][-2]), on)
    letters = [each for each in market.all(Notification) if each.template == "decision_announced"]
    decision = market.all(Decision)[-1]
    for letter in letters:
        said = " ".join(letter.text.split())
        assert f"not carried out before {decision.execute_at:%A} {decision.execute_at.day} " in said
        assert "UTC" in said
        assert "add evidence" in said
        assert builders.REASONS[:40] in said
        assert (letter.about_kind, letter.about_id) == ("decision", decision.id)
