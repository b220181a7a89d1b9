"""Who the server runs as. PostgreSQL refuses root, so root lends it an unprivileged account."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.embedded_postgres.errors import AccountMissing

LENT = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An operating-system account, and whether it is another one than this process's own."""

    uid: int
    gid: int
    lent: bool

    def run(self, *command: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run to the end as this account, from `/` and in an environment that cannot mislead libpq or the locale."""
        return subprocess.run(
            [str(part) for part in command],
            input=text or "",
            capture_output=True,
            text=True,
            errors="replace",
            cwd="/",
            env=plain_environment(),
            start_new_session=True,
            check=False,
            **self.identity(),
        )

    def identity(self) -> dict[str, Any]:
        """What `subprocess` needs to become this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.lent else {}

    def reaches(self, folder: Path) -> bool:
        return self.run("/bin/sh", "-c", 'test -x "$1"', "sh", folder).returncode == 0

    def give(self, path: Path) -> Path:
        """Hand over something that we made ourselves."""
        if self.lent:
            os.chown(path, self.uid, self.gid)
        return path


def account_for(data: Path) -> Account:
    """Our own account; for root the owner of an existing data directory, else the first of `LENT`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), lent=False)
    account = owner_of(data) or lent_account()
    try:
        account.run("/bin/sh", "-c", ":")
    except PermissionError:
        raise AccountMissing(why="this container does not let root become another account") from None
    return account


def owner_of(data: Path) -> Account | None:
    if not data.exists() or data.stat().st_uid == 0:
        return None
    return Account(data.stat().st_uid, data.stat().st_gid, lent=True)


def lent_account() -> Account:
    for name in LENT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, lent=True)
    raise AccountMissing(why="this machine has neither an account `postgres` nor `nobody`")


def account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def plain_environment() -> dict[str, str]:
    misleading = ("PG", "LC_", "LANG")
    return {name: value for name, value in os.environ.items() if not name.startswith(misleading)} | {
        "LC_ALL": "C"
    }
