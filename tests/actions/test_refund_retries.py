"""Refunds that come back, and calls that a person sends again (milestone-payment-flow, Error Handling)."""

from __future__ import annotations

import pytest

from core.actions.milestones.documents import paper_of
from core.actions.operations import operation_retry
from core.actions.operations.operation_retry import OperationNotInReview, ReviewThePayout
from core.api import money_serializers
from core.config import Settings
from core.document_paper import draw
from core.errors import ReasonMissing
from core.queries import documents, project_documents, search
from core.queries.documents import Narrowed
from core.records import Notification, Receipt, Refund
from core.rules.documents import ReceiptKind
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.permissions import NotPermitted, StepUpRequired
from dashboard.ui import status
from tests import builders
from tests.actions.stripe_events import told_by_webhook
from tests.builders import Told
from tests.sandbox_desk import Market
from tests.test_paper import printed


def refunded(market: Market) -> tuple[Told, str]:
    told = market.in_mediation()
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    market.work()
    (refund,) = market.all(Refund)
    return told, str(refund.stripe_refund)


def failed(market: Market, status: str = "failed") -> tuple[Told, str]:
    if status == "canceled":  # only what has not arrived can be canceled
        market.control.next_refunds({"status": "pending", "stay": True})
    told, at_stripe = refunded(market)
    market.control.move_refund(at_stripe, status)
    told_by_webhook(market, "refund.updated", at_stripe)
    assert [each.status for each in market.all(Refund)] == [status.upper()]
    return told, at_stripe


def retry(market: Market, subject: str = "fay", reason: str = "The bank was asked.") -> None:
    (operation,) = market.operations("REFUND")
    market.act(operation_retry.retry, market.as_staff(subject), operation_id=operation.id, reason=reason)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_came_back_can_be_sent_again_under_another_key(market: Market, status: str) -> None:
    told, first = failed(market, status)
    assert "refund_failed" in [each.template for each in market.all(Notification)]
    assert market.order(told) == {"refundable": 100_000}
    market.lawful()
    retry(market)
    market.work()
    (refund,) = market.all(Refund)
    assert (refund.status, market.order(told)) == ("SUCCEEDED", {"refunded": 100_000})
    assert refund.stripe_refund != first
    assert [each.attempt for each in market.operations("REFUND")] == [2]
    market.lawful()


def test_late_news_of_the_first_refund_do_not_touch_the_second(market: Market) -> None:
    told, first = failed(market)
    retry(market)
    told_by_webhook(market, "refund.failed", first)
    market.work()
    told_by_webhook(market, "refund.failed", first)
    assert [each.status for each in market.all(Refund)] == ["SUCCEEDED"]
    assert market.order(told) == {"refunded": 100_000}
    assert len(market.sent("/v1/refunds")) == 2
    market.lawful()


def test_a_second_refund_whose_answer_is_lost_is_not_made_twice(market: Market) -> None:
    told, _ = failed(market)
    retry(market)
    market.control.fault("drop", method="POST", path="/v1/refunds", when="after")
    market.work()
    assert [each.status for each in market.operations("REFUND")] == ["QUEUED"]
    market.later(hours=30)
    assert market.order(told) == {"refunded": 100_000}
    assert len(market.at_stripe("/v1/refunds")) == 2
    market.lawful()


def test_only_finance_with_a_reason_and_freshly_signed_in_sends_again(market: Market) -> None:
    failed(market)
    with pytest.raises(NotPermitted):
        retry(market, "mia")
    with pytest.raises(ReasonMissing):
        retry(market, reason=" ")
    (operation,) = market.operations("REFUND")
    stale = market.as_staff("fay")
    market.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        market.act(operation_retry.retry, stale, operation_id=operation.id, reason="Again.")


def test_a_call_that_is_not_in_review_is_not_sent_again(market: Market) -> None:
    refunded(market)
    with pytest.raises(OperationNotInReview):
        retry(market)


def test_a_refund_that_stripe_refused_is_another_attempt(market: Market) -> None:
    told = market.in_mediation()
    (charge,) = market.operations("CHARGE")
    reply = market.control.session.post(
        f"{market.sandbox.url}/v1/refunds", data={"payment_intent": charge.provider_id, "amount": "50000"}
    )
    draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
    builders.decided(market, told, draft)
    market.work()
    assert [each.status for each in market.operations("REFUND")] == ["REVIEW"]
    market.control.move_refund(reply.json()["id"], "failed")
    retry(market, reason="What was refunded by hand came back.")
    market.work()
    assert [each.status for each in market.all(Refund)] == ["SUCCEEDED"]
    assert market.order(told) == {"refunded": 100_000}


def test_a_payout_is_reviewed_as_a_payout(market: Market) -> None:
    from core import audit
    from core.actions.milestones import verification
    from core.records import OutgoingOperation

    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    (transfer,) = market.operations("TRANSFER")

    def to_review(session: object) -> None:
        row = session.get_one(OutgoingOperation, transfer.id)  # type: ignore[attr-defined]
        audit.become(row, "REVIEW", now=market.now)

    market.database.run(to_review)
    with pytest.raises(ReviewThePayout):
        market.act(operation_retry.retry, market.as_staff("fay"), operation_id=transfer.id, reason="Again.")


def test_the_credit_note_of_a_refund_that_came_back_says_so_everywhere_in_the_same_words(
    market: Market,
) -> None:
    told, at_stripe = refunded(market)
    (note,) = [each for each in market.all(Receipt) if each.kind == "REFUND"]

    def said() -> tuple[str | None, ...]:
        with market.database.reading() as session:
            row = session.get_one(Receipt, note.id)
            paper = paper_of(session, row, Settings())
            (listed,) = documents.documents(session, Narrowed(kind=ReceiptKind.REFUND), None, 9)
            (*_, of_project) = project_documents.of_project(session, told.project)
            answer = money_serializers.of_receipts(session, [row])[0]
            (hit,) = search.search(session, market.as_staff("fay"), note.number, now=market.now).hits
            label = status.pill("credit note", hit.status).meaning if hit.status else None
            assert (paper.since or "Refunded to the payer") in " ".join(printed(draw(paper)).split())
            return paper.since, listed.since, of_project.since, answer["since"], label

    assert said() == (None,) * 5
    market.control.move_refund(at_stripe, "failed")
    told_by_webhook(market, "refund.updated", at_stripe)
    assert said() == ("The refund came back: the amount is owed to the payer again.",) * 5
    retry(market)
    assert said() == ("The refund came back, and is to be sent again.",) * 5
    market.work()
    assert said() == (None,) * 5
