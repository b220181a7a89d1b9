"""Fees: earned, recovered, paid to the processor, and the net margin; by day or month, per currency.

Read from the daily totals, which have one row per day, account type, currency and kind; what is not rolled up yet is
added from the journals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.ledger.accounts import CHART
from core.ledger.postings.year_end import YEAR_END
from core.money import WHOLE_BPS, Money, half_up
from core.rules.fees import percent

EARNED = (accounts.PLATFORM_FEE_REVENUE, accounts.PROCESSING_FEE_RECOVERY, accounts.WITHDRAWAL_FEE_REVENUE)
PROCESSOR = (accounts.PROCESSOR_FEES, accounts.FEE_VARIANCE)
BORNE = (accounts.DISPUTE_FEES, accounts.CHARGEBACK_LOSSES, accounts.REFUND_CONCESSION)
LINES = (*EARNED, *PROCESSOR, *BORNE)
PAYABLE = "payee_payable"  # of it only what decisions and approvals release to payees


class FeeInterval(StrEnum):
    DAY = "day"
    MONTH = "month"


# The tail is short: the journals of the last second, or of a desk whose roll-up has not run yet.
TOTALS = text(
    """
    with moved as (
        select day, line, currency_number, debits - credits as net from daily_totals
        where (line = any(:lines) or line = :payable and kind = 'decided') and day between :first and :last
          and kind <> all(:year_end)
        union all
        select (j.posted_at at time zone 'UTC')::date, (p.account_id >> 10 & 255)::smallint,
               (p.account_id & 1023)::smallint, p.amount
        from journals_not_rolled_up() j
        cross join lateral unnest(j.account_ids, j.amounts) as p (account_id, amount)
        where ((p.account_id >> 10 & 255) = any(:lines)
               or (p.account_id >> 10 & 255) = :payable and j.kind = 'decided')
          and j.posted_at >= :first and j.posted_at < cast(:last as date) + 1 and j.kind <> all(:year_end)
    )
    select date_trunc(:step, m.day)::date as begins, c.code as currency, h.name as line, sum(m.net)::bigint as net
    from moved m join currencies c on c.number = m.currency_number join chart h on h.line = m.line
    group by 1, 2, 3 having sum(m.net) <> 0 order by 1
    """
)


@dataclass(frozen=True)
class FeePeriod:
    """A day or month (`begins`) in one currency. `amounts` by line, each on the side on which its account grows."""

    begins: date
    currency: str
    amounts: Mapping[str, Money] = field(default_factory=dict)

    def of(self, line: str) -> Money:
        return self.amounts.get(line, Money.zero(self.currency))

    @property
    def id(self) -> str:
        return self.begins.isoformat()

    @property
    def platform(self) -> Money:
        """Platform fees earned."""
        return self.of(accounts.PLATFORM_FEE_REVENUE)

    @property
    def recovered(self) -> Money:
        """Processing fees that payers paid (milestone-payment-flow, Key Business Rules 4)."""
        return self.of(accounts.PROCESSING_FEE_RECOVERY)

    @property
    def withdrawal(self) -> Money:
        return self.of(accounts.WITHDRAWAL_FEE_REVENUE)

    @property
    def variance(self) -> Money:
        """The processor's fees beyond the estimate; below zero when they were less."""
        return self.of(accounts.FEE_VARIANCE)

    @property
    def processor(self) -> Money:
        """The processor's actual fees."""
        return self.of(accounts.PROCESSOR_FEES) + self.variance

    @property
    def borne(self) -> Money:
        """Absorbed costs: concessions, fees and chargeback losses."""
        return Money.total((self.of(line) for line in BORNE), self.currency)

    @property
    def estimated(self) -> Money:
        """What the processor was estimated to take: passed through to payers, or on money received twice."""
        return self.of(accounts.PROCESSOR_FEES)

    @property
    def released(self) -> Money:
        """What payees earned: the volume of the platform."""
        return self.of(PAYABLE)

    @property
    def take_rate(self) -> str:
        """Platform fees earned by what was released to payees, in percent; a dash without a release."""
        if not self.released.is_positive:
            return "—"
        return percent(half_up(self.platform.minor * WHOLE_BPS, self.released.minor))

    @property
    def net(self) -> Money:
        return self.platform + self.recovered + self.withdrawal - self.processor - self.borne


def periods(
    session: Session, *, since: datetime, until: datetime, step: FeeInterval
) -> dict[str, list[FeePeriod]]:
    """By currency, the periods in which anything was earned or absorbed, oldest first."""
    numbers = [CHART[line].number for line in LINES]
    payable = CHART[PAYABLE].number
    values = {
        "lines": numbers,
        "payable": payable,
        "year_end": list(YEAR_END),
        "first": since.date(),
        "last": until.date(),
        "step": step.value,
    }
    amounts: dict[tuple[str, date], dict[str, Money]] = {}
    for row in session.execute(TOTALS, values):
        grown = CHART[row.line].grown(row.net)
        amounts.setdefault((row.currency, row.begins), {})[row.line] = Money(grown, row.currency)
    found: dict[str, list[FeePeriod]] = {}
    for (currency, begins), each in sorted(amounts.items()):
        found.setdefault(currency, []).append(FeePeriod(begins, currency, each))
    return found


def of_month(found: Mapping[str, Sequence[FeePeriod]], begins: date) -> dict[str, list[FeePeriod]]:
    """The one month of each currency in which anything moved."""
    return {
        currency: [period for period in periods if period.begins == begins]
        for currency, periods in found.items()
    }


def total(each: list[FeePeriod], currency: str) -> FeePeriod:
    """All periods as one."""
    begins = each[0].begins if each else date.min
    sums = {line: Money.total((period.of(line) for period in each), currency) for line in (*LINES, PAYABLE)}
    return FeePeriod(begins, currency, sums)


def filled(
    each: Sequence[FeePeriod], currency: str, *, since: datetime, until: datetime, step: FeeInterval
) -> list[FeePeriod]:
    """Every day or month of the time, those without fees as well: a chart skips none."""
    known = {period.begins: period for period in each}
    begins = since.date() if step is FeeInterval.DAY else since.date().replace(day=1)
    found = []
    while begins <= until.date():
        found.append(known.get(begins, FeePeriod(begins, currency)))
        further = timedelta(days=1 if step is FeeInterval.DAY else 32)
        begins = begins + further if step is FeeInterval.DAY else (begins + further).replace(day=1)
    return found
