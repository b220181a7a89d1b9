"""Rules for recurring bank charges: those in force, and the open lines that each of them recognises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.money import Money
from core.rules.references import reference

SHOWN = 200


@dataclass(frozen=True)
class BankChargeRuleRow:
    id: int
    account: str
    words: str
    most: Money
    made_by: str
    made_at: datetime

    @property
    def said(self) -> str:
        return f"Rule {self.id}: the text contains “{self.words}”, up to {self.most.text()}"


@dataclass(frozen=True)
class RecognisedLine:
    """A line of our bank's that is an open break, with the rule that says that it is a bank charge."""

    line_id: int
    account_id: int
    break_id: int
    booked_on: date
    amount: Money
    words: str
    rule_id: int
    rule_words: str
    most: Money

    @property
    def reference(self) -> str:
        return reference("break", self.break_id)

    @property
    def reason(self) -> str:
        return f"Rule {self.rule_id}: the text contains “{self.rule_words}”, up to {self.most.text()}."


RULES = text(
    """
    select r.id, a.name as account, a.currency, r.words, r.most_minor, s.name as made_by, r.made_at
    from bank_charge_rules r join bank_accounts a on a.id = r.account_id join staff s on s.id = r.made_by
    where r.ended_at is null order by a.currency, r.id
    """
)
# From the open breaks, which are few, not from the lines.
RECOGNISED = text(
    """
    select distinct on (l.id) l.id as line_id, l.account_id, b.id as break_id, l.booked_on, l.amount_minor, l.currency,
           concat_ws(' ', nullif(l.reference, ''), nullif(l.counterparty, ''), l.text) as words,
           r.id as rule_id, r.words as rule_words, r.most_minor
    from breaks b
    join bank_statement_lines l on l.id = b.bank_line_id
    join bank_charge_rules r on r.account_id = l.account_id and r.ended_at is null
        and l.amount_minor between -r.most_minor and -1
        and strpos(lower(concat_ws(' ', l.reference, l.counterparty, l.text)), lower(r.words)) > 0
    where b.status = 'OPEN' and b.side = 'BANK' and b.kind = 'NOT_IN_LEDGER'
      and not exists (select from bank_match_lines m where m.line_id = l.id)
    order by l.id, r.id limit :limit
    """
)


def in_force(session: Session) -> list[BankChargeRuleRow]:
    rows = session.execute(RULES)
    return [
        BankChargeRuleRow(
            row.id, row.account, row.words, Money(row.most_minor, row.currency), row.made_by, row.made_at
        )
        for row in rows
    ]


def recognised(session: Session) -> list[RecognisedLine]:
    """Open lines that a rule in force says are bank charges, the first rule of each."""
    rows = session.execute(RECOGNISED, {"limit": SHOWN})
    return [
        RecognisedLine(
            row.line_id, row.account_id, row.break_id, row.booked_on, Money(row.amount_minor, row.currency), row.words,
            row.rule_id, row.rule_words, Money(row.most_minor, row.currency),
        )
        for row in rows
    ]  # fmt: skip
