"""What a person makes of a chargeback, such as why it was lost: the bank gives no reasons (internal policy)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.chargebacks import chargeback_evidence
from core.audit.actions import AuditAction
from core.records import ChargebackRemark
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given


def add(session: Session, actor: Actor, *, now: datetime, chargeback_id: int, body: str) -> ChargebackRemark:
    """It stays as it is written. Raises `ReasonMissing`, `NotFound`."""
    require(actor, Permission.ANSWER_CHARGEBACK)
    said = given(body)
    context, row = chargeback_evidence.locked(session, chargeback_id)
    remark = ChargebackRemark(chargeback_id=row.id, body=said, written_by=actor.id, written_at=now)
    session.add(remark)
    session.flush()
    context.note(
        session,
        actor,
        AuditAction.CHARGEBACK_REMARK.by("staff"),
        now=now,
        about=("chargeback", row.id),
        after={"remark": remark.id},
        contents=[remark],
    )
    return remark
