"""A posting on our bank's account and its reversal: the bank never had a line of either, so they are matched with each
other, and the break is closed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.actions.reconciliation import bank_matches, breaks
from core.db import one_at_a_time
from core.records import BankAccount, BankMatch, BankMatchPosting, ManualJournal
from core.rules.bank_matching import ONE_AT_A_TIME, MatchRule
from core.rules.permissions import Actor
from core.rules.reasons import given


def pair(
    session: Session, actor: Actor, row: ManualJournal, *, reason: str, now: datetime
) -> BankMatch | None:
    """Match them, unless the bank has no account here, or had a line of what was reversed."""
    both = [number for number in (row.reverses_journal_id, row.journal_id) if number is not None]
    account = session.scalars(select(BankAccount).where(BankAccount.currency == row.currency)).one_or_none()
    booked = bank_matches.on_bank(session, both, row.currency)
    if account is None or not booked:
        return None
    one_at_a_time(session, ONE_AT_A_TIME)
    taken = select(BankMatchPosting.journal_id).where(
        BankMatchPosting.journal_id.in_(both), BankMatchPosting.currency == row.currency
    )
    if session.scalars(taken).first() is not None:
        return None
    name = breaks.posting_name(both[0])
    match = bank_matches.put(
        session, account.id, row.currency, booked, MatchRule.REVERSED, name=name, now=now
    )
    breaks.reversed_by(session, actor, both, row.currency, reason=given(reason), now=now)
    return match


def matched_since(session: Session, row: ManualJournal) -> bool:
    """Whether what is to be reversed was found at the bank after its reversal was proposed."""
    wanted = (
        select(BankMatch.id)
        .join(BankMatchPosting, BankMatchPosting.match_id == BankMatch.id)
        .where(
            BankMatchPosting.journal_id == row.reverses_journal_id,
            BankMatch.rule != MatchRule.REVERSED,
            BankMatch.made_at >= row.proposed_at,
        )
    )
    return session.scalars(wanted).first() is not None


def stands(session: Session, journal_id: int) -> bool:
    """Whether a journal is not reversed, or its reversal was."""
    by = session.scalars(
        select(ManualJournal.journal_id).where(
            ManualJournal.reverses_journal_id == journal_id, ManualJournal.journal_id.is_not(None)
        )
    ).one_or_none()
    return by is None or not stands(session, by)
