"""A payee who owes money is reminded of it at intervals, and no more once nothing of it is due (internal policy)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core import audit, notifications
from core.actions.debts import receivables
from core.audit.actions import AuditAction
from core.records import DebtReminder, Party
from core.rules.permissions import SYSTEM


def remind(session: Session, party_id: int, currency: str, *, now: datetime) -> bool:
    """Write to the payee what they owe and what of it is due; the payee is locked. Whether anything was due."""
    party = session.get_one(Party, party_id)
    owed, due = (
        receivables.owed(session, party_id, currency),
        receivables.due(session, party_id, currency),
    )
    if not due.is_positive:
        return False
    row = DebtReminder(party_id=party_id, currency=currency, owed_minor=owed.minor, sent_at=now)
    session.add(row)
    session.flush()
    audit.record(
        session,
        SYSTEM,
        AuditAction.DEBT_REMIND.by("system"),
        object_kind="party",
        object_id=party_id,
        now=now,
        after={"owed": owed.as_dict()},
    )
    key = f"debt-reminder-{row.id}"
    notifications.tell_party(session, "debt_reminder", party=party, key=key, now=now, owed=owed, due=due)
    return True
