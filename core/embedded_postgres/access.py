"""The key ring of one cluster: its logins, their passwords, and the number that names its socket."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

DATABASE = "escrow_desk"
OWNER = "escrow_desk"


@dataclass(frozen=True)
class Access:
    """Made once with the cluster. The port is only part of the socket's file name, and every cluster draws its own, so
    a server whose data was deleted under it cannot take its successor's socket along when it notices and ends."""

    port: int
    owner: str
    app: str
    auditor: str

    @classmethod
    def fresh(cls) -> Access:
        return cls(20_000 + secrets.randbelow(40_000), *(secrets.token_urlsafe(24) for _ in range(3)))

    @classmethod
    def read(cls, path: Path) -> Access:
        """Raises OSError or ValueError when the file is absent or damaged."""
        try:
            return cls(**json.loads(path.read_text()))
        except TypeError as error:
            raise ValueError(str(error)) from None

    def write(self, path: Path) -> None:
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file)
        draft.replace(path)

    def logins(self) -> Iterator[str]:
        """SQL that gives `app` and `auditor` their logins and the desk its database, one command a line."""
        for role, password in (("app", self.app), ("auditor", self.auditor)):
            yield f"CREATE ROLE {role} LOGIN PASSWORD '{password}'"
        yield f"CREATE DATABASE {DATABASE} OWNER {OWNER}"

    def urls(self, database: str, socket: Path) -> Urls:
        def url(role: str, password: str) -> str:
            place = f"host={quote(str(socket), safe='')}&port={self.port}"
            return f"postgresql+psycopg://{role}:{password}@/{database}?{place}"

        return Urls(database, url(OWNER, self.owner), url("app", self.app), url("auditor", self.auditor))


@dataclass(frozen=True)
class Urls:
    """One database, seen by its three logins (SQLAlchemy URLs)."""

    database: str
    owner_url: str
    app_url: str
    auditor_url: str
