"""Reversing what was posted: one person proposes the same lines on the other side, another approves.

It is a manual journal like any other (`manual_journals.approve`, `reject`), and both journals say so. What the desk
posted by itself is reversed only where no other book tells of it (`REVERSIBLE`).
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.periods import manual_journals
from core.actions.refunds import failed_returns
from core.errors import DeskError, NotFound
from core.ledger import journal_store
from core.ledger.journals import Posting
from core.ledger.postings.by_hand import REVERSIBLE
from core.records import ManualJournal
from core.rules.permissions import Actor, Permission, require
from core.rules.proposals import ProposalStatus
from core.rules.reasons import given
from core.rules.references import reference

STANDING = (ProposalStatus.PROPOSED, ProposalStatus.POSTED)


class NotPosted(DeskError):
    """Only a manual journal that was posted can be reversed; this one is {status}."""


class ReversedBefore(DeskError):
    """This journal is reversed already, or its reversal waits for a second person."""


class NotReversible(DeskError):
    """{journal} is not reversed by hand: Stripe's statement, a refund or an amount in suspense tells of its other side,
    and would then say something else than the ledger. Match it with the line that it belongs to."""


def propose(
    session: Session, actor: Actor, *, now: datetime, number: int, posted_on: date, reason: str
) -> ManualJournal:
    """Of a manual journal. Raises `NotFound`, `NotPosted`, and what `propose_of` does."""
    require(actor, Permission.PROPOSE_JOURNAL)
    row = session.get(ManualJournal, number)
    if row is None:
        raise NotFound(kind="manual journal", id=number)
    if row.journal_id is None:
        raise NotPosted(status=row.status.replace("_", " ").lower())
    return propose_of(session, actor, now=now, journal_id=row.journal_id, posted_on=posted_on, reason=reason)


def propose_of(
    session: Session, actor: Actor, *, now: datetime, journal_id: int, posted_on: date, reason: str
) -> ManualJournal:
    """Of any journal that can be. Raises what `entry` does, `ReversedBefore`, `PeriodClosed`, `DayToCome`."""
    require(actor, Permission.PROPOSE_JOURNAL)
    reason = given(reason)
    lines, memo = entry(session, journal_id)
    if failed_returns.failed(session, journal_id):
        raise ReversedBefore()
    if standing_of(session, journal_id) is not None:
        raise ReversedBefore()
    posted_by = select(ManualJournal.id).where(ManualJournal.journal_id == journal_id)
    return manual_journals.write_down(
        session,
        actor,
        lines,
        posted_on=posted_on,
        memo=memo,
        reason=reason,
        now=now,
        reverses_id=session.scalars(posted_by).one_or_none(),
        reverses_journal_id=journal_id,
    )


def entry(session: Session, journal_id: int) -> tuple[list[Posting], str]:
    """What would be posted, debits above zero, and its memo. Raises `NotReversible`, `LeftOurBank`, `NotFound`."""
    before = journal_store.one(session, journal_id).journal
    if before.kind not in REVERSIBLE:
        raise NotReversible(journal=reference("journal", journal_id))
    if before.kind == "refund_returned":
        failed_returns.require_never_left(session, journal_id)
    by_hand = before.cause.get("manual_journal")
    what = reference("manual journal", int(by_hand)) if by_hand else reference("journal", journal_id)
    lines = [Posting(line.account, -line.amount) for line in before.postings]
    return lines, f"Reversal of {what}: {before.memo}"


def standing_of(session: Session, journal_id: int) -> ManualJournal | None:
    """Its reversal, posted or waiting for a second person."""
    wanted = select(ManualJournal).where(
        ManualJournal.reverses_journal_id == journal_id, ManualJournal.status.in_(STANDING)
    )
    return session.scalars(wanted).one_or_none()
