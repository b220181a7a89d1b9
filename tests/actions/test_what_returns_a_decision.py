"""What comes in while a decision waits: new evidence returns it to its mediator at once, a hold only keeps it waiting,
and the queue, the panel and the letters say the same."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from core.actions.cases import conversation, evidence
from core.actions.decisions import confirmation
from core.actions.risk import holds
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.queries import decision_changes, disputes
from core.queries.case_filters import CaseFilter, Watch
from core.queries.cases import case as read_case
from core.queries.decision_changes import Comparison
from core.records import Decision, Milestone, Notification, Party
from core.rules.holds import HoldKind, ReleaseBlocked
from tests import builders
from tests.builders import Told
from tests.gateways.evidence_builders import picture
from tests.sandbox_desk import Market


def cooling(market: Market) -> tuple[Told, Decision]:
    market.newcomers(platform="legal_services")
    told = market.in_mediation(project_type="DOCUMENT_REVIEW")
    return told, builders.decided(market, told)


def hand_in(market: Market, told: Told, store: EvidenceStore, name: str = "new.jpg") -> None:
    content = picture()
    given = {"milestone_id": told.milestone, "file_name": name, "content": content}
    market.act(evidence.submit, market.payee, store=store, **given)


def letters(market: Market, template: str) -> list[Notification]:
    return [each for each in market.all(Notification) if each.template == template]


def marks(market: Market, told: Told) -> tuple[str, ...]:
    me = market.as_staff("mia").id
    wanted = CaseFilter(me=me or 0, now=market.now, watch=Watch.VOIDED)
    rows = market.read(lambda session: disputes.page(session, wanted))
    return next((each.marks for each in rows if each.id == told.case), ())


def test_new_evidence_returns_a_decision_that_cools_off_at_once(market: Market, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    told, decision = cooling(market)
    (announced, _) = letters(market, "decision_announced")
    said = " ".join(announced.text.split())
    assert "a file that we do not have yet stops this decision" in said
    assert "is not carried out before" in said
    hand_in(market, told, store)
    void = market.get(Decision, decision.id)
    assert (void.status, void.check_note) == ("VOIDED", "New evidence came in after the decision was made.")
    assert len([each for each in letters(market, "decision_voided") if each.party_id]) == 2
    (to_mia,) = [each for each in letters(market, "decision_voided") if each.staff_id]
    assert to_mia.staff_id == market.as_staff("mia").id
    assert "New evidence came in" in to_mia.text
    assert "VOIDED" in marks(market, told)
    market.later(days=2)
    assert market.order(told) == {"held": 100_000}
    market.lawful()


def test_the_same_file_again_and_a_message_return_nothing(market: Market, tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    market.newcomers(platform="legal_services")
    told = market.in_mediation(project_type="DOCUMENT_REVIEW")
    hand_in(market, told, store)
    decision = builders.decided(market, told)
    hand_in(market, told, store)
    market.act(conversation.say, market.payer, milestone_id=told.milestone, body="Wait!")
    market.later(days=2)
    assert market.get(Decision, decision.id).status == "EXECUTED"


@pytest.mark.parametrize("kind", [HoldKind.MANUAL, HoldKind.RISK])
def test_a_hold_delays_a_decision_and_does_not_end_it(market: Market, kind: HoldKind) -> None:
    told, decision = cooling(market)
    cora = market.as_staff("cora")
    placed = market.act(holds.place, cora, milestone_id=told.milestone, reason="A word.", kind=kind)
    found = market.read(lambda session: _compared(session, told.case))
    assert (found.void, [each.sentence for each in found.stops]) == (
        False,
        [f"Hold H-{placed.id} is in place: A word."],
    )
    market.later(days=2)
    assert market.get(Decision, decision.id).status == "COOLING_OFF"
    assert letters(market, "decision_voided") == []
    market.act(holds.lift, market.as_staff("ada"), hold_id=placed.id, reason="All is well.")
    market.later(minutes=1)
    assert market.get(Decision, decision.id).status == "EXECUTED"


def test_what_staff_asks_a_party_returns_a_decision_within_a_round_of_timers(market: Market) -> None:
    told, decision = cooling(market)
    asked = {"question": "When was it hung?", "answer_due_at": market.now + timedelta(days=3)}
    mia = market.as_staff("mia")
    market.act(conversation.ask, mia, case_id=told.case, party_id=market.payee_id, **asked)
    assert market.read(lambda session: _compared(session, told.case)).void
    market.later(minutes=1)
    assert market.get(Decision, decision.id).status == "VOIDED"


def test_what_changes_the_plan_from_outside_the_case_returns_a_decision_before_it_is_due(
    market: Market,
) -> None:
    """Neither the milestone nor the case has another version: the panel and the queue say the same all the same."""
    told, decision = cooling(market)

    def moved(session: Session) -> None:
        session.get_one(Party, market.payee_id).stripe_account = "acct_another"

    versions = market.get(Milestone, told.milestone).version
    market.database.run(moved)
    assert market.get(Milestone, told.milestone).version == versions
    assert market.read(lambda session: _compared(session, told.case)).void
    market.later(minutes=1)
    assert market.get(Decision, decision.id).status == "VOIDED"
    assert "VOIDED" in marks(market, told)
    market.lawful()


def test_nobody_approves_what_a_hold_stops(market: Market) -> None:
    told = market.in_mediation(Money(600_000, "USD"), Money(100_000, "USD"))
    decision = builders.decided(market, told)
    market.act(holds.place, market.as_staff("cora"), milestone_id=told.milestone, reason="A word.")
    given = {"decision_id": decision.id, "plan_hash": decision.plan_hash}
    with pytest.raises(ReleaseBlocked, match="A word"):
        market.act(confirmation.approve, market.as_staff("fay"), **given)
    assert market.get(Decision, decision.id).status == "AWAITING_APPROVAL"


def _compared(session: Session, case_id: int | None) -> Comparison:
    found = read_case(session, case_id or 0, staff_id=None)
    assert found.decision is not None
    return decision_changes.of(session, found, found.decision)
