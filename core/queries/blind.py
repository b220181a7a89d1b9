"""Whether names are hidden from a reader of a case, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.queries.cases import Case
from core.records import CaseReveal, StaffPreference
from core.rules import veil
from core.rules.permissions import Actor, Permission, allowed


@dataclass(frozen=True)
class Sight:
    """`wanted`: the reader's own choice, None for the policy's; `revealed_at`: when they were shown the names."""

    hidden: bool
    decides: bool
    wanted: bool | None
    default: bool
    revealed_at: datetime | None


def sight(session: Session, actor: Actor, case: Case) -> Sight:
    """How this person sees this case."""
    known = session.get(StaffPreference, actor.id)
    shown = session.get(CaseReveal, (case.id, actor.id))
    wanted, default = known.blind if known else None, case.dossier.profile.blind
    decides = allowed(actor, Permission.DECIDE) or (
        case.ticket.escalated and allowed(actor, Permission.DECIDE_ESCALATED)
    )
    own = any(each.record.maker_id == actor.id for each in case.rulings)
    return Sight(
        hidden=veil.hidden(
            wanted=wanted,
            default=default,
            decides=decides,
            undecided=case.open and case.ruling is None,
            revealed=shown is not None or own,
        ),
        decides=decides,
        wanted=wanted,
        default=default,
        revealed_at=shown.at if shown else None,
    )
