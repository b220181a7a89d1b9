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
# What is theirs now, and what each kind of journal moved since: the balance at the beginning is what remains.
OWN = """
    select a.id, a.currency from accounts a join chart c on c.line = a.line
    left join milestones m on m.id = a.object_id and c.name in ('held', 'deferred_platform_fee', 'refund_payable')
    left join projects p on p.id = m.project_id
    left join parties q on q.id = a.object_id and c.name in ('payee_payable', 'receivable_payee')
    where coalesce(p.platform, q.platform) = :platform
"""
NOW = text(
    f"""
    select o.currency, -sum(b.net)::bigint as minor from ({OWN}) o
    join account_balances b on b.account_id = o.id group by 1
    """
)
MOVED = text(
    f"""
    select o.currency, j.kind, (date_trunc('month', j.posted_at at time zone 'utc'))::date as month,
           -sum(leg.amount)::bigint as minor
    from journals j cross join lateral unnest(j.account_ids, j.amounts) as leg (account_id, amount)
    join ({OWN}) o on o.id = leg.account_id
    where j.posted_at >= :since
    group by 1, 2, 3 having sum(leg.amount) <> 0
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
    values = {"platform": platform.value, "since": Period(date(year, 1, 1), date(year, 12, 31)).since}
    balances = {row.currency: Money(row.minor, row.currency) for row in session.execute(NOW, values)}
    moved: dict[str, list[tuple[date, str, Money]]] = defaultdict(list)
    for row in session.execute(MOVED, values):
        moved[row.currency].append((row.month, row.kind, Money(row.minor, row.currency)))
    found = []
    for currency in sorted({*balances, *moved}, key=shown_order):
        now = balances.get(currency, Money.zero(currency))
        opening = now - Money.total((amount for _, _, amount in moved[currency]), currency)
        of_year = [each for each in moved[currency] if each[0].year == year]
        if of_year or not opening.is_zero:
            found.append(_year(named(platform), year, opening, of_year, today))
    return found


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
