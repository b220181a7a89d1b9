"""Payouts with why each does not move, what happens next and when, and who looks after it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.queries import payee_accounts, payouts, release_blocks
from core.queries.payouts import PayoutFilter, PayoutRow
from core.records import Payout
from core.rules import holds, payout_failures
from core.rules.operations import OperationStatus
from core.rules.payee_accounts import BankWait, to_give
from core.rules.payout_failures import Failure
from core.rules.payout_progress import Call, Facts, Progress, progress
from core.rules.payouts import PayoutStatus
from core.rules.refusal_reasons import Block

CALLS = text(
    """
    select w.id, c.status, c.next_try_at, c.last_error, c.provider_id is not null as at_provider,
           exists (select from payout_offers o where o.payout_id = w.id and o.status = 'OPEN') as offered,
           exists (select from bank_changes b where b.party_id = w.party_id and b.currency = w.currency
                   and b.at > coalesce(c.finished_at, w.requested_at)) as bank_changed
    from payouts w
    left join lateral (
        select * from outgoing_operations c
        where c.id = w.transfer_operation_id and w.stripe_transfer is null
           or c.milestone_id = w.milestone_id and c.kind = 'PAYOUT' and w.stripe_transfer is not null
              and (c.payload ->> 'payout')::bigint = w.id
        order by c.id desc limit 1
    ) c on true
    where w.id = any(:payouts)
    """
)


@dataclass(frozen=True)
class PayoutLine(PayoutRow):
    """A withdrawal with its progress; `repeats` is why the same account will fail again."""

    progress: Progress
    repeats: Failure | None

    @property
    def why(self) -> str:
        return self.progress.why

    @property
    def next(self) -> str:
        return self.progress.next

    @property
    def next_at(self) -> datetime | None:
        return self.progress.at


def page(
    session: Session, wanted: PayoutFilter, *, before: int | None = None, limit: int = 51
) -> list[PayoutLine]:
    """The newest payouts that the filter finds, each with what it waits for."""
    return of(session, payouts.page(session, wanted, before=before, limit=limit))


def one(session: Session, payout_id: int) -> PayoutLine:
    """Raises `NotFound`."""
    return of(session, [payouts.payout(session, payout_id)])[0]


def of(session: Session, rows: Sequence[PayoutRow]) -> list[PayoutLine]:
    """What stops them is asked of the place that releases and dispatches by it, once for all of them."""
    under_way = {row.milestone_id for row in rows if row.status in payouts.UNDER_WAY}
    stopped = blocks(session, under_way)
    accounts = payee_accounts.facts(session, {row.party_id for row in rows})
    calls = {row.id: row for row in session.execute(CALLS, {"payouts": [row.id for row in rows]})}
    lines = []
    for row in rows:
        call = calls[row.id]
        account, currency = accounts.get(row.party_id), row.amount.currency
        repeats = (
            payout_failures.repeats(
                row.failure_code, bank_changed=call.bank_changed, account=account, currency=currency
            )
            if row.in_review
            else None
        )
        facts = Facts(
            status=PayoutStatus(row.status),
            failure=row.failure,
            call=_call(call),
            blocks=stopped.get(row.milestone_id, ()),
            repeats=repeats,
            offered=call.offered,
            arrival_at=row.arrival_at,
            bank_waits_until=account.new_banks.get(currency, BankWait()).until if account else None,
            to_give=to_give(account, currency) if account else None,
            owner=row.owner,
        )
        lines.append(PayoutLine(**vars(row), progress=progress(facts), repeats=repeats))
    return lines


def repeats(session: Session, payout: Payout) -> Failure | None:
    """Why the same account will fail this payout again; None where that is not known."""
    call = session.execute(CALLS, {"payouts": [payout.id]}).one()
    account = payee_accounts.facts(session, [payout.party_id]).get(payout.party_id)
    return payout_failures.repeats(
        payout.failure_code, bank_changed=call.bank_changed, account=account, currency=payout.currency
    )


def blocks(session: Session, milestones: Collection[int]) -> dict[int, tuple[Block, ...]]:
    """All that stops the money of each milestone on its way to the payee, but that another payout needs review."""
    facts = release_blocks.facts(session, milestones)
    after = release_blocks.after_release(session, milestones)
    return {
        number: tuple(
            each
            for each in (*holds.blocking(facts[number]), *after.get(number, ()))
            if each is not holds.IN_REVIEW
        )
        for number in milestones
    }


def _call(row: Any) -> Call | None:
    if row.status is None:
        return None
    return Call(OperationStatus(row.status), row.next_try_at, row.last_error, row.at_provider)
