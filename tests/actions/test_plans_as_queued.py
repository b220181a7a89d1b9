"""What a plan lists is what is queued: the same calls under the same keys, and what waits is in the plan as waiting."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from core.actions.cases import settlement_proposals
from core.actions.milestones import parties, verification
from core.db import Database
from core.money import Money
from core.policy import WithdrawalMethod
from core.processes import provider_accounts
from core.queries import decision_progress, invariants, stopped_money
from core.records import Decision, OutgoingOperation, Party, Payout, SettlementProposal
from core.rules.holds import NO_ACCOUNT
from tests import builders
from tests.actions.stripe_events import bank_says, charged_back
from tests.actions.test_decisions import legal, now
from tests.builders import Told
from tests.sandbox_desk import Market


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def without_account(market: Market) -> None:
    def forget(session: Any) -> None:
        session.get_one(Party, market.payee_id).stripe_account = None

    market.database.run(forget)


def opens_account(market: Market) -> None:
    for _ in range(2):
        provider_accounts.open_at_provider(
            market.desk, market.payee_id, currency="USD", bank_token="btok_us_verified"
        )
    market.work()


def planned(plan: dict[str, Any]) -> dict[str, tuple[str, int, str | None]]:
    return {
        each["kind"]: (each["key"], each["params"]["amount"], each["waits"]) for each in plan["operations"]
    }


def queued(market: Market, kind: str) -> tuple[OutgoingOperation, str, int]:
    (call,) = market.operations(kind)
    return call, call.key, call.amount_minor


def test_for_a_payee_without_an_account_the_plan_says_what_waits_and_the_money_goes_under_its_keys(
    market: Market,
) -> None:
    told = market.in_mediation()
    without_account(market)
    decision = builders.decided(market, told, builders.a_draft(told, release=usd(40_000)))
    calls = planned(decision.plan)
    assert {kind: waits for kind, (_, _, waits) in calls.items()} == {
        "REFUND": None,
        "TRANSFER": "ACCOUNT",
        "PAYOUT": "TRANSFER",
    }
    market.work()
    transfer, key, amount = queued(market, "TRANSFER")
    assert (key, amount) == calls["TRANSFER"][:2]
    assert (transfer.status, transfer.last_error) == ("BLOCKED", NO_ACCOUNT.sentence)
    assert market.order(told) == {"payable": 40_000, "refunded": 60_000}
    assert market.read(stopped_money.stopped)[0].why == NO_ACCOUNT.sentence
    market.lawful()

    opens_account(market)
    assert market.order(told) == {"released": 40_000, "refunded": 60_000}
    for kind, (planned_key, planned_amount, _) in calls.items():
        _, key, amount = queued(market, kind)
        assert (key, amount) == (planned_key, planned_amount)
    (sent,) = market.at_stripe("/v1/transfers")
    assert sent["metadata"]["op"] == calls["TRANSFER"][0]
    assert sent["destination"] == market.get(Party, market.payee_id).stripe_account
    market.later(days=3)
    assert market.status(told) == "COMPLETED"
    market.lawful()


def test_an_approval_and_an_agreement_wait_for_the_account_too(market: Market) -> None:
    approved = market.submitted()
    agreed = market.in_mediation()
    without_account(market)
    market.act(verification.approve, market.payer, milestone_id=approved.milestone)
    offer = market.act(settlement_proposals.propose, market.payer, case_id=agreed.case, release=usd(70_000))
    offer = market.act(settlement_proposals.accept, market.payee, proposal_id=offer.id)
    market.work()
    assert [each.status for each in market.operations("TRANSFER")] == ["BLOCKED", "BLOCKED"]
    assert market.order(approved) == {"payable": 100_000}
    market.lawful()
    opens_account(market)
    keys = [each.key.partition(".")[2] for each in market.operations("TRANSFER")]
    assert keys == [f"release.{approved.milestone}.transfer", f"agreement.{agreed.case}.1.transfer"]
    assert market.order(agreed) == {"released": 70_000, "refunded": 30_000}
    assert planned(market.get(SettlementProposal, offer.id).plan)["TRANSFER"][2] == "ACCOUNT"
    market.lawful()


def test_an_account_that_opens_while_a_decision_cools_off_does_not_void_it(market: Market) -> None:
    told = legal(market)
    without_account(market)
    decision = builders.decided(market, told, builders.a_draft(told, release=usd(40_000)))
    opens_account(market)
    market.later(hours=24)
    assert (now(market, decision).status, market.order(told)) == (
        "EXECUTED",
        {"released": 40_000, "refunded": 60_000},
    )
    market.lawful()


def test_a_payee_who_chooses_another_method_meanwhile_neither_voids_the_decision_nor_changes_its_payout(
    market: Market,
) -> None:
    """Otherwise the payee could put a decision off for ever by choosing again and again."""
    told = legal(market)
    decision = builders.decided(market, told, builders.a_draft(told, release=usd(40_000)))
    market.act(
        parties.choose_withdrawal, market.payee, party_id=market.payee_id, method=WithdrawalMethod.INSTANT
    )
    market.later(hours=24)
    assert now(market, decision).status == "EXECUTED"
    (payout,) = market.all(Payout)
    assert (payout.method, payout.fee_minor) == ("standard", 0)
    market.lawful()


def test_what_waits_for_an_account_is_called_off_by_a_lost_chargeback(market: Market) -> None:
    told = market.submitted()
    without_account(market)
    market.act(verification.approve, market.payer, milestone_id=told.milestone)
    market.work()
    dispute = charged_back(market, told)
    bank_says(market, dispute, "lost")
    transfer, _, _ = queued(market, "TRANSFER")
    assert transfer.status == "CANCELED"
    market.lawful()
    opens_account(market)
    assert market.at_stripe("/v1/transfers") == []
    market.lawful()


def test_an_execution_that_waits_for_an_account_is_not_watched_for_ever(market: Market) -> None:
    told = market.in_mediation()
    without_account(market)
    decision = builders.decided(market, told)
    market.work()
    found = market.read(lambda session: decision_progress.execution(session, decision.id))
    assert [each.status for each in found.steps] == ["BLOCKED", "PLANNED"]
    market.wait(minutes=2)
    assert found.settled(market.now)


LIES = {
    "another key": "update outgoing_operations set key = key || 'x' where kind = 'TRANSFER'",
    "another amount": "update outgoing_operations set amount_minor = amount_minor + 1 where kind = 'REFUND'",
    "another currency": "update outgoing_operations set currency = 'EUR' where kind = 'REFUND'",
    "another party": "update outgoing_operations set party_id = party_id + 1 where kind = 'TRANSFER'",
    "another account": "update outgoing_operations set payload = jsonb_set(payload, '{destination}', '\"acct_x\"') "
    "where kind = 'TRANSFER'",
    "another payment": "update outgoing_operations set payload = jsonb_set(payload, '{payment_intent}', '\"pi_x\"') "
    "where kind = 'REFUND'",
    "a payout that never followed": "update outgoing_operations set key = key || 'x' where kind = 'PAYOUT'",
    "a call that no plan lists": "update decisions set plan = jsonb_set(plan, '{operations}', "
    "(plan -> 'operations') - 0)",
}


@pytest.fixture
def carried_out(market: Market) -> Told:
    told = market.in_mediation()
    builders.decided(market, told, builders.a_draft(told, release=usd(40_000)))
    market.work()
    return told


@pytest.mark.parametrize("lie", LIES)
def test_an_operation_that_is_not_as_planned_is_found(
    market: Market, carried_out: Told, owner: Database, lie: str
) -> None:
    market.lawful()
    with owner.reading() as session:
        session.execute(text("set session_replication_role = replica"))
        assert session.execute(text(LIES[lie])).rowcount > 0  # type: ignore[attr-defined]
        broken = {each.name for each in invariants.run(session) if not each.holds}
    assert "plans_as_queued" in broken


def test_plans_of_the_first_format_are_measured_by_what_they_could_know(
    market: Market, carried_out: Told, owner: Database
) -> None:
    """They listed a transfer to nobody, which was never queued under that key."""
    old = """
    update decisions set plan = jsonb_set(jsonb_set(jsonb_set(plan, '{format}', '"escrow-desk/plan/1"'),
        '{operations,1,params,destination}', 'null'), '{operations,2,account}', 'null')
    """
    with owner.reading() as session:
        session.execute(text("set session_replication_role = replica"))
        session.execute(text(old))
        session.execute(text("update outgoing_operations set key = key || 'x' where kind <> 'REFUND'"))
        assert [each.rows for each in invariants.run(session) if each.name == "plans_as_queued"] == [[]]
        session.execute(text("update outgoing_operations set key = key || 'x' where kind = 'REFUND'"))
        (found,) = [each.rows for each in invariants.run(session) if each.name == "plans_as_queued"]
        assert [(each["kind"], each["what"]) for each in found] == [("REFUND", "not queued")]


def test_a_decision_keeps_what_it_knew(market: Market, carried_out: Told) -> None:
    (decision,) = market.all(Decision)
    assert decision.plan["format"] == "escrow-desk/plan/4"
    assert decision.plan["operations"][1]["params"]["destination"]
