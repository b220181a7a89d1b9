"""What is not under seal, table by table, with the reason: whoever verifies must know what that leaves out.

Under seal are entries, journals and row changes themselves, and through those every row of `rows_under_seal.TABLES`. A
test holds this list against the catalogue of the database: a new table is sealed, or stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

SEALED = frozenset({"audit_entries", "journals", "row_changes"})


class Why(StrEnum):
    PROOF = "It is the proof: chained and signed, and compared with what lies outside."
    DERIVED = "It is computed again from sealed journals, or from its own number, by a check."
    STATED = (
        "It is what Stripe or a bank states, or where its reading stopped: reconciliation reads it again."
    )
    PASSING = "It is work in progress, a queue, a session or somebody's screen: nothing is decided by it."
    FIXED = "It is law that a migration wrote: a test holds it against the code."


def _named(why: Why, tables: str) -> dict[str, Why]:
    return dict.fromkeys(tables.split(), why)


NOT_SEALED: Mapping[str, Why] = {
    **_named(Why.PROOF, "seals seal_epochs signing_keys"),
    **_named(
        Why.DERIVED,
        "accounts balances register hot_balances daily_totals fee_totals marketplace_totals ledger_roll_up",
    ),
    **_named(
        Why.STATED,
        "balance_transactions statement_lines payee_statement_lines stripe_balances stripe_payouts statement_cursors"
        " payee_accounts reconciliation_runs reconciliation_breaks",
    ),
    **_named(
        Why.PASSING,
        "decision_drafts unsent_texts tab_keys staff_preferences staff_sessions case_visits webhook_events"
        " outgoing_events event_deliveries api_answers rate_buckets demo_clock exports period_reminders debt_reminders"
        " check_runs readings",
    ),
    # By the owner of the tables, before an entry can be left; the log has what came of each.
    **_named(Why.PASSING, "restores"),
    **_named(Why.FIXED, "chart currencies journal_kinds status_moves milestone_moves personal_data"),
    **_named(Why.PASSING, "ledger_lock"),
}
