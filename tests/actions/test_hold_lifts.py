"""Above the threshold two people lift a hold, of a milestone or of a payee: one proposes it, and another approves."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.actions.milestones import verification
from core.actions.risk import hold_lifts, holds, payee_holds
from core.actions.risk.hold_lifts import Lifted, OnePersonLifts
from core.db import Database
from core.money import Money
from core.processes import returned_proposals
from core.queries import invariants
from core.records import Hold, HoldLift, PayeeHold
from core.rules.holds import HoldKind, LiftTakesTwo, OwnHold
from core.rules.permissions import NotPermitted, StepUpRequired
from core.rules.proposals import MakerIsChecker, ProposalEnded, ProposalKind, ProposalWaits
from tests import builders
from tests.builders import Told, Town

LARGE = Money(3_000_000, "USD")  # of which the first milestone is a fifth


@pytest.fixture
def town(database: Database) -> Town:
    return builders.a_town(database)


def verified_under_a_hold(town: Town, total: Money = LARGE, *, by: str = "fay") -> tuple[Told, Hold]:
    told = builders.funded(town, total=total)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    held = town.act(holds.place, town.as_staff(by), milestone_id=told.milestone, reason="Odd.")
    town.act(verification.approve, town.payer, milestone_id=told.milestone)
    return told, held


def propose(town: Town, hold_id: int, by: str = "cora") -> HoldLift:
    return town.act(hold_lifts.propose, town.as_staff(by), hold_id=hold_id, reason="The bank confirmed.")


def approve(town: Town, row: HoldLift, by: str = "ada") -> Lifted:
    return town.act(hold_lifts.approve, town.as_staff(by), lift_id=row.id)


def test_above_the_threshold_one_person_alone_lifts_nothing_and_two_do(town: Town) -> None:
    told, held = verified_under_a_hold(town)
    (stopped,) = town.read(
        lambda s: s.execute(text("select stoppable_minor(:m)"), {"m": told.milestone})
    ).one()
    amount = Money(stopped, "USD")
    with pytest.raises(LiftTakesTwo, match="which is above") as refused:
        town.act(holds.lift, town.as_staff("ada"), hold_id=held.id, reason="Fine.")
    assert refused.value.message == (
        f"It stops {amount}, which is above $5,000.00. So two people lift hold {held.id}: one proposes it, and another "
        "approves."
    )
    row = propose(town, held.id)
    with pytest.raises(MakerIsChecker):
        approve(town, row, by="cora")
    with pytest.raises(NotPermitted):
        approve(town, row, by="fay")
    assert approve(town, row) == Lifted(released=amount)
    lifted = town.read(lambda s: s.get_one(Hold, held.id))
    assert (lifted.released_by, lifted.release_reason) == (town.staff["ada"], "The bank confirmed.")
    with pytest.raises(holds.HoldAlreadyLifted):
        approve(town, row)
    assert [each.name for each in town.read(invariants.run) if not each.holds] == []


def test_at_the_threshold_one_person_is_enough_and_a_proposal_is_refused(town: Town) -> None:
    told, held = verified_under_a_hold(town, Money(2_500_000, "USD"))
    assert town.read(lambda s: hold_lifts.requirement(s, held.id, now=town.now)).why == ()
    with pytest.raises(OnePersonLifts):
        propose(town, held.id)
    assert town.act(holds.lift, town.as_staff("ada"), hold_id=held.id, reason="Fine.") is not None
    assert town.read(lambda s: s.get_one(Hold, held.id)).milestone_id == told.milestone


def test_a_payees_milestones_count_together(town: Town) -> None:
    numbers = [builders.funded(town, total=Money(1_500_000, "USD")).milestone for _ in range(2)]
    for number in numbers:
        town.act(verification.submit, town.payee, milestone_id=number)
    held = town.act(payee_holds.place, town.as_staff("cora"), party_id=town.payee_id, reason="Complaints.")
    for number in numbers:
        town.act(verification.approve, town.payer, milestone_id=number)
    with pytest.raises(LiftTakesTwo):
        town.act(payee_holds.lift, town.as_staff("ada"), hold_id=held.id, reason="Fine.")
    # Whoever placed it may say that it can go, and another decides.
    row = propose(town, held.id, by="cora")
    assert approve(town, row) == Lifted(milestones=2)
    assert town.read(lambda s: s.get_one(PayeeHold, held.id)).released_by == town.staff["ada"]


def test_whoever_placed_the_hold_does_not_approve_its_lifting(town: Town) -> None:
    _, held = verified_under_a_hold(town, by="cora")
    row = propose(town, held.id, by="ada")
    with pytest.raises(OwnHold):
        approve(town, row, by="cora")


def test_one_proposal_at_a_time_which_is_rejected_or_withdrawn_with_a_reason(town: Town) -> None:
    _, held = verified_under_a_hold(town)
    for who, status in (("cora", "WITHDRAWN"), ("ada", "REJECTED")):
        row = propose(town, held.id)
        with pytest.raises(ProposalWaits):
            propose(town, held.id, by="ada")
        with pytest.raises(ProposalWaits):
            town.act(holds.lift, town.as_staff("ada"), hold_id=held.id, reason="Fine.")
        town.act(hold_lifts.reject, town.as_staff(who), lift_id=row.id, reason="Not yet.")
        assert town.read(lambda s, n=row.id: s.get_one(HoldLift, n)).status == status
        with pytest.raises(ProposalEnded):
            approve(town, row)
    assert town.read(lambda s: s.get_one(Hold, held.id)).released_at is None


def test_an_approval_asks_who_it_is(town: Town) -> None:
    _, held = verified_under_a_hold(town)
    row, ada = propose(town, held.id), town.as_staff("ada")
    town.wait(minutes=6)
    with pytest.raises(StepUpRequired):
        town.act(hold_lifts.approve, ada, lift_id=row.id)


def test_a_complaint_that_the_payer_withdraws_takes_the_proposal_with_it(town: Town) -> None:
    told = builders.funded(town, total=LARGE)
    town.act(verification.submit, town.payee, milestone_id=told.milestone)
    town.wait(days=6)
    complaint = town.act(holds.complain, town.payer, milestone_id=told.milestone, reason="It sticks.")
    row = propose(town, complaint.id)
    assert town.read(lambda s: hold_lifts.stale(s, now=town.now)) == []
    town.act(holds.withdraw_complaint, town.payer, milestone_id=told.milestone)
    assert town.read(lambda s: hold_lifts.stale(s, now=town.now)) == [row.id]
    assert ProposalKind.HOLD_LIFT in returned_proposals.STALE
    assert town.database.run(lambda s: hold_lifts.return_stale(s, now=town.now, number=row.id))
    ended = town.read(lambda s: s.get_one(HoldLift, row.id))
    assert (ended.status, ended.note) == ("RETURNED", "The hold was lifted in the meantime.")


ALONE = "update {} set released_by = {}, released_at = now(), release_reason = 'x'"


@pytest.mark.parametrize("table", ["holds", "payee_holds"])
def test_the_database_refuses_one_person_as_well(town: Town, owner: Database, table: str) -> None:
    told = builders.funded(town, total=LARGE)
    if table == "holds":
        town.act(holds.place, town.as_staff("fay"), milestone_id=told.milestone, reason="Odd.")
    else:
        town.act(payee_holds.place, town.as_staff("fay"), party_id=town.payee_id, reason="Odd.")
    with pytest.raises(IntegrityError, match="takes two people"), owner.transaction() as session:
        session.execute(text(ALONE.format(table, town.staff["ada"])))


@pytest.mark.parametrize(
    "statement",
    [
        "update hold_lifts set status = 'DONE', settled_by = proposed_by, settled_at = now()",
        "update hold_lifts set reason = 'another'",
        "update hold_lifts set payee_hold_id = hold_id",
        "delete from hold_lifts",
        "insert into hold_lifts (hold_id, reason, proposed_by, proposed_at) "
        "select hold_id, 'again', proposed_by, now() from hold_lifts",
    ],
)
def test_the_database_refuses_it_too(town: Town, statement: str) -> None:
    _, held = verified_under_a_hold(town)
    propose(town, held.id)
    with pytest.raises(DBAPIError):
        town.database.run(lambda s: s.execute(text(statement)))


def test_a_silent_hold_takes_two_like_any_other(town: Town) -> None:
    told = builders.funded(town, total=LARGE)
    silent = {"milestone_id": told.milestone, "reason": "Odd.", "kind": HoldKind.RISK}
    held = town.act(holds.place, town.as_staff("fay"), **silent)
    with pytest.raises(LiftTakesTwo):
        town.act(holds.lift, town.as_staff("ada"), hold_id=held.id, reason="Fine.")
