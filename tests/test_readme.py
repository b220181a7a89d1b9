"""The README and the operator's manual name every setting and every command there is, and none that there is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from core.cli import app
from core.config import Settings
from core.home import production_home

ROOT = Path(__file__).resolve().parent.parent
# Read by others than the desk's settings: uvicorn, and the command before it reads any settings.
NOT_OURS = {"FORWARDED_ALLOW_IPS", "LOG_LEVEL", "LOG_FORMAT"}


def variables_of_the_settings() -> set[str]:
    own = {name: f"ESCROW_DESK_{name}" for name in Settings.model_fields}
    return {str(field.validation_alias or own[name]).upper() for name, field in Settings.model_fields.items()}


def variables_in_the_table(page: str) -> set[str]:
    """What stands in capitals in the first column of a table with the head `variable`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| variable \|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    return {name for row in table.splitlines() for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}


@pytest.mark.parametrize("page", ["README.md", "docs/operations.md"])
def test_the_table_of_variables_is_complete_and_current(page: str) -> None:
    assert variables_in_the_table(page) - NOT_OURS == variables_of_the_settings()


def commands(group: Any, before: str = "") -> Iterator[str]:
    for name, command in (
        typer.main.get_command(group).commands.items() if not before else group.commands.items()
    ):
        path = f"{before} {name}".strip()
        if not hasattr(command, "commands") or command.invoke_without_command:
            yield path
        if hasattr(command, "commands"):
            yield from commands(command, path)


def test_the_list_of_commands_is_complete_and_current() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| command |") :].split("\n\n")[0]
    listed = re.findall(
        r"`(?:escrow-desk )?([a-z][a-z -]*?)(?: \[.*?\])?`",
        "\n".join(row.split("|")[1] for row in table.splitlines()),
    )
    assert sorted(listed) == sorted(commands(app))


def test_what_belongs_to_the_operator_is_not_taken_for_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every shell has a HOME; the desk's is another."""
    for name in ("HOME", "HOSTS", "DEMO"):
        monkeypatch.setenv(name, "/home/somebody" if name == "HOME" else "1")
        monkeypatch.delenv(f"ESCROW_DESK_{name}", raising=False)
    found = Settings()
    assert (found.home, found.hosts, found.demo) == (production_home(), "", False)
