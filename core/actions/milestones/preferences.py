"""Which e-mails a party wants, and how often. Those that the rules require are always sent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import NotFound
from core.letters.delivery_rules import require_mutable
from core.records import LetterPreference, Party
from core.rules import notifications as rules
from core.rules.permissions import Actor, require_party


def set(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    party_id: int,
    frequency: str = rules.Frequency.TOGETHER,
    muted: Iterable[str] = (),
) -> LetterPreference:
    """A party sets its own preferences: how often e-mails that are not urgent come, and which are muted. Both replace
    what was set before; e-mails that already wait are sent as scheduled.

    Raises `NotFound`, `NoSuchFrequency`, `NoSuchKind`, and `CannotBeMuted` with the reason: decisions, disputes,
    money, requests and reminders are always sent.
    """
    if session.get(Party, party_id, with_for_update={"key_share": True}) is None:
        raise NotFound(kind="party", id=party_id)
    require_party(actor, party_id)
    chosen, silent = rules.frequency(frequency), sorted({*muted})
    for template in silent:
        require_mutable(template)
    row = session.get(LetterPreference, party_id)
    before = None if row is None else _said(row)
    if row is None:
        row = LetterPreference(party_id=party_id)
        session.add(row)
    row.frequency, row.muted, row.changed_at = chosen, silent, now
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.PREFERENCES_SET.by("party"),
        object_kind="party",
        object_id=party_id,
        now=now,
        before=before,
        after=_said(row),
    )
    return row


def _said(row: LetterPreference) -> dict[str, object]:
    return {"frequency": row.frequency, "muted": row.muted}
