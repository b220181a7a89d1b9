"""A party's statement of a period: what stood before, every movement with the balance after it, and what stands then.

A payee's balance is what is payable to them less what they owe. A payer's is what is held for their milestones, with
what is to go back to them. Above zero is theirs. A set-off leaves the payee's balance as it is, and is two movements:
the payment is reduced, and so is the debt. A milestone's T-accounts are the same postings, account by account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from core.errors import DeskError, NotFound
from core.ledger import accounts, journal_store
from core.money import Money, shown_order
from core.queries.journals import title
from core.queries.movements import Period
from core.records import Milestone, Party
from core.report_files import Level, Sheet, SheetRow
from core.rules.parties import PartyRole
from core.rules.references import reference


class PartyNotNamed(DeskError):
    """No party is named. Give the number of a payer or a payee, or the marketplace's id of it; the links on T-accounts,
    Projects and Receivables do."""


OF_PAYEE = "select id from accounts where code in ('payee_payable:' || :party, 'receivable_payee:' || :party)"
OF_PAYER = """
select a.id from projects p join milestones m on m.project_id = p.id
join accounts a on a.code in ('held:' || m.id, 'deferred_platform_fee:' || m.id, 'refund_payable:' || m.id)
where p.payer_id = :number
"""
POSTINGS = """
select j.id as journal_id, j.posted_at, j.kind, j.memo, j.milestone_id, c.code as currency,
       o.of_debt, -sum(p.amount)::bigint as minor, j.posted_at < :since as earlier,
       count(*) over (partition by j.id, c.code) > 1 as in_parts
from account_postings p
cross join lateral (
    select p.account_id in (select id from accounts where code = 'receivable_payee:' || :party) as of_debt
) o
join journals j on j.id = p.journal_id and j.posted_at < :until
join currencies c on c.number = p.account_id & 1023
where p.account_id in ({accounts})
group by j.id, c.code, o.of_debt having sum(p.amount) <> 0
order by c.code, j.posted_at, j.id, o.of_debt
"""


# Of a journal that moves both what a payee owes and what is payable to them: which of the two, and up or down for them.
PARTS: Mapping[tuple[bool, bool], str] = {
    (True, True): "debt reduced",
    (True, False): "debt increased",
    (False, True): "payment increased",
    (False, False): "payment reduced",
}


@dataclass(frozen=True)
class Movement:
    """What a journal added to the party's balance, or took from it, and the balance after it."""

    id: str
    journal_id: int
    posted_at: datetime
    kind: str
    what: str
    memo: str
    milestone_id: int | None
    amount: Money
    balance: Money


@dataclass(frozen=True)
class PartyStatement:
    """One currency."""

    party_id: int
    name: str
    role: str
    currency: str
    period: Period
    opening: Money
    closing: Money
    movements: tuple[Movement, ...]


def statements(session: Session, party_id: int, period: Period) -> list[PartyStatement]:
    """A statement in each currency in which there was a balance or a movement. Raises `NotFound`."""
    party = session.get(Party, party_id)
    if party is None:
        raise NotFound(kind="party", id=party_id)
    query = OF_PAYEE if party.role == PartyRole.PAYEE else OF_PAYER
    values = {"party": str(party_id), "number": party_id, "since": period.since, "until": period.until}
    rows = session.execute(text(POSTINGS.format(accounts=query)), values).all()
    made = []
    for currency, group in groupby(rows, key=lambda row: str(row.currency)):
        opening = balance = Money.zero(currency)
        movements = []
        for row in group:
            balance += Money(row.minor, currency)
            if row.earlier:
                opening = balance
                continue
            movements.append(_movement(row, Money(row.minor, currency), balance))
        if movements or not opening.is_zero:
            made.append(
                PartyStatement(
                    party.id, party.name, party.role, currency, period, opening, balance, tuple(movements)
                )
            )
    return sorted(made, key=lambda each: shown_order(each.currency))


def _movement(row: Row[Any], amount: Money, balance: Money) -> Movement:
    part = PARTS[row.of_debt, amount.is_positive] if row.in_parts else ""
    return Movement(
        f"{row.journal_id} {part}".rstrip(),
        row.journal_id,
        row.posted_at,
        row.kind,
        ": ".join(filter(None, (title(row.kind), part))),
        row.memo,
        row.milestone_id,
        amount,
        balance,
    )


def party_of(session: Session, given: str) -> int:
    """The party with this number, or this id of the marketplace's, if it is one party's. Raises `NotFound`,
    `PartyNotNamed`."""
    if not given.strip():
        raise PartyNotNamed()
    if given.isascii() and given.isdigit() and len(given) < 19:
        return int(given)
    found = session.scalars(select(Party.id).where(Party.external_id == given).limit(2)).all()
    if len(found) != 1:
        raise NotFound(kind="party", id=given)
    return found[0]


def sheet(statement: PartyStatement) -> Sheet:
    """The paper form."""
    opening = (statement.period.first, "", "Opening balance", "", None, statement.opening)
    closing = (statement.period.last, "", "Closing balance", "", None, statement.closing)
    rows = (
        SheetRow(
            Level.LINE,
            (
                each.posted_at,
                reference("journal", each.journal_id),
                each.what,
                reference("milestone", each.milestone_id) if each.milestone_id else "",
                each.amount,
                each.balance,
            ),
        )
        for each in statement.movements
    )
    return Sheet(
        statement.currency,
        f"Statement of {statement.name}, {statement.currency}",
        f"{statement.role.capitalize()} {statement.party_id}, {statement.period.words}, UTC. Above zero is theirs.",
        ("Day", "Journal", "What", "Milestone", "Amount", "Balance"),
        4,
        (SheetRow(Level.SUBTOTAL, opening), *rows, SheetRow(Level.TOTAL, closing)),
    )


@dataclass(frozen=True)
class TAccountEntry:
    """One posting in a T-account."""

    journal_id: int
    posted_at: datetime
    what: str
    amount: Money


@dataclass(frozen=True)
class TAccount:
    """Debits on the left, credits on the right; `balance` on the side on which the account grows."""

    code: str
    title: str
    currency: str
    debits: tuple[TAccountEntry, ...]
    credits: tuple[TAccountEntry, ...]
    balance: Money


def t_accounts(session: Session, milestone_id: int) -> list[TAccount]:
    """Every account that a milestone's journals touched, with their postings, in the order of the chart.

    An account that others share shows this milestone's postings only, and their sum. Raises `NotFound`."""
    if session.get(Milestone, milestone_id) is None:
        raise NotFound(kind="milestone", id=milestone_id)
    found: dict[tuple[int, str, str], list[TAccountEntry]] = {}
    for booked in journal_store.of_milestone(session, milestone_id):
        for each in booked.journal.postings:
            line = accounts.account_type(each.account)
            entry = TAccountEntry(booked.id, booked.posted_at, title(booked.journal.kind), each.amount)
            found.setdefault((line.gl_number, each.account, each.amount.currency), []).append(entry)
    return [_t_account(code, currency, entries) for (_, code, currency), entries in sorted(found.items())]


def _t_account(code: str, currency: str, entries: Sequence[TAccountEntry]) -> TAccount:
    line = accounts.account_type(code)
    net = Money.total((each.amount for each in entries), currency)
    return TAccount(
        code,
        f"{line.gl_number} {line.title}",
        currency,
        tuple(each for each in entries if each.amount.is_positive),
        tuple(each for each in entries if each.amount.is_negative),
        net if line.side is accounts.Side.DEBIT else -net,
    )
