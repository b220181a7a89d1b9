"""PostgreSQL's own programs, no older than the server, with the password where no list of processes shows it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.db import driver_url
from core.embedded_postgres.errors import PostgresMissing, ToolFailed
from core.embedded_postgres.programs import last_complaint, wheel_folder
from core.errors import DeskError

TOOLS = ("pg_dump", "pg_restore", "psql")


class ToolsTooOld(DeskError):
    """PostgreSQL's client programs (pg_dump, pg_restore, psql) of version {wanted} or later are needed for this
    database, and {found}. Install them, and put their folder first in PATH."""


@dataclass(frozen=True)
class Address:
    """A database as PostgreSQL's programs take it."""

    dsn: str
    environment: Mapping[str, str]

    @classmethod
    def of(cls, url: str) -> Address:
        known = driver_url(url)
        bare = known.set(drivername="postgresql", password="")._replace(password=None)
        secret = {"PGPASSWORD": str(known.password)} if known.password else {}
        return cls(bare.render_as_string(hide_password=False), {**os.environ, **secret})


@dataclass(frozen=True)
class Tools:
    """The programs in one folder."""

    bin: Path

    def run(self, tool: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> None:
        """Raises `ToolFailed` with the last thing that it said."""
        done = subprocess.run(
            [self.bin / tool, *arguments],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = last_complaint(done.stderr).rstrip(".") or f"exit status {done.returncode}"
            raise ToolFailed(tool=tool, reason=said)


def tools(server_version: int) -> Tools:
    """Those in PATH, or those that come with the desk's demo; not older than the server (`server_version_num`)."""
    wanted, seen = server_version // 10_000, list[str]()
    for folder in _folders():
        found = _major(folder)
        if found >= wanted:
            return Tools(folder)
        seen.append(f"{folder} has {found}" if found else f"{folder} has not all of them")
    raise ToolsTooOld(wanted=wanted, found=", ".join(seen) or "there are none")


def _folders() -> list[Path]:
    found = shutil.which("pg_dump")
    folders = [Path(found).parent] if found else []
    with suppress(PostgresMissing):
        folders.append(wheel_folder() / "pginstall" / "bin")
    return folders


def _major(folder: Path) -> int:
    """The lowest major version of the programs here; 0 where one of them is missing or does not start."""
    versions = []
    for tool in TOOLS:
        try:
            said = subprocess.run(
                [folder / tool, "--version"], capture_output=True, text=True, cwd="/", check=False
            ).stdout
        except OSError:
            return 0
        number = re.search(r"\) (\d+)", said)
        versions.append(int(number[1]) if number else 0)
    return min(versions)
