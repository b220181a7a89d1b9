"""The command as an operator meets it: what it printed, what it complained of, how it ended."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from core import cli
from core.cli import output
from tests import patience
from tests.log_setup import as_in_a_new_process

ROOT = Path(__file__).resolve().parents[2]
WIDE = 1000

# They measured the terminal when they were made, which may be long before a test has one of its own.
output.console.width = output.trouble.width = WIDE


@dataclass(frozen=True)
class CommandResult:
    """How a command ended."""

    code: int
    out: str
    err: str
    as_json: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def refuses(self, *words: str) -> None:
        """Exit code 2, one sentence that holds these words, and nothing on the standard output but, where JSON was
        asked for, the same sentence as JSON."""
        assert self.code == 2, (self.code, self.out, self.err)
        if self.as_json:
            assert set(self.json) == {"code", "detail", "facts"}
            assert self.json["detail"] in self.err
        else:
            assert self.out == ""
        assert "Traceback" not in self.err
        for each in words:
            assert each in " ".join(self.err.split()), self.err

    def well(self) -> CommandResult:
        assert self.code == 0, (self.code, self.out, self.err)
        return self


@dataclass
class Terminal:
    """A shell with these variables and no others that the desk would read."""

    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: object, **also: str) -> CommandResult:
        """In this process: the same `main`, and milliseconds."""
        out, err = io.StringIO(), io.StringIO()
        words = ["escrow-desk", *map(str, arguments)]
        with (
            patch.object(sys, "argv", words),
            patch.dict(os.environ, clean(self.environment | also), clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
            as_in_a_new_process(),
        ):
            try:
                cli.main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
        return CommandResult(code, out.getvalue(), err.getvalue(), "--json" in words)

    def process(self, *arguments: object, within: float = patience.SECONDS, **also: str) -> CommandResult:
        """In a process of its own, with nothing in its environment but these variables."""
        ended = subprocess.run(
            [sys.executable, "-m", "core.cli", *map(str, arguments)],
            cwd=ROOT,
            env=clean(self.environment | also),
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        return CommandResult(ended.returncode, ended.stdout, ended.stderr, "--json" in arguments)


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Wide enough that no sentence is broken, and without what this run was started with, nor anybody's own home."""
    alone = {"XDG_CONFIG_HOME": os.devnull}
    return {"COLUMNS": str(WIDE), "TERM": "dumb", "PATH": os.defpath, **alone, **environment}
