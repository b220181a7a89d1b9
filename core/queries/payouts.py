"""Payouts: withdrawals by status, one of them in full, and blocked money."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.like_patterns import like
from core.money import Money
from core.queries.word_search import MILESTONES, PARTIES, PROJECTS
from core.rules.payouts import PayoutStatus
from core.rules.references import number_in, reference

UNOWNED = "none"
ANY_UNDER_WAY = "UNDER_WAY"
UNDER_WAY = tuple(
    status.value
    for status in (
        PayoutStatus.REQUESTED,
        PayoutStatus.SENDING,
        PayoutStatus.TRANSFERRED,
        PayoutStatus.IN_TRANSIT,
    )
)


@dataclass(frozen=True)
class PayoutFilter:
    """`status` is one, or `ANY_UNDER_WAY`; `owner` a member of staff's number, or `UNOWNED`. `words` are searched in
    payees, milestones and projects, or are the payout's number, W-214, or Stripe's id of the transfer or payout."""

    status: str | None = None
    method: str | None = None
    owner: str | None = None
    words: str = ""

    @property
    def values(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "under_way": list(UNDER_WAY),
            "method": self.method,
            "owner": int(self.owner) if self.owner and self.owner != UNOWNED else None,
            "like": like(self.words),
            "exact": self.words.strip(),
            "number": number_in("payout", self.words),
        }

    @property
    def source(self) -> str:
        joined = PEOPLE if self.words else ""
        return f"from payouts w {joined} where " + " and ".join(["w.id < :before", *self._conditions()])

    def _conditions(self) -> Iterator[str]:
        if self.status:
            yield "w.status = any(:under_way)" if self.status == ANY_UNDER_WAY else "w.status = :status"
        if self.method:
            yield "w.method = :method"
        if self.owner:
            yield "w.owner_id is null" if self.owner == UNOWNED else "w.owner_id = :owner"
        if self.words:
            names = f"w.party_id in {PARTIES} or w.milestone_id in {MILESTONES} or p.id in {PROJECTS}"
            number = "" if number_in("payout", self.words) is None else "or w.id = :number "
            yield f"({names} {number}or w.stripe_transfer = :exact or w.stripe_payout = :exact)"


@dataclass(frozen=True)
class PayoutRow:
    """A withdrawal: `sent` = `amount` less `fee`."""

    id: int
    payee: str
    party_id: int
    milestone_id: int
    milestone: str
    project_id: int
    project: str
    amount: Money
    fee: Money
    method: str
    status: str
    failure: str | None
    failure_code: str | None
    owner_id: int | None
    owner: str | None
    fee_waived: Money
    fee_waived_by: str | None
    stripe_transfer: str | None
    stripe_payout: str | None
    requested_at: datetime
    arrival_at: datetime | None
    paid_at: datetime | None

    @property
    def sent(self) -> Money:
        return self.amount - self.fee

    @property
    def reference(self) -> str:
        return reference("payout", self.id)

    @property
    def in_review(self) -> bool:
        return self.status == PayoutStatus.ADMINISTRATIVE_REVIEW

    @property
    def transferred(self) -> bool:
        """Whether the money is on the payee's Stripe account and only the payout to the bank is missing."""
        return self.stripe_transfer is not None


PEOPLE = """
join parties y on y.id = w.party_id
join milestones m on m.id = w.milestone_id
join projects p on p.id = m.project_id
"""
PAGE = """
with page as materialized (select w.id {source} order by w.id desc limit :limit)
select w.id, y.name as payee, w.party_id, w.milestone_id, m.title as milestone, p.id as project_id,
       p.title as project, w.amount_minor, w.fee_minor, w.currency, w.method, w.status, w.failure, w.failure_code,
       w.owner_id, s.name as owner, w.fee_waived_minor, f.name as fee_waived_by, w.stripe_transfer,
       w.stripe_payout, w.requested_at, w.arrival_at, w.paid_at
from page join payouts w on w.id = page.id {people}
left join staff s on s.id = w.owner_id
left join staff f on f.id = w.fee_waived_by
order by w.id desc
"""


def page(
    session: Session, wanted: PayoutFilter, *, before: int | None = None, limit: int = 51
) -> list[PayoutRow]:
    """Withdrawals with an id below `before`, newest first."""
    query = text(PAGE.format(source=wanted.source, people=PEOPLE))
    rows = session.execute(query, {**wanted.values, "before": before or NEWEST, "limit": limit})
    return [_row(row) for row in rows.mappings()]


def payout(session: Session, payout_id: int) -> PayoutRow:
    """Raises `NotFound`."""
    query = text(PAGE.format(source="from payouts w where w.id = :id", people=PEOPLE))
    found = session.execute(query, {"id": payout_id, "limit": 1}).mappings().one_or_none()
    if found is None:
        raise NotFound(kind="payout", id=payout_id)
    return _row(found)


OF_OPERATION = (
    "from payouts w where w.transfer_operation_id = :operation or w.id = "
    "(select (payload ->> 'payout')::bigint from outgoing_operations where id = :operation and kind = 'PAYOUT')"
)


def of_operation(session: Session, operation_id: int) -> PayoutRow | None:
    """The payout that this transfer or payout was sent for; None for other operations and for an earlier transfer."""
    query = text(PAGE.format(source=OF_OPERATION, people=PEOPLE))
    found = session.execute(query, {"operation": operation_id, "limit": 1}).mappings().one_or_none()
    return None if found is None else _row(found)


def _row(found: RowMapping) -> PayoutRow:
    row = dict(found)
    currency = row.pop("currency")
    amount, fee = Money(row.pop("amount_minor"), currency), Money(row.pop("fee_minor"), currency)
    waived = Money(row.pop("fee_waived_minor"), currency)
    return PayoutRow(**row, amount=amount, fee=fee, fee_waived=waived)


@dataclass(frozen=True)
class PayoutTotal:
    status: str
    number: int
    total: Money


def by_status(session: Session) -> list[PayoutTotal]:
    """How many withdrawals have each status, and what those that are not completed send after fees."""
    rows = session.execute(
        text(
            "select status, currency, count(*) as number, sum(amount_minor - fee_minor)::bigint as minor from payouts "
            "where status not in ('PAID', 'CANCELED') group by status, currency order by status, minor desc"
        )
    )
    return [PayoutTotal(row.status, row.number, Money(row.minor, row.currency)) for row in rows]


@dataclass(frozen=True)
class MethodOffer:
    """Other methods that were offered to the payee, and the one they chose."""

    id: int
    methods: tuple[str, ...]
    fee_waived: bool
    reason: str
    offered_by: str
    offered_at: datetime
    status: str
    chosen_method: str | None
    settled_at: datetime | None


OFFERS = text(
    """
    select o.id, o.methods, o.fee_waived, o.reason, s.name as offered_by, o.offered_at, o.status, o.chosen_method,
           o.settled_at
    from payout_offers o join staff s on s.id = o.offered_by where o.payout_id = :payout order by o.id desc
    """
)


def offers(session: Session, payout_id: int) -> list[MethodOffer]:
    """Newest first."""
    rows = session.execute(OFFERS, {"payout": payout_id}).mappings()
    return [MethodOffer(**{**row, "methods": tuple(row["methods"])}) for row in rows]
