"""`escrow-desk person` on a real database."""

from __future__ import annotations

from core.records import Party
from tests import builders
from tests.cli.terminal import Terminal


def test_a_legal_hold_is_placed_and_lifted_by_compliance_and_by_nobody_without_a_name(
    terminal: Terminal, town: builders.Town
) -> None:
    name = town.read(lambda s: s.get_one(Party, town.payer_id)).external_id
    cora = town.staff["cora"]
    asked = ("person", "hold", name, "--reason", "Lawsuit 17 C 42/26")
    terminal.run(*asked).refuses("place or lift a legal hold")
    terminal.run(*asked, "--as", town.staff["fay"]).refuses("for compliance")
    placed = terminal.run(*asked, "--as", cora, "--json").well().json
    assert (placed["person"], placed["party"], placed["stands"]) == (name, town.payer_id, True)
    terminal.run(*asked, "--as", cora).refuses("is under a legal hold since", "Cora Nwosu")
    lifted = terminal.run("person", "hold", name, "--lift", "--reason", "It ended", "--as", cora).well()
    assert "is lifted" in lifted.out
    terminal.run("person", "hold", "nobody", "--reason", "Why", "--as", cora).refuses("nobody")
