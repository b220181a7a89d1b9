"""A year of a party or of a whole marketplace, month by month: what stood before, what came and went, what stands then.

The balance is that of the statements of a month: for a payer what is held for them with what goes back to them, for a
payee what is payable to them less what they owe. A marketplace's is the sum of its parties'. Above zero is theirs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money, shown_order
from core.policy import Platform
from core.queries import party_statements
from core.queries.movements import Period
from core.report_files import Level, Sheet, SheetRow

MEANT = (
    "Above zero is theirs. What is paid in is without processing fees. By release and decision, money goes from payers "
    "to payees: of both together only our fees leave, and what we add to refunds comes in."
)


class Flow(StrEnum):
    """Why a balance moved, as a column of the statement."""

    PAID_IN = "Paid in"
    RELEASED = "By release and decision"
    PAID_OUT = "Paid out"
    REFUNDED = "Refunded"
    CHARGED_BACK = "Charged back"
    OTHER = "Other"


OF: Mapping[str, Flow] = {
    "charge_settled": Flow.PAID_IN,
    "decided": Flow.RELEASED,
    "withdrawal": Flow.PAID_OUT,
    "transfer_reversed": Flow.PAID_OUT,
    "refund_succeeded": Flow.REFUNDED,
    "refund_failed": Flow.REFUNDED,
    "refund_canceled": Flow.REFUNDED,
    "refund_made_by_hand": Flow.REFUNDED,
    "refund_returned": Flow.REFUNDED,
    "refund_came_back": Flow.REFUNDED,
    "refund_never_left": Flow.REFUNDED,
    "chargeback_opened": Flow.CHARGED_BACK,
    "chargeback_won": Flow.CHARGED_BACK,
    "chargeback_lost_while_held": Flow.CHARGED_BACK,
    "chargeback_lost_after_release": Flow.CHARGED_BACK,
    "chargeback_lost_abroad": Flow.CHARGED_BACK,
    "chargeback_regained": Flow.CHARGED_BACK,
}
OWN = "select id, currency from marketplace_accounts where platform = :platform"
# By month, from the totals and the tail, which is little; what moved before the year is its opening balance.
MOVED = text(
    """
    with moved as (
        select currency_number, month, kind, net from marketplace_totals where platform = :platform
        union all
        select (t.account_id & 1023)::smallint, date_trunc('month', j.posted_at at time zone 'UTC')::date, j.kind,
               t.amount
        from posting_tail t join journals j on j.id = t.journal_id
        join marketplace_accounts a on a.id = t.account_id and a.platform = :platform
    )
    select c.code as currency, greatest(m.month, :first - 1) as month,
           case when m.month >= :first then m.kind end as kind, -sum(m.net)::bigint as minor
    from moved m join currencies c on c.number = m.currency_number
    where m.month <= :last group by 1, 2, 3
    """
)


@dataclass(frozen=True)
class Month:
    """`flows` by their column; what did not move is not there."""

    id: date
    opening: Money
    flows: Mapping[Flow, Money]

    @property
    def closing(self) -> Money:
        return Money.total([self.opening, *self.flows.values()], self.opening.currency)

    @property
    def name(self) -> str:
        return f"{self.id:%B}"

    def flow(self, flow: Flow) -> Money:
        return self.flows.get(flow, Money.zero(self.opening.currency))


@dataclass(frozen=True)
class Year:
    """One currency. `name` is whose it is."""

    name: str
    year: int
    currency: str
    months: tuple[Month, ...]

    @property
    def columns(self) -> tuple[Flow, ...]:
        """The flows that there were."""
        return tuple(flow for flow in Flow if any(not each.flow(flow).is_zero for each in self.months))

    def total(self, flow: Flow) -> Money:
        return Money.total((each.flow(flow) for each in self.months), self.currency)


def of_party(session: Session, party_id: int, year: int, *, today: date) -> list[Year]:
    """No month that has not begun by `today`. Raises `NotFound`."""
    found = party_statements.statements(session, party_id, Period(date(year, 1, 1), date(year, 12, 31)))
    return [
        _year(
            each.name,
            year,
            each.opening,
            [(one.posted_at.astimezone(UTC).date(), one.kind, one.amount) for one in each.movements],
            today,
        )
        for each in found
    ]


def of_marketplace(session: Session, platform: Platform, year: int, *, today: date) -> list[Year]:
    """Every currency in which there is or was something; no month that has not begun by `today`."""
    values = {"platform": platform.value, "first": date(year, 1, 1), "last": date(year, 12, 31)}
    opening: dict[str, Money] = {}
    moved: dict[str, list[tuple[date, str, Money]]] = defaultdict(list)
    for row in session.execute(MOVED, values):
        amount = Money(row.minor, row.currency)
        if row.kind is None:
            opening[row.currency] = amount
        elif not amount.is_zero:
            moved[row.currency].append((row.month, row.kind, amount))
    return [
        _year(named(platform), year, opening.get(currency, Money.zero(currency)), moved[currency], today)
        for currency in sorted({*opening, *moved}, key=shown_order)
        if moved[currency] or not opening[currency].is_zero
    ]


def named(platform: Platform) -> str:
    """`Home services`."""
    return platform.value.replace("_", " ").capitalize()


def _year(
    name: str, year: int, opening: Money, moved: Sequence[tuple[date, str, Money]], today: date
) -> Year:
    months = tuple(each for each in _months(year, opening, moved) if each.id <= today or each.id.month == 1)
    return Year(name, year, opening.currency, months)


def _months(year: int, opening: Money, moved: Sequence[tuple[date, str, Money]]) -> Iterator[Month]:
    for number in range(1, 13):
        flows: dict[Flow, Money] = {}
        for day, kind, amount in moved:
            if day.month == number:
                flow = OF.get(kind, Flow.OTHER)
                flows[flow] = flows.get(flow, Money.zero(amount.currency)) + amount
        month = Month(date(year, number, 1), opening, flows)
        yield month
        opening = month.closing


def sheet(each: Year) -> Sheet:
    """The paper form: the months and their total."""
    columns = each.columns
    rows = [
        SheetRow(
            Level.LINE,
            (one.id.month, one.name, one.opening, *(one.flow(flow) for flow in columns), one.closing),
        )
        for one in each.months
    ]
    total = (
        None,
        f"Year {each.year}",
        each.months[0].opening,
        *map(each.total, columns),
        each.months[-1].closing,
    )
    return Sheet(
        each.currency,
        f"Statement of {each.name}, {each.year}, {each.currency}",
        f"Month by month, days of UTC. {MEANT}",
        ("No.", "Month", "Opening balance", *columns, "Closing balance"),
        2,
        (*rows, SheetRow(Level.TOTAL, total)),
    )
