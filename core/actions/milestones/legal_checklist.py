"""The legal checklist of each marketplace: compliance signs, and only then may anything be paid.

(payment-escrow-rules, Compliance / Legal Review Checklist.)
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.audit.actions import AuditAction
from core.errors import DeskError
from core.policy import Platform
from core.records import LegalCheck
from core.rules import legal_checklist as rules
from core.rules.legal_checklist import Item
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given


class AlreadySigned(DeskError):
    """This item was already signed. A signature stays as it is."""


def sign(
    session: Session, actor: Actor, *, now: datetime, platform: Platform, item: Item, note: str
) -> LegalCheck:
    """Compliance vouches for one item, by name and time. The note says on what ground. Raises `AlreadySigned`."""
    require(actor, Permission.SIGN_LEGAL_CHECK, now)
    assert actor.id is not None  # only staff may sign
    note = given(note)
    platform, item = Platform(platform), Item(item)
    if session.get(LegalCheck, (platform.value, item.value)) is not None:
        raise AlreadySigned()
    row = LegalCheck(platform=platform.value, item=item.value, note=note, signed_by=actor.id, signed_at=now)
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.CHECKLIST_SIGN.by("compliance"),
        object_kind="policy",
        object_id=platform.value,
        now=now,
        reason=note,
        after={"item": item.value},
    )
    return row


def require_signed(session: Session, platform: str) -> None:
    """Raises `PaymentsSwitchedOff`, which names every item that is not signed."""
    rules.require_signed(session.scalars(select(LegalCheck.item).where(LegalCheck.platform == platform)))
