"""An entry of the audit log, or an e-mail, that a test needs before its transaction commits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit
from core.db import write_gathered
from core.records import Notification

NEWEST = text("select max(id) from audit_entries where xid = pg_current_xact_id()")


def recorded(session: Session, *of_what: Any, **facts: Any) -> int:
    """`audit.record`, written at once; the entry's number."""
    audit.record(session, *of_what, **facts)
    write_gathered(session)
    return int(session.execute(NEWEST).scalar_one())


def letter(session: Session, key: str) -> Notification | None:
    """The e-mail with this key, written at once, if this transaction wrote it."""
    write_gathered(session)
    wanted = select(Notification).where(Notification.key == key, text("xmin = pg_current_xact_id()::xid"))
    return session.scalars(wanted).one_or_none()
