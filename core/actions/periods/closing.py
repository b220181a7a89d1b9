"""Closing a day, a month or a year: what is missing is named, then the books are held, added up, signed and locked.

While it is added up nothing is posted, so what is signed is what the period holds, to the last journal.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from core import audit
from core.actions.periods import year_end
from core.audit import period_summary
from core.audit.actions import AuditAction
from core.audit.keys import Signer
from core.audit.pinned_keys import ledger_name
from core.queries import periods as queries
from core.records import Period, Staff
from core.rules import periods as rules
from core.rules.periods import Item, PeriodKind, PeriodStatus, Span
from core.rules.permissions import Actor, Permission, require
from core.rules.reasons import given

HOLD = text("select hold_ledger()")
JOURNALS = text(
    "select count(*) filter (where posted_at >= :since and posted_at < :until) as count, coalesce(max(id), 0) as last "
    "from journals"
)
LOCK_NOT_AVAILABLE = "55P03"


def close(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    kind: PeriodKind,
    day: date,
    signer: Signer,
    explanation: str = "",
    year_begins: int = 1,
) -> Period:
    """Close the day, or the month or fiscal year that it lies in. `explanation`: why it is closed although something in
    suspense, or a break, is open; it is signed with the rest. `year_begins`: the first month of a fiscal year.

    Raises `PeriodNotReady`, which names what is missing, and `LedgerBusy`.
    """
    require(actor, Permission.CLOSE_PERIOD, now)
    why = given(explanation) if explanation.strip() else ""
    wanted = rules.span(kind, day, year_begins=year_begins)
    items = queries.checklist(session, wanted, now=now)
    rules.require_ready(wanted, items, explanation=why)
    _hold(session)
    rules.require_ready(wanted, queries.cheap(session, wanted, now=now), explanation=why)
    entries = year_end.close(session, wanted) if kind is PeriodKind.YEAR else []
    facts = _facts(session, actor, wanted, items, why, now)
    row = Period(
        kind=kind,
        first_day=wanted.first,
        last_day=wanted.last,
        status=PeriodStatus.CLOSED,
        closed_by=actor.id if actor.kind == "staff" else None,
        closed_via=actor.via or None,
        closed_at=now,
        explanation=why,
        last_journal=facts["journals"]["last"],
        summary=period_summary.signed(facts, signer),
    )
    session.add(row)
    session.flush()
    closing = year_end.record_entries(session, row, entries)
    audit.record(
        session,
        actor,
        AuditAction.PERIOD_CLOSE.by("finance"),
        object_kind="period",
        object_id=row.id,
        now=now,
        reason=why or None,
        after={
            "kind": kind,
            "first": wanted.first.isoformat(),
            "last": wanted.last.isoformat(),
            "sha256": period_summary.digest(row.summary),
            **({"closing_entries": entries} if entries else {}),
        },
        contents=[row, *closing],
    )
    return row


def _hold(session: Session) -> None:
    """From here on nothing is posted until this transaction ends. Raises `LedgerBusy`."""
    try:
        session.execute(HOLD)
    except OperationalError as problem:
        if getattr(problem.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise rules.LedgerBusy() from problem
        raise


def _facts(
    session: Session, actor: Actor, wanted: Span, items: list[Item], why: str, now: datetime
) -> dict[str, Any]:
    since = datetime.combine(wanted.first, datetime.min.time(), now.tzinfo)
    count, last = session.execute(JOURNALS, {"since": since, "until": wanted.ends}).one()
    newest = select(Period.id, Period.summary).order_by(Period.id.desc()).limit(1)
    before = session.execute(newest).one_or_none()
    year = wanted.kind is PeriodKind.YEAR
    after = {"figures_after": queries.figures(session, wanted, before_closing=False)} if year else {}
    return {
        "desk": ledger_name(session),
        "kind": wanted.kind.value,
        "first": wanted.first.isoformat(),
        "last": wanted.last.isoformat(),
        "closed_at": now.isoformat(),
        "closed_by": session.get_one(Staff, actor.id).name if actor.kind == "staff" else actor.via,
        "explanation": why,
        "checklist": [{"law": each.law, "found": each.found, "met": each.met} for each in items],
        "journals": {"count": count, "last": last},
        "figures": queries.figures(session, wanted),
        **after,
        "previous": {"period": before.id, "sha256": period_summary.digest(before.summary)}
        if before
        else None,
    }
