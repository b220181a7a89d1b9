"""One break fetched from Stripe again: its line as it is stated now, and what caused it, applied; of a payee's account
all that it says now."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from core.actions.reconciliation import breaks
from core.desk import Desk
from core.processes import break_findings, returned_payouts, statement_matching, stripe_statements
from core.records import Break, StatementLine
from core.rules.breaks import BreakStatus, Side

AROUND = timedelta(seconds=1)


def fetch_again(desk: Desk, break_id: int) -> bool:
    """Returns whether both sides agree now, so that it is closed. Raises what the provider refuses."""
    with desk.database.reading() as session:
        row = session.get_one(Break, break_id)
        line_id, since = row.transaction_id, row.since
        payee = row.object.partition(":")[0] if row.side == Side.PAYEE else None
    if payee is not None:
        return _payee_again(desk, break_id, payee)
    if line_id is None:
        return False
    found = desk.payments.balance_lines(since - AROUND, since + AROUND, account=None)
    rows = [stripe_statements.of_the_platform(each, desk.clock()) for each in found if each.id == line_id]
    if rows:
        desk.database.run(lambda session: stripe_statements.put(session, StatementLine, rows))
        statement_matching.explain_again(desk, line_id)
    return desk.database.run(
        lambda session: (
            breaks.agrees(session, row, now=desk.clock())
            if (row := session.get_one(Break, break_id, with_for_update=True)).status == BreakStatus.OPEN
            else True
        )
    )


def _payee_again(desk: Desk, break_id: int, account: str) -> bool:
    """Read the account to the end, follow its payouts that are back, and compare it as a run does."""
    until = desk.clock()
    stripe_statements.fetch_account(desk, account, until)
    returned_payouts.follow(desk)

    def compare(session: Session) -> bool:
        row = session.get_one(Break, break_id, with_for_update=True)
        if row.status != BreakStatus.OPEN:
            return True
        if account not in break_findings.payees_read(
            session, until
        ):  # another run began to read it meanwhile
            raise stripe_statements.PayeeUnread(
                account=account, why="it is being read by a run. Try again after it."
            )
        found = break_findings.of_payees(session, until, desk.clock(), account=account)
        if (Side.PAYEE, row.object, row.currency) in {each.name for each in found}:
            return False
        breaks.agrees_with_payee(session, row, now=desk.clock())
        return True

    return desk.database.run(compare)
