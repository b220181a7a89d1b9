"""What cannot be done is refused in one sentence with exit code 2, and never with a traceback."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from core.db import Database
from core.embedded_postgres import Urls
from tests import builders
from tests.cli.terminal import Terminal

# One of each command that opens the desk; the numbers need not exist.
COMMANDS = {
    "check": ["check"],
    "reconcile": ["reconcile"],
    "demo advance": ["demo", "advance", "72h"],
    "demo clock": ["demo", "clock"],
    "demo confirm": ["demo", "confirm", "seti_1_secret_x"],
    "audit seal": ["audit", "seal"],
    "audit verify": ["audit", "verify"],
    "audit export": ["audit", "export", "--out", "{out}"],
    "audit prove": ["audit", "prove", "1", "--out", "{out}"],
    "audit prove-growth": ["audit", "prove-growth", "{note}", "--out", "{out}"],
    "audit checkpoint": ["audit", "checkpoint"],
    "case list": ["case", "list"],
    "case export": ["case", "export", "1", "--out", "{out}"],
    "receipt": ["receipt", "1", "--out", "{out}"],
    "api-key create": ["api-key", "create", "--platform", "home_services"],
    "api-key revoke": ["api-key", "revoke", "edk_3fa9c1"],
    "webhook-endpoint add": [
        "webhook-endpoint",
        "add",
        "--platform",
        "home_services",
        "--url",
        "https://a.test/",
    ],
    "webhook-endpoint remove": ["webhook-endpoint", "remove", "1"],
    "staff add": [
        *[
            "staff",
            "add",
            "--name",
            "A",
            "--email",
            "a@b.test",
            "--issuer",
            "https://id.test",
            "--subject",
            "a",
        ],
        *["--role", "finance"],
    ],
    "migrate": ["migrate"],
    "worker": ["worker"],
    "serve": ["serve", "--port", "{port}"],
    "serve --api-only": ["serve", "--api-only", "--port", "{port}"],
}


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    note = tmp_path / "note"
    note.write_text("a checkpoint")
    return [word.format(out=tmp_path / "out", port=port, note=note) for word in COMMANDS[request.param]]


def test_without_a_database_every_command_says_what_to_set(command: list[str], tmp_path: Path) -> None:
    Terminal({"ESCROW_DESK_HOME": str(tmp_path)}).run(*command).refuses("set DATABASE_URL", str(tmp_path))


def test_a_database_that_is_down_is_one_sentence(command: list[str], tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql://app:x@127.0.0.1:{nobody.getsockname()[1]}/desk"
        said = Terminal({"ESCROW_DESK_HOME": str(tmp_path), "DATABASE_URL": url}).run(*command)
    said.refuses("The database cannot be reached", "Check DATABASE_URL")
    assert not (tmp_path / "out").exists()


def test_where_json_is_asked_for_a_refusal_is_json_too(command: list[str], tmp_path: Path) -> None:
    said = Terminal({"ESCROW_DESK_HOME": str(tmp_path)}).run(*command, "--json")
    said.refuses("--help" if said.json["code"] == "misunderstood" else "set DATABASE_URL")
    assert said.json["code"] in ("no_database", "misunderstood")


def test_a_refusal_by_the_command_line_itself_is_json_too(terminal: Terminal) -> None:
    said = terminal.run("breaks", "list", "--class", "gossip", "--json")
    said.refuses("'gossip' is not one of")
    assert (said.json["code"], said.json["facts"]) == ("misunderstood", {})


def test_an_address_that_is_none_is_told_apart(command: list[str], tmp_path: Path) -> None:
    said = Terminal({"ESCROW_DESK_HOME": str(tmp_path), "DATABASE_URL": "the database"}).run(*command)
    said.refuses("postgresql://login:password@host/name")


def test_a_wrong_password_is_one_sentence_that_does_not_repeat_it(urls: Urls, tmp_path: Path) -> None:
    wrong = re.sub(r":[^:@/]+@", ":open-sesame@", urls.app_url, count=1)
    said = Terminal({"ESCROW_DESK_HOME": str(tmp_path), "DATABASE_URL": wrong}).run("check")
    said.refuses("The database cannot be reached", "password")
    assert "open-sesame" not in said.err


def test_a_database_without_a_schema_asks_for_migrate(bare_urls: Urls, tmp_path: Path) -> None:
    environment = {"ESCROW_DESK_HOME": str(tmp_path), "DATABASE_URL": bare_urls.owner_url}
    Terminal(environment).run("check").refuses("escrow-desk migrate")
    Terminal(environment).run("case", "list").refuses("escrow-desk migrate")


def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    environment = {"ESCROW_DESK_HOME": str(tmp_path), "DATABASE_URL": "postgresql://a/b", "PORT": "eighty"}
    Terminal(environment).run("check").refuses(
        "PORT cannot be used: it must be a whole number (it is 'eighty')."
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["audit", "export", "--out", "{out}", "--format", "xlsx"], ["--format", "xlsx", "csv", "jsonl"]),
        (["audit", "export", "--out", "{out}", "--log", "gossip"], ["--log", "gossip", "refund_decisions"]),
        (["audit", "export", "--out", "{out}", "--since", "yesterday"], ["--since"]),
        (
            ["audit", "export", "--out", "{out}", "--since", "2026-03-02", "--until", "2026-03-01"],
            ["nothing between", "2026-03-02"],
        ),
        (["case", "export", "fortytwo", "--out", "{out}"], ["fortytwo", "D-42"]),
        (["case", "export", "0", "--out", "{out}"], ["“0”"]),
        (["case", "export", "99999999999999999999", "--out", "{out}"], ["99999999999999999999"]),
        (
            ["webhook-endpoint", "remove", "99999999999999999999"],
            ["<number>", "must be 9223372036854775807 or less"],
        ),
        (["staff", "add", "--name", "A"], ["Missing option '--email'"]),
        (["serve", "--port", "70000"], ["--port", "65535"]),
        (["gossip"], ["gossip", "`escrow-desk --help`"]),
        (["case", "gossip"], ["gossip", "`escrow-desk case --help`"]),
        (["breaks", "lis"], ["Did you mean 'list'? `"]),
        (
            ["breaks", "list", "--class", "gossip"],
            ["'--class': 'gossip' is not one of 'timing', 'fee', ", "'unknown'. `"],
        ),
        (["statement", "list", "--limit", "many"], ["'--limit': it must be a whole number. `"]),
        (["search", "  "], ["There is nothing to look for", "at least 3 characters"]),
        (["search", "ab"], ["There is nothing to look for"]),
    ],
)
def test_wrong_input_is_named(
    terminal: Terminal, tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    said = terminal.run(*(word.format(out=tmp_path / "out") for word in arguments))
    said.refuses(*words, "" if {"nothing between", "There is nothing to look for"} & {*words} else "--help")
    assert "Value error" not in said.err
    assert "Input should" not in said.err
    assert len(said.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_receipt_that_is_not_there_leaves_no_file(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("receipt", "0", "--out", tmp_path / "out").refuses("There is no receipt 0")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_is_said_before_anything_starts(
    command: str, terminal: Terminal, tmp_path: Path
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        said = terminal.run(command, "--port", port, ESCROW_DESK_HOME=str(tmp_path / "new"))
    said.refuses(port, "choose another")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="PostgreSQL is not embedded there")
def test_a_home_that_cannot_be_made_is_one_sentence(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    home = str(tmp_path / "file" / "home")
    terminal.run("demo", "--home", home, "--port", "18473").refuses(home)
    terminal.run("audit", "seal", ESCROW_DESK_HOME=home).refuses(home)


def test_what_nobody_foresaw_is_a_sentence_too(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("core.case_file.listing.cases", breaks)
    terminal.run("case", "list").refuses("ZeroDivisionError", "LOG_LEVEL=DEBUG")
    with pytest.raises(ZeroDivisionError):
        terminal.run("case", "list", LOG_LEVEL="DEBUG")


def test_a_refusal_is_one_in_a_process_of_its_own_too(tmp_path: Path) -> None:
    said = Terminal({"ESCROW_DESK_HOME": str(tmp_path)}).process("check")
    said.refuses("set DATABASE_URL")
    assert len(said.err.strip().splitlines()) == 1


def test_every_command_explains_itself() -> None:
    terminal = Terminal()
    top = terminal.run("--help").well().out
    for name, words in COMMANDS.items():
        assert words[0] in top
        assert len(terminal.run(*name.split(), "--help").well().out.splitlines()) > 5, name


@pytest.mark.parametrize("file", [".", "nothere.csv"])
def test_an_export_that_is_not_there_is_named_before_its_manifest(tmp_path: Path, file: str) -> None:
    said = Terminal({"ESCROW_DESK_HOME": str(tmp_path)}).run("audit", "verify-export", file)
    said.refuses(f"There is no file {file}")


def test_what_is_no_proof_or_not_there_is_named(tmp_path: Path) -> None:
    terminal, file = Terminal({"ESCROW_DESK_HOME": str(tmp_path)}), tmp_path / "file"
    terminal.run("audit", "verify-proof", file).refuses(f"There is no file {file}")
    file.write_text("{}")
    terminal.run("audit", "verify-proof", file).refuses(f"{file} is not a proof", "of another kind")


@pytest.mark.parametrize("command", [("advance", "72h"), ("clock",), ("confirm", "seti_1_secret_x")])
def test_a_real_desk_has_no_clock_that_moves(
    terminal: Terminal, town: builders.Town, owner: Database, command: tuple[str, ...]
) -> None:
    with owner.transaction() as session:
        session.execute(text("update installation set demo = false"))
    terminal.run("demo", *command).refuses("Only a demo's time can be moved")
    terminal.run("demo", *command, ESCROW_DESK_DEMO="true").refuses("Only a demo's time can be moved")
