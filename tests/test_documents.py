"""What the documents name is there: commands and options, variables, pages, make targets, files, metrics."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from bench import __main__ as bench
from core.cli import app
from core.config import Settings
from core.gateways.stripe_sandbox.cards import BANKS, card
from core.processes.deadlines import DEADLINES
from dashboard import navigation
from tests.test_glossary import retired

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *["README.md", "CONTRIBUTING.md"],
    *sorted(str(each.relative_to(ROOT)) for each in (ROOT / "docs").rglob("*.md")),
]
# Named, and somebody else's: uvicorn's, the shell's, PostgreSQL's, the tests' own.
FOREIGN = {
    *["FORWARDED_ALLOW_IPS", "LOG_LEVEL", "LOG_FORMAT", "XDG_STATE_HOME", "XDG_CONFIG_HOME"],
    *["ESCROW_DESK_TEST_HOME", "ESCROW_DESK_BROWSER", "ESCROW_DESK_PATIENCE", "ESCROW_DESK_TELL_LIFE"],
}
CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def codes(name: str) -> list[str]:
    """Whatever stands as code, line by line."""
    return [
        line.strip() for found in CODE.findall(text_of(name)) for line in (found[0] or found[1]).splitlines()
    ]


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words begin with, and the rest."""
    at: Any = typer.main.get_command(app)
    while isinstance(at, click.Group) or hasattr(at, "commands"):
        if not words or words[0].startswith("-"):
            return at, words
        assert words[0] in at.commands, f"there is no command {words[0]}"
        at, words = at.commands[words[0]], words[1:]
    return at, words


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_and_option_exists(name: str) -> None:
    for line in codes(name):
        found = re.search(r"(?:^|\s|/)escrow-desk ([a-z-].*)", line)
        if not found:
            continue
        words = shlex.split(found[1].replace("[", "").replace("]", "").split(" #")[0].replace("…", "x"))
        command, rest = command_of(words)
        options = {option for each in command.params for option in each.opts} | {"--help"}
        assert {each for each in rest if each.startswith("--")} <= options, line


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_variable_exists(name: str) -> None:
    ours = {
        str(each.validation_alias or f"ESCROW_DESK_{field}").upper()
        for field, each in Settings.model_fields.items()
    }
    for line in codes(name):
        for variable in re.findall(r"(?<![\w$.-])(?:ESCROW_DESK|DATABASE|STRIPE|SMTP|XDG)_[A-Z_]+", line):
            assert variable in ours | FOREIGN, (variable, line)


def test_every_page_that_the_manual_sends_somebody_to_is_in_the_navigation() -> None:
    titles = {each.title for each in navigation.on_disk().values()}
    named = {
        page for name in DOCUMENTS for page in re.findall(r"[Pp]ages?\s+\*([A-Z][\w ]+)\*", text_of(name))
    }
    assert named, "the manual names pages"
    assert named <= titles, named - titles


def test_every_rule_of_time_says_how_it_can_be_seen() -> None:
    told = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \|$", text_of("docs/time.md"), re.MULTILINE)
    assert [kind for kind, _, _ in told] == list(DEADLINES)
    assert all("advance" in how for _, _, how in told)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for line in codes(name):
        for target in re.findall(r"(?:^|\s)make ([a-z-]+)", line):
            assert target in targets, line


def test_every_measurement_that_the_manual_names_can_be_asked_for() -> None:
    asked = [
        given
        for name in DOCUMENTS
        for line in codes(name)
        for given in re.findall(r'make bench ARGS="([^"]*)"', line)
    ]
    assert asked
    for given in asked:
        bench.arguments().parse_args(shlex.split(given))


