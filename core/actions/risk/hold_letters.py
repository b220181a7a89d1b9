"""Which staff is told of a hold that no member of staff placed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.milestones.milestone_context import MilestoneContext
from core.notifications import staff_of
from core.records import Hold
from core.rules.permissions import Role


def tell_of_hold(
    session: Session,
    context: MilestoneContext,
    hold: Hold,
    roles: Sequence[Role],
    *,
    now: datetime,
    why: str | None,
) -> None:
    """Tell the staff responsible of a hold that no member of staff placed. `why` is the desk's own text, never a
    party's."""
    people = {member for role in roles for member in staff_of(session, role)}
    key, about = f"hold-{hold.id}-to-settle", ("hold", hold.id)
    told = {"hold": f"H-{hold.id}", "why": why}
    context.tell_staff(session, "hold_to_settle", sorted(people), key=key, now=now, about=about, **told)
