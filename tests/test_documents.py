"""What the documents name is there: commands and options, variables, pages, make targets, files, metrics."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from core.cli import app
from core.config import Settings
from dashboard import navigation

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/operations.md", "docs/marketplace.md", "docs/README.md"]
# Named, and somebody else's: uvicorn's, the shell's, PostgreSQL's, the tests' own.
FOREIGN = {
    *["FORWARDED_ALLOW_IPS", "LOG_LEVEL", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "ESCROW_DESK_TEST_HOME"],
    *["ESCROW_DESK_BROWSER", "ESCROW_DESK_PATIENCE"],
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
    named = set(re.findall(r"page\s+\*([A-Z][\w ]+)\*", text_of("docs/operations.md")))
    assert named, "the manual names pages"
    assert named <= titles, named - titles


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for line in codes(name):
        for target in re.findall(r"(?:^|\s)make ([a-z-]+)", line):
            assert target in targets, line


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
