"""A case that no dispute of the payer began: the payee had no answer, or staff opened it. Both parties are told.

A mediator takes it at once, as any other: `dispute.to_mediation`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from core.actions.dossier import Dossier
from core.actions.verify import stop_clocks
from core.records import Party, Ticket
from core.rules import deadlines, milestones
from core.rules.disputes import DisputeReason, TicketStatus
from core.rules.permissions import Actor


def opened(
    session: Session,
    actor: Actor,
    dossier: Dossier,
    *,
    by: Party,
    event: milestones.Event,
    reason: DisputeReason,
    now: datetime,
    because: str | None = None,
    details: str = "",
) -> Ticket:
    """A new ticket in the name of `by`, and the clocks stopped. `because` is staff's reason, `details` the payer's."""
    approved = dossier.status is milestones.Status.VERIFIED
    dossier.move(event, now=now)
    stop_clocks(dossier)
    dossier.milestone.verified_at = None
    staff = actor.kind == "staff"
    ticket = Ticket(
        milestone_id=dossier.milestone.id,
        opened_by=by.id,
        opened_by_staff=actor.id if staff else None,
        reason=reason,
        details=details,
        status=TicketStatus.OPEN,
        opened_at=now,
        due_at=deadlines.deadlock_at(now, dossier.profile),
    )
    session.add(ticket)
    session.flush()  # the status is written, too: it goes on from here by a move of its own
    dossier.note(
        session,
        actor,
        f"{actor.kind}:case:open",
        now=now,
        about=("ticket", ticket.id),
        reason=because,
        after={"reason": reason, "approved": approved},
        ticket_id=ticket.id,
    )
    for party in (dossier.payer, dossier.payee):
        dossier.tell(
            session,
            "case_opened",
            party,
            key=f"ticket-{ticket.id}-opened-{party.id}",
            now=now,
            about=("ticket", ticket.id),
            by_staff=staff,
            approved=approved,
            details=details,
        )
    return ticket
