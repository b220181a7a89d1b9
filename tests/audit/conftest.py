"""A small desk with a sealed record, and a hand that tampers with it as only the database's superuser can."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import audit
from core.db import Database
from core.rules.permissions import Actor, Role
from tests.audit.ledger import post
from tests.recorded import recorded

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MEDIATOR = Actor("staff", 7, frozenset({Role.MEDIATOR}))
THREE_ROWS = """
insert into settlement_currencies select code, true, 'PERSON', :at from unnest('{CHF,EUR,USD}'::text[]) code
on conflict (currency) do update set at = excluded.at
"""


@dataclass
class Log:
    """The record under test, seen by those who write, seal, verify and tamper."""

    database: Database
    auditor: Database
    owner: Database
    home: Path
    signer: audit.Signer = field(init=False)
    journals: int = 0
    changes: bool = False

    def __post_init__(self) -> None:
        self.signer = audit.signer(self.home)

    @property
    def folder(self) -> Path:
        return self.home / "checkpoints"

    @property
    def file(self) -> Path:
        return next(self.folder.glob("*.jsonl"))

    def write(self, entries: int = 3, **also: Any) -> list[int]:
        """One transaction with some entries and a journal of two postings, and with `changes` three rows under seal;
        the entries' ids."""
        self.journals += 1
        values = {
            "object_kind": "milestone",
            "object_id": 5,
            "now": NOW,
            "milestone_id": 5,
            "before": {"a": 1},
        } | also
        with self.database.transaction() as session:
            post(session, f"test:{self.journals}", now=NOW)
            if self.changes:
                session.execute(text(THREE_ROWS), {"at": NOW + timedelta(hours=self.journals)})
            return [
                recorded(session, MEDIATOR, "mediator:decision:confirm", reason=f"entry {n}", **values)
                for n in range(entries)
            ]

    def seal(self, **also: Any) -> audit.Sealed:
        """Seal all that was written. Tests beside this one may hold a transaction open for a moment."""
        for _ in range(1000):
            sealed = audit.seal(self.database, self.signer, self.folder, now=NOW, **also)
            if not self.verify().open_rows:
                break
            time.sleep(0.02)
        return sealed

    def written(self, batches: int = 3) -> list[list[int]]:
        """Several transactions, each under a seal of its own."""
        ids = []
        for _ in range(batches):
            ids.append(self.write())
            self.seal()
        return ids

    def verify(self, **also: Any) -> audit.VerificationReport:
        return audit.verify(self.auditor, self.folder, **also)

    def tamper(self, statement: str, **values: Any) -> None:
        """SQL as superuser with every trigger and foreign key check switched off."""
        with self.owner.transaction() as session:
            session.execute(text("set local session_replication_role = replica"))
            session.execute(text(statement), values)

    def ask(self, statement: str, **values: Any) -> Any:
        with self.owner.reading() as session:
            return session.execute(text(statement), values).scalar()

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.owner.reading() as session:
            return list(session.execute(text(statement), values))


@pytest.fixture
def log(database: Database, auditor: Database, owner: Database, tmp_path: Path) -> Log:
    return Log(database, auditor, owner, tmp_path)


def refused(database: Database, statement: str) -> str:
    """What PostgreSQL says when it refuses."""
    with pytest.raises(DBAPIError) as caught, database.transaction() as session:
        session.execute(text(statement))
    return str(caught.value.orig)
