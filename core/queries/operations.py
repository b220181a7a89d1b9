"""Outgoing operations and the webhook inbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.operations.operation_keys import idempotency_key
from core.actions.operations.operation_states import SHORT_OF_MONEY
from core.db import NEWEST
from core.errors import NotFound
from core.like_patterns import begins
from core.money import Money
from core.rules.operations import OperationStatus, OperationView
from core.rules.refunds import RefundStatus

# What Stripe has given an id and not finished waits for news only, whatever queue it stands in for its next look.
STORED = {
    "SENT": "o.status = 'QUEUED' and o.provider_id is not null",
    "QUEUED": "o.status = 'QUEUED' and o.provider_id is null",
}
SHOWN = "case when o.status = 'QUEUED' and o.provider_id is not null then 'SENT' else o.status end"


@dataclass(frozen=True)
class OperationFilter:
    """`words`: the beginning of an operation's key with or without the desk's name, or Stripe's id of its object."""

    status: str | None = None
    kind: str | None = None
    milestone_id: int | None = None
    words: str = ""

    @property
    def values(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "kind": self.kind,
            "milestone": self.milestone_id,
            "begins": begins(self.words),
            "exact": self.words.strip(),
        }

    @property
    def where(self) -> str:
        return " and ".join(["o.id < :before", *self._conditions()])

    def _conditions(self) -> Iterator[str]:
        for given, condition in (
            (self.status, STORED.get(self.status or "", "o.status = :status")),
            (self.kind, "o.kind = :kind"),
            (self.milestone_id, "o.milestone_id = :milestone"),
            (
                self.words,
                "(o.key like :begins or o.provider_id = :exact or "
                "o.key like (select name from installation) || '.' || :begins)",
            ),
        ):
            if given:
                yield condition


@dataclass(frozen=True)
class Operation:
    """One operation. `attempt` counts its keys, `tries` the requests under the present key."""

    id: int
    key: str
    kind: str
    status: str
    amount: Money
    milestone_id: int
    milestone: str
    project_id: int
    party: str | None
    payload: Mapping[str, Any]
    attempt: int
    tries: int
    first_sent_at: datetime | None
    next_try_at: datetime
    provider_id: str | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def idempotency_key(self) -> str:
        return idempotency_key(self.key, self.attempt)

    @property
    def waits_until(self) -> datetime | None:
        """When it is next retried or checked; None once it is completed."""
        return self.next_try_at if self.finished_at is None else None

    @property
    def shown(self) -> str:
        """The status as shown: what Stripe has accepted and not finished is SENT, not queued."""
        return (
            OperationView.SENT
            if self.status == OperationStatus.QUEUED and self.provider_id is not None
            else self.status
        )

    @property
    def short_key(self) -> str:
        """Without the installation's name, which begins every key."""
        return self.key.partition(".")[2] or self.key


PAGE = """
with page as materialized (select o.id from outgoing_operations o where {where} order by o.id desc limit :limit)
select o.id, o.key, o.kind, o.status, o.amount_minor, o.currency, o.milestone_id, m.title as milestone,
       m.project_id, y.name as party, o.payload, o.attempt, o.tries, o.first_sent_at, o.next_try_at, o.provider_id,
       o.last_error, o.created_at, o.finished_at
from page join outgoing_operations o on o.id = page.id
join milestones m on m.id = o.milestone_id
left join parties y on y.id = o.party_id
order by o.id desc
"""


def page(
    session: Session, wanted: OperationFilter, *, before: int | None = None, limit: int = 51
) -> list[Operation]:
    """Newest first."""
    values = {**wanted.values, "before": before or NEWEST, "limit": limit}
    return [
        _operation(dict(row))
        for row in session.execute(text(PAGE.format(where=wanted.where)), values).mappings()
    ]


def operation(session: Session, operation_id: int) -> Operation:
    """Raises `NotFound`."""
    query = text(PAGE.format(where="o.id = :id"))
    found = session.execute(query, {"id": operation_id, "limit": 1}).mappings().one_or_none()
    if found is None:
        raise NotFound(kind="operation", id=operation_id)
    return _operation(dict(found))


def _operation(row: dict[str, Any]) -> Operation:
    return Operation(amount=Money(row.pop("amount_minor"), row.pop("currency")), **row)


def events_given_up(session: Session) -> int:
    """How many of Stripe's events could not be applied and wait for a person."""
    return int(session.scalar(text("select count(*) from webhook_events where status = 'FAILED'")) or 0)


def counts(session: Session) -> dict[str, int]:
    """How many operations are not completed, by the status shown."""
    rows = session.execute(
        text(
            f"select {SHOWN} as status, count(*) as number from outgoing_operations o "
            "where o.status in ('QUEUED', 'SENDING', 'BLOCKED') group by 1 "
            "union all select status, count(*) from outgoing_operations where status = 'REVIEW' group by status"
        )
    )
    return {row.status: row.number for row in rows}


