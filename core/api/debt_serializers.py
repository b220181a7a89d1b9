"""What payees owe and how they repay it, as far as they were told: the amounts and days, and no word of staff's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import column, select, table, text
from sqlalchemy.orm import Session

from core.api.models.responses.debts import DebtAnswer, OwedAnswer, RepaymentAnswer
from core.api.plain import moment, money
from core.records import Party

BALANCES = table("account_balances", column("object_id"), column("line"), column("balance"))
OWING = select(BALANCES.c.object_id).where(BALANCES.c.line == "receivable_payee", BALANCES.c.balance > 0)
# Both read by the payees of one page.
OWED = text(
    """
    select party_id, currency, balance::bigint as minor, due
    from debts_due where party_id = any(:parties) order by party_id, currency
    """
)
INSTALMENTS = text(
    """
    select party_id, currency, due_on, amount_minor, open_minor, fell_due_at from repayment_progress
    where party_id = any(:parties) order by party_id, currency, position
    """
)


def of_debts(session: Session, payees: Sequence[Party]) -> list[DebtAnswer]:
    asked = {"parties": [each.id for each in payees]}
    plans: dict[tuple[int, str], list[RepaymentAnswer]] = defaultdict(list)
    for row in session.execute(INSTALMENTS, asked):
        plans[row.party_id, row.currency].append(
            {
                "due_on": moment(row.due_on),
                "amount": money(row.amount_minor, row.currency),
                "paid": money(row.amount_minor - row.open_minor, row.currency),
                "due": row.fell_due_at is not None,
            }
        )
    owed: dict[int, list[OwedAnswer]] = defaultdict(list)
    for row in session.execute(OWED, asked):
        owed[row.party_id].append(
            {
                "owed": money(row.minor, row.currency),
                "due": money(row.due, row.currency),
                "instalments": plans[row.party_id, row.currency],
            }
        )
    return [{"payee": each.external_id, "debts": owed[each.id]} for each in payees]
