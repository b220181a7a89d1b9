"""Two at the same moment, in real threads: one wins, the other is told, and money moves once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from core.actions.cases import disputes
from core.actions.decisions import confirmation
from core.actions.funding import fund
from core.actions.milestones import verification
from core.actions.risk import holds
from core.db import Database
from core.money import Money
from core.processes import timers
from core.processes.outgoing import dispatch
from core.records import Case, Decision, OutgoingOperation, Payout
from core.rules.cases import DisputeReason
from core.rules.cautions import Caution
from core.rules.grounds import DecisionOutcome, Ground
from tests import builders
from tests.builders import Told
from tests.faults.concurrency import at_once, refusals
from tests.sandbox_desk import Market

ROUNDS = range(5)


def confirming(market: Market, told: Told, by: str, intent: str, **draft: Any) -> Callable[[], Decision]:
    """Seen already; what is returned presses the button."""
    chosen, actor = builders.a_draft(told, **draft), market.as_staff(by)
    plan, _ = market.act(confirmation.preview, actor, draft=chosen)
    return lambda: market.act(
        confirmation.confirm, actor, draft=chosen, plan_hash=plan.hash, intent=intent, known=tuple(Caution)
    )


def journals(market: Market, key: str) -> int:
    with market.database.reading() as session:
        found = text("select count(*) from journals where key like :key")
        return int(session.execute(found, {"key": key}).scalar_one())


@pytest.mark.parametrize("turn", ROUNDS)
def test_of_two_mediators_deciding_one_wins_and_the_other_is_told_who(market: Market, turn: int) -> None:
    told = market.in_mediation()
    results = at_once(
        confirming(market, told, "mia", "by mia", release=Money(40_000, "USD")),
        confirming(market, told, "max", "by max", release=Money(70_000, "USD")),
    )
    (winner,) = [each for each in results if isinstance(each, Decision)]
    (loser,) = [each for each in results if not isinstance(each, Decision)]
    assert refusals(results) == ["already_decided"]
    assert {market.staff["mia"]: "Mia Lund", market.staff["max"]: "Max Adler"}[
        winner.maker_id
    ] in loser.message
    assert market.count(Decision) == 1
    assert journals(market, "decision.%") == 1
    market.work()
    assert len(market.sent("/v1/transfers")) == len(market.sent("/v1/refunds")) == 1
    assert market.order(told) == {"released": winner.release_minor, "refunded": winner.refund_minor}
    market.lawful()


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_double_click_is_one_decision_and_one_transfer(market: Market, turn: int) -> None:
    told = market.in_mediation()
    press = confirming(market, told, "mia", "one press")
    first, second, third = at_once(press, press, press)
    assert first.id == second.id == third.id
    assert (market.count(Decision), journals(market, "decision.%")) == (1, 1)
    market.work()
    assert len(market.sent("/v1/transfers")) == 1
    market.lawful()


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_decision_and_a_withdrawal_do_not_both_happen(market: Market, turn: int) -> None:
    """A case in mediation is the mediator's: the payer comes too late, whoever was first."""
    told = market.in_mediation()
    results = at_once(
        confirming(market, told, "mia", "decide"),
        lambda: market.act(disputes.withdraw, market.payer, milestone_id=told.milestone),
    )
    assert refusals(results) == ["illegal_move"]
    assert market.get(Case, told.case).status == "RESOLVED"


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_decision_and_a_hold_keep_an_order(market: Market, turn: int) -> None:
    """Decided first, the hold stops the transfer; held first, nothing is decided."""
    told = market.in_mediation()
    results = at_once(
        confirming(market, told, "mia", "decide"),
        lambda: market.act(
            holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="A report came in."
        ),
    )
    assert set(refusals(results)) <= {"release_blocked", "changed_meanwhile"}
    market.work()
    assert market.sent("/v1/transfers") == []
    assert market.order(told) == ({"held": 100_000} if refusals(results) else {"payable": 100_000})
    market.lawful()


def test_of_two_approvals_one_counts_and_the_plan_is_carried_out_once(market: Market) -> None:
    told = market.in_mediation(Money(600_000, "USD"), Money(100_000, "USD"))
    decision = builders.decided(market, told)
    given = {"decision_id": decision.id, "plan_hash": decision.plan_hash}
    results = at_once(
        *(
            lambda by=by: market.act(confirmation.approve, market.as_staff(by), **given)
            for by in ("ada", "fay", "max")
        )  # type: ignore[misc]
    )
    assert refusals(results) == ["proposal_ended"] * 2
    market.work()
    assert len(market.sent("/v1/transfers")) == 1
    market.lawful()


