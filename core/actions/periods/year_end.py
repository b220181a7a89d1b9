"""The end of a fiscal year: its closing entries, one a currency, and their reversal when the year is reopened."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.audit.content_hashes import Words
from core.ledger import journal_store, postings
from core.ledger.journals import Journal
from core.queries.periods import YearResult, results
from core.records import Period, YearEndEntry
from core.rules.periods import PeriodKind, Span


def close(session: Session, wanted: Span) -> list[int]:
    """Post what empties income and expenses at the year's last moment; the numbers of the journals, one a currency."""
    times = select(func.count()).where(Period.kind == PeriodKind.YEAR, Period.last_day == wanted.last)
    before = session.scalars(times).one()
    return [
        journal_store.post_year_end(session, entry(wanted, result, before), last_day=wanted.last)
        for result in results(session, wanted)
    ]


def entry(wanted: Span, result: YearResult, closed_before: int = 0) -> Journal:
    """What is posted for one currency. A year that was reopened is closed by another entry."""
    return postings.year_closed(
        key=f"year_closed.{wanted.last.isoformat()}.{closed_before + 1}.{result.currency}",
        nets=result.nets,
        memo=f"{wanted.words}: result to retained earnings",
        cause={"first": wanted.first.isoformat(), "last": wanted.last.isoformat()},
    )


def record_entries(session: Session, period: Period, entries: list[int]) -> list[YearEndEntry]:
    """The entries that belong to the close."""
    rows = [YearEndEntry(journal_id=each, period_id=period.id) for each in entries]
    session.add_all(rows)
    session.flush()
    return rows


def reverse(session: Session, period: Period) -> list[Words]:
    """Reverse what the close of this year posted, at the same moment; what the audit entry vouches for."""
    wanted = select(YearEndEntry).where(YearEndEntry.period_id == period.id).order_by(YearEndEntry.journal_id)
    rows = list(session.scalars(wanted))
    for row in rows:
        reversal = postings.year_reopened(
            key=f"year_reopened.{row.journal_id}",
            lines=journal_store.one(session, row.journal_id).journal.postings,
            memo=f"Reversal of J-{row.journal_id}",
            cause={"period": period.id, "reverses": row.journal_id},
        )
        row.reversal_id = journal_store.post_year_end(session, reversal, last_day=period.last_day)
    session.flush()
    return [Words("year_end_reversals", row) for row in rows]
