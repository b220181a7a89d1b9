"""`escrow-desk statement` and `bank-account`: what they do, print and answer as JSON, and how they end."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest

from core.demo import bank_files
from core.demo.bank_files import DemoLine, DemoStatement
from core.gateways.bank_statements import recognition
from core.money import Money
from tests import builders
from tests.cli.terminal import Terminal

IBAN = "NL26VAYB8060476890"


def written(path: Path, first: int, last: int, opening: int, *entries: tuple[int, int]) -> Path:
    told = [
        DemoLine(date(2026, 2, day), Money(minor, "EUR"), "", "Stripe", "Payout") for day, minor in entries
    ]
    days = date(2026, 2, first), date(2026, 2, last)
    path.write_bytes(bank_files.camt053(DemoStatement(IBAN, f"S{first}", Money(opening, "EUR"), *days, told)))
    return path


@pytest.fixture
def account(terminal: Terminal, town: builders.Town) -> Terminal:
    numbered = ("--name", "Main account", "--currency", "eur", "--identifier", "NL26 VAYB 8060 4768 90")
    told = (
        terminal.run("bank-account", "add", "main", *numbered, "--as", town.staff["fay"], "--json")
        .well()
        .json
    )
    assert told == {"code": "main", "name": "Main account", "currency": "EUR", "identifier": IBAN}
    return terminal


def test_a_statement_is_looked_at_imported_and_listed(account: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path / "feb.xml", 2, 3, 1000, (2, 500), (3, -200))
    ours = ("statement", "import", file, "--account", "main")
    tried = account.run(*ours, "--dry-run").well()
    assert "2 of 2 lines would come in" in tried.out
    assert account.run("statement", "list", "--json").well().json == []
    done = account.run(*ours, "--json").well().json
    assert (done["format"], done["lines"], done["new"], done["look_at"]) == ("CAMT053", 2, 2, False)
    closing = {"minor": 1_300, "currency": "EUR"}
    assert (done["statements"][0]["opening"]["minor"], done["statements"][0]["closing"]) == (1_000, closing)
    assert "nothing was done" in account.run(*ours).well().out
    (listed,) = account.run("statement", "list", "--account", "main", "--json").well().json
    assert (listed["account"], listed["closing"], listed["gap"]) == ("main", closing, False)
    assert "€13.00 at the end of 3 Feb 2026" in account.run("bank-account", "list").well().out


def test_a_file_with_one_byte_more_is_known_by_its_statement(account: Terminal, tmp_path: Path) -> None:
    file = written(tmp_path / "feb.xml", 2, 3, 1000, (2, 500), (3, -200))
    ours = ("statement", "import", file, "--account", "main")
    (first,) = account.run(*ours, "--json").well().json["statements"]
    file.write_bytes(file.read_bytes() + b"\n")
    for also in (("--dry-run",), ()):
        said = account.run(*ours, *also).well().out
        assert f"is already imported as statement BS-{first['id']}. Nothing was done." in " ".join(
            said.split()
        )
    again = account.run(*ours, "--json").well().json
    assert (again["statements"], again["new"], again["imported_before"]) == ([], 0, None)
    assert [(each["id"], each["reference"]) for each in again["already_imported"]] == [
        (first["id"], f"BS-{first['id']}")
    ]
    assert len(account.run("statement", "list", "--json").well().json) == 1


def test_what_should_be_looked_at_ends_with_1(account: Terminal, tmp_path: Path) -> None:
    account.run(
        "statement", "import", written(tmp_path / "a.xml", 2, 3, 0, (2, 5)), "--account", "main"
    ).well()
    gap = account.run(
        "statement", "import", written(tmp_path / "b.xml", 9, 9, 50, (9, 5)), "--account", "main"
    )
    assert gap.code == 1
    assert "A statement is missing" in gap.out
    assert account.run("statement", "list").code == 1
    assert account.run("bank-account", "list").code == 1


def test_what_is_not_imported_ends_with_2_and_one_sentence(
    account: Terminal, town: builders.Town, tmp_path: Path
) -> None:
    file = written(tmp_path / "a.xml", 2, 3, 0, (2, 5))
    broken = tmp_path / "b.xml"
    broken.write_bytes(file.read_bytes().replace(b"0.05</Amt>", b"$5</Amt>"))
    ours = ("statement", "import")
    account.run(*ours, broken, "--account", "main").refuses("b.xml, line", "“$5”", "Nothing was imported")
    account.run(*ours, file, "--account", "other").refuses("no bank account “other”")
    account.run(*ours, file, "--account", "main", "--mapping", "m").refuses("a mapping is for CSV only")
    account.run(*ours, file, "--account", "stripe").refuses("no itemized report of Stripe's")
    account.run(*ours, file, "--account", "main", "--as", town.staff["mia"]).refuses("finance")
    account.run(*ours, tmp_path / "none.xml", "--account", "main").refuses("cannot be read")
    large = tmp_path / "large.csv"
    with large.open("wb") as out:
        out.truncate(recognition.LARGEST * 2)  # a sparse file: refused before a byte of it is read
    account.run(*ours, large, "--account", "main").refuses("it has 100 MB")


def test_a_mapping_is_saved_shown_and_used(account: Terminal, tmp_path: Path) -> None:
    definition = {"booked_on": "Day", "amount": "Amount", "texts": ["Text"]}
    (tmp_path / "m.json").write_text(json.dumps(definition))
    saved = account.run("statement", "mapping", "bank", "--from", tmp_path / "m.json", "--json").well().json
    assert (saved["name"], saved["version"], saved["definition"]["decimal"]) == ("bank", 1, ".")
    assert '"booked_on": "Day"' in account.run("statement", "mapping", "bank").well().out
    file = tmp_path / "a.csv"
    file.write_text("Day,Amount,Text\n2026-02-02,5.00,A\n")
    ours = ("statement", "import", file, "--account", "main", "--mapping", "bank")
    account.run(*ours).refuses("Give the opening balance")
    assert account.run(*ours, "--opening", "1.00", "--json").well().json["statements"][0]["closing"] == {
        "minor": 600,
        "currency": "EUR",
    }
    (tmp_path / "m.json").write_text("[]")
    account.run("statement", "mapping", "bank", "--from", tmp_path / "m.json").refuses("one JSON object")
    account.run("statement", "mapping", "other").refuses("no mapping “other”")


def test_a_mapping_comes_through_a_pipe_and_an_empty_file_is_no_mapping(
    account: Terminal, tmp_path: Path
) -> None:
    definition, empty = {"booked_on": "Day", "amount": "Amount", "texts": ["Text"]}, tmp_path / "empty.json"
    reading, writing = os.pipe()
    os.write(writing, json.dumps(definition).encode())
    os.close(writing)
    saved = account.run("statement", "mapping", "bank", "--from", f"/dev/fd/{reading}", "--json").well().json
    os.close(reading)
    assert saved["definition"]["booked_on"] == "Day"
    empty.touch()
    account.run("statement", "mapping", "bank", "--from", empty).refuses(
        "empty.json does not hold a mapping", "it is empty"
    )


def test_an_account_is_corrected(account: Terminal) -> None:
    told = account.run("bank-account", "correct", "main", "--name", "Other", "--json").well().json
    assert (told["name"], told["identifier"]) == ("Other", IBAN)
    account.run(
        "bank-account", "add", "m2", "--name", "x", "--currency", "EUR", "--identifier", "12345"
    ).refuses("one for each currency")


def test_a_look_and_a_refusal_take_no_number(account: Terminal, tmp_path: Path) -> None:
    """Statements are numbered without a gap: BS-1, BS-2."""
    first, wrong, second = (
        written(tmp_path / "feb.xml", 2, 3, 1_000, (2, 500), (3, -200)),
        written(tmp_path / "wrong.xml", 3, 4, 9_900, (4, 10)),
        written(tmp_path / "more.xml", 4, 5, 1_300, (4, 10)),
    )
    numbers = []
    for file in (first, second):
        ours = ("statement", "import", file, "--account", "main")
        account.run(*ours, "--dry-run").well()
        account.run(*ours, "--dry-run").well()
        (done,) = account.run(*ours, "--json").well().json["statements"]
        account.run("statement", "import", wrong, "--account", "main").refuses("Nothing was imported")
        numbers.append(done["id"])
    assert numbers == [1, 2]
