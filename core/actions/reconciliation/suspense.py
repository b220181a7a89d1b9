"""Clearing suspense: one person explains an amount, with a reason, and another approves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.actions.debts import receivables, write_offs
from core.actions.funding import duplicate_payments
from core.actions.milestones.milestone_context import open_milestone
from core.actions.reconciliation import breaks, suspense_items
from core.actions.refunds import failed_returns, hand_refunds
from core.actions.risk import external_movements
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction, StoredAction
from core.errors import ChangedMeanwhile, DeskError, NotFound
from core.ledger import journal_store, postings
from core.ledger.postings import explanations
from core.money import Money
from core.records import BalanceTransaction, DebtWriteOff, Party, Refund, SuspenseItem
from core.records.ledger import journals
from core.rules import suspense as rules
from core.rules.bank_matching import NotAtTheBank
from core.rules.parties import PartyRole
from core.rules.permissions import SYSTEM, Actor, Permission, require, require_one
from core.rules.proposals import ProposalKind, ProposalStatus
from core.rules.reasons import given
from core.rules.suspense import SettledAs, SuspenseStatus, journal_key


class AlreadySettled(DeskError):
    """This amount has already been settled, as {settled_as}."""


class NotProposed(DeskError):
    """No explanation has been proposed for this amount yet."""


def propose(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    item_ids: Sequence[int],
    settled_as: SettledAs,
    reason: str,
    target_id: int | None = None,
) -> list[SuspenseItem]:
    """Propose what these amounts were. Nothing is booked yet, and no other explanation is accepted while it waits.

    Raises `AlreadySettled`, `ProposalWaits`, `DoNotCancelOut`, `CameIn`, `NotAPayment`, `NotARefund`,
    `TargetMissing`, `OneAtATime`, `OwesLess`, `OnlyAtTheBank`, `NotFound`, and what `hand_refunds.owed` and
    `failed_returns.of` raise.
    """
    require(actor, Permission.SETTLE_SUSPENSE)
    reason = given(reason)
    items = _locked(session, item_ids)
    require_free(session, items)
    _check(session, items, settled_as, target_id)
    me = proposals.require_maker(session, actor, _subject(session, items, settled_as, target_id))
    for item in items:
        item.proposed_as, item.target_id, item.proposed_reason = settled_as, target_id, reason
        item.proposed_by, item.proposed_at = me, now
        _note(session, actor, AuditAction.SUSPENSE_PROPOSE.by("finance"), item, reason=reason, now=now)
    session.flush()
    return items


def approve(
    session: Session, actor: Actor, *, now: datetime, item_ids: Sequence[int], reason: str
) -> list[SuspenseItem]:
    """Agree: each amount leaves suspense for the account that it belongs to, and what is to go back is sent.

    What was proposed together is settled together. Raises what `proposals.require_checker` does, `NotProposed`,
    `AlreadySettled`, `StepUpRequired` and what `propose` raises.
    """
    require(actor, Permission.CONFIRM_SUSPENSE, now)
    reason = given(reason)
    items = _locked(session, item_ids)
    settled_as = _proposed_together(items)
    proposals.require_checker(session, actor, waiting(session, items), now=now)
    _check(session, items, settled_as, items[0].target_id)
    for item in items:
        _settle(session, actor, item, settled_as, reason=reason, now=now)
        external_movements.line_settled(session, item, settled_as, now=now)
        audit.become(item, SuspenseStatus.SETTLED, now=now, by=actor)
        item.settled_as, item.reason = settled_as, reason
        item.settled_by, item.settled_at = actor.id, now
        _note(session, actor, AuditAction.SUSPENSE_SETTLE.by("staff"), item, reason=reason, now=now)
        breaks.explained(session, actor, item, now=now)
    session.flush()
    return items


def reject(
    session: Session, actor: Actor, *, now: datetime, item_ids: Sequence[int], reason: str
) -> list[SuspenseItem]:
    """Reject what was proposed together, or withdraw it as its maker: the amounts are unexplained again. Raises
    `NotProposed`, `AlreadySettled`, `ChangedMeanwhile`."""
    require_one(actor, Permission.SETTLE_SUSPENSE, Permission.CONFIRM_SUSPENSE)
    reason = given(reason)
    items = _locked(session, item_ids)
    _proposed_together(items)
    withdrawn = proposals.outcome(actor, items[0].proposed_by) is ProposalStatus.WITHDRAWN
    action = AuditAction.SUSPENSE_WITHDRAW if withdrawn else AuditAction.SUSPENSE_REJECT
    _end(session, actor, items, action.by("staff"), reason=reason, now=now)
    return items


def _end(
    session: Session,
    actor: Actor,
    items: Sequence[SuspenseItem],
    action: StoredAction,
    *,
    reason: str,
    now: datetime,
) -> None:
    for item in items:
        _note(session, actor, action, item, reason=reason, now=now)
        item.proposed_as = item.target_id = item.proposed_reason = item.proposed_by = item.proposed_at = None
    session.flush()


def stale(session: Session, *, now: datetime) -> list[int]:
    """One item of each explanation that nobody can approve any more. Locks and writes nothing."""
    return [
        together[0].id
        for together in _proposed(session)
        if proposals.flaw(session, waiting(session, together), now=now)
    ]


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """Return an explanation that can no longer be approved to its maker, with the reason. Returns whether it was."""
    proposed = ([item.id for item in each] for each in _proposed(session))
    together = next((each for each in proposed if number in each), None)
    if together is None:  # answered meanwhile
        return False
    items = _locked(session, together)
    _proposed_together(items)
    waits = waiting(session, items)
    why = proposals.flaw(session, waits, now=now)
    if why is None:
        return False
    _end(session, SYSTEM, items, AuditAction.SUSPENSE_RETURN.by("system"), reason=why, now=now)
    what, about = ", ".join(f"S-{each.id}" for each in items), ("suspense", items[0].id)
    proposals.tell_returned(session, waits, what=what, why=why, about=about, now=now)
    return True


def _proposed(session: Session) -> list[list[SuspenseItem]]:
    """What waits for a second person, by what was proposed together."""
    wanted = select(SuspenseItem).where(
        SuspenseItem.status == SuspenseStatus.OPEN, SuspenseItem.proposed_as.is_not(None)
    )
    found = session.scalars(
        wanted.order_by(
            SuspenseItem.proposed_by,
            SuspenseItem.proposed_at,
            SuspenseItem.proposed_as,
            SuspenseItem.target_id,
            SuspenseItem.id,
        )
    )
    return [list(each) for _, each in groupby(found, key=_explanation)]


def _explanation(item: SuspenseItem) -> tuple[Any, ...]:
    """What amounts that were proposed together have in common."""
    return item.proposed_by, item.proposed_at, item.proposed_as, item.target_id


def waiting_of(session: Session, item_ids: Sequence[int]) -> Waiting:
    """The explanation as it waits, for pages."""
    found = {
        each.id: each for each in session.scalars(select(SuspenseItem).where(SuspenseItem.id.in_(item_ids)))
    }
    return waiting(session, [found[each] for each in item_ids])


def waiting(session: Session, items: Sequence[SuspenseItem]) -> Waiting:
    """The explanation of these amounts, as a proposal that waits."""
    first = items[0]
    assert first.proposed_as is not None
    assert first.proposed_by is not None
    assert first.proposed_at is not None
    subject = _subject(session, items, SettledAs(first.proposed_as), first.target_id)
    return Waiting(ProposalKind.SUSPENSE_EXPLANATION, first.proposed_by, first.proposed_at, subject)


def _subject(
    session: Session, items: Sequence[SuspenseItem], settled_as: SettledAs, target_id: int | None
) -> Subject:
    """The party or the milestone that it is proposed to be about, else the one that its line names."""
    if settled_as in rules.OF_PAYEE and target_id is not None:
        return Subject(frozenset({target_id}))
    if settled_as is SettledAs.DEBT_RECOVERED and (row := session.get(DebtWriteOff, target_id)) is not None:
        return Subject(frozenset({row.party_id}))
    number = target_id if settled_as in rules.TARGETS else items[0].milestone_id
    if settled_as is SettledAs.REFUND_CAME_BACK:
        number = session.scalar(select(Refund.milestone_id).where(Refund.id == target_id))
    return proposals.NOBODY if number is None else Subject.of(open_milestone(session, number, lock=False))


def require_free(session: Session, items: Sequence[SuspenseItem]) -> None:
    """An amount has one explanation at a time, under its lock; the database says so too. Raises `ProposalWaits`."""
    for item in items:
        if item.proposed_as is not None and item.proposed_by is not None and item.proposed_at is not None:
            words = rules.words(SettledAs(item.proposed_as), [_amount(item)])
            raise proposals.waits(
                session,
                maker_id=item.proposed_by,
                made_at=item.proposed_at,
                what=f"what {_amount(item)} was, “{words}”",
            )


def _proposed_together(items: Sequence[SuspenseItem]) -> SettledAs:
    """What all of them were proposed as, by one person at one time. Raises `ChangedMeanwhile`, `NotProposed`."""
    if len({_explanation(each) for each in items}) != 1:
        raise ChangedMeanwhile(kind="proposal", what="these amounts were not proposed together")
    settled_as = items[0].proposed_as
    if settled_as is None:
        raise NotProposed()
    return SettledAs(settled_as)


def _check(
    session: Session, items: Sequence[SuspenseItem], settled_as: SettledAs, target_id: int | None
) -> None:
    amounts = [_amount(each) for each in items]
    _check_side(items, settled_as)
    rules.check(settled_as, amounts, payment_intent=items[0].payment_intent, target_id=target_id)
    if settled_as in (SettledAs.RETURN_TO_PAYER, SettledAs.REFUND_OWED):
        open_milestone(session, target_id or 0, lock=False)
    if settled_as is SettledAs.REFUND_OWED:
        hand_refunds.owed(session, items[0], target_id or 0)
    if settled_as is SettledAs.REFUND_CAME_BACK:
        failed_returns.of(session, target_id, amounts[0])
    if settled_as is SettledAs.DEBT_RECOVERED:
        write_offs.require_recoverable(session, target_id or 0, amounts[0], but=items[0].id)
    if settled_as in rules.OF_PAYEE:
        _require_payee(session, target_id)
    if settled_as is SettledAs.PAYEE_DEBT:
        session.scalars(select(Party.id).where(Party.id == target_id).with_for_update(key_share=True)).one()
        owed = receivables.free(session, target_id or 0, amounts[0].currency, but=items[0].id)
        if owed < amounts[0]:
            raise rules.OwesLess(owed=owed, amount=amounts[0])


def _check_side(items: Sequence[SuspenseItem], settled_as: SettledAs) -> None:
    """Whether it can be that, by whose line it is, and whether it is a whole one."""
    if settled_as in rules.NOT_AT_THE_BANK and any(each.bank_line_id for each in items):
        raise NotAtTheBank()
    if settled_as in rules.ONLY_AT_THE_BANK and not all(each.bank_line_id for each in items):
        raise rules.OnlyAtTheBank()
    if settled_as in rules.NOT_A_DIFFERENCE and any(map(_restated, items)):
        raise rules.NotADifference()


def _settle(
    session: Session, actor: Actor, item: SuspenseItem, settled_as: SettledAs, *, reason: str, now: datetime
) -> None:
    if settled_as is SettledAs.REFUND_CAME_BACK:
        failed_returns.came_back(session, actor, item, reason=reason, now=now)
        return
    if settled_as is SettledAs.REFUND_OWED:
        hand_refunds.adopt(session, actor, open_milestone(session, item.target_id or 0), item, now=now)
        return
    journal = explanations.entry(
        settled_as,
        _amount(item),
        restated=_restated(item),
        target_id=item.target_id,
        milestone_id=_milestone_of_line(session, item),
        key=journal_key(item.id),
        cause={"suspense": item.id, **_line(item)},
    )
    if journal is not None:
        journal_store.post(session, journal, now=now, of_day=suspense_items.day(session, item))
    if settled_as is SettledAs.PAYEE_OWES:
        _at_the_payee(session, item, now=now)
    if settled_as is SettledAs.RETURN_TO_PAYER:
        assert item.payment_intent is not None
        context = open_milestone(session, item.target_id or 0)
        duplicate_payments.send_back(
            session,
            context,
            payment_intent=item.payment_intent,
            charge=item.source,
            amount=_amount(item),
            template="payment_returned",
            now=now,
        )


def _restated(item: SuspenseItem) -> bool:
    """It is what Stripe states of a line beyond what was booked for it, and no whole line."""
    return item.transaction_id is not None and item.journal_id is not None


def _milestone_of_line(session: Session, item: SuspenseItem) -> int | None:
    """Of the line that is stated otherwise: what its milestone cost changes with it."""
    if not _restated(item):
        return None
    booked = select(BalanceTransaction.journal_id).where(BalanceTransaction.id == item.transaction_id)
    return session.scalar(select(journals.c.milestone_id).where(journals.c.id.in_(booked)))


def _line(item: SuspenseItem) -> dict[str, Any]:
    if item.transaction_id is None:
        return {"bank_line": item.bank_line_id}
    return {"balance_transaction": item.transaction_id}


def _at_the_payee(session: Session, item: SuspenseItem, *, now: datetime) -> None:
    """A transfer by hand is on the payee's own balance at Stripe: the memorandum book says so as well."""
    line = session.get(BalanceTransaction, item.transaction_id) if item.transaction_id else None
    if line is not None and line.kind == "transfer":
        arrived = postings.transfer_arrived(
            key=f"suspense.{item.id}.arrived",
            party_id=item.target_id or 0,
            amount=-_amount(item),
            cause={"suspense": item.id, "balance_transaction": item.transaction_id},
        )
        journal_store.post(session, arrived, now=now, of_day=suspense_items.day(session, item))


def _require_payee(session: Session, number: int | None) -> None:
    party = session.get(Party, number)
    if party is None or party.role != PartyRole.PAYEE:
        raise NotFound(kind="payee", id=number)


def _amount(item: SuspenseItem) -> Money:
    return Money(item.amount_minor, item.currency)


def _note(
    session: Session, actor: Actor, action: StoredAction, item: SuspenseItem, *, reason: str, now: datetime
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="suspense",
        object_id=item.id,
        now=now,
        reason=reason,
        after={"as": item.proposed_as, "amount": _amount(item).as_dict(), "target": item.target_id},
    )


def _locked(session: Session, item_ids: Sequence[int]) -> list[SuspenseItem]:
    items = []
    for number in sorted(set(item_ids)):
        item = session.get(SuspenseItem, number, with_for_update=True, populate_existing=True)
        if item is None:
            raise NotFound(kind="unexplained amount", id=number)
        if item.status != SuspenseStatus.OPEN:
            raise AlreadySettled(settled_as=(item.settled_as or "").replace("_", " ").lower())
        items.append(item)
    if not items:
        raise NotFound(kind="unexplained amount", id="")
    return items
