"""One break fetched from Stripe again: its line as it is stated now, and what caused it, applied."""

from __future__ import annotations

from datetime import timedelta

from core.actions.operations import breaks
from core.desk import Desk
from core.processes import statement_matching, stripe_statements
from core.records import Break, StatementLine
from core.rules.breaks import BreakStatus

AROUND = timedelta(seconds=1)


def fetch_again(desk: Desk, break_id: int) -> bool:
    """Returns whether both sides agree now, so that it is closed. Raises what the provider refuses."""
    with desk.database.reading() as session:
        row = session.get_one(Break, break_id)
        line_id, since = row.transaction_id, row.since
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
