"""Every stored status has its table, every pair that is not in a table is refused, and nothing leaves an end."""

from __future__ import annotations

import re
from itertools import product

import pytest
from sqlalchemy import CheckConstraint, String, Table

import core.records  # noqa: F401 (fills the metadata)
from core.db import Record
from core.rules import payment_states, statuses
from core.rules.payment_states import ImpossibleChange, State
from core.rules.statuses import STEPS
from core.rules.transitions import IllegalMove

ENDS = {
    "milestones": {"COMPLETED", "REFUNDED", "CANCELED"},
    "projects": {"COMPLETED", "CANCELED"},
    "engagements": {"ENDED"},
    "cases": {"RESOLVED", "WITHDRAWN"},
    "decisions": {"EXECUTED", "RETURNED", "VOIDED"},
    "settlement_proposals": {"ACCEPTED", "DECLINED", "WITHDRAWN", "REPLACED", "EXPIRED"},
    "payouts": {"CANCELED"},
    # What was sent from our bank can come back.
    "refunds": {"CHARGED_BACK"},
    "payment_orders": {"CANCELED"},
    "charges": {"SUCCEEDED"},
    "payment_method_setups": {"SAVED"},
    "outgoing_operations": set(),
    "webhook_events": {"APPLIED", "IGNORED"},
    "notifications": {"SENT", "MUTED"},
    "outgoing_events": {"DROPPED"},
    "reconciliation_runs": {"CLEAN", "SUSPENSE", "BREAKS", "FAILED"},
    "policy_proposals": {"PUBLISHED", "REJECTED", "WITHDRAWN", "RETURNED"},
    "bank_change_proposals": {"DONE", "REJECTED", "WITHDRAWN", "RETURNED"},
    "debt_write_offs": {"DONE", "REJECTED", "WITHDRAWN", "RETURNED"},
    "chargeback_acceptances": {"ACCEPTED", "REJECTED", "WITHDRAWN", "RETURNED"},
    "refund_returns": {"DONE", "REJECTED", "WITHDRAWN"},
    "payout_offers": {"CHOSEN", "OVERTAKEN", "WITHDRAWN"},
    "party_requests": {"ANSWERED", "UNANSWERED", "WITHDRAWN"},
    "duplicate_payments": set(),
    "suspense_items": {"SETTLED", "REVERSED"},
    "periods": {"REOPENED"},
    "erasures": {"DONE", "REJECTED", "WITHDRAWN", "RETURNED"},
    "role_grants": {"DONE", "REJECTED", "WITHDRAWN", "RETURNED"},
    "hold_lifts": {"DONE", "REJECTED", "WITHDRAWN", "RETURNED"},
    "period_reopenings": {"DONE", "REJECTED", "WITHDRAWN", "RETURNED"},
    "manual_journals": {"POSTED", "REJECTED", "WITHDRAWN", "RETURNED"},
    # What differs again is open again.
    "breaks": set(),
    # The bank's own: what is closed can only be closed otherwise.
    "chargebacks": set(),
}


def allowed(table: Table, column: str) -> set[str]:
    """The values that its CHECK names."""
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint):
            found = re.match(rf"\s*{column} in \(([^)]*)\)", str(constraint.sqltext))
            if found:
                return set(re.findall(r"'(\w+)'", found[1]))
    return set()


# What the provider says of its own things is copied, and is no status of ours.
COPIED = {"stripe_payouts"}
# A number is not a status of ours but what an address answered.
COLUMNS = {
    (table.name, name)
    for table in Record.metadata.tables.values()
    for name in ("status", "state")
    if name in table.c and isinstance(table.c[name].type, String) and table.name not in COPIED
}
PRODUCT = [
    (name, *pair)
    for name, column in sorted(COLUMNS)
    for pair in product(sorted(allowed(Record.metadata.tables[name], column)), repeat=2)
]


def test_every_stored_status_has_a_table_of_its_steps_and_a_check_of_its_names() -> None:
    assert {name for name, _ in COLUMNS} == STEPS.keys() == ENDS.keys()
    for name, column in COLUMNS:
        table = Record.metadata.tables[name]
        names = allowed(table, column)
        stepped = {status for pair in STEPS[name] for status in pair}
        # A letter that is not wanted is muted from the start.
        assert names - stepped == ({"MUTED"} if name == "notifications" else set()), name
        assert stepped <= names, name


@pytest.mark.parametrize("name", sorted(STEPS))
def test_nothing_leaves_an_end_not_even_by_a_chain_of_steps(name: str) -> None:
    (column,) = (column for table, column in COLUMNS if table == name)
    leaves = {before for before, _ in STEPS[name]}
    assert allowed(Record.metadata.tables[name], column) - leaves == ENDS[name]
    assert {before for before, _ in statuses.kept(name)} == leaves


@pytest.mark.parametrize(("name", "before", "after"), PRODUCT)
def test_a_pair_that_is_not_in_the_table_is_refused(name: str, before: str, after: str) -> None:
    if before == after or (before, after) in STEPS[name]:
        assert statuses.check(name, before, after) == after
        return
    with pytest.raises(IllegalMove, match=f"cannot change to {after.replace('_', ' ').lower()}"):
        statuses.check(name, before, after)


@pytest.mark.parametrize(("before", "after"), list(product(State, repeat=2)))
def test_a_payment_state_follows_another_only_as_the_table_says(before: State, after: State) -> None:
    if before == after or after in payment_states.CHANGES[before]:
        payment_states.check_change(before, after)
        return
    with pytest.raises(ImpossibleChange):
        payment_states.check_change(before, after)


def test_a_chain_is_let_through_only_where_several_steps_are_taken_at_once() -> None:
    assert ("PAID", "ADMINISTRATIVE_REVIEW") in statuses.kept("payouts") - STEPS["payouts"]
    assert ("AWAITING_APPROVAL", "EXECUTED") in statuses.kept("decisions") - STEPS["decisions"]
    assert statuses.kept("cases") == STEPS["cases"]
    assert statuses.kept("outgoing_operations") == STEPS["outgoing_operations"]
