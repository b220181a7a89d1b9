"""What stands in the way: holds, risks, missing confirmations, missing second people, ties."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.money import Money
from core.policy import HOME_SERVICES, LEGAL_SERVICES
from core.rules import approvals, cases, engagement, holds, mediation, proposals, risk
from core.rules.approvals import DecisionStatus
from core.rules.grounds import Ground
from core.rules.mediation import Candidate
from core.rules.proposals import ProposalKind

LIMIT = Money(500_000, "USD")
CASE = holds.OpenCase(3, "WAITING_PARTY")
HOLD = holds.ActiveHold(9, "MANUAL", "Reported.")
CENT = Money(1, "USD")
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        (holds.Facts(), []),
        (holds.Facts(open_cases=(CASE,)), ["open_case"]),
        (holds.Facts(manual_holds=(HOLD,)), ["hold"]),
        (holds.Facts(chargeback_open=True), ["chargeback"]),
        (holds.Facts(severe_content_event=True), ["severe_content_event"]),
        (holds.Facts(open_reviews=("High value",)), ["review"]),
        (
            holds.Facts(
                (CASE, CASE),
                (HOLD, HOLD),
                chargeback_open=True,
                severe_content_event=True,
                open_reviews=("C",),
            ),
            ["open_case", "open_case", "hold", "hold", "chargeback", "severe_content_event", "review"],
        ),
    ],
)
def test_every_reason_that_blocks_a_release_is_named(facts: holds.Facts, codes: list[str]) -> None:
    blocks = holds.blocking(facts)
    assert [block.code for block in blocks] == codes
    if not codes:
        holds.require_clear(facts)
        return
    with pytest.raises(holds.ReleaseBlocked) as refused:
        holds.require_clear(facts)
    assert all(block.sentence in refused.value.message for block in blocks)
    assert pickle.loads(pickle.dumps(refused.value)).blocks == blocks


def test_the_case_that_a_decision_resolves_does_not_block_it() -> None:
    facts = holds.Facts(open_cases=(CASE, holds.OpenCase(4, "OPEN")), manual_holds=(HOLD,))
    assert [block.code for block in holds.blocking(holds.without_case(facts, 3))] == ["open_case", "hold"]
    assert "Case D-4 is open" in holds.blocking(holds.without_case(facts, 3))[0].sentence


def test_a_case_that_waits_for_a_party_is_said_to_in_english() -> None:
    facts = holds.Facts(open_cases=(holds.OpenCase(49, "WAITING_PARTY"),))
    assert holds.blocking(facts)[0].sentence == "Case D-49 is waiting for a party."


def test_only_an_unresolved_case_blocks() -> None:
    assert [status for status in cases.CaseStatus if cases.blocks_release(status)] == [
        cases.CaseStatus.OPEN,
        cases.CaseStatus.UNDER_REVIEW,
        cases.CaseStatus.WAITING_PARTY,
    ]


def test_high_value_begins_one_cent_above_the_threshold() -> None:
    assert not risk.high_value(LIMIT, HOME_SERVICES)
    assert risk.high_value(LIMIT + CENT, HOME_SERVICES)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"contact_attempts": 2}, "off_platform_contact"),
        ({"threat_reports": 1}, "threat_report"),
        ({"amount": LIMIT + CENT}, "high_value"),
        ({"practice_mismatch": True}, "practice_mismatch"),
    ],
)
def test_each_risk_triggers_a_review_and_its_absence_does_not(change: dict[str, object], code: str) -> None:
    calm = risk.RiskFacts(amount=LIMIT, contact_attempts=1)
    assert risk.reviews(calm, LEGAL_SERVICES) == ()
    assert [block.code for block in risk.reviews(replace(calm, **change), LEGAL_SERVICES)] == [code]


COMPLETE = engagement.Confirmation(
    status="ACTIVE",
    scope_confirmed_by_payer=True,
    scope_confirmed_by_payee=True,
    fee_confirmed=True,
    conflict_check_required=True,
    conflict_check_acknowledged=True,
    disclaimers_acknowledged=True,
)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"status": "DRAFT"}, "not_active", "draft, not active"),
        ({"status": "ENDED"}, "not_active", "ended, not active"),
        ({"scope_confirmed_by_payer": False}, "scope", "by the payer."),
        ({"scope_confirmed_by_payee": False}, "scope", "by the payee."),
        (
            {"scope_confirmed_by_payer": False, "scope_confirmed_by_payee": False},
            "scope",
            "the payer and the payee",
        ),
        ({"fee_confirmed": False}, "fee", "price"),
        ({"conflict_check_acknowledged": False}, "conflict_check", "conflict check"),
        ({"disclaimers_acknowledged": False}, "disclaimers", "disclaimers"),
    ],
)
def test_nothing_is_paid_while_one_of_the_five_preconditions_is_missing(
    change: dict[str, object], code: str, words: str
) -> None:
    facts = replace(COMPLETE, **change)
    (block,) = engagement.missing(facts)
    assert block.code == code
    with pytest.raises(engagement.EngagementIncomplete, match=words):
        engagement.require_complete(facts)


def test_all_five_preconditions_open_the_way() -> None:
    engagement.require_complete(COMPLETE)
    assert engagement.unconfirmed(replace(COMPLETE, status="DRAFT")) == ()


def test_the_conflict_check_concerns_attorneys_only() -> None:
    engagement.require_complete(
        replace(COMPLETE, conflict_check_required=False, conflict_check_acknowledged=False)
    )
    assert engagement.needs_conflict_check(LEGAL_SERVICES.platform)
    assert not engagement.needs_conflict_check("home_services")


@pytest.mark.parametrize(
    ("amount", "ground", "earlier", "override", "codes"),
    [
        (LIMIT, Ground.WORK_DELIVERED, 1, False, []),
        (LIMIT + CENT, Ground.WORK_DELIVERED, 0, False, ["high_value"]),
        (CENT, Ground.OUTCOME_DISSATISFACTION, 0, False, ["override"]),
        (CENT, Ground.PARTIAL_WORK, 0, True, ["override"]),
        (CENT, Ground.PARTIAL_WORK, 2, False, ["several_in_a_day"]),
        (
            LIMIT + CENT,
            Ground.OUTCOME_DISSATISFACTION,
            5,
            True,
            ["high_value", "override", "several_in_a_day"],
        ),
    ],
)
def test_a_second_person_is_asked_for_a_reason(
    amount: Money, ground: Ground, earlier: int, override: bool, codes: list[str]
) -> None:
    reasons = approvals.second_person_reasons(amount, HOME_SERVICES, ground, earlier, override=override)
    assert [reason.code for reason in reasons] == codes
    expected = DecisionStatus.AWAITING_APPROVAL if codes else DecisionStatus.COOLING_OFF
    assert approvals.initial(reasons) is expected


@pytest.mark.parametrize(
    ("amount", "today", "codes"),
    [
        (CENT, [LIMIT], []),
        (CENT, [LIMIT + CENT], ["sum_in_a_day"]),
        (CENT, [CENT, LIMIT + CENT], ["sum_in_a_day"]),
        (LIMIT + CENT, [LIMIT + CENT], ["high_value"]),
    ],
)
def test_a_large_sum_in_small_steps_needs_a_second_person(
    amount: Money, today: list[Money], codes: list[str]
) -> None:
    reasons = approvals.second_person_reasons(
        amount, HOME_SERVICES, Ground.PARTIAL_WORK, 0, given_today=today
    )
    assert [reason.code for reason in reasons] == codes


def test_maker_and_checker_are_two_people() -> None:
    for kind in ProposalKind:
        proposals.check_two(kind, maker_id=1, checker_id=2)
        with pytest.raises(proposals.MakerIsChecker, match=r"^You .+, so someone else must .+\.$"):
            proposals.check_two(kind, maker_id=1, checker_id=1)


def test_an_approval_is_of_one_plan_and_no_other() -> None:
    approvals.check_plan("a" * 64, "a" * 64)
    with pytest.raises(approvals.PlanChanged, match="the evidence changed"):
        approvals.check_plan("a" * 64, "b" * 64, what="the evidence")


def test_a_decision_is_executed_from_the_end_of_its_cooling_off_on() -> None:
    assert approvals.cooled_off(NOW, NOW)
    assert not approvals.cooled_off(NOW, NOW - timedelta(microseconds=1))
    assert not approvals.cooled_off(None, NOW)


def test_a_tie_to_either_party_keeps_a_mediator_out() -> None:
    mediation.may_mediate(1, {30, 40}, payer_id=10, payee_id=20)
    for ties in ({10}, {20}, {10, 20, 30}):
        with pytest.raises(mediation.MediatorTied):
            mediation.may_mediate(1, ties, payer_id=10, payee_id=20)


def test_the_least_loaded_mediator_with_the_skill_is_chosen() -> None:
    candidates = [
        Candidate(1, open_cases=0),
        Candidate(2, open_cases=5, skills=frozenset({"ROOFING"})),
        Candidate(3, open_cases=4, skills=frozenset({"ROOFING"})),
        Candidate(4, open_cases=0, skills=frozenset({"ROOFING"}), ties=frozenset({20})),
    ]
    assert mediation.choose(candidates, payer_id=10, payee_id=20, skill="ROOFING").staff_id == 3
    assert mediation.choose(candidates, payer_id=10, payee_id=21, skill="ROOFING").staff_id == 4
    assert mediation.choose(candidates, payer_id=10, payee_id=20, skill="PAINTING").staff_id == 1
    assert mediation.choose(candidates, payer_id=10, payee_id=20).staff_id == 1


@given(
    st.lists(
        st.builds(Candidate, st.integers(1, 50), st.integers(0, 9), ties=st.frozensets(st.integers(1, 4)))
    )
)
def test_whoever_is_chosen_has_no_tie(candidates: list[Candidate]) -> None:
    try:
        chosen = mediation.choose(candidates, payer_id=1, payee_id=2)
    except mediation.NoMediatorFree:
        assert all(candidate.ties & {1, 2} for candidate in candidates)
        return
    assert not chosen.ties & {1, 2}
    assert chosen in candidates


def test_a_complaint_is_the_payers_and_not_the_systems() -> None:
    assert holds.who("COMPLAINT", None) == "The payer"
    assert holds.who("RISK", None) == "The system"
    assert holds.who("RISK", "Cora") == holds.who("COMPLAINT", "Cora") == "Cora"