@dataclass(frozen=True)
class BalanceShortfall:
    """Operations that wait because the platform's balance at Stripe is too small, by currency."""

    amount: Money
    number: int


def waits_for_money(session: Session) -> list[BalanceShortfall]:
    """What waits because the balance at Stripe is too small, by currency, dollars first."""
    found = session.execute(
        text(
            "select currency, sum(amount_minor)::bigint as minor, count(*) as number from outgoing_operations "
            "where status = 'QUEUED' and last_error = :why group by currency order by currency <> 'USD', currency"
        ),
        {"why": SHORT_OF_MONEY},
    )
    return [BalanceShortfall(Money(row.minor, row.currency), row.number) for row in found]


@dataclass(frozen=True)
class WebhookRow:
    """A webhook event. `id` is the moment it came in, in microseconds: it pages the inbox."""

    id: int
    event: str
    kind: str
    account: str | None
    object_id: str
    status: str
    tries: int
    error: str | None
    created_at: datetime
    received_at: datetime
    finished_at: datetime | None


EVENTS = """
select (extract(epoch from received_at) * 1000000)::bigint as id, id as event, kind, account, object_id, status, tries,
       error, created_at, received_at, finished_at
from webhook_events
where received_at < to_timestamp(:before / 1000000.0) and {where}
order by received_at desc, id fetch first :limit rows with ties
"""


def inbox(
    session: Session,
    *,
    status: str | None = None,
    words: str = "",
    before: int | None = None,
    limit: int = 51,
) -> list[WebhookRow]:
    """Events newest first; a page may be longer than `limit`, because events of one moment stay together."""
    conditions = ["true"]
    if status:
        conditions.append("status = :status")
    if words:
        conditions.append("(id = :exact or object_id = :exact or kind like :begins)")
    values = {
        "status": status,
        "exact": words.strip(),
        "begins": begins(words),
        "before": before or 2**52,
        "limit": limit,
    }
    query = text(EVENTS.format(where=" and ".join(conditions)))
    return [WebhookRow(**row) for row in session.execute(query, values).mappings()]


def webhook_body(session: Session, event_id: str) -> dict[str, Any]:
    """The event as it came in. Raises `NotFound`."""
    found = session.execute(
        text("select payload from webhook_events where id = :id"), {"id": event_id}
    ).first()
    if found is None:
        raise NotFound(kind="event", id=event_id)
    return dict(found.payload)


OF_PAYOUT = (
    "(o.id = (select transfer_operation_id from payouts where id = :payout) "
    "or o.kind = 'PAYOUT' and o.payload ->> 'payout' = cast(:payout as text)) and o.milestone_id = :milestone"
)


def of_payout(session: Session, payout_id: int, milestone_id: int) -> list[Operation]:
    """The transfer of a withdrawal and every payout that was sent for it, newest first."""
    values = {"payout": payout_id, "milestone": milestone_id, "limit": None}
    rows = session.execute(text(PAGE.format(where=OF_PAYOUT)), values).mappings()
    return [_operation(dict(row)) for row in rows]


@dataclass(frozen=True)
class Returned:
    """A refund that failed, and the recorded refund outside Stripe, if any."""

    refund_id: int
    amount: Money
    status: str
    failure: str
    payer: str
    id: int | None
    way: str | None
    reference: str | None
    reason: str | None
    proposed_by_id: int | None
    proposed_by: str | None

    @property
    def back(self) -> bool:
        return self.status in (RefundStatus.FAILED, RefundStatus.CANCELED)


RETURNED = text(
    """
    select f.id as refund_id, f.amount_minor, f.currency, f.status, coalesce(f.failure, '') as failure,
           y.name as payer, r.id, r.way, r.reference, r.reason, r.proposed_by as proposed_by_id, s.name as proposed_by
    from refunds f
    join milestones m on m.id = f.milestone_id join projects p on p.id = m.project_id
    join parties y on y.id = p.payer_id
    left join refund_returns r on r.refund_id = f.id and r.status = 'PROPOSED'
    left join staff s on s.id = r.proposed_by
    where f.operation_id = :operation and (f.status in ('FAILED', 'CANCELED') or r.id is not null)
    """
)


def returned_refund(session: Session, operation_id: int) -> Returned | None:
    """The refund of this operation, if it failed and its debt is open, or if a refund outside Stripe is recorded."""
    row = session.execute(RETURNED, {"operation": operation_id}).mappings().one_or_none()
    if row is None:
        return None
    fields = dict(row)
    return Returned(amount=Money(fields.pop("amount_minor"), fields.pop("currency")), **fields)
