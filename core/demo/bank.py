"""The platform's banks: what they saw of the platform's own money, and where they and the ledger differ.

A charge and interest only the bank knows of; one payout arrived short, and one nobody has seen.

Each currency's bank writes in a format of its own, and finance imports what it wrote every few weeks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.actions.bank_statements import accounts, imports, mappings
from core.actions.reconciliation import bank_charge_rules
from core.demo import bank_files
from core.demo.bank_files import DemoLine, DemoStatement
from core.demo.world import World
from core.money import Money
from core.rules.permissions import Actor, Role

WEEKS = (5, 9)
"""After which statements are imported; the last at the end."""
CHARGE = "Account charge"
MAPPING = "operating-usd"
KEPT = 2_500
COLUMNS = {
    "booked_on": "Date",
    "amount": "Amount",
    "balance": "Balance",
    "texts": ["Description"],
    "date_format": "%m/%d/%Y",
}
BOOKED = text(
    """
    select p.amount, (j.posted_at at time zone 'utc')::date as day, j.kind,
           coalesce(j.cause ->> 'payout', j.cause ->> 'source', '') as provider_id
    from account_postings p join journals j on j.id = p.journal_id
    where p.account_id = account_number('bank', :currency) and (j.posted_at at time zone 'utc')::date <= :until
    order by j.id
    """
)
LAST = text(
    """
    select s.last_on, s.closing_minor from bank_statements s where s.currency = :currency
    order by s.last_on desc, s.id desc limit 1
    """
)


@dataclass(frozen=True)
class Bank:
    """`charge` is what it takes for each statement, `interest` what it pays on the last one, in minor units."""

    code: str
    name: str
    number: str
    charge: int
    write: Callable[[DemoStatement], bytes]
    file: str
    interest: int = 0
    mapping: str | None = None


def _csv(sheet: DemoStatement) -> bytes:
    balances = accumulate((each.amount.minor for each in sheet.entries), initial=sheet.opening.minor)
    next(balances)
    rows = [
        f'{each.day:%m/%d/%Y},"{each.name} {each.text}",{each.amount.major()},{Money(after, "USD").major()}'
        for each, after in zip(sheet.entries, balances, strict=True)
    ]
    return "\n".join(["Date,Description,Amount,Balance", *rows, ""]).encode()


BANKS: Mapping[str, Bank] = {
    "USD": Bank(
        "operating-usd", "Operating account, First Harbor Bank", "000123456789", 1_500, _csv, "csv", mapping=MAPPING
    ),
    "EUR": Bank(
        "operating-eur", "Operating account, Nordkontor", "DE89370400440532013000", 950, bank_files.camt053, "xml", 421
    ),
    "JPY": Bank("operating-jpy", "Operating account, Minato Bank", "00010001234567", 1_100, bank_files.mt940, "sta"),
    "KWD": Bank(
        "operating-kwd", "Operating account, Gulf Commercial", "KW81CBKU0000000000001234560101", 3_250,
        bank_files.camt053, "xml",
    ),
}  # fmt: skip


def open_accounts(world: World) -> None:
    """Finance registers an account for each currency, with a rule for its charge, and how one bank's CSV is read."""
    finance = _finance(world)
    for currency, bank in BANKS.items():
        named = {"code": bank.code, "name": bank.name, "currency": currency, "identifier": bank.number}
        row = world.act(accounts.register, finance, **named)
        if bank.charge:
            limit = Money(2 * bank.charge, currency)
            world.act(bank_charge_rules.save, finance, account_id=row.id, words=CHARGE, most=limit)
    world.act(mappings.save, finance, name=MAPPING, definition=COLUMNS)


def import_statements(world: World, *, last: bool = False) -> None:
    """What each bank has booked since its last statement, until yesterday."""
    until = world.now.date() - timedelta(days=1)
    for currency, bank in BANKS.items():
        with world.desk.database.reading() as session:
            sheet = _sheet(session, currency, bank, until, last=last)
        if sheet is not None:
            world.act(
                imports.take,
                _finance(world),
                code=bank.code,
                file=f"{bank.code}-{until:%Y-%m-%d}.{bank.file}",
                content=bank.write(sheet),
                store=world.desk.evidence,
                mapping=bank.mapping,
            )


def _sheet(session: Session, currency: str, bank: Bank, until: date, *, last: bool) -> DemoStatement | None:
    booked = session.execute(BOOKED, {"currency": currency, "until": until}).all()
    before = session.execute(LAST, {"currency": currency}).first()
    moved = [row for row in booked if row.kind != "opening_balance"]
    if before is not None:
        first, opening = before.last_on + timedelta(days=1), before.closing_minor
        moved = [row for row in moved if row.day >= first]
    else:
        first = min((row.day for row in booked), default=until)
        opening = sum(row.amount for row in booked) - sum(row.amount for row in moved)
    if first > until:
        return None
    payouts = [row.provider_id for row in booked if row.kind == "platform_payout_paid"]
    entries = [
        DemoLine(
            row.day, Money(row.amount - _kept(payouts, row.provider_id), currency), f"{row.day:%y%m%d}{number:04}",
            "Stripe", _words(row.kind, row.provider_id),
        )
        for number, row in enumerate(moved, start=1)
        if row.provider_id not in payouts[2:3]
    ]  # fmt: skip
    entries.append(DemoLine(until, Money(-bank.charge, currency), "", bank.name.partition(", ")[2], CHARGE))
    if last and bank.interest:
        entries.append(
            DemoLine(until, Money(bank.interest, currency), "", bank.name.partition(", ")[2], "Interest")
        )
    return DemoStatement(bank.number, f"{until:%Y%m%d}", Money(opening, currency), first, until, entries)


def _kept(payouts: list[str], provider_id: str) -> int:
    """A bank on the way keeps something of the second payout of the platform's; of the third nobody has seen a line."""
    return KEPT if provider_id in payouts[1:2] else 0


def _words(kind: str, provider_id: str) -> str:
    what = "Top-up" if kind.startswith("top") else "Payout"
    return f"{what} {provider_id}".strip()


def _finance(world: World) -> Actor:
    return world.staff(world.staff_with(Role.FINANCE)[0])