def test_the_command_gives_the_bench_its_arguments() -> None:
    command = [sys.executable, "-m", "core.cli", "bench", "--only", "nothing"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "invalid choice: 'nothing'" in refused.stderr


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_of_the_checkout_exists(name: str) -> None:
    for line in codes(name):
        for path in re.findall(
            r"^(?:core|dashboard|pages|tests|docs|migrations|scripts|bench)/[\w./-]+$", line
        ):
            assert (ROOT / path).exists(), path
    for link in re.findall(r"\]\((?!http)([^)#]+)", text_of(name)):
        target = (ROOT / name).parent / link.replace("\\_", "_")
        assert target.exists(), link


NAME = re.compile(r"([A-Za-z_]\w*(?:\.\w+)*)(?:\(.*\))?")
ENDINGS = (".py", ".sql", ".md", ".js", ".css", ".toml", ".lock", ".sh")
ELSEWHERE = {  # of PostgreSQL and of others, and names that whoever installs it gives
    *["idle_in_transaction_session_timeout", "pg_dump", "desk_owner", "desk_auditor", "mail.unavailable"],
    *["TrustedHostMiddleware", "secrets.toml", ".streamlit/secrets.toml"],
    # Stripe's own, in docs/stripe.md
    *[
        "pm_card_authenticationRequiredOnSetup",
        "pm_usBankAccount_success",
        "pm_usBankAccount_insufficientFunds",
    ],
    *["payment_intent_authentication_failure", "setup_intent_authentication_failure", "mandate_data"],
}


def source() -> str:
    """All that the project itself says in code."""
    folders = ["core", "dashboard", "pages", "client", "bench", "scripts", "migrations", "tests", "deploy"]
    found = (each for folder in folders for each in (ROOT / folder).rglob("*") if each.suffix in ENDINGS)
    return "\n".join(each.read_text(encoding="utf-8") for each in found) + text_of("pyproject.toml")


def test_every_name_of_the_code_exists() -> None:
    """Functions, tables, columns, laws and modules: whatever has an underscore or a dot, word by word; and a module by
    its whole path."""
    words = set(re.findall(r"\w+", source()))
    files = {each.name for each in ROOT.rglob("*") if ".venv" not in each.parts and each.suffix in ENDINGS}
    wrong = []
    for name in DOCUMENTS:
        for line in codes(name):
            if line in ELSEWHERE | retired() or re.search(r"^\.|[ *<{…]", line):
                continue
            if line.startswith(("pm_card_", "btok_")):
                if card(line) is None and line not in BANKS:
                    wrong.append((name, line))
                continue
            if line.endswith(ENDINGS):
                there = (ROOT / line).exists() if "/" in line else line in files
            elif (found := NAME.fullmatch(line)) and ("_" in found[1] or "." in found[1]):
                there = set(found[1].split(".")) <= words and _in_its_module(found[1].split("."))
            else:
                continue
            if not there:
                wrong.append((name, line))
    assert wrong == []


def _in_its_module(parts: list[str]) -> bool:
    """`core.rules.fees.gross_up` is in the file that it says."""
    if parts[0] not in ("core", "dashboard", "pages", "tests", "scripts", "bench"):
        return True
    place = ROOT
    while parts and (place / parts[0]).is_dir():
        place, parts = place / parts[0], parts[1:]
    if not parts:
        return True
    file = place / f"{parts[0]}.py"
    inside, wanted = (file, parts[1:]) if file.exists() else (place / "__init__.py", parts)
    return inside.exists() and all(
        re.search(rf"\b{each}\b", inside.read_text(encoding="utf-8")) for each in wanted
    )


def test_every_metric_and_address_exists() -> None:
    source = text_of("dashboard/metrics.py")
    served = (
        source + text_of("dashboard/health.py") + text_of("core/webhooks.py") + text_of("dashboard/oidc.py")
    )
    for name in DOCUMENTS:
        for metric in re.findall(r"escrow_desk_\w+", text_of(name)):
            assert metric in source, metric
        for line in codes(name):
            for address in re.findall(r"(?:GET |^)(/(?:healthz|readyz|metrics|webhooks/\w+))", line):
                assert address in served, address


@pytest.mark.parametrize(
    "sentence", ["no command for adding", "no page offers", "it from Stripe does nothing"]
)
def test_what_was_not_so_is_gone(sentence: str) -> None:
    assert sentence not in " ".join(text_of("docs/operations.md").split())
