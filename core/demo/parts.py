"""The demo's parts while it runs: whatever stops is said on the terminal and started again, later each time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from rich.console import Console

from core.config import Settings
from core.embedded_postgres import EmbeddedPostgres
from core.embedded_postgres.process import postmaster
from core.embedded_postgres.server import Server

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds
SETTLED_AFTER = 60.0


@dataclass
class Pause:
    """How long to wait before the next start: twice as long each time, and short again after a quiet minute."""

    length: float = 0.0
    until: float | None = None
    since: float = field(default_factory=monotonic)

    def begin(self) -> float:
        quiet = monotonic() - self.since > SETTLED_AFTER
        self.length = FIRST_PAUSE if quiet or not self.length else min(self.length * 2, LONGEST_PAUSE)
        self.until = monotonic() + self.length
        return self.length

    @property
    def over(self) -> bool:
        return self.until is not None and monotonic() >= self.until

    def end(self) -> None:
        self.until, self.since = None, monotonic()


@dataclass
class Part:
    """A process of its own session, so that Ctrl-C reaches the demo alone and it stops things in order."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    pause: Pause = field(default_factory=Pause)

    def start(self) -> None:
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *self.command],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env={**without_settings(os.environ), **self.environment},
                start_new_session=True,
            )

    @property
    def ended(self) -> int | None:
        """Its exit code, once it has ended; a signal's number below zero."""
        return self.process.poll() if self.process else None

    def stop(self) -> None:
        """Ask, wait, insist."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass
class Watch:
    """Looks after the database and the parts, in the order in which they need each other."""

    console: Console
    cluster: EmbeddedPostgres
    server: Server
    parts: list[Part] = field(default_factory=list)
    pause: Pause = field(default_factory=Pause)
    trouble: str = ""

    def look(self) -> None:
        """One look at everything; what is due again is started."""
        self._database()
        for part in self.parts:
            self._part(part)

    def _part(self, part: Part) -> None:
        if part.pause.until is None and (code := part.ended) is not None:
            again = part.pause.begin()
            self._say(
                f"The {part.name} stopped ({how(code)}; see {part.log}). It is started again in {again:g} s."
            )
        elif part.pause.over:
            part.start()
            part.pause.end()
            self._say(f"The {part.name} runs again.", well=True)

    def _database(self) -> None:
        if self.pause.until is None:
            if postmaster(self.server.place.data) is None:
                again = self.pause.begin()
                self._say(
                    f"PostgreSQL stopped; its log is {self.server.place.log}. It is started again in {again:g} s."
                )
        elif self.pause.over:
            self._start_database()

    def _start_database(self) -> None:
        try:
            self.cluster.start()
        except Exception as problem:  # a full disk, for one: say it once, and try again until it is not so
            again, why = self.pause.begin(), str(problem)
            if why != self.trouble:
                self._say(
                    f"PostgreSQL does not start: {why} It is tried again in {again:g} s, and then less often."
                )
            self.trouble = why
            return
        self.pause.end()
        self.trouble = ""
        self._say("PostgreSQL runs again.", well=True)

    def _say(self, sentence: str, *, well: bool = False) -> None:
        self.console.print("[green]✓[/green] " if well else "[red]✗[/red] ", end="")
        self.console.print(sentence, highlight=False, soft_wrap=True, markup=False)


def how(code: int) -> str:
    """`signal 9, SIGKILL`, or `exit code 1`."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code}, {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"


def without_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What this shell says about another desk is not meant for the demo: its database, its keys, its mail server."""
    names = {
        str(each.validation_alias or f"ESCROW_DESK_{name}").upper()
        for name, each in Settings.model_fields.items()
    }
    return {name: value for name, value in environment.items() if name.upper() not in names}
