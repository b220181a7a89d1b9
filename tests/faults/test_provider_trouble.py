"""The provider is slow, overloaded, broken or gone in the middle of an answer: later, with the same key, exactly once.

(milestone-payment-flow, Error Handling 1 and 4.) Every kind of call meets every kind of trouble, before and after the
provider did the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from core.actions.funding import fund
from core.actions.milestones import verification
from core.actions.operations import operation_retry
from core.actions.payouts import payout_review
from core.actions.risk import holds
from core.gateways.stripe_adapter import StripePayments
from core.records import OutgoingOperation, Payout
from core.rules.grounds import DecisionOutcome, Ground
from tests import builders, unrecorded
from tests.builders import Told
from tests.sandbox_desk import Market

PATHS = {
    "CHARGE": "/v1/payment_intents",
    "REFUND": "/v1/refunds",
    "TRANSFER": "/v1/transfers",
    "PAYOUT": "/v1/payouts",
}
TROUBLES = {
    "too many requests": {"kind": "429"},
    "key in use": {"kind": "409"},
    "cut off before the work": {"kind": "drop"},
    "cut off after the work": {"kind": "drop", "when": "after"},
    "silent before the work": {"kind": "timeout", "seconds": 5},
    "silent after the work": {"kind": "timeout", "seconds": 5, "when": "after"},
    "broken after the work": {"kind": "500", "when": "after"},
}


def about_to(market: Market, kind: str) -> Told:
    """The next call of this kind is queued."""
    if kind == "CHARGE":
        project = market.agreed()
        first = market.milestones(project.id)[0]
        market.act(fund.fund, market.payer, milestone_id=first.id)
        return Told(project.id, first.id)
    if kind == "REFUND":
        told = market.in_mediation()
        draft = builders.a_draft(told, outcome=DecisionOutcome.FULL_REFUND, ground=Ground.WORK_NOT_AS_AGREED)
        builders.decided(market, told, draft)
        return told
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    return told


@contextmanager
def impatient(market: Market) -> Iterator[None]:
    """Not waiting long for an answer; only while it stays away, or a busy machine would seem to be silent too."""
    patient = market.desk
    hasty = StripePayments(market.sandbox.key, base=market.sandbox.url, patience=(1.0, 0.5))
    market.desk = replace(patient, payments=hasty)
    yield
    market.desk = patient


def hours_pass(market: Market, hours: int) -> None:
    for _ in range(hours):
        market.later(hours=1)


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_money_moves_once_whatever_happens_to_the_answer(
    market: Market, kind: str, trouble: dict[str, Any]
) -> None:
    told = about_to(market, kind)
    market.control.fault(method="POST", path=PATHS[kind], times=2, **trouble)
    with impatient(market) if trouble["kind"] == "timeout" else nullcontext():
        hours_pass(market, 3)
    hours_pass(market, 3)
    market.later(days=3)
    (operation,) = market.operations(kind)
    assert (operation.status, operation.attempt) == ("SUCCEEDED", 1)
    asked = market.sent(PATHS[kind])
    assert {call["idempotency_key"] for call in asked} == {f"{operation.key}:1"}
    account = operation.payload.get("account", "")
    made = [
        each for each in market.at_stripe(PATHS[kind], account) if each["metadata"]["op"] == operation.key
    ]
    assert len(made) == 1
    assert market.status(told) in {"CHARGE": "FUNDED", "REFUND": "REFUNDED"}.get(kind, "COMPLETED")
    market.control.clear_faults()
    market.lawful()


@pytest.mark.parametrize("kind", ["CHARGE", "TRANSFER", "REFUND"])
def test_after_an_unknown_outcome_the_desk_looks_before_it_sends_again(market: Market, kind: str) -> None:
    about_to(market, kind)
    market.control.fault("drop", method="POST", path=PATHS[kind], when="after")
    market.control.fault("drop", method="GET", path="/v1/*", times=50)
    for minutes in (0, 5):
        market.later(minutes=minutes)
        (operation,) = market.operations(kind)
        assert (operation.status, operation.provider_id) == ("QUEUED", None)
        assert "it may or may not have been done" in str(operation.last_error)
    assert "could not be asked (no answer)" in str(operation.last_error)
    market.control.clear_faults()
    hours_pass(market, 2)
    assert len(market.sent(PATHS[kind])) == 1, "found by its operation id, and not sent a second time"
    market.lawful()


def test_a_no_to_a_question_is_no_answer_to_what_was_sent(market: Market) -> None:
    """The charge is at Stripe; that Stripe will not say how it stands does not make it declined."""
    told = about_to(market, "CHARGE")
    market.control.fault("drop", method="POST", path=PATHS["CHARGE"], when="after")
    market.work()
    market.control.fault("declined", method="GET", path="/v1/*", times=50)
    market.later(minutes=5)
    (charge,) = market.operations("CHARGE")
    assert (charge.status, market.status(told)) == ("REVIEW", "AWAITING_FUNDING")
    assert str(charge.last_error).startswith("What became of it is not known:")
    market.control.clear_faults()
    market.act(
        operation_retry.retry, market.as_staff("fay"), operation_id=charge.id, reason="It answers again."
    )
    market.work()
    assert (market.status(told), len(market.sent(PATHS["CHARGE"]))) == ("FUNDED", 1)
    market.lawful()


def test_a_provider_that_is_down_for_an_afternoon_delays_and_loses_nothing(market: Market) -> None:
    told = about_to(market, "TRANSFER")
    market.control.fault("429", path="/v1/*", times=10_000)
    hours_pass(market, 1)
    assert market.order(told) == {"payable": 100_000}
    market.control.clear_faults()
    hours_pass(market, 2)
    assert market.order(told) == {"released": 100_000}
    assert len(market.at_stripe("/v1/transfers")) == 1
    market.lawful()


def test_after_eight_tries_a_person_is_asked_and_nothing_is_lost(market: Market) -> None:
    told = about_to(market, "TRANSFER")
    market.control.fault("429", path="/v1/*", times=10_000)
    hours_pass(market, 12)
    (transfer,) = market.operations("TRANSFER")
    assert (transfer.status, transfer.tries) == ("REVIEW", 8)
    (payout,) = market.all(Payout)
    assert payout.status == "ADMINISTRATIVE_REVIEW"
    assert market.order(told) == {"payable": 100_000}
    market.control.clear_faults()
    market.act(
        payout_review.retry,
        market.as_staff("fay"),
        payout_id=payout.id,
        reason="Stripe is back.",
        anyway=True,
    )
    hours_pass(market, 1)
    assert market.order(told) == {"released": 100_000}
    assert len(market.at_stripe("/v1/transfers")) == 1
    market.lawful()


def test_a_question_that_got_no_answer_a_day_later_is_asked_again(market: Market) -> None:
    """It was done, and nobody heard the answer; a day later, too late to send it again, Stripe has no time once."""
    told = about_to(market, "TRANSFER")
    market.control.fault("drop", method="POST", path="/v1/transfers", when="after")
    market.work()
    market.control.fault("429", path="/v1/transfers")
    market.wait(days=1)
    market.work()
    assert [each.status for each in market.operations("TRANSFER")] == ["QUEUED"]
    hours_pass(market, 1)
    assert market.order(told) == {"released": 100_000}
    assert len(market.at_stripe("/v1/transfers")) == 1
    market.lawful()


def test_what_was_done_before_it_was_stopped_is_booked_while_it_is_stopped(market: Market) -> None:
    """Its answer was lost, and then staff placed a hold: the money has left, and the books say so."""
    told = about_to(market, "TRANSFER")
    market.control.fault("drop", method="POST", path="/v1/transfers", when="after")
    market.work()
    market.act(holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    hours_pass(market, 1)
    assert [each.status for each in market.operations("TRANSFER")] == ["SUCCEEDED"]
    assert [each.status for each in market.operations("PAYOUT")] == ["BLOCKED"]
    assert market.order(told) == {"released": 100_000}
    market.lawful()


def test_what_was_not_done_before_it_was_stopped_is_not_sent_while_it_is_stopped(market: Market) -> None:
    told = about_to(market, "TRANSFER")
    market.control.fault("drop", method="POST", path="/v1/transfers")
    market.work()
    market.act(holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    hours_pass(market, 1)
    assert [each.status for each in market.operations("TRANSFER")] == ["BLOCKED"]
    assert (market.at_stripe("/v1/transfers"), market.order(told)) == ([], {"payable": 100_000})
    market.lawful()


def test_a_breakdown_that_the_provider_remembers_ends_with_a_person_and_never_with_two(
    market: Market,
) -> None:
    """Stripe answers a key that met a 500 with the same 500 for a day: no try can heal it, and another key might do it
    twice. A person sends it again when the key is forgotten."""
    told = about_to(market, "TRANSFER")
    market.control.fault("500", method="POST", path="/v1/transfers")
    hours_pass(market, 12)
    (payout,) = market.all(Payout)
    assert (payout.status, market.at_stripe("/v1/transfers")) == ("ADMINISTRATIVE_REVIEW", [])
    market.later(days=1)
    market.act(
        payout_review.retry,
        market.as_staff("fay"),
        payout_id=payout.id,
        reason="A day has passed.",
        anyway=True,
    )
    hours_pass(market, 1)
    assert market.order(told) == {"released": 100_000}
    assert len(market.at_stripe("/v1/transfers")) == 1
    market.lawful()


def test_what_was_sent_long_ago_and_left_no_trace_is_not_sent_again_by_itself(market: Market) -> None:
    """The worker was down for a day with a call in its hands; the provider has forgotten the key by now."""
    about_to(market, "TRANSFER")
    (transfer,) = market.operations("TRANSFER")

    def left_behind(session: Any) -> None:
        row = session.get_one(OutgoingOperation, transfer.id)
        row.status, row.sending_since, row.first_sent_at, row.tries = "SENDING", market.now, market.now, 1
        unrecorded.admit(session)

    market.database.run(left_behind)
    market.wait(days=1)
    market.work()
    assert market.get(OutgoingOperation, transfer.id).status == "REVIEW"
    assert market.sent("/v1/transfers") == []
    assert [each.status for each in market.all(Payout)] == ["ADMINISTRATIVE_REVIEW"]
    market.lawful()


def test_what_was_sent_long_ago_and_left_a_trace_is_booked(market: Market) -> None:
    """The same, but the transfer was made: it is found by its operation id and booked once."""
    told = about_to(market, "TRANSFER")
    market.control.fault("drop", method="POST", path="/v1/transfers", when="after")
    market.work()
    market.wait(days=2)
    market.work()
    assert market.order(told) == {"released": 100_000}
    assert len(market.sent("/v1/transfers")) == 1
    market.lawful()


def test_reconciliation_that_is_cut_off_says_so_and_the_next_run_is_clean(market: Market) -> None:
    from core.gateways.payments import NotRead
    from core.processes import reconciliation
    from core.records import ReconciliationRun

    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    market.control.fault("drop", method="GET", path="/v1/balance_transactions")
    with pytest.raises(NotRead, match="Asking changes nothing"):
        reconciliation.run(market.desk, market.as_staff("fay"))
    reconciliation.run(market.desk, market.as_staff("fay"))
    assert [each.status for each in market.all(ReconciliationRun)] == ["FAILED", "CLEAN"]
