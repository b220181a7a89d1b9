"""Payouts that are back on the payee's account they left: its own statement says so where an event was lost."""

from __future__ import annotations

import structlog
from sqlalchemy import text

from core.desk import Desk
from core.errors import DeskError
from core.processes.outgoing import dispatch

log = structlog.get_logger(__name__)
UNNOTICED = text(
    """
    select distinct o.id as operation_id, l.source as payout, l.account
    from payee_statement_lines l join outgoing_operations o on o.provider_id = l.source
    where l.kind in ('payout_failure', 'payout_cancel')
      and not exists (
          select from account_balances b
          join account_postings p on p.account_id = b.account_id
          join journals j on j.id = p.journal_id
          where b.line = 'connected_balance' and b.object_id = l.party_id
            and j.kind in ('payout_failed', 'payout_returned') and j.cause ->> 'payout' = l.source)
    order by operation_id
    """
)


def follow(desk: Desk) -> None:
    """Look each of them up at Stripe and apply what it is now. What cannot be looked up stays for the next run."""
    with desk.database.reading() as session:
        unnoticed = session.execute(UNNOTICED).all()
    for each in unnoticed:
        try:
            _apply(desk, each.operation_id, each.payout, each.account)
        except DeskError as problem:
            log.warning("payout.not_followed", payout=each.payout, reason=problem.message)


def _apply(desk: Desk, operation_id: int, payout: str, account: str) -> None:
    snapshot = desk.payments.payout_by_id(payout, account=account)
    desk.database.run(
        lambda session: dispatch.settle(session, operation_id, snapshot=snapshot, now=desk.clock())
    )
