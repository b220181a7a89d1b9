"""`escrow-desk person` on a real database."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from pathlib import Path

from core.actions.privacy import erasures
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


def test_a_person_is_proposed_erased_and_the_receipt_verifies_itself(
    terminal: Terminal, town: builders.Town, home: Path, tmp_path: Path
) -> None:
    number = builders.a_party(town, "PAYER", "Nobody In Particular")
    name, cora = town.read(lambda s: s.get_one(Party, number)).external_id, town.staff["cora"]
    terminal.run("person", "erase", name, "--reason", "Asked").refuses("see what is held about a person")
    looked = terminal.run("person", "erase", name, "--dry-run", "--as", cora, "--json").well().json
    assert looked["held"]["name, address and payment method"] == 1
    assert (looked["blocks"], looked["proposal"]) == ([], None)
    terminal.run("person", "hold", name, "--reason", "Lawsuit", "--as", cora).well()
    looked = terminal.run("person", "erase", name, "--dry-run", "--as", cora, "--json")
    assert (looked.code, [each["code"] for each in looked.json["blocks"]]) == (1, ["legal_hold"])
    terminal.run("person", "erase", name, "--reason", "Asked", "--as", cora).refuses(
        "A legal hold stands since"
    )
    terminal.run("person", "hold", name, "--lift", "--reason", "Over", "--as", cora).well()
    proposed = terminal.run("person", "erase", name, "--reason", "Asked", "--as", cora, "--json").well().json
    out = tmp_path / "receipt.json"
    terminal.run("person", "receipt", name, "--out", str(out), "--as", cora).refuses("was not erased")
    town.act(erasures.approve, town.as_staff("ada"), erasure_id=proposed["proposal"], typed=name)
    done = terminal.run("person", "erase", name, "--as", cora, "--json").well().json
    assert done["erased_at"]
    assert done["files_gone_at"]
    taken = terminal.run("person", "receipt", name, "--out", str(out), "--as", cora, "--json").well().json
    verified = terminal.run("person", "verify-receipt", str(out), "--key", taken["key"], "--json").well().json
    assert (verified["known"], verified["external_id"]) == (True, name)
    other = "0000:" * 7 + "0000"
    assert terminal.run("person", "verify-receipt", str(out), "--key", other).code == 1
    out.write_text(out.read_text().replace(name, "somebody"))
    forged = terminal.run("person", "verify-receipt", str(out), "--key", taken["key"])
    assert (forged.code, "It was altered" in forged.out) == (1, True)


def test_all_that_is_held_about_a_person_leaves_as_one_file(
    terminal: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    name, out = town.read(lambda s: s.get_one(Party, town.payer_id)).external_id, tmp_path / "person.zip"
    asked = ("person", "access", name, "--out", str(out))
    terminal.run(*asked).refuses("take out all that is held about a person")
    made = terminal.run(*asked, "--as", town.staff["cora"], "--json").well().json
    assert (made["person"], made["unread"]) == (name, 0)
    with zipfile.ZipFile(out) as packed:
        assert name in packed.read("you.json").decode()
    terminal.run(*asked, "--as", town.staff["cora"]).refuses("exists already")


def test_the_retention_run_is_proposed_and_carried_out_by_another(
    terminal: Terminal, town: builders.Town
) -> None:
    cora, ada, run = town.staff["cora"], town.staff["ada"], ("retention", "run")
    assert "Nobody is due" in terminal.run(*run, "--dry-run", "--as", cora).well().out
    terminal.run(*run, "--dry-run").refuses("see what is held about a person")
    town.now -= timedelta(days=3 * 365)
    free, held = (builders.a_party(town, "PAYER", f"Newcomer {each}") for each in range(2))
    town.now += timedelta(days=3 * 365)
    name, kept = (town.read(lambda s, n=n: s.get_one(Party, n)).external_id for n in (free, held))
    terminal.run("person", "hold", kept, "--reason", "Lawsuit", "--as", cora).well()
    looked = terminal.run(*run, "--dry-run", "--as", ada, "--json")
    assert (looked.code, [each["person"] for each in looked.json["due"]]) == (1, [name, kept])
    assert [each["legal_hold"] and each["legal_hold"]["placed_by"] for each in looked.json["due"]] == [
        None,
        "Cora Nwosu",
    ]
    terminal.run(*run, "--reason", "November", "--as", ada).refuses("You may not")
    proposed = terminal.run(*run, "--reason", "November", "--as", cora)
    assert "Proposed: 1, left out: 1. Another person carries it out" in proposed.out
    assert f"{kept}: A legal hold stands since" in proposed.out
    terminal.run(*run, "--reason", "Again", "--as", cora).refuses("Nobody is proposed")
    own = terminal.run(*run, "--approve", "--as", cora, "--json")
    assert (own.code, own.json["erased"], "someone else" in own.json["refused"][0]["why"]) == (1, [], True)
    without = terminal.environment["DATABASE_URL"]
    terminal.run(*run, "--approve", "--as", ada, DATABASE_OWNER_URL=without).refuses("the page Personal data")
    done = terminal.run(*run, "--approve", "--as", ada, "--json").json
    assert (done["erased"], [each["person"] for each in done["due"]]) == ([name], [kept])
    again = terminal.run(*run, "--approve", "--as", ada, "--json").json
    assert (again["erased"], again["refused"]) == ([], [])
    assert town.read(lambda s: s.get_one(Party, free)).erased_at is not None
