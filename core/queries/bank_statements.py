"""The platform's bank accounts and their statements: what was imported, until when, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.db import NEWEST
from core.errors import NotFound
from core.money import Money, shown_order
from core.rules.bank_statements import Balances, StatementFormat, days
from core.rules.references import reference


@dataclass(frozen=True)
class Account:
    """`balance` is what its newest statement closes with, at the end of `until`. `gaps`: how many statements begin with
    another balance than the one before them ended with."""

    id: int
    code: str
    name: str
    currency: str
    identifier: str
    statements: int
    until: date | None
    balance: Money | None
    gaps: int

    @property
    def said(self) -> str:
        """What a person should know of it; nothing where all is well."""
        if not self.statements:
            return "No statement was imported yet."
        if self.gaps:
            return f"{self.gaps} statement{'s are' if self.gaps > 1 else ' is'} missing between others."
        return ""


@dataclass(frozen=True)
class Statement:
    """`mapping`: name and version, of a CSV. `gap`: it does not begin where the one before it ended."""

    id: int
    account: str
    account_name: str
    reference: str
    first_on: date
    last_on: date
    opening: Money
    closing: Money
    balances: Balances
    lines: int
    repeated: int
    odd: int
    gap: bool
    file_id: int
    file: str
    format: StatementFormat
    sha256: str
    size_bytes: int
    mapping: str
    imported_by: str
    imported_at: datetime

    @property
    def reference_number(self) -> str:
        return reference("bank statement", self.id)

    @property
    def said(self) -> str:
        """What a person should look at; nothing where all is well."""
        found = ["A statement before it is missing."] if self.gap else []
        if self.odd:
            found.append(f"{self.odd} line{'s are' if self.odd > 1 else ' is'} odd.")
        return " ".join(found)

    @property
    def moved(self) -> Money:
        return self.closing - self.opening

    @property
    def period(self) -> str:
        return days(self.first_on, self.last_on)


@dataclass(frozen=True)
class BankLineRow:
    """A line as it stands in its statement. `repeats`: the statement that has it already."""

    id: int
    number: int
    booked_on: date
    value_on: date | None
    amount: Money
    reference: str
    counterparty: str
    text: str
    odd: tuple[str, ...]
    repeats: int | None

    @property
    def said(self) -> str:
        """What is odd of it, and where it was imported before."""
        again = (f"Imported before, in {reference('bank statement', self.repeats)}.",) if self.repeats else ()
        return " ".join((*self.odd, *again))


@dataclass(frozen=True)
class Mapped:
    id: int
    name: str
    version: int
    definition: dict[str, Any]
    made_by: str
    made_at: datetime
    files: int


# A statement joins on where another of the account ends with its opening balance, on the day before it or later.
CHAINED = """
exists (select from bank_statements p
        where p.account_id = s.account_id and p.id <> s.id and p.first_on <= s.first_on
          and (p.last_on >= s.first_on or p.closing_minor = s.opening_minor))
"""
FIRST = """
not exists (select from bank_statements p
            where p.account_id = s.account_id and p.id <> s.id and (p.first_on, p.id) < (s.first_on, s.id))
"""
GAP = f"not ({FIRST}) and not ({CHAINED})"
ACCOUNTS = text(
    f"""
    select a.id, a.code, a.name, a.currency, a.identifier, count(s.id) as statements, max(s.last_on) as until,
        count(s.id) filter (where {GAP}) as gaps, (
            select closing_minor from bank_statements n where n.account_id = a.id
            order by n.last_on desc, n.id desc limit 1) as closing
    from bank_accounts a left join bank_statements s on s.account_id = a.id
    group by a.id order by a.id
    """
)
STATEMENTS = f"""
select s.*, a.code as account, a.name as account_name, f.name as file, f.format, f.sha256, f.size_bytes, f.imported_at,
    coalesce(p.name, f.imported_via, 'the system') as imported_by, {GAP} as gap,
    coalesce(m.name || ', version ' || m.version, '') as mapping,
    (select count(*) from bank_statement_lines l where l.statement_id = s.id and l.repeats_id is not null) as repeated,
    (select count(*) from bank_statement_lines l where l.statement_id = s.id and l.odd <> '[]') as odd
from bank_statements s
join bank_accounts a on a.id = s.account_id
join bank_statement_files f on f.id = s.file_id
left join csv_mappings m on m.id = f.mapping_id
left join staff p on p.id = f.imported_by
where {{where}} order by s.id desc limit :limit
"""
LINES = text(
    """
    select l.*, r.statement_id as repeats from bank_statement_lines l
    left join bank_statement_lines r on r.id = l.repeats_id
    where l.statement_id = :statement and l.number > :after order by l.number limit :limit
    """
)
MAPPINGS = text(
    """
    select m.*, coalesce(p.name, 'command line') as made_by_name,
        (select count(*) from bank_statement_files f where f.mapping_id = m.id) as files
    from csv_mappings m left join staff p on p.id = m.made_by
    where not exists (select from csv_mappings n where n.name = m.name and n.version > m.version)
    order by m.name
    """
)


def accounts(session: Session) -> list[Account]:
    """The platform's bank accounts, each with its last closing balance and the gaps between its statements."""
    found = [
        Account(
            *(row.id, row.code, row.name, row.currency, row.identifier, row.statements, row.until),
            balance=None if row.closing is None else Money(row.closing, row.currency),
            gaps=row.gaps,
        )
        for row in session.execute(ACCOUNTS)
    ]
    return sorted(found, key=lambda each: shown_order(each.currency))


def statements(
    session: Session,
    *,
    account: str | None = None,
    form: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Statement]:
    """Those imported last first; `before` is the id of the last one shown."""
    where = ["s.id < :before"]
    values: dict[str, Any] = {"before": before or NEWEST, "limit": limit}
    if account is not None:
        where.append("a.code = :account")
        values["account"] = account
    if form is not None:
        where.append("f.format = :form")
        values["form"] = form
    rows = session.execute(text(STATEMENTS.format(where=" and ".join(where))), values)
    return [_statement(row) for row in rows]


def statement(session: Session, number: int) -> Statement:
    """Raises `NotFound`."""
    rows = session.execute(text(STATEMENTS.format(where="s.id = :id")), {"id": number, "limit": 1})
    found = rows.first()
    if found is None:
        raise NotFound(kind="bank statement", id=number)
    return _statement(found)


def lines(session: Session, number: int, *, after: int = 0, limit: int = 50) -> list[BankLineRow]:
    """In the order of the file; `after` is the number of the last one shown."""
    found = session.execute(LINES, {"statement": number, "after": after, "limit": limit})
    return [
        BankLineRow(
            *(row.id, row.number, row.booked_on, row.value_on, Money(row.amount_minor, row.currency)),
            *(row.reference, row.counterparty, row.text, tuple(row.odd), row.repeats),
        )
        for row in found
    ]


def mappings(session: Session) -> list[Mapped]:
    """The newest version of each."""
    return [
        Mapped(row.id, row.name, row.version, row.definition, row.made_by_name, row.made_at, row.files)
        for row in session.execute(MAPPINGS)
    ]


def _statement(row: Any) -> Statement:
    values: dict[str, Any] = dict(row._mapping)
    money = values["currency"]
    values |= {
        "opening": Money(row.opening_minor, money),
        "closing": Money(row.closing_minor, money),
        "balances": Balances(row.balances),
        "format": StatementFormat(row.format),
    }
    return Statement(**{each.name: values[each.name] for each in fields(Statement)})
