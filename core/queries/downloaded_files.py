"""Is this a file that was downloaded from the desk? The log keeps the hash of every document and table that was
taken, and by whom and when; a file that was changed has another hash.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.audit.actions import AuditAction
from core.records import Receipt
from core.rules.documents import NUMBER
from core.rules.permissions import Actor, Permission, require

TAKEN = text(
    """
    select e.id, e.at, e.object_kind, e.object_id, r.number from audit_entries e
    left join receipts r on e.object_kind = 'receipt' and r.id::text = e.object_id
    where e.after ->> 'sha256' = :sha256 and e.after ? 'sha256'
      and split_part(e.action, ':', 2) || ':' || split_part(e.action, ':', 3) = any(:actions)
    order by e.id
    """
)
ACTIONS = [AuditAction.RECEIPT_DOWNLOAD, AuditAction.TABLE_EXPORT, AuditAction.EXPORT_FINISH]
LARGEST = 20_000_000  # bytes in which a number is looked for


@dataclass(frozen=True)
class Taken:
    """An entry of the log about a file that was taken: the number of the document, or the name of the table's file."""

    entry_id: int
    at: datetime
    name: str


@dataclass(frozen=True)
class Verdict:
    """`taken` is every time that exactly these bytes were handed out. Where they never were, `names` is the document of
    ours whose number stands in the file."""

    sha256: str
    taken: tuple[Taken, ...]
    names: str | None = None

    @property
    def genuine(self) -> bool:
        return bool(self.taken)

    @property
    def words(self) -> str:
        """One sentence."""
        if self.taken:
            first = self.taken[0]
            return (
                f"This is {first.name} as the desk handed it out on {first.at:%-d %b %Y, %H:%M} UTC: nothing in it was "
                "changed."
            )
        if self.names:
            return (
                f"{self.names} is named in it, but the log has no document, statement or export with exactly these "
                "bytes: it was changed, was made elsewhere, or is a file of another kind."
            )
        return "The log has no document, statement or export with exactly these bytes."


def verify(session: Session, actor: Actor, content: bytes) -> Verdict:
    """Hold a file that somebody brings against the log. Nothing in it is opened or believed."""
    require(actor, Permission.READ_CASES)
    sha256 = hashlib.sha256(content).hexdigest()
    rows = session.execute(TAKEN, {"sha256": sha256, "actions": [each.value for each in ACTIONS]})
    taken = tuple(Taken(row.id, row.at, row.number or row.object_id) for row in rows)
    return Verdict(sha256, taken, None if taken else _named(session, content))


def _named(session: Session, content: bytes) -> str | None:
    found = NUMBER.search(content[:LARGEST].decode("latin-1"))
    wanted = select(Receipt.number).where(Receipt.number == found[0]) if found else None
    return session.scalar(wanted) if wanted is not None else None
