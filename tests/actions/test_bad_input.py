"""What is refused: each with its own clear error, and not one row of any table is other than before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from core.actions.cases import conversation, disputes, mediator_assignment
from core.actions.decisions import confirmation
from core.actions.funding import fund
from core.actions.milestones import bids, payment_schedule, verification
from core.actions.payouts import payout_review
from core.actions.risk import holds
from core.actions.staff import ties
from core.db import Database
from core.embedded_postgres import Server
from core.errors import DeskError
from core.gateways.stripe_sandbox import StripeSandbox
from core.money import Money
from core.processes import reconciliation
from core.rules.cases import DisputeReason
from core.rules.grounds import DecisionOutcome, Ground, Reference
from core.rules.schedule import PlannedMilestone
from tests import builders
from tests.builders import Told
from tests.database import fresh_copy
from tests.db_snapshot import nothing_changes
from tests.sandbox_desk import Market, a_market

HELD = 100_000


@pytest.fixture(scope="module")
def owner(server: Server, template: str) -> Iterator[Database]:
    """One database for all of them: nothing is ever changed in it but by the next story."""
    with fresh_copy(server, template) as urls:
        database = Database(urls.owner_url, info={"urls": urls})
        yield database
        database.dispose()


@pytest.fixture(scope="module")
def market(
    owner: Database, running_sandbox: StripeSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Market]:
    database = Database(owner.info["urls"].app_url)
    yield a_market(database, running_sandbox, tmp_path_factory.mktemp("home"))
    database.dispose()


@pytest.fixture(autouse=True)
def the_same_people(market: Market) -> Iterator[None]:
    people = market.payer_id, market.payee_id
    yield
    market.payer_id, market.payee_id = people


@pytest.fixture(scope="module")
def case(market: Market) -> Told:
    """In mediation with mia: $1,000.00 is held."""
    return market.in_mediation()


@pytest.fixture(scope="module")
def work(market: Market) -> Told:
    """Submitted, and waiting for the payer."""
    return market.submitted()


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def confirm(market: Market, told: Told, *, by: str = "mia", plan_hash: str = "", **draft: Any) -> Any:
    """As the page does it: preview, then confirm what was seen."""
    chosen, actor = builders.a_draft(told, **draft), market.as_staff(by)
    if not plan_hash:
        plan_hash = market.act(confirmation.preview, actor, draft=chosen)[0].hash
    return market.act(confirmation.confirm, actor, draft=chosen, plan_hash=plan_hash, intent="bad")


# Amounts, as they are typed: `Money.parse` is where a page takes them.

TYPED = {
    "letters": ("abc", "amount_not_a_number"),
    "nothing": ("", "amount_not_a_number"),
    "NaN": ("NaN", "amount_not_a_number"),
    "infinity": ("Infinity", "amount_not_a_number"),
    "exponent": ("1e3", "amount_not_a_number"),
    "arabic digits": ("١٢٣", "amount_not_a_number"),
    "sub-minor": ("10.0050", "amount_too_precise"),
    "a point for thousands": ("1.500", "amount_ambiguous"),
    "negative": ("-1.00", "amount_negative"),
    "2^63": (str(2**63), "amount_out_of_range"),
    "2^53 minor units": (str(2**53), "amount_out_of_range"),
    "a pasted book": ("9" * 10_000, "amount_out_of_range"),
    "zero": ("0", "partial_is_nothing"),
    "all that is held": ("1,000.00", "partial_is_full"),
    "a cent more than held": ("1,000.01", "more_than_held"),
    "far more than held": ("90,000,000,000", "more_than_held"),
}


@pytest.mark.parametrize(("typed", "code"), TYPED.values(), ids=TYPED)
def test_an_amount_that_cannot_be_is_refused(
    market: Market, case: Told, owner: Database, typed: str, code: str
) -> None:
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, case, release=Money.parse(typed, "USD"))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("minor", "code"),
    [
        (2**63, "amount_out_of_range"),
        (-(2**63), "amount_out_of_range"),
        (2**53, "amount_out_of_range"),
        (-1, "partial_is_nothing"),
        (0, "partial_is_nothing"),
        (float("nan"), "amount_not_whole"),
        (400.0, "amount_not_whole"),
        (True, "amount_not_whole"),
        (None, "amount_not_whole"),
        ("400", "amount_not_whole"),
    ],
    ids=repr,
)
def test_a_number_that_is_no_amount_is_refused(
    market: Market, case: Told, owner: Database, minor: Any, code: str
) -> None:
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, case, release=Money(minor, "USD"))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("currency", "held", "release", "code"),
    [
        ("USD", HELD, Money(40_000, "EUR"), "currency_mismatch"),
        ("USD", HELD, Money(40_000, "JPY"), "currency_mismatch"),
        ("KWD", 310_000, Money(77_777, "KWD"), "amount_not_stripe_exact"),
    ],
)
def test_another_currency_or_an_amount_stripe_cannot_move_is_refused(
    market: Market, owner: Database, currency: str, held: int, release: Money, code: str
) -> None:
    market.newcomers(currency)
    told = market.in_mediation(Money(held, currency), Money(held, currency))
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, told, release=release)
    assert refusal.value.code == code


# Drafts


DRAFTS = {
    "no ground for this outcome": (
        {"outcome": DecisionOutcome.FULL_REFUND, "ground": Ground.WORK_DELIVERED},
        "ground_does_not_fit",
    ),
    "unhappy with delivered work": (
        {"outcome": DecisionOutcome.FULL_REFUND, "ground": Ground.OUTCOME_DISSATISFACTION},
        "outcome_not_guaranteed",
    ),
    "reasons too short": ({"reasons": "Because."}, "reasons_too_short"),
    "only blanks for reasons": ({"reasons": " " * 100}, "reasons_too_short"),
    "nothing cited": ({"references": frozenset()}, "references_missing"),
    "one kind not cited": (
        {"references": frozenset(Reference) - {Reference.MESSAGE_HISTORY}},
        "references_missing",
    ),
    "evidence of another case": ({"evidence_ids": frozenset({999})}, "citation_unknown"),
    "no such case": ({"case_id": 999}, "not_found"),
}


@pytest.mark.parametrize(("draft", "code"), DRAFTS.values(), ids=DRAFTS)
def test_a_draft_that_is_no_decision_is_refused(
    market: Market, case: Told, owner: Database, draft: dict[str, Any], code: str
) -> None:
    for plan_hash in ("", "0" * 64):
        with nothing_changes(owner), pytest.raises(DeskError) as refusal:
            confirm(market, case, plan_hash=plan_hash, **draft)
        assert refusal.value.code == code


def test_a_plan_that_nobody_saw_is_not_confirmed(market: Market, case: Told, owner: Database) -> None:
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, case, plan_hash="0" * 64)
    assert refusal.value.code == "changed_meanwhile"


# People


@pytest.mark.parametrize("by", ["fay", "cora", "ada"])
def test_only_mediators_decide(market: Market, case: Told, owner: Database, by: str) -> None:
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, case, by=by, plan_hash="0" * 64)
    assert refusal.value.code == "not_permitted"


@pytest.mark.parametrize("side", ["payer", "payee"])
def test_a_party_does_not_decide_its_own_case(market: Market, case: Told, owner: Database, side: str) -> None:
    for action in (confirmation.preview, confirmation.confirm):
        more = {} if action is confirmation.preview else {"plan_hash": "0" * 64, "intent": "own"}
        with nothing_changes(owner), pytest.raises(DeskError) as refusal:
            market.act(action, getattr(market, side), draft=builders.a_draft(case), **more)
        assert refusal.value.code in {"not_permitted", "step_up_required"}


@pytest.mark.parametrize("side", ["payer_id", "payee_id"])
def test_a_mediator_with_a_tie_to_either_party_does_not_decide(
    market: Market, owner: Database, side: str
) -> None:
    market.newcomers()
    told = market.in_mediation()
    mia = market.as_staff("mia")
    market.act(ties.declare_tie, mia, staff_id=mia.id, party_id=getattr(market, side), reason="Neighbour")
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, told)
    assert refusal.value.code == "mediator_tied"


def test_who_signed_in_too_long_ago_signs_in_again_first(market: Market, owner: Database) -> None:
    told, mia = market.in_mediation(), market.as_staff("mia")
    plan, _ = market.act(confirmation.preview, mia, draft=builders.a_draft(told))
    market.wait(minutes=5, seconds=1)
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        market.act(
            confirmation.confirm, mia, draft=builders.a_draft(told), plan_hash=plan.hash, intent="late"
        )
    assert refusal.value.code == "step_up_required"


# Cases that are not to be decided


def test_a_decided_case_is_not_decided_again(market: Market, owner: Database) -> None:
    told = market.in_mediation()
    builders.decided(market, told)
    for by in ("mia", "max"):
        for plan_hash in ("", "0" * 64):
            with nothing_changes(owner), pytest.raises(DeskError, match="Mia Lund") as refusal:
                confirm(market, told, by=by, plan_hash=plan_hash)
            assert refusal.value.code == "already_decided"
    market.later(days=1)
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, told, by="max")
    assert refusal.value.code == "already_decided"


def test_a_case_that_is_not_in_mediation_is_not_decided(market: Market, owner: Database) -> None:
    told = builders.disputed(market, market.funded())
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, told)
    assert refusal.value.code == "not_in_mediation"


def test_a_withdrawn_case_is_not_decided(market: Market, owner: Database) -> None:
    told = builders.disputed(market, market.funded())
    market.act(disputes.withdraw, market.payer, milestone_id=told.milestone)
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        confirm(market, told)
    assert refusal.value.code == "not_in_mediation"


# Everything else that people can get wrong


@dataclass(frozen=True)
class Mistake:
    """`act(market, told)` on a funded milestone whose work is submitted."""

    act: Callable[[Market, Told], Any]
    code: str


def _bid(market: Market, told: Told, **changes: Any) -> Any:
    good = bids.Bid(
        reference="bid-bad",
        payer_id=market.payer_id,
        payee_id=market.payee_id,
        total=usd(400_000),
        title="New kitchen",
        scope="As drawn.",
        project_type="KITCHEN",
        fee_mode="STAGED",
    )
    return market.act(bids.accept, market.payer, bid=replace(good, **changes))


MISTAKES = {
    "open-ended hourly billing": Mistake(
        lambda m, t: _bid(m, t, fee_mode="HOURLY_OPEN_ENDED"), "fee_mode_not_supported"
    ),
    "a trust account": Mistake(lambda m, t: _bid(m, t, fee_mode="TRUST_ACCOUNT"), "fee_mode_not_supported"),
    "a type of the other platform": Mistake(
        lambda m, t: _bid(m, t, project_type="DOCUMENT_REVIEW"), "type_not_offered"
    ),
    "a project of nothing": Mistake(lambda m, t: _bid(m, t, total=usd(0)), "amount_outside_limits"),
    "a project of less than nothing": Mistake(
        lambda m, t: _bid(m, t, total=usd(-1)), "amount_outside_limits"
    ),
    "accepting for somebody else": Mistake(lambda m, t: _bid(m, t, payer_id=m.payee_id), "not_yours"),
    "a milestone that is not there": Mistake(
        lambda m, t: m.act(fund.fund, m.payer, milestone_id=999), "not_found"
    ),
    "funding what is funded": Mistake(
        lambda m, t: m.act(fund.fund, m.payer, milestone_id=t.milestone), "not_awaiting_funding"
    ),
    "submitting twice": Mistake(
        lambda m, t: m.act(verification.submit, m.payee, milestone_id=t.milestone), "illegal_move"
    ),
    "a party approving for the other": Mistake(
        lambda m, t: m.act(verification.approve, m.payee, milestone_id=t.milestone), "not_yours"
    ),
    "staff approving for the payer": Mistake(
        lambda m, t: m.act(verification.approve, m.as_staff("mia"), milestone_id=t.milestone), "not_yours"
    ),
    "the payee disputing its own work": Mistake(
        lambda m, t: m.act(
            disputes.open_dispute, m.payee, milestone_id=t.milestone, reason=DisputeReason.OTHER
        ),
        "not_yours",
    ),
    "explaining what is not disputed": Mistake(
        lambda m, t: m.act(disputes.explain, m.payer, milestone_id=t.milestone, details="No."),
        "no_open_dispute",
    ),
    "mediation of what is not disputed": Mistake(
        lambda m, t: m.act(disputes.ask_mediation, m.payer, milestone_id=t.milestone), "illegal_move"
    ),
    "an empty message": Mistake(
        lambda m, t: m.act(conversation.say, m.payer, milestone_id=t.milestone, body=" \n"), "message_empty"
    ),
    "a message of a book": Mistake(
        lambda m, t: m.act(conversation.say, m.payer, milestone_id=t.milestone, body="a" * 10_001),
        "message_too_long",
    ),
    "finance writing to the parties": Mistake(
        lambda m, t: m.act(conversation.say, m.as_staff("fay"), milestone_id=t.milestone, body="Hello."),
        "not_permitted",
    ),
    "a hold without a reason": Mistake(
        lambda m, t: m.act(holds.place, m.as_staff("cora"), milestone_id=t.milestone, reason=""),
        "reason_missing",
    ),
    "a hold by a party": Mistake(
        lambda m, t: m.act(holds.place, m.payee, milestone_id=t.milestone, reason="Mine."), "not_permitted"
    ),
    "lifting a hold that is not there": Mistake(
        lambda m, t: m.act(holds.lift, m.as_staff("cora"), hold_id=999, reason="Gone."), "not_found"
    ),
    "a case that is not there": Mistake(
        lambda m, t: m.act(mediator_assignment.assign, m.as_staff("mia"), case_id=999, staff_id=None),
        "not_found",
    ),
    "a payout that is not there": Mistake(
        lambda m, t: m.act(payout_review.retry, m.as_staff("fay"), payout_id=999, reason="Again."),
        "not_found",
    ),
    "a decision that is not there": Mistake(
        lambda m, t: m.act(confirmation.approve, m.as_staff("ada"), decision_id=999, plan_hash=""),
        "not_found",
    ),
    "reconciling without the permission": Mistake(
        lambda m, t: reconciliation.run(m.desk, m.as_staff("mia")), "not_permitted"
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_refused_with_its_own_error(
    market: Market, work: Told, owner: Database, mistake: Mistake
) -> None:
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        mistake.act(market, work)
    assert refusal.value.code == mistake.code
    assert refusal.value.message


PLANS: dict[str, tuple[tuple[Money, ...], dict[str, Any]]] = {
    "no milestone": ((), {}),
    "another sum": ((usd(100_000), usd(49_999)), {}),
    "another currency": ((usd(100_000), Money(50_000, "EUR")), {}),
    "a milestone of nothing": ((usd(150_000), usd(0)), {}),
    "a negative milestone": ((usd(150_001), usd(-1)), {}),
    "no title": ((usd(150_000),), {"title": " "}),
    "an acceptance rule that nobody knows": ((usd(150_000),), {"acceptance_rule": "WHENEVER"}),
}


@pytest.mark.parametrize(("amounts", "plan"), PLANS.values(), ids=PLANS)
def test_a_plan_of_milestones_that_cannot_be_used_is_refused(
    market: Market, owner: Database, amounts: tuple[Money, ...], plan: dict[str, Any]
) -> None:
    project = market.agreed(active=False)
    planned = [
        PlannedMilestone(**{"title": "Part", "deliverable": "As drawn.", "amount": amount, **plan})
        for amount in amounts
    ]
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        market.act(payment_schedule.adjust, market.payer, project_id=project.id, planned=planned)
    assert refusal.value.code == "schedule_refused"


def test_a_question_whose_time_is_past_is_not_asked(market: Market, case: Told, owner: Database) -> None:
    ask = {"case_id": case.case, "party_id": market.payer_id, "question": "When?"}
    with nothing_changes(owner), pytest.raises(DeskError) as refusal:
        market.act(
            conversation.ask, market.as_staff("mia"), answer_due_at=market.now - timedelta(seconds=1), **ask
        )
    assert refusal.value.code == "answer_time_past"


def test_a_case_is_not_given_to_someone_who_is_no_mediator(
    market: Market, case: Told, owner: Database
) -> None:
    for subject, code in (("fay", "not_a_mediator"), ("nobody", "not_found")):
        staff_id = market.staff.get(subject, 999)
        with nothing_changes(owner), pytest.raises(DeskError) as refusal:
            market.act(
                mediator_assignment.assign, market.as_staff("mia"), case_id=case.case, staff_id=staff_id
            )
        assert refusal.value.code == code
