"""One table says who is told of which hold; letters, events, answers at the API and the drawers all follow it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from core.actions.milestones import verification
from core.actions.risk import holds
from core.actions.risk.holds import ComplaintIsThePayers
from core.db import Database
from core.records import Hold, Notification, OutgoingEvent
from core.rules.holds import BY_STAFF, LIFTING, PLACING, SILENT, TOLD, HoldKind
from tests.api.test_events import listening
from tests.builders import Told
from tests.sandbox_desk import Market

ABOUT_HOLDS = {"hold_placed", "hold_released", "complaint_received", "complaint_settled"}


def letters(market: Market) -> list[tuple[str, str]]:
    return [
        (each.template, "payer" if each.party_id == market.payer_id else "payee")
        for each in market.all(Notification)
        if each.template in ABOUT_HOLDS
    ]


def events(market: Market) -> list[str]:
    return [each.kind for each in market.all(OutgoingEvent) if each.kind.startswith("hold.")]


def placed(market: Market, there: Told, kind: HoldKind) -> Hold:
    if kind is HoldKind.COMPLAINT:
        market.wait(days=6)
        return market.act(holds.complain, market.payer, milestone_id=there.milestone, reason="It sticks.")
    cora = market.as_staff("cora")
    return market.act(holds.place, cora, milestone_id=there.milestone, reason="A word.", kind=kind)


@pytest.mark.parametrize("kind", HoldKind)
def test_who_is_told_of_a_hold_is_what_the_table_and_the_drawer_say(market: Market, kind: HoldKind) -> None:
    listening(market, "https://market.example/events")
    there = market.submitted()
    held = placed(market, there, kind)
    market.act(holds.lift, market.as_staff("ada"), hold_id=held.id, reason="All is well.")
    told = TOLD[kind]
    assert {side for _, side in letters(market)} == set(told)
    assert events(market) == (["hold.placed", "hold.lifted"] if told else [])
    for sentence in (PLACING[told], LIFTING[told]):
        assert ("event" in sentence) == bool(told) or "no event" in sentence
        assert sentence.startswith("Neither party") == (not told)


def test_the_database_keeps_the_same_table(owner: Database) -> None:
    with owner.reading() as session:
        for kind in HoldKind:
            asked = session.scalar(text("select hold_is_silent(:kind)"), {"kind": kind})
            assert asked == (kind in SILENT)


@pytest.mark.parametrize("kind", sorted(SILENT))
def test_a_silent_hold_shows_in_no_letter_about_an_approval(market: Market, kind: HoldKind) -> None:
    there = market.submitted()
    held = placed(market, there, kind)
    market.act(verification.approve, market.payer, milestone_id=there.milestone)
    (approved,) = [each for each in market.all(Notification) if each.template == "milestone_approved"]
    for word in ("review", "closer look", "check", "hold", "The money is now yours"):
        assert word not in approved.text
    assert "still among the held funds" in approved.text
    market.act(holds.lift, market.as_staff("ada"), hold_id=held.id, reason="All is well.")
    assert market.order(there) == {"payable": 100_000}
    assert letters(market) == []


def test_a_complaint_is_the_payers_alone(market: Market, owner: Database) -> None:
    there = market.submitted()
    placed_by_staff = {"reason": "Mine.", "kind": HoldKind.COMPLAINT}
    with pytest.raises(ComplaintIsThePayers):
        market.act(holds.place, market.as_staff("cora"), milestone_id=there.milestone, **placed_by_staff)
    assert HoldKind.COMPLAINT not in BY_STAFF
    placed(market, there, HoldKind.COMPLAINT)
    with (
        pytest.raises(IntegrityError, match="holds_complaint_is_a_partys"),
        owner.transaction() as session,
    ):
        session.execute(text("update holds set placed_by = (select min(id) from staff)"))
