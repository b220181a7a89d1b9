"""What a payee owes after a lost chargeback, set off against later releases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.actions.milestones import orders
from core.actions.milestones.milestone_context import MilestoneContext
from core.audit.actions import AuditAction
from core.errors import NotFound
from core.ledger import accounts, journal_store, postings
from core.money import Money
from core.records import Milestone, OutgoingOperation, Party, Project, SuspenseItem
from core.rules.operations import OperationKind, OperationStatus
from core.rules.payment_states import Cause, CauseKind
from core.rules.permissions import SYSTEM, Actor
from core.rules.suspense import SettledAs, SuspenseStatus

UNDER_WAY = (OperationStatus.QUEUED, OperationStatus.SENDING, OperationStatus.BLOCKED, OperationStatus.REVIEW)


def owed(session: Session, party_id: int, currency: str) -> Money:
    """What the payee owes the platform, by the ledger."""
    return journal_store.balance(session, accounts.receivable_payee(party_id), currency)


def free(session: Session, party_id: int, currency: str, *, but: int = 0) -> Money:
    """What the payee owes and neither a transfer reversal nor money that they sent is on its way to settle: an amount
    in suspense of which one person said so, and another has not agreed yet. `but`: one that does not count."""
    debt = owed(session, party_id, currency)
    if debt.is_zero:  # nearly always, so the calls are not searched
        return debt
    pending = on_its_way(session, [party_id], but=but)[party_id, currency]
    return max(debt - Money(pending, currency), Money.zero(currency))


def on_its_way(session: Session, party_ids: Collection[int], *, but: int = 0) -> Counter[tuple[int, str]]:
    """Minor units by party and currency that are on their way to settle what is owed. Two statements, however many
    parties."""
    return _reversed(session, party_ids) + _said_to_be_paid(session, party_ids, but=but)


def _reversed(session: Session, party_ids: Collection[int]) -> Counter[tuple[int, str]]:
    """By way of their milestones, as operations are found by these, and not by all that were ever sent."""
    of = OutgoingOperation
    pending = (
        select(of.party_id, of.currency, func.sum(of.amount_minor))
        .join(Milestone, Milestone.id == of.milestone_id)
        .join(Project, Project.id == Milestone.project_id)
        .where(
            Project.payee_id == func.any(list(party_ids)),
            of.party_id == Project.payee_id,
            of.kind == OperationKind.REVERSAL,
            of.status.in_(UNDER_WAY),
        )
        .group_by(of.party_id, of.currency)
    )
    return _counted(session.execute(pending))


def _said_to_be_paid(
    session: Session, party_ids: Collection[int], *, but: int = 0
) -> Counter[tuple[int, str]]:
    of = SuspenseItem
    said = (
        select(of.target_id, of.currency, func.sum(of.amount_minor))
        .where(
            of.status == SuspenseStatus.OPEN,
            of.proposed_as == SettledAs.PAYEE_DEBT,
            of.target_id == func.any(list(party_ids)),
            of.id != but,
        )
        .group_by(of.target_id, of.currency)
    )
    return _counted(session.execute(said))


def _counted(rows: Iterable[Any]) -> Counter[tuple[int, str]]:
    return Counter({(party_id, currency): int(minor) for party_id, currency, minor in rows})


def due(session: Session, party_id: int, currency: str) -> Money:
    """What of it is not put off by instalments that have not fallen due."""
    return Money(session.scalar(select(func.debt_due_minor(party_id, currency))) or 0, currency)


def to_set_off(session: Session, party_id: int, currency: str) -> Money:
    """How much of the payee's debt may be set off. Locks and writes nothing."""
    debt = owed(session, party_id, currency)
    if debt.is_zero:  # nearly always, so the calls are not searched
        return debt
    coming = on_its_way(session, [party_id])[party_id, currency]
    return may_be_set_off(due(session, party_id, currency), coming)


