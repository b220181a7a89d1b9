"""The finance overview: where the money is now, and what needs a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.ledger import accounts
from core.ledger.accounts import AccountType
from core.money import Money, in_order, shown_order
from core.queries import client_funds, ledger


@dataclass(frozen=True)
class AccountAmount:
    """A line of the chart and what it adds to the platform's own at Stripe, or takes from it."""

    name: str
    title: str
    amount: Money

    @property
    def number(self) -> int:
        return accounts.CHART[self.name].gl_number


@dataclass(frozen=True)
class CurrencyTotals:
    """One currency. `at_stripe`, and `at_banks` in open chargebacks, cover what is owed to others.

    The platform's own at Stripe is a sum of accounts: `equity` with what was earned and spent, less what of it lies
    `elsewhere` (at its bank, on the way, in Stripe's reserve, receivable). `unexplained` and `missing` came in and
    went out, and lie in suspense: the first may be owed and is part of `other`, the second is borne by the platform
    until it is explained."""

    currency: str
    at_stripe: Money
    held: Money
    payable: Money
    refundable: Money
    deferred: Money
    other: Money
    at_banks: Money
    unexplained: Money
    missing: Money
    equity: tuple[AccountAmount, ...]
    elsewhere: tuple[AccountAmount, ...]

    @property
    def owed(self) -> Money:
        """All that belongs to others, or may have to go back to them."""
        return self.held + self.payable + self.refundable + self.deferred + self.other

    @property
    def own(self) -> Money:
        return self.worth - self.away - self.missing

    @property
    def own_by_account(self) -> tuple[AccountAmount, ...]:
        """The accounts whose sum the platform's own at Stripe is; what is unexplained and missing is in suspense."""
        suspense = accounts.CHART[accounts.SUSPENSE]
        out = (AccountAmount(suspense.name, f"{suspense.title}, money that went out", -self.missing),)
        elsewhere = (AccountAmount(one.name, one.title, -one.amount) for one in self.elsewhere)
        return (*self.equity, *elsewhere, *(one for one in out if not one.amount.is_zero))

    @property
    def worth(self) -> Money:
        """Equity with income less expenses: what the platform has of its own, wherever it lies."""
        return Money.total((each.amount for each in self.equity), self.currency)

    @property
    def away(self) -> Money:
        """What of it is not at Stripe."""
        return Money.total((each.amount for each in self.elsewhere), self.currency)

    @property
    def covered(self) -> bool:
        """Whether every party could be paid today."""
        return not self.own.is_negative


def totals(session: Session) -> list[CurrencyTotals]:
    """By currency, dollars first."""
    lines: dict[str, dict[str, Money]] = {}
    for (name, currency), net in ledger.nets(session).items():
        line = accounts.CHART[name]
        if line.book == accounts.Book.PLATFORM:
            lines.setdefault(currency, {})[name] = net if line.side is accounts.Side.DEBIT else -net
    nobodys, missing = client_funds.in_suspense(session), client_funds.missing(session)
    banks = client_funds.at_banks(session)
    found = [
        _totals(
            currency,
            balances,
            **{
                name: each.get(currency, Money.zero(currency))
                for name, each in (("unexplained", nobodys), ("missing", missing), ("at_banks", banks))
            },
        )
        for currency, balances in lines.items()
    ]
    return sorted(found, key=lambda each: shown_order(each.currency))


def _totals(
    currency: str, balances: dict[str, Money], *, unexplained: Money, missing: Money, at_banks: Money
) -> CurrencyTotals:
    def of(*names: str) -> Money:
        return Money.total((balances[name] for name in names if name in balances), currency)

    def each(kinds: Sequence[AccountType], *but: str) -> tuple[AccountAmount, ...]:
        """Every line of these types, as it adds to the platform's own: income and equity above zero, expenses below."""
        return tuple(
            AccountAmount(line.name, line.title, -amount if line.kind is AccountType.EXPENSE else amount)
            for line in accounts.IN_ORDER
            if line.kind in kinds and line.name not in but
            for amount in [of(line.name)]
            if not amount.is_zero
        )

    return CurrencyTotals(
        currency=currency,
        at_stripe=of(accounts.STRIPE_BALANCE),
        held=of("held"),
        payable=of("payee_payable"),
        refundable=of("refund_payable"),
        deferred=of("deferred_platform_fee"),
        other=of(accounts.UNAPPLIED_FUNDS) + unexplained,
        at_banks=at_banks,
        unexplained=unexplained,
        missing=missing,
        equity=each((AccountType.EQUITY, AccountType.INCOME, AccountType.EXPENSE)),
        elsewhere=_without(each((AccountType.ASSET,), accounts.STRIPE_BALANCE), at_banks),
    )


def _without(elsewhere: tuple[AccountAmount, ...], at_banks: Money) -> tuple[AccountAmount, ...]:
    """What banks hold of what is owed to others is not the platform's: only the rest of the disputed funds is."""
    disputed = accounts.CHART[accounts.DISPUTED_FUNDS]
    rest = (
        Money.total((one.amount for one in elsewhere if one.name == disputed.name), at_banks.currency)
        - at_banks
    )
    others = tuple(one for one in elsewhere if one.name != disputed.name)
    return others if rest.is_zero else (*others, AccountAmount(disputed.name, disputed.title, rest))


@dataclass(frozen=True)
class AgedFunds:
    """Money held for long. `id` is the project's; `alarm_at` when it was, or is, too long by the project's policy."""

    id: int
    milestone_id: int
    milestone: str
    project: str
    payee: str
    status: str
    held: Money
    since: datetime
    alarm_at: datetime


AGED = text(
    """
    with oldest as materialized (
        select milestone_id, currency, held_minor, funded_at from payment_orders
        where held_minor > 0 order by funded_at limit :limit
    )
    select p.id, o.milestone_id, m.title as milestone, p.title as project, y.name as payee, m.status, o.currency,
           o.held_minor, o.funded_at, (v.snapshot ->> 'held_age_alarm')::bigint as alarm
    from oldest o
    join milestones m on m.id = o.milestone_id
    join projects p on p.id = m.project_id
    join parties y on y.id = p.payee_id
    join policy_versions v on v.id = p.policy_version_id
    order by o.funded_at
    """
)
ALARMS = text(
    """
    select count(*) from payment_orders o
    join milestones m on m.id = o.milestone_id
    join projects p on p.id = m.project_id
    join policy_versions v on v.id = p.policy_version_id
    where o.held_minor > 0
      and o.funded_at <= :now - make_interval(secs => (v.snapshot ->> 'held_age_alarm')::bigint)
    """
)


def oldest(session: Session, *, limit: int | None = 6) -> list[AgedFunds]:
    """The funds held longest."""
    return [
        AgedFunds(
            id=row.id,
            milestone_id=row.milestone_id,
            milestone=row.milestone,
            project=row.project,
            payee=row.payee,
            status=row.status,
            held=Money(row.held_minor, row.currency),
            since=row.funded_at,
            alarm_at=row.funded_at + timedelta(seconds=row.alarm),
        )
        for row in session.execute(AGED, {"limit": limit})
    ]


def alarms(session: Session, *, now: datetime) -> int:
    """For how many milestones money is held beyond the age alarm of their policy (75 days; Stripe's limit is 90)."""
    return int(session.execute(ALARMS, {"now": now}).scalar_one())


def sums(amounts: Sequence[Money]) -> list[Money]:
    """Those that are not zero, in the order of currencies."""
    return list(in_order(each for each in amounts if not each.is_zero))
