"""A decision that was carried out is never changed: a linked case looks at it again, in other hands."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.actions.cases import mediator_assignment
from core.actions.decisions import corrections
from core.actions.decisions.corrections import (
    AlreadyBeingLookedAt,
    CorrectionOutcome,
    NotACorrection,
    NothingToCorrect,
    OwnDecision,
)
from core.errors import ReasonMissing
from core.records import Case, Decision
from core.rules.mediation import YouAreRecused
from core.rules.permissions import NotPermitted
from tests import builders
from tests.builders import Told
from tests.sandbox_desk import Market

WHY = "The invoice that the decision rests on was forged."


def decided(market: Market) -> Told:
    told = market.in_mediation()
    builders.decided(market, told)
    market.work()
    return told


def opened(market: Market, told: Told) -> Case:
    made: Case = market.act(
        corrections.open_correction, market.as_staff("cora"), case_id=told.case, reason=WHY
    )
    return made


def test_a_correction_is_a_case_of_its_own_linked_to_the_first_and_in_other_hands(market: Market) -> None:
    told = decided(market)
    before = market.all(Decision)[0]
    made = opened(market, told)
    assert (made.corrects_id, made.status, made.details) == (told.case, "UNDER_REVIEW", WHY)
    assert made.mediator_id == market.staff["max"]
    after = market.all(Decision)[0]
    assert (after.plan_hash, after.status, after.plan) == (before.plan_hash, "EXECUTED", before.plan)
    assert market.get(Case, told.case).status == "RESOLVED"
    entries = text("select actor_id, reason from audit_entries where action = 'staff:correction:open'")
    assert market.read(lambda s: [tuple(row) for row in s.execute(entries)]) == [(market.staff["cora"], WHY)]
    market.lawful()


def test_whoever_decided_neither_takes_nor_closes_it(market: Market) -> None:
    made = opened(market, decided(market))
    mia = market.as_staff("mia")
    with pytest.raises(YouAreRecused):
        market.act(mediator_assignment.assign, mia, case_id=made.id, staff_id=market.staff["mia"])
    with pytest.raises(OwnDecision):
        market.act(
            corrections.close_correction,
            mia,
            case_id=made.id,
            finding=CorrectionOutcome.UPHELD,
            notes="Fine.",
        )


def test_it_is_closed_once_with_a_finding_and_notes(market: Market) -> None:
    told = decided(market)
    made = opened(market, told)
    with pytest.raises(AlreadyBeingLookedAt):
        opened(market, told)
    max_ = market.as_staff("max")
    with pytest.raises(ReasonMissing):
        market.act(
            corrections.close_correction, max_, case_id=made.id, finding=CorrectionOutcome.UPHELD, notes=" "
        )
    market.act(
        corrections.close_correction,
        max_,
        case_id=made.id,
        finding=CorrectionOutcome.CORRECTED,
        notes="Reversed.",
    )
    closed = market.get(Case, made.id)
    assert (closed.status, closed.resolution, closed.resolution_notes) == (
        "RESOLVED",
        "CORRECTED",
        "Reversed.",
    )
    with pytest.raises(mediator_assignment.CaseClosed):
        market.act(
            corrections.close_correction,
            max_,
            case_id=made.id,
            finding=CorrectionOutcome.UPHELD,
            notes="Again.",
        )
    assert opened(market, told).corrects_id == told.case
    market.later(days=1)
    market.lawful()


def test_only_a_decision_that_was_carried_out_is_corrected_and_only_by_those_who_work_on_cases(
    market: Market,
) -> None:
    told = market.in_mediation()
    cora = market.as_staff("cora")
    with pytest.raises(NothingToCorrect):
        market.act(corrections.open_correction, cora, case_id=told.case, reason=WHY)
    with pytest.raises(NotACorrection):
        market.act(
            corrections.close_correction,
            cora,
            case_id=told.case,
            finding=CorrectionOutcome.UPHELD,
            notes="No.",
        )
    for other in ("fay", "ada"):
        with pytest.raises(NotPermitted):
            market.act(corrections.open_correction, market.as_staff(other), case_id=told.case, reason=WHY)
    with pytest.raises(ReasonMissing):
        market.act(corrections.open_correction, cora, case_id=told.case, reason="")