def may_be_set_off(due: Money, coming: int) -> Money:
    """What is due of a debt, less the minor units that are on their way to settle it."""
    return max(due - Money(coming, due.currency), Money.zero(due.currency))


def why_none(session: Session, party_id: int, currency: str) -> str:
    """Why nothing of a debt may be set off, and what helps; the sentence for where `to_set_off` is nothing."""
    falls_due = due(session, party_id, currency)
    if falls_due.is_zero:
        return (
            "The payee repays the debt by instalments, and none of it is due now. To set it off now, end the plan "
            "first."
        )
    found = (_reversed(session, [party_id]), _said_to_be_paid(session, [party_id]))
    reversed_, said = (Money(each[party_id, currency], currency) for each in found)
    named = " and ".join(
        words
        for words, amount in (
            (f"{reversed_.text()} is being reversed from the payee's account at Stripe", reversed_),
            (f"{said.text()} in suspense is proposed as the payee's payment", said),
        )
        if amount.is_positive
    )
    return f"Of the debt {falls_due.text()} is due, and that is on its way to be settled: {named}. Wait for it to end."


def to_keep_back(session: Session, context: MilestoneContext, amount: Money) -> Money:
    """How much of a release of `amount` is set off against the payee's debt. Locks and writes nothing."""
    return min(amount, to_set_off(session, context.payee.id, amount.currency))


def locked(session: Session, party_id: int) -> Party:
    """The party, locked as for every booking of what they owe: nothing settles the debt meanwhile. Raises
    `NotFound`."""
    wanted = select(Party).where(Party.id == party_id).with_for_update(key_share=True)
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NotFound(kind="party", id=party_id)
    return found


def lock_payee(session: Session, context: MilestoneContext) -> None:
    """Lock the payee before anything is booked for them, so that their debt is read and settled by one transaction at
    a time. Parties come before accounts in the order of locks (`milestone_context`): whoever splits held funds or
    writes off a chargeback calls this first."""
    if context.payee.id in context.locked_parties:
        return
    wanted = select(Party.id).where(Party.id == context.payee.id).execution_options(autoflush=False)
    session.scalars(wanted.with_for_update(key_share=True)).one()
    context.locked_parties.add(context.payee.id)


def keep_back(
    session: Session,
    context: MilestoneContext,
    kept: Money,
    *,
    amount: Money,
    key: str,
    now: datetime,
    by: Actor = SYSTEM,
    reason: str | None = None,
) -> None:
    """Set off this much of the payee's debt against `amount`, which is payable for this milestone.

    Two releases at once do not settle one debt twice: the payee was locked before it was computed (`lock_payee`).
    """
    if kept.is_zero:
        return
    settle(session, context, kept, key=key, now=now, by=by, reason=reason)
    context.tell(
        session,
        "debt_kept_back",
        context.payee,
        key=f"{key}-kept-back",
        now=now,
        kept=kept,
        owed=owed(session, context.payee.id, kept.currency),
        left=amount - kept,
    )


def settle(
    session: Session,
    context: MilestoneContext,
    kept: Money,
    *,
    key: str,
    now: datetime,
    by: Actor = SYSTEM,
    reason: str | None = None,
) -> None:
    """Book the set-off: the payable settles the receivable and counts as released."""
    journal = postings.receivable_offset(
        key=f"{key}.kept_back",
        party_id=context.payee.id,
        amount=kept,
        cause={"milestone": context.milestone.id},
        milestone_id=context.milestone.id,
    )
    journal_store.post(session, journal, now=now)
    orders.shift(
        session,
        context,
        now=now,
        cause=Cause(CauseKind.SET_OFF, f"{key} kept back"),
        payable=-kept,
        released=kept,
    )
    context.note(
        session,
        by,
        AuditAction.DEBT_KEEP_BACK.by("system" if by == SYSTEM else "finance"),
        now=now,
        about=("party", context.payee.id),
        reason=reason,
        after={"kept": kept.as_dict()},
    )
