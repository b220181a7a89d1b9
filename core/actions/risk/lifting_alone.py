"""Whether one person may lift a hold alone: not above the threshold, and not what waits for a second person already."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions.staff import proposals
from core.records import HoldLift
from core.rules.holds import LiftTakesTwo
from core.rules.proposals import ProposalStatus
from core.rules.references import reference
from core.rules.refusal_reasons import Block


def require_one_person(session: Session, hold_id: int, why_two: Sequence[Block]) -> None:
    """Raises `LiftTakesTwo`, `ProposalWaits`."""
    require_none_waits(session, hold_id)
    if why_two:
        raise LiftTakesTwo(hold=hold_id, reasons=" ".join(each.sentence for each in why_two))


def require_none_waits(session: Session, hold_id: int) -> None:
    """Raises `ProposalWaits`."""
    if (row := proposed(session, hold_id)) is not None:
        what = f"to lift hold {reference('hold', hold_id)}"
        raise proposals.waits(session, maker_id=row.proposed_by, made_at=row.proposed_at, what=what)


def proposed(session: Session, hold_id: int) -> HoldLift | None:
    """What waits for a second person about this hold, of a milestone or of a payee."""
    wanted = select(HoldLift).where(
        func.coalesce(HoldLift.hold_id, HoldLift.payee_hold_id) == hold_id,
        HoldLift.status == ProposalStatus.PROPOSED,
    )
    return session.scalars(wanted).one_or_none()
