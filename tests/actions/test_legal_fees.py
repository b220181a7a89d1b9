"""How legal work is paid (payment-escrow-rules): what must be true before, what is refused, when silence releases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from core.actions.cases import disputes
from core.actions.funding import fund
from core.actions.milestones import bids, engagement, verification
from core.actions.milestones.engagement import Part
from core.actions.risk import holds
from core.db import Database
from core.money import Money
from core.processes import timers
from core.records import Engagement, Milestone, OutgoingOperation, PaymentOrder, Project
from core.rules.cases import DisputeReason
from core.rules.engagement import EngagementIncomplete
from core.rules.milestones import Event
from core.rules.schedule import FeeModeNotSupported
from core.rules.transitions import IllegalMove
from tests import builders, unrecorded
from tests.builders import Told, Town
from tests.db_snapshot import nothing_changes
from tests.desk_fixtures import a_desk

TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
SAID = {
    Part.SCOPE_BY_PAYER: "The service scope summary is not confirmed by the payer.",
    Part.SCOPE_BY_PAYEE: "The service scope summary is not confirmed by the payee.",
    Part.FEE: "The fee mode and the price are not confirmed.",
    Part.CONFLICT_CHECK: "The attorney has not acknowledged the conflict check.",
    Part.DISCLAIMERS: "The platform's disclaimers are not acknowledged.",
}


@pytest.fixture
def town(database: Database) -> Town:
    town = builders.a_town(database)
    town.payer_id = builders.a_party(town, "PAYER", "Ana Lindqvist", platform="legal_services")
    town.payee_id = builders.a_party(town, "PAYEE", "Ben Okafor", platform="legal_services")
    return town


def accepted(town: Town, project_type: str = "DOCUMENT_REVIEW", fee_mode: str = "STAGED") -> Project:
    return town.act(
        bids.accept,
        town.payer,
        bid=bids.Bid(
            payer_id=town.payer_id,
            payee_id=town.payee_id,
            reference=f"matter-{next(builders.numbers)}",
            title="Review of a lease",
            scope="One lease, forty pages.",
            project_type=project_type,
            fee_mode=fee_mode,
            total=Money(60_000, "USD"),
        ),
    )


def confirmed(town: Town, project: Project, *without: Part) -> Milestone:
    """Every part is confirmed but these; the first milestone."""
    for part in Part:
        if part not in without:
            who = town.payee if part in engagement.BY_PAYEE else town.payer
            town.act(engagement.confirm, who, project_id=project.id, part=part)
    wanted = select(Milestone).where(Milestone.project_id == project.id).order_by(Milestone.position)
    first = town.read(lambda session: session.scalars(wanted).first())
    assert first is not None
    return first


def paid(town: Town, project: Project) -> Told:
    first = confirmed(town, project)
    town.act(fund.fund, town.payer, milestone_id=first.id)
    builders.carry_out(town)
    return Told(project.id, first.id)


def consultation(town: Town) -> Told:
    return paid(town, accepted(town, "CONSULTATION", "CONSULTATION_FIXED"))


def run(town: Town, home: Path) -> int:
    return timers.run_due(a_desk(town.database, home, clock=lambda: town.now))


def state(town: Town, told: Told) -> tuple[str, str]:
    def read(session: Any) -> tuple[str, str]:
        milestone = session.get_one(Milestone, told.milestone)
        return milestone.status, session.get_one(PaymentOrder, told.milestone).state

    return town.read(read)


def complaint(told: Told) -> dict[str, Any]:
    return {"milestone_id": told.milestone, "reason": DisputeReason.NOT_AS_AGREED}


# -- preconditions --


@pytest.mark.parametrize("missing", list(Part))
def test_each_missing_precondition_is_named_and_nothing_is_paid(
    town: Town, owner: Database, missing: Part
) -> None:
    first = confirmed(town, accepted(town), missing)
    with nothing_changes(owner), pytest.raises(EngagementIncomplete) as refused:
        town.act(fund.fund, town.payer, milestone_id=first.id)
    assert [block.sentence for block in refused.value.blocks] == [
        "The engagement is draft, not active.",
        SAID[missing],
    ]
    assert SAID[missing] in refused.value.message


def test_all_that_is_missing_is_named_at_once(town: Town, owner: Database) -> None:
    first = confirmed(town, accepted(town), *Part)
    with nothing_changes(owner), pytest.raises(EngagementIncomplete) as refused:
        town.act(fund.fund, town.payer, milestone_id=first.id)
    assert [block.code for block in refused.value.blocks] == [
        "not_active",
        "scope",
        "fee",
        "conflict_check",
        "disclaimers",
    ]
    assert "by the payer and the payee" in refused.value.message


def test_an_engagement_that_ended_is_not_paid_for(town: Town, owner: Database) -> None:
    first = confirmed(town, accepted(town))

    def end(session: Any) -> None:
        session.get_one(Engagement, first.project_id).status = "ENDED"
        unrecorded.admit(session)

    town.database.run(end)
    with nothing_changes(owner), pytest.raises(EngagementIncomplete, match="is ended, not active"):
        town.act(fund.fund, town.payer, milestone_id=first.id)


def test_a_craftsman_is_not_asked_for_a_conflict_check(database: Database) -> None:
    town = builders.a_town(database)
    told = builders.funded(town)
    row = town.read(lambda session: session.get_one(Engagement, told.project))
    assert (row.status, row.conflict_check_required) == ("ACTIVE", False)
    assert row.conflict_check_acknowledged_at is None


# -- what is not held at all --


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("HOURLY_OPEN_ENDED", "no amount that could be held or released"),
        ("TRUST_ACCOUNT", "needs a legal review in each jurisdiction"),
    ],
)
def test_open_ended_hours_and_trust_accounts_are_refused_with_the_reason_and_leave_nothing(
    town: Town, owner: Database, mode: str, why: str
) -> None:
    with nothing_changes(owner), pytest.raises(FeeModeNotSupported, match=why):
        accepted(town, fee_mode=mode)


def test_a_platform_of_craftsmen_refuses_them_too(database: Database, owner: Database) -> None:
    town = builders.a_town(database)
    with nothing_changes(owner), pytest.raises(FeeModeNotSupported):
        accepted(town, "KITCHEN", "HOURLY_OPEN_ENDED")


# -- a consultation --


def test_a_consultation_is_one_milestone_that_waits_for_its_session(town: Town, tmp_path: Path) -> None:
    told = consultation(town)
    milestone = town.read(lambda session: session.get_one(Milestone, told.milestone))
    assert milestone.acceptance_rule == "SESSION_COMPLETED"
    town.wait(days=60)
    assert run(town, tmp_path) == 0
    assert state(town, told) == ("FUNDED", "PAID_HELD")


def test_a_consultation_is_released_after_its_grace_and_not_when_it_was_disputed(
    town: Town, tmp_path: Path
) -> None:
    quiet, unhappy = consultation(town), consultation(town)
    for told in (quiet, unhappy):
        town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.now += 24 * HOUR - TICK
    assert run(town, tmp_path) == 0
    town.act(disputes.open_dispute, town.payer, **complaint(unhappy))
    town.now += TICK
    assert run(town, tmp_path) == 1
    builders.carry_out(town)
    assert state(town, quiet) == ("COMPLETED", "RELEASED")
    assert state(town, unhappy) == ("DISPUTED", "PAID_HELD")
    town.wait(days=30)
    run(town, tmp_path)
    assert state(town, unhappy) == ("DISPUTED", "PAID_HELD")


def test_a_client_may_confirm_a_session_before_its_grace_is_over(town: Town) -> None:
    told = consultation(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    builders.carry_out(town)
    assert state(town, told) == ("COMPLETED", "RELEASED")


def test_a_consultation_disputed_and_taken_back_has_its_grace_anew(town: Town, tmp_path: Path) -> None:
    told = consultation(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.now += 20 * HOUR
    town.act(disputes.open_dispute, town.payer, **complaint(told))
    town.now += 30 * HOUR
    town.act(disputes.withdraw, town.payer, milestone_id=told.milestone)
    town.now += 24 * HOUR - TICK
    assert run(town, tmp_path) == 0
    town.now += TICK
    assert run(town, tmp_path) == 1
    assert state(town, told)[1] == "RELEASED"


def test_what_is_released_cannot_be_disputed_any_more(town: Town, tmp_path: Path) -> None:
    told = consultation(town)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.now += 24 * HOUR
    run(town, tmp_path)
    with pytest.raises(IllegalMove, match=Event.DISPUTE.refused):
        town.act(disputes.open_dispute, town.payer, **complaint(told))


# -- stages --


def test_a_stage_that_was_disputed_in_time_is_not_released_by_silence(town: Town, tmp_path: Path) -> None:
    told = paid(town, accepted(town))
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.now += 72 * HOUR - TICK
    town.act(disputes.open_dispute, town.payer, **complaint(told))
    town.wait(days=20)
    run(town, tmp_path)
    assert state(town, told) == ("DISPUTED", "PAID_HELD")
    wanted = select(func.count()).select_from(OutgoingOperation).where(OutgoingOperation.kind == "TRANSFER")
    assert town.read(lambda session: session.scalar(wanted)) == 0


def test_a_hold_by_hand_keeps_a_stage_that_silence_accepted(town: Town, tmp_path: Path) -> None:
    told = paid(town, accepted(town))
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    kept = town.act(holds.place, town.as_staff("cora"), milestone_id=told.milestone, reason="A report.")
    town.now += 72 * HOUR
    run(town, tmp_path)
    assert state(town, told) == ("VERIFIED", "PAID_HELD")
    town.act(holds.lift, town.as_staff("ada"), hold_id=kept.id, reason="Nothing in it.")
    assert state(town, told)[1] == "RELEASED"
