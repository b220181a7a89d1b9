"""An untouched case file verifies, whatever road its case has gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core import case_file
from core.actions.cases import names_hidden
from core.actions.decisions import confirmation, corrections, drafts
from core.actions.decisions.corrections import CorrectionOutcome
from core.case_file import verify_money
from core.case_file.check_helpers import Wrong
from core.gateways.evidence_store import EvidenceStore
from core.money import Money
from core.rules.items import Done, Item
from tests import builders
from tests.builders import Told, Town
from tests.case_file.packs import DESK, export

KITCHEN = (
    Item("Cabinets", Money(150_000, "USD"), Done.FULLY),
    Item("Worktop", Money(30_000, "USD"), Done.PARTLY, 5_000),
)


def by_items(town: Town) -> Told:
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(1, "USD"), items=KITCHEN))
    builders.carry_out(town)
    return told


def waiting(town: Town) -> Told:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    assert builders.decided(town, told).status == "AWAITING_APPROVAL"
    return told


def approved(town: Town) -> Told:
    told = builders.in_mediation(town, total=Money(9_000_000, "USD"))
    decision = builders.decided(town, told)
    given = {"decision_id": decision.id, "plan_hash": decision.plan_hash, "note": "Read it."}
    town.act(confirmation.approve, town.as_staff("ada"), **given)
    builders.carry_out(town)
    return told


def judged_blind(town: Town) -> Told:
    told, mia = builders.in_mediation(town), town.as_staff("mia")
    town.act(names_hidden.prefer, mia, blind=True)
    content = {"outcome": "FULL_RELEASE", "ground": "WORK_DELIVERED", "reasons": builders.REASONS}
    town.act(drafts.save, mia, case_id=told.case, content=content)
    town.act(names_hidden.reveal, mia, case_id=told.case)
    builders.decided(town, told)
    builders.carry_out(town)
    return told


def corrected(town: Town) -> Told:
    told = judged_blind(town)
    why = "The invoice that the decision rests on was forged."
    made = town.act(corrections.open_correction, town.as_staff("cora"), case_id=told.case, reason=why)
    said = {"finding": CorrectionOutcome.CORRECTED, "notes": "The work was not delivered."}
    town.act(corrections.close_correction, town.as_staff("max"), case_id=made.id, **said)
    return told


def the_correction(town: Town) -> Told:
    told = corrected(town)
    return Told(told.project, told.milestone, told.case + 1)


def disputed(town: Town) -> Told:
    return builders.disputed(town)


def sent_but_unanswered(town: Town) -> Told:
    """Decided and carried out; the provider has not said a word yet."""
    told = builders.in_mediation(town)
    builders.decided(town, told, builders.a_draft(told, release=Money(60_000, "USD")))
    return told


ROADS = (
    by_items,
    waiting,
    approved,
    judged_blind,
    corrected,
    the_correction,
    disputed,
    sent_but_unanswered,
)


@pytest.mark.parametrize("road", ROADS, ids=lambda each: each.__name__)
def test_a_case_of_every_kind_verifies(town: Town, tmp_path: Path, road: Callable[[Town], Told]) -> None:
    told = road(town)
    path = tmp_path / "case.zip"
    path.write_bytes(export(town, EvidenceStore(tmp_path), told.case).content)
    proof = case_file.verify(path, key=DESK.public.fingerprint)
    assert (proof.wrong, proof.case, proof.known) == (None, told.case, True)


def test_a_division_is_proved_by_the_rule_of_its_day() -> None:
    """Plans of the first format rounded each item by itself; they still prove, and only by that rule."""
    half = {"title": "Tile", "value": 5_001, "done": "PARTLY", "part_bps": 5_000}
    first = {
        "format": "escrow-desk/plan/1",
        "amounts": {"currency": "USD", "held": 100_020, "release": 50_020},
        "items": [half | {"earned": 2_501}] * 20,
    }
    verify_money.division(first)
    with pytest.raises(Wrong, match="what is earned of “Tile”"):
        verify_money.division(first | {"format": "escrow-desk/plan/2"})
    second = first | {
        "format": "escrow-desk/plan/2",
        "amounts": {"currency": "USD", "held": 100_020, "release": 50_010},
        "items": [half | {"earned": 2_500}] * 10 + [half | {"earned": 2_501}] * 10,
    }
    verify_money.division(second)
    with pytest.raises(Wrong, match="what is earned of “Tile”"):
        verify_money.division(second | {"format": "escrow-desk/plan/1"})