def test_paying_twice_at_once_is_one_charge(market: Market) -> None:
    project = market.agreed()
    first = market.milestones(project.id)[0]
    pay = lambda: market.act(fund.fund, market.payer, milestone_id=first.id)  # noqa: E731 (pressed three times)
    assert refusals(at_once(pay, pay, pay)) == ["payment_in_flight"] * 2
    market.work()
    assert len(market.sent("/v1/payment_intents")) == 1
    market.lawful()


@pytest.mark.parametrize("turn", ROUNDS)
def test_the_payer_disputes_at_the_instant_at_which_silence_approves(market: Market, turn: int) -> None:
    told = market.submitted()
    market.wait(days=5)

    def due_now(session: Any) -> None:
        from core.records import Milestone

        milestone = session.get_one(Milestone, told.milestone)
        milestone.auto_approve_at = milestone.answer_due_at = market.now

    market.database.run(due_now)
    results = at_once(
        lambda: timers.run_due(market.desk),
        lambda: market.act(
            disputes.open_dispute, market.payer, milestone_id=told.milestone, reason=DisputeReason.OTHER
        ),
    )
    disputed = not refusals(results)
    assert market.status(told) == ("DISPUTED" if disputed else "VERIFIED")
    assert market.count(Case) == disputed
    market.lawful()


def test_the_timers_of_many_workers_do_each_thing_once(market: Market) -> None:
    told = [market.submitted() for _ in range(3)]
    market.wait(days=7)
    at_once(*(lambda: timers.run_due(market.desk) for _ in range(4)))
    assert [market.status(each) for each in told] == ["VERIFIED"] * 3
    assert market.count(Payout) == 3
    market.work()
    assert len(market.sent("/v1/transfers")) == 3
    market.lawful()


@pytest.mark.parametrize("turn", ROUNDS)
def test_of_workers_sending_the_same_operation_one_sends_it(market: Market, turn: int) -> None:
    told = market.submitted()
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    (transfer,) = market.operations("TRANSFER")
    at_once(*(lambda: dispatch.send(market.desk, transfer.id) for _ in range(4)))
    assert len(market.sent("/v1/transfers")) == 1
    assert market.get(OutgoingOperation, transfer.id).tries == 1
    assert journals(market, transfer.key) == 1
    market.work()
    market.lawful()


@pytest.mark.parametrize("turn", ROUNDS)
@pytest.mark.parametrize("refund", [False, True])
def test_decisions_for_one_party_at_the_same_instant_count_each_other(
    market: Market, turn: int, refund: bool
) -> None:
    """Two a day are one person's to make, whichever milestones they are about; each further one needs another."""
    outcome = {"outcome": DecisionOutcome.FULL_REFUND, "ground": Ground.WORK_NOT_AS_AGREED} if refund else {}
    cases = [market.in_mediation() for _ in range(4)]
    results = at_once(
        *(
            confirming(market, told, ("mia", "max")[index % 2], f"case {index}", **outcome)
            for index, told in enumerate(cases)
        )
    )
    assert refusals(results) == []
    assert sorted(each.needs_approval for each in results) == [False, False, True, True]
    reasons = [reason["sentence"] for each in results for reason in each.approval_reasons]
    assert sorted(reasons) == [
        "This is decision 3 for the same beneficiary within 24 hours.",
        "This is decision 4 for the same beneficiary within 24 hours.",
    ]
    market.lawful()


def test_many_cases_of_one_payee_decided_at_once_neither_lock_up_nor_lose_a_cent(
    market: Market, owner: Database
) -> None:
    """Every decision touches the same payable account and the same revenue; each in its own thread."""
    cases = [market.in_mediation() for _ in range(6)]
    kinds = [
        {"release": Money(12_345, "USD")},
        {},
        {"outcome": DecisionOutcome.FULL_REFUND, "ground": Ground.WORK_NOT_AS_AGREED},
    ]
    presses = [
        confirming(market, told, ("mia", "max")[index % 2], f"case {index}", **kinds[index % 3])
        for index, told in enumerate(cases)
    ]
    assert refusals(at_once(*presses)) == []
    for decision in market.all(Decision):
        if decision.status == "AWAITING_APPROVAL":
            given = {"decision_id": decision.id, "plan_hash": decision.plan_hash}
            market.act(confirmation.approve, market.as_staff("ada"), **given)
    assert {each.status for each in market.all(Decision)} == {"EXECUTED"}
    assert market.books()["payee_payable"] == 2 * 12_345 + 2 * 100_000
    market.work()
    market.lawful()
