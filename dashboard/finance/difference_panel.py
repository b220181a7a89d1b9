"""A line of Stripe's with other amounts than were booked: the entry for the difference, proposed and approved."""

from __future__ import annotations

from core.actions.reconciliation import stripe_differences
from core.ledger import accounts
from core.queries.breaks import BreakRow
from core.rules import suspense as rules
from core.rules.breaks import BreakClass
from core.rules.permissions import Permission
from core.rules.suspense import SettledAs, fitting
from dashboard import request_context
from dashboard.finance import suspense as explaining
from dashboard.ui import cards, confirm, header, reasons, text_fields


def show(row: BreakRow) -> None:
    """The difference as debit and credit, and what it was."""
    amount = row.difference
    if row.theirs is None or row.ours is None or row.theirs.currency != row.ours.currency or amount.is_zero:
        return
    header.section("Proposed entry", "For what Stripe's statement differs by from what was booked.")
    if not request_context.may(Permission.SETTLE_SUSPENSE):
        cards.note("Someone of finance proposes what it was; another approves it.")
        return
    with cards.panel("break-difference"):
        ways = [each for each in fitting([amount]) if each not in rules.NOT_A_DIFFERENCE]
        likely = SettledAs.PROCESSOR_FEE if row.class_ == BreakClass.FEE else None
        what = explaining.what_it_was(
            "What the difference was", ways, [amount], key=f"difference-{row.id}-as", likely=likely
        )
        target = explaining.asked_target(what, f"difference-{row.id}", [])
        if what:
            explaining.preview(accounts.STRIPE_BALANCE, amount, what, target, restated=True)
            explaining.at_once(amount)
        place = text_fields.named("break", row.id, "difference")
        reason = reasons.line(place, key=f"difference-{row.id}-reason")
        intent = confirm.pressed("Submit for approval", key=f"difference-{row.id}-explain", disabled=not what)
        if intent and what:
            confirm.carry_out(
                intent,
                lambda session, actor, now: stripe_differences.explain(
                    session, actor, now=now, break_id=row.id, settled_as=what, reason=reason, target_id=target
                ),
                done="The difference is booked to suspense, and its explanation waits for someone else.",
                sent=[place],
            )
