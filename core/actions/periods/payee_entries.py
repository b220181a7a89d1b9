"""What only a payee's own account at Stripe has: the entry that the memorandum book lacks, by one person and another.

It is a manual journal like any other (`manual_journals.approve`, `reject`), in the book of what is the payees' own: no
account of the platform's is touched. What the desk caused itself is fetched again instead.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.periods import manual_journals
from core.actions.reconciliation import breaks
from core.errors import DeskError
from core.ledger.journals import Posting
from core.ledger.postings.connected_accounts import payee_line
from core.money import Money
from core.records import Break, ManualJournal, OutgoingOperation, PayeeStatementLine
from core.rules.breaks import BreakClass, Side
from core.rules.permissions import Actor, Permission, require
from core.rules.proposals import ProposalStatus
from core.rules.reasons import given
from core.rules.reconciliation import BreakKind
from core.rules.references import reference


class NotALineOfAPayee(DeskError):
    """Only a line of a payee's account that the memorandum book does not have is booked from here. What only that book
    has was caused by the desk: fetch it again, and ask Stripe where the line is."""


class CausedByTheDesk(DeskError):
    """The desk asked for this payout, so its outcome books it: fetch it from Stripe again."""


class MayStillCome(DeskError):
    """This line is recent, so the desk may still book it by itself. Fetch it again, or wait."""


class EntryWaits(DeskError):
    """The entry for this break waits for a second person already: {journal}."""


def propose(session: Session, actor: Actor, *, now: datetime, break_id: int, reason: str) -> ManualJournal:
    """Raises `BreakIsClosed`, `EntryWaits`, and what `entry` and `manual_journals.write_down` do."""
    require(actor, Permission.PROPOSE_JOURNAL)
    reason = given(reason)
    row = breaks.locked(session, break_id)
    lines, memo = entry(session, row)
    waits = select(ManualJournal.id).where(
        ManualJournal.break_id == row.id, ManualJournal.status == ProposalStatus.PROPOSED
    )
    if (number := session.scalars(waits).first()) is not None:
        raise EntryWaits(journal=reference("manual journal", number))
    return manual_journals.write_down(
        session,
        actor,
        lines,
        posted_on=now.astimezone(UTC).date(),
        memo=memo,
        reason=reason,
        now=now,
        break_id=row.id,
    )


def entry(session: Session, row: Break) -> tuple[list[Posting], str]:
    """What would be posted, debits above zero, and its memo. Raises `NotALineOfAPayee`, `CausedByTheDesk`,
    `MayStillCome`."""
    line = _line(session, row)
    asked = select(OutgoingOperation.id).where(OutgoingOperation.provider_id == line.source)
    if line.kind.startswith("payout") and session.scalars(asked).first() is not None:
        raise CausedByTheDesk()
    if row.class_ == BreakClass.TIMING:
        raise MayStillCome()
    amount = Money(line.net, line.currency)
    what = line.reporting_category.replace("_", " ") or line.kind
    lines = list(payee_line(party_id=line.party_id or 0, amount=amount))
    return lines, f"{what.capitalize()} on the payee's own account at Stripe, {line.id}"


def of_break(session: Session, break_id: int) -> tuple[list[Posting], str]:
    """The same, for pages. Raises what `entry` does."""
    return entry(session, session.get_one(Break, break_id))


def _line(session: Session, row: Break) -> PayeeStatementLine:
    line = breaks.payee_line(session, row) if row.side == Side.PAYEE else None
    if line is None or row.kind != BreakKind.NOT_IN_LEDGER or line.party_id is None:
        raise NotALineOfAPayee()
    return line
