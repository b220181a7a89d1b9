"""Deciding: one person or two, the plan and nothing but the plan, once (docs/decisions/0006)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.actions.cases import conversation
from core.actions.decisions import confirmation
from core.actions.decisions.confirmation import AlreadyDecided, IntentReused
from core.actions.decisions.plan import Plan
from core.actions.staff import ties
from core.audit.actions import AuditAction
from core.db import Database
from core.errors import ChangedMeanwhile, ReasonMissing
from core.ledger import journal_store
from core.money import Money
from core.records import Case, Decision, Evidence, Notification, OutgoingOperation
from core.rules.approvals import PlanChanged
from core.rules.cautions import AnothersCase, AnswerPending, Caution
from core.rules.grounds import DecisionOutcome, Ground
from core.rules.mediation import MediatorTied
from core.rules.permissions import SYSTEM, NotPermitted
from core.rules.proposals import MakerIsChecker, ProposalEnded
from tests import builders
from tests.builders import Told
from tests.db_snapshot import nothing_changes
from tests.sandbox_desk import Market

ABOVE = (Money(600_000, "USD"), Money(100_000, "USD"))


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def waiting(market: Market) -> tuple[Told, Decision]:
    """A case of $6,000.00, decided by mia and in need of a second person."""
    told = market.in_mediation(*ABOVE)
    return told, builders.decided(market, told)


def approve(market: Market, decision: Decision, *, by: str, **also: Any) -> Decision:
    given = {"decision_id": decision.id, "plan_hash": decision.plan_hash, **also}
    return market.act(confirmation.approve, market.as_staff(by), **given)


def now(market: Market, decision: Decision) -> Decision:
    found: Decision = market.get(Decision, decision.id)
    return found


# What is confirmed is what happens


def test_exactly_the_plan_is_posted_and_sent(market: Market) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, release=usd(40_000))
    plan, reasons = market.act(confirmation.preview, market.as_staff("mia"), draft=draft)
    assert reasons == ()
    builders.decided(market, told, draft)
    market.work()
    booked = {
        each.journal.key: each.journal
        for each in market.read(lambda s: journal_store.of_milestone(s, told.milestone))
    }
    planned = plan.content["journal"]
    posted = booked[planned["key"]]
    assert {(each.account, each.amount.minor) for each in posted.postings} == {
        (each["account"], each["amount"]) for each in planned["postings"]
    }
    for expected in plan.content["expected"]:
        (journal,) = [each for key, each in booked.items() if key.startswith(expected["key"])]
        assert {(each.account, each.amount.minor) for each in journal.postings} == {
            (each["account"], each["amount"]) for each in expected["postings"]
        }
    sent = {call["body"]["metadata"]["op"]: call for call in _calls(market)}
    for call in plan.content["operations"]:
        made = sent[call["key"]]
        assert (made["method"], made["path"]) == (call["method"], call["path"])
        assert made["body"]["amount"] == str(call["params"]["amount"])
    told_them = {each.party_id: each.text for each in market.all(Notification) if "decision" in each.template}
    assert told_them == {letter["to"]: letter["text"] for letter in plan.content["letters"]}


def _calls(market: Market) -> list[dict[str, Any]]:
    return [*market.sent("/v1/refunds"), *market.sent("/v1/transfers"), *market.sent("/v1/payouts")]


def test_a_preview_changes_nothing(market: Market, owner: Database) -> None:
    told = market.in_mediation()
    with nothing_changes(owner):
        first, _ = market.act(confirmation.preview, market.as_staff("mia"), draft=builders.a_draft(told))
        second, _ = market.act(confirmation.preview, market.as_staff("mia"), draft=builders.a_draft(told))
    assert first.hash == second.hash


def test_a_preview_takes_no_lock(market: Market) -> None:
    """A transaction that may only read refuses every lock of a row, and so would show one."""
    draft, mia = builders.a_draft(market.in_mediation()), market.as_staff("mia")

    def look(session: Session) -> tuple[Plan, Any]:
        session.execute(text("set transaction read only"))
        return confirmation.preview(session, mia, now=market.now, draft=draft)

    plan, reasons = market.read(look)
    assert plan.hash
    assert reasons == ()


@pytest.mark.parametrize(
    "other",
    [
        {"release": usd(39_999)},
        {"reasons": builders.REASONS + " "},
        {"ground": Ground.WORK_NOT_AS_AGREED},
        {"override": True},
    ],
    ids=lambda each: next(iter(each)),
)
def test_whatever_is_chosen_otherwise_is_another_plan(market: Market, other: dict[str, Any]) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(told, release=usd(40_000))
    mia = market.as_staff("mia")
    plan, _ = market.act(confirmation.preview, mia, draft=draft)
    with pytest.raises(ChangedMeanwhile):
        market.act(
            confirmation.confirm, mia, draft=replace(draft, **other), plan_hash=plan.hash, intent="other"
        )
    assert market.count(Decision) == 0


def test_a_double_click_is_one_decision(market: Market) -> None:
    told = market.in_mediation()
    draft, mia = builders.a_draft(told), market.as_staff("mia")
    plan, _ = market.act(confirmation.preview, mia, draft=draft)
    clicks = [
        market.act(confirmation.confirm, mia, draft=draft, plan_hash=plan.hash, intent="one press").id
        for _ in range(2)
    ]
    assert clicks[0] == clicks[1]
    market.work()
    assert len(market.sent("/v1/transfers")) == 1


def test_one_confirmation_cannot_stand_for_two(market: Market) -> None:
    first, second = market.in_mediation(), market.in_mediation()
    mia = market.as_staff("mia")
    plan, _ = market.act(confirmation.preview, mia, draft=builders.a_draft(first))
    market.act(confirmation.confirm, mia, draft=builders.a_draft(first), plan_hash=plan.hash, intent="same")
    plan, _ = market.act(confirmation.preview, mia, draft=builders.a_draft(second))
    with pytest.raises(IntentReused):
        market.act(
            confirmation.confirm, mia, draft=builders.a_draft(second), plan_hash=plan.hash, intent="same"
        )
    assert market.count(Decision) == 1


# A second person


def test_above_the_threshold_nothing_moves_until_a_second_person_approves(market: Market) -> None:
    told, decision = waiting(market)
    assert (decision.status, decision.needs_approval) == ("AWAITING_APPROVAL", True)
    assert [each["code"] for each in decision.approval_reasons] == ["high_value"]
    market.later(days=1)
    assert market.order(told) == {"held": 600_000}
    approve(market, decision, by="ada", note="Read it.")
    assert market.order(told) == {"payable": 600_000}
    assert (now(market, decision).status, now(market, decision).checker_id) == (
        "EXECUTED",
        market.staff["ada"],
    )
    market.work()
    market.lawful()


def test_at_the_threshold_one_person_is_enough(market: Market) -> None:
    told = market.in_mediation(usd(500_000), usd(100_000))
    assert builders.decided(market, told).status == "EXECUTED"


def test_the_third_decision_of_a_day_for_one_party_needs_a_second_person(market: Market) -> None:
    cases = [market.in_mediation() for _ in range(3)]
    decisions = [builders.decided(market, told) for told in cases]
    assert [each.status for each in decisions] == ["EXECUTED", "EXECUTED", "AWAITING_APPROVAL"]
    assert [each["code"] for each in decisions[2].approval_reasons] == ["several_in_a_day"]


def test_what_one_party_gets_in_a_day_is_summed_up(market: Market) -> None:
    first, second, third = (market.in_mediation(usd(each)) for each in (300_000, 200_000, 100))
    assert builders.decided(market, first).status == "EXECUTED"
    assert builders.decided(market, second).status == "EXECUTED"
    market.later(days=1, seconds=-1)
    decision = builders.decided(market, third)
    assert [each["code"] for each in decision.approval_reasons] == ["several_in_a_day", "sum_in_a_day"]


def test_after_a_day_the_sum_begins_anew(market: Market) -> None:
    first, second = market.in_mediation(usd(400_000)), market.in_mediation(usd(400_000))
    assert builders.decided(market, first).status == "EXECUTED"
    market.later(days=1)
    assert builders.decided(market, second).status == "EXECUTED"


def test_an_override_needs_a_second_person(market: Market) -> None:
    told = market.in_mediation()
    draft = builders.a_draft(
        told,
        outcome=DecisionOutcome.FULL_REFUND,
        ground=Ground.OUTCOME_DISSATISFACTION,
        override=True,
    )
    decision = builders.decided(market, told, draft)
    assert (decision.status, [each["code"] for each in decision.approval_reasons]) == (
        "AWAITING_APPROVAL",
        ["override"],
    )
    approve(market, decision, by="ada")
    market.work()
    assert market.order(told) == {"refunded": 100_000}
    market.lawful()


def test_maker_and_checker_are_two_people(market: Market) -> None:
    told, decision = waiting(market)
    with pytest.raises(MakerIsChecker):
        approve(market, decision, by="mia")
    assert market.order(told) == {"held": 600_000}


def test_the_database_refuses_one_person_as_maker_and_checker(market: Market, owner: Database) -> None:
    _, decision = waiting(market)
    with pytest.raises(IntegrityError, match="maker_is_not_checker"), owner.transaction() as session:
        session.execute(
            text("update decisions set checker_id = maker_id, status = 'COOLING_OFF' where id = :id"),
            {"id": decision.id},
        )


def test_the_database_refuses_execution_without_the_approval(market: Market, owner: Database) -> None:
    _, decision = waiting(market)
    with pytest.raises(IntegrityError, match="approved_before_execution"), owner.transaction() as session:
        session.execute(text("update decisions set status = 'EXECUTED' where id = :id"), {"id": decision.id})


def test_compliance_may_not_approve(market: Market) -> None:
    _, decision = waiting(market)
    with pytest.raises(NotPermitted):
        approve(market, decision, by="cora")


def test_who_is_tied_to_a_party_may_not_approve(market: Market) -> None:
    _, decision = waiting(market)
    ada = market.as_staff("ada")
    market.act(
        ties.declare_tie, ada, staff_id=market.staff["ada"], party_id=market.payer_id, reason="Neighbour"
    )
    with pytest.raises(MediatorTied):
        approve(market, decision, by="ada")


def test_another_hash_is_not_approved(market: Market) -> None:
    told, decision = waiting(market)
    with pytest.raises(PlanChanged):
        approve(market, decision, by="ada", plan_hash="0" * 64)
    assert (now(market, decision).status, market.order(told)) == ("AWAITING_APPROVAL", {"held": 600_000})


def _new_evidence(market: Market, told: Told) -> None:
    row = Evidence(
        milestone_id=told.milestone,
        uploaded_by=market.payer_id,
        kind="TEXT",
        file_name="note.txt",
        media_type="text/plain",
        size_bytes=4,
        sha256="ab" * 32,
        at=market.now,
    )

    def hand_in(session: Any) -> None:
        session.add(row)
        session.flush()
        audit.record(
            session,
            SYSTEM,
            AuditAction.EVIDENCE_HAND_IN.by("party"),
            object_kind="evidence",
            object_id=row.id,
            now=market.now,
            contents=[row],
        )

    market.database.run(hand_in)


def _a_new_version_of_the_case(market: Market, told: Told) -> None:
    def touch(session: Any) -> None:
        session.get_one(Case, told.case).version += 1

    market.database.run(touch)


@pytest.mark.parametrize("change", [_new_evidence, _a_new_version_of_the_case])
def test_a_case_that_changed_voids_the_decision_instead_of_executing_it(market: Market, change: Any) -> None:
    told, decision = waiting(market)
    change(market, told)
    assert approve(market, decision, by="ada").status == "VOIDED"
    assert market.order(told) == {"held": 600_000}
    assert market.count(OutgoingOperation, OutgoingOperation.kind != "CHARGE") == 0
    market.lawful()


def test_a_voided_case_can_be_decided_again(market: Market) -> None:
    told, decision = waiting(market)
    _a_new_version_of_the_case(market, told)
    approve(market, decision, by="ada")
    again = builders.decided(market, told)
    assert again.plan["journal"]["key"] != decision.plan["journal"]["key"]
    assert approve(market, again, by="ada").status == "EXECUTED"
    market.work()
    market.lawful()


def test_a_decision_sent_back_leaves_the_case_with_its_mediator(market: Market) -> None:
    told, decision = waiting(market)
    with pytest.raises(ReasonMissing):
        market.act(confirmation.send_back, market.as_staff("ada"), decision_id=decision.id, note=" ")
    market.act(
        confirmation.send_back, market.as_staff("ada"), decision_id=decision.id, note="Ask for photographs."
    )
    assert (now(market, decision).status, market.order(told)) == ("RETURNED", {"held": 600_000})
    with pytest.raises(ProposalEnded):
        approve(market, decision, by="ada")
    assert builders.decided(market, told).status == "AWAITING_APPROVAL"


def test_while_a_decision_waits_nobody_else_decides(market: Market) -> None:
    told, _ = waiting(market)
    with pytest.raises(AlreadyDecided, match="Mia Lund"):
        builders.decided(market, told, by="max")


# Cooling-off


def legal(market: Market) -> Told:
    market.newcomers(platform="legal_services")
    return market.in_mediation(project_type="DOCUMENT_REVIEW")


def test_legal_services_wait_a_day_before_a_decision_is_carried_out(market: Market) -> None:
    told = legal(market)
    decision = builders.decided(market, told, builders.a_draft(told, release=usd(40_000)))
    assert (decision.status, decision.execute_at) == ("COOLING_OFF", market.now + timedelta(hours=24))
    market.later(hours=24, seconds=-1)
    assert market.order(told) == {"held": 100_000}
    market.later(seconds=1)
    assert now(market, decision).status == "EXECUTED"
    assert market.order(told) == {"released": 40_000, "refunded": 60_000}
    # No platform fee: what is left of the charge is nothing.
    market.later(days=3)
    assert not market.books().keys() & {"stripe_balance", "platform_fee_revenue"}
    market.lawful()


def test_a_case_that_changed_while_cooling_off_voids_the_decision(market: Market) -> None:
    told = legal(market)
    decision = builders.decided(market, told)
    _a_new_version_of_the_case(market, told)
    market.later(hours=24)
    assert (now(market, decision).status, market.order(told)) == ("VOIDED", {"held": 100_000})
    market.lawful()


def test_a_decision_that_is_cooling_off_is_no_deadlock(market: Market) -> None:
    told = legal(market)
    market.wait(days=6, hours=20)
    builders.decided(market, told)
    market.later(hours=5)
    assert not market.get(Case, told.case).escalated
    market.later(days=1)
    assert market.status(told) == "COMPLETED"


# Whose case it is, and who was asked


def test_another_mediators_case_is_decided_knowingly_and_they_are_told(market: Market) -> None:
    told = market.in_mediation()
    max_, draft = market.as_staff("max"), builders.a_draft(told)
    plan, _ = market.act(confirmation.preview, max_, draft=draft)
    given = {"draft": draft, "plan_hash": plan.hash, "intent": "in place of"}
    with pytest.raises(AnothersCase, match=r"^This case is Mia Lund's"):
        market.act(confirmation.confirm, max_, known=[Caution.ANSWER_PENDING], **given)
    assert market.count(Decision) == 0
    decision = market.act(confirmation.confirm, max_, known=[Caution.ANOTHERS_CASE], **given)
    assert _despite(market, decision) == ["mediator:decision:in_place_of"]
    (letter,) = [each for each in market.all(Notification) if each.template == "case_decided_by_another"]
    assert (letter.staff_id, letter.subject) == (
        market.staff["mia"],
        f"Max Adler decided your case D-{told.case}",
    )


def test_ones_own_case_and_a_free_one_are_decided_without_a_question(market: Market) -> None:
    for mediator in ("mia", None):
        told = builders.in_mediation(market, mediator=mediator)
        draft, mia = builders.a_draft(told), market.as_staff("mia")
        plan, _ = market.act(confirmation.preview, mia, draft=draft)
        decision = market.act(
            confirmation.confirm, mia, draft=draft, plan_hash=plan.hash, intent=f"own-{told.case}"
        )
        assert _despite(market, decision) == []


def test_over_a_pending_answer_one_decides_knowingly(market: Market) -> None:
    told = market.in_mediation()
    mia, draft = market.as_staff("mia"), builders.a_draft(told)
    ask = {"party_id": market.payee_id, "question": "When?", "answer_due_at": market.now + timedelta(days=2)}
    market.act(conversation.ask, mia, case_id=told.case, **ask)
    plan, _ = market.act(confirmation.preview, mia, draft=draft)
    given = {"draft": draft, "plan_hash": plan.hash, "intent": "without"}
    with pytest.raises(AnswerPending, match=r"^The payee was asked"):
        market.act(confirmation.confirm, mia, known=[Caution.ANOTHERS_CASE], **given)
    decision = market.act(confirmation.confirm, mia, known=[Caution.ANSWER_PENDING], **given)
    assert _despite(market, decision) == ["mediator:decision:without_answer"]


def _despite(market: Market, decision: Decision) -> list[str]:
    entries = (
        "select action from audit_entries where object_kind = 'decision' and object_id = :id order by id"
    )
    found = market.read(lambda s: s.scalars(text(entries), {"id": str(decision.id)}).all())
    return [each for each in found if each.rpartition(":")[2] in ("in_place_of", "without_answer")]


def test_whoever_may_decide_an_escalated_case_may_withdraw_its_decision(market: Market) -> None:
    told, decision = waiting(market)
    given = {"decision_id": decision.id, "reason": "The inspection report came in today."}
    with pytest.raises(NotPermitted):
        market.act(confirmation.withdraw, market.as_staff("ada"), **given)
    with market.database.transaction() as session:
        session.get_one(Case, told.case).escalated = True
    market.act(confirmation.withdraw, market.as_staff("ada"), **given)
    assert market.get(Decision, decision.id).status == "VOIDED"
