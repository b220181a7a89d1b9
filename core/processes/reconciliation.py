"""Reconciliation: every line of the provider's statement against every line that is booked, and the balances.

Daily, and whenever finance asks (milestone-payment-flow, Performance Considerations 4). The comparison is one SQL join
in the database; Python only pages the statement in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import audit
from core.actions.funding import balance_transactions
from core.actions.platform import platform_money, restores
from core.actions.reconciliation import breaks
from core.audit.actions import AuditAction
from core.db import is_anyone_present
from core.desk import Desk
from core.errors import DeskError
from core.ledger import accounts, journal_store
from core.money import Money
from core.processes import (
    bank_matching,
    break_findings,
    platform_payouts,
    returned_payouts,
    statement_matching,
    stripe_statements,
)
from core.queries import bank_matches
from core.queries import breaks as break_queries
from core.queries import reconciliation as reconciliation_queries
from core.queries.bank_matches import BankMatched
from core.queries.breaks import BreakFilter, BreakRow
from core.queries.reconciliation import BROKEN_OFF, MARK, RunSummary
from core.records import BalanceTransaction, ReconciliationBreak, ReconciliationRun, StatementLine
from core.rules.breaks import BreakClass, Side
from core.rules.permissions import Actor, Permission, require
from core.rules.reconciliation import BreakKind, RunStatus

log = structlog.get_logger(__name__)

UNFORESEEN = "Something unforeseen went wrong; the desk's log has the details. Nothing is lost: run it again."


def run(desk: Desk, actor: Actor, *, until: datetime | None = None, payees: bool = True) -> int:
    """Fetch the statement up to `until` (default now), compare, keep the result; returns the run's id.

    Without `payees`, their accounts are not read, and nothing is said of them.
    """
    require(actor, Permission.RUN_RECONCILIATION)
    end = until or desk.clock()
    run_id = desk.database.run(_next_id)
    with desk.database.presence_lock(MARK, run_id):
        desk.database.run(lambda session: _start(session, actor, run_id, end, desk.clock()))
        try:
            _carry_out(desk, actor, run_id, end, payees=payees)
        except BaseException as problem:
            foreseen = isinstance(problem, DeskError)
            reason = problem.message if isinstance(problem, DeskError) else UNFORESEEN
            log.error(
                "reconciliation.failed", run=run_id, reason=reason, exc_info=None if foreseen else problem
            )
            desk.database.run(lambda session: _fail(session, run_id, reason, desk.clock()))
            raise
    return run_id


def _carry_out(desk: Desk, actor: Actor, run_id: int, end: datetime, *, payees: bool) -> None:
    fetched = _fetch(desk, end)
    if payees:
        stripe_statements.fetch_payees(desk, end)
        returned_payouts.follow(desk)
    unbooked = desk.database.run(balance_transactions.unbooked)
    desk.database.run(lambda s: platform_money.book_own_lines(s, unbooked, now=desk.clock()))
    statement_matching.explain(desk, unbooked)
    platform_payouts.follow_own_payouts(desk)
    now = desk.clock()
    desk.database.run(lambda s: bank_matching.match(s, run_id=run_id, until=end, now=now))
    at_provider = desk.payments.balance()
    log.info("reconciliation.fetched", run=run_id, lines=fetched)
    desk.database.run(lambda session: _compare(session, actor, run_id, end, at_provider, now=desk.clock()))


def _next_id(session: Session) -> int:
    return int(session.scalars(text("select nextval('reconciliation_runs_id_seq')")).one())


def _start(session: Session, actor: Actor, run_id: int, until: datetime, now: datetime) -> None:
    """Write the run down, and say of runs whose process has died that they did not end."""
    running = select(ReconciliationRun).where(ReconciliationRun.status == RunStatus.RUNNING).with_for_update()
    for left in session.scalars(running.order_by(ReconciliationRun.id)):
        if not is_anyone_present(session, MARK, left.id):
            audit.become(left, RunStatus.FAILED, now=now)
            left.error, left.finished_at = BROKEN_OFF, now
    started_by = actor.id if actor.kind == "staff" else None
    row = ReconciliationRun(
        id=run_id, until=until, started_at=now, started_by=started_by, status=RunStatus.RUNNING
    )
    row.started_from = actor.via or None
    session.add(row)
    audit.record(
        session,
        actor,
        AuditAction.RECONCILIATION_BEGIN.by(actor.kind),
        object_kind="reconciliation",
        object_id=run_id,
        now=now,
        after={"until": until},
    )


def _fail(session: Session, run_id: int, reason: str, now: datetime) -> None:
    row = session.get_one(ReconciliationRun, run_id, with_for_update=True)
    audit.become(row, RunStatus.FAILED, now=now)
    row.error, row.finished_at = reason, now


def _fetch(desk: Desk, until: datetime) -> int:
    """Read Stripe's books; how many lines of the platform's own account came."""
    return stripe_statements.fetch(desk, until)


# One pass over both sides, which the database shares out among processes: a statement that writes it could not. Of each
# currency of the statement how many lines it has and their sum; `null` stands for what only the ledger has.
COMPARE = text(
    """
    with corrected as (
        select transaction_id, sum(amount)::bigint as amount, sum(fee)::bigint as fee, sum(net)::bigint as net
        from line_corrections group by 1
    ), compared as (
        select coalesce(s.id, b.id) as id, s.id is not null as stated, s.currency, s.net,
               s.id is null or b.id is null
               or (s.amount, s.fee, s.net, s.currency) is distinct from (b.amount, b.fee, b.net, b.currency) as differs
        from (select * from statement_lines where created_at <= :until) s
        full join (
            select t.id, t.currency, t.amount + coalesce(c.amount, 0) as amount, t.fee + coalesce(c.fee, 0) as fee,
                   t.net + coalesce(c.net, 0) as net
            from balance_transactions t left join corrected c on c.transaction_id = t.id
            where t.created_at <= :until
        ) b on b.id = s.id
    )
    select currency, count(*) filter (where stated) as lines, coalesce(sum(net), 0)::bigint as net,
           count(*) filter (where stated and not differs) as agreeing,
           coalesce(array_agg(id) filter (where differs), '{}') as differing
    from compared group by currency
    """
)
# Looked at once more: what was booked while the pass ran differs no longer.
DIFFERING = text(
    """
    insert into reconciliation_breaks (run_id, kind, transaction_id, journal_id, currency, at_provider, in_ledger)
    select :run_id,
           case when b.id is null then 'NOT_IN_LEDGER' when s.id is null then 'NOT_AT_PROVIDER'
                else 'AMOUNT_DIFFERS' end,
           d.id, b.journal_id, coalesce(s.currency, b.currency), s.net, b.net + coalesce(c.net, 0)
    from unnest(cast(:ids as text[])) d (id)
    left join statement_lines s on s.id = d.id and s.created_at <= :until
    left join balance_transactions b on b.id = d.id and b.created_at <= :until
    left join (
        select transaction_id, sum(amount)::bigint as amount, sum(fee)::bigint as fee, sum(net)::bigint as net
        from line_corrections where transaction_id = any(:ids) group by 1
    ) c on c.transaction_id = b.id
    where s.id is null or b.id is null or (s.amount, s.fee, s.net, s.currency) is distinct from (
        b.amount + coalesce(c.amount, 0), b.fee + coalesce(c.fee, 0), b.net + coalesce(c.net, 0), b.currency
    )
    order by d.id
    """
)
# A line in suspense is booked, so its amounts agree; but nobody knows yet what it is.
IN_SUSPENSE = text(
    """
    select count(*) from statement_lines s join balance_transactions b on b.id = s.id
    where s.created_at <= :until and b.created_at <= :until
      and s.id in (select transaction_id from suspense_items where status = 'OPEN')
      and s.id not in (
          select transaction_id from reconciliation_breaks where run_id = :run_id and transaction_id is not null
      )
    """
)


def _compare(
    session: Session,
    actor: Actor,
    run_id: int,
    until: datetime,
    at_provider: dict[str, Money],
    *,
    now: datetime,
) -> None:
    compared = session.execute(COMPARE, {"until": until}).all()
    differing = [each for row in compared for each in row.differing]
    session.execute(DIFFERING, {"run_id": run_id, "until": until, "ids": differing})
    stated = {row.currency: row.net for row in compared if row.currency}
    totals = _totals(session, stated, until, at_provider)
    explained = _by_lines(session, run_id)
    for row in totals:
        if row["comparable"] and row["at_provider"] - row["in_ledger"] != explained.get(row["currency"], 0):
            session.add(
                ReconciliationBreak(
                    run_id=run_id,
                    kind=BreakKind.BALANCE_DIFFERS,
                    currency=row["currency"],
                    at_provider=row["at_provider"],
                    in_ledger=row["in_ledger"],
                )
            )
    session.flush()
    run_row = session.get_one(ReconciliationRun, run_id)
    run_row.lines = sum(row.lines for row in compared)
    broken = select(func.count()).where(ReconciliationBreak.run_id == run_id)
    run_row.breaks = session.scalar(broken) or 0
    run_row.unmatched = (
        session.scalar(broken.where(ReconciliationBreak.kind != BreakKind.BALANCE_DIFFERS)) or 0
    )
    run_row.in_suspense = session.scalar(IN_SUSPENSE, {"run_id": run_id, "until": until}) or 0
    run_row.matched = sum(row.agreeing for row in compared) - run_row.in_suspense
    run_row.totals, run_row.finished_at = totals, now
    _follow_breaks(session, run_row, now=now)
    status = (
        RunStatus.BREAKS if run_row.breaks else RunStatus.SUSPENSE if run_row.in_suspense else RunStatus.CLEAN
    )
    audit.become(run_row, status, now=now)
    counts = ("status", "lines", "matched", "in_suspense", "unmatched", "breaks")
    audit.record(
        session,
        actor,
        AuditAction.RECONCILIATION_RUN.by("finance" if actor.kind == "staff" else actor.kind),
        object_kind="reconciliation",
        object_id=run_id,
        now=now,
        after={name: getattr(run_row, name) for name in counts},
    )
    restores.follow(session, run_row, now=now)


def _follow_breaks(session: Session, run: ReconciliationRun, *, now: datetime) -> None:
    """What it saw lives on as breaks; what it does not see any more is closed."""
    found = break_findings.at_stripe(session, run.id, run.until, now)
    seen = breaks.follow(session, found, run_id=run.id, now=now)
    break_findings.link(session, run.id)
    others = list(break_findings.at_the_bank(session, run.until, now))
    compared = {row["currency"] for row in run.totals if row["comparable"]}
    payees: set[str] = set()
    if len(compared) == len(run.totals):  # nothing was booked after the statements ended
        others += break_findings.of_payees(session, run.until, now)
        payees = break_findings.payees_read(session, run.until)
    seen |= breaks.follow(session, others, run_id=run.id, now=now)
    _count_others(session, run, others, seen)
    breaks.close_unseen(
        session,
        set(seen.values()),
        tuple(Side),
        run_id=run.id,
        until=run.until,
        balances_of=compared,
        payees=payees,
        now=now,
    )


def _count_others(
    session: Session, run: ReconciliationRun, found: Sequence[breaks.BreakFinding], numbers: Mapping[Any, int]
) -> None:
    """What our bank's and payees' statements differ by is seen by this run as well; what may still come by itself is no
    break of it, and what is in suspense is counted as that."""
    for each in found:
        if each.kind is BreakKind.IN_SUSPENSE:
            run.in_suspense = (run.in_suspense or 0) + 1
        elif each.class_ is not BreakClass.TIMING:
            session.add(
                ReconciliationBreak(
                    run_id=run.id,
                    kind=each.kind,
                    side=each.side,
                    break_id=numbers[each.name],
                    journal_id=each.journal_id,
                    currency=each.currency,
                    at_provider=None if each.theirs is None else each.theirs.minor,
                    in_ledger=None if each.ours is None else each.ours.minor,
                )
            )
            run.breaks += 1
            run.unmatched = (run.unmatched or 0) + (each.kind is not BreakKind.BALANCE_DIFFERS)
    session.flush()


@dataclass(frozen=True)
class DryRun:
    """What a run would come to now, with what Stripe and the banks have told. Nothing of it was kept."""

    run: RunSummary
    fetched: int
    own_lines: int
    matches: list[BankMatched]
    breaks: list[BreakRow]


def dry_run(desk: Desk, actor: Actor) -> DryRun:
    """Read the statement, match and compare, and throw all of it away. Lines that a run would first look up at Stripe
    are counted as not booked."""
    require(actor, Permission.RUN_RECONCILIATION)
    end = desk.clock()
    rows = stripe_statements.unread(desk, end)
    at_provider = desk.payments.balance()
    with desk.database.rehearsal() as session:
        for first in range(0, len(rows), stripe_statements.BATCH):
            stripe_statements.put(session, StatementLine, rows[first : first + stripe_statements.BATCH])
        own = platform_money.book_own_lines(session, balance_transactions.unbooked(session), now=end)
        run_id = _next_id(session)
        _start(session, actor, run_id, end, end)
        session.flush()
        bank_matching.match(session, run_id=run_id, until=end, now=end)
        _compare(session, actor, run_id, end, at_provider, now=end)
        session.flush()
        return DryRun(
            reconciliation_queries.run(session, run_id),
            len(rows),
            own,
            bank_matches.made_by(session, run_id),
            break_queries.page(session, BreakFilter(), now=end, limit=None),
        )


def _by_lines(session: Session, run_id: int) -> dict[str, int]:
    """By currency, how far apart the balances are because of lines that do not match: those are breaks already."""
    apart = func.coalesce(ReconciliationBreak.at_provider, 0) - func.coalesce(
        ReconciliationBreak.in_ledger, 0
    )
    found = session.execute(
        select(ReconciliationBreak.currency, func.sum(apart))
        .where(ReconciliationBreak.run_id == run_id)
        .group_by(ReconciliationBreak.currency)
    )
    return {currency: int(difference) for currency, difference in found}


def _totals(
    session: Session, stated: Mapping[str, int], until: datetime, at_provider: dict[str, Money]
) -> list[dict[str, Any]]:
    """Per currency: the provider's balance, the ledger's, and the sum of the statement. A balance can only be compared
    when the statement reaches to the present."""
    booked_later = session.scalar(select(func.max(BalanceTransaction.created_at)))
    comparable = booked_later is None or booked_later <= until
    zero = {currency: Money.zero(currency) for currency in stated}
    return [
        {
            "currency": currency,
            "at_provider": at_provider.get(currency, zero.get(currency, Money.zero(currency))).minor,
            "in_ledger": journal_store.balance(session, accounts.STRIPE_BALANCE, currency).minor,
            "statement": stated.get(currency, 0),
            "comparable": comparable,
        }
        for currency in sorted(
            stated.keys() | {each for each, held in at_provider.items() if not held.is_zero}
        )
    ]
