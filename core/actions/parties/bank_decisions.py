"""A payee's new bank account is accepted before its time, waits longer, or is refused, by two people (internal policy).

While somebody proposes to refuse it or to wait longer, payouts wait. Once it is refused, none goes there, also when the
same account is given again, until another one takes its place or two people accept it after all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, outbox
from core.actions.parties import bank_changes
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.errors import DeskError, NotFound
from core.policy.limits import BANK_WAIT_AT_MOST
from core.records import BankChange, BankChangeProposal, Party, PayeeAccount
from core.rules.payee_accounts import BankDecision
from core.rules.permissions import SYSTEM, Actor, Permission, require, require_one
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given


class BankReplaced(DeskError):
    """Another bank account has taken the place of the one ending in {last4} since. Nothing is paid to it any more."""


class BankWaitOver(DeskError):
    """Payouts to the bank account ending in {last4} no longer wait, so there is no wait to end or to extend."""


class BankRefused(DeskError):
    """The bank account ending in {last4} is refused already. It can only be accepted after all."""


class WaitNotLonger(DeskError):
    """Payouts already wait until {held_until:%-d %b %Y, %H:%M} UTC. Choose a later time, at most {days} days
    from now."""


ACTIONS: Mapping[BankDecision, tuple[AuditAction, str, str]] = {
    BankDecision.ACCEPT: (AuditAction.BANK_CHANGE_ACCEPT, "bank_accepted", "be accepted"),
    BankDecision.EXTEND: (AuditAction.BANK_CHANGE_EXTEND, "bank_wait_extended", "wait longer"),
    BankDecision.REFUSE: (AuditAction.BANK_CHANGE_REFUSE, "bank_refused", "be refused"),
}


def propose(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    change_id: int,
    decision: BankDecision,
    until: datetime | None = None,
    reason: str,
) -> BankChangeProposal:
    """Propose it; `until` is of an extension. Raises `BankReplaced`, `BankWaitOver`, `BankRefused`, `WaitNotLonger`,
    `ProposalWaits`, `TiedToParty`."""
    require(actor, Permission.DECIDE_BANK_CHANGE)
    reason = given(reason)
    change = _change(session, change_id)
    me = proposals.require_maker(session, actor, _subject(change))
    waits = select(BankChangeProposal).where(
        BankChangeProposal.bank_change_id == change_id,
        BankChangeProposal.status == ProposalStatus.PROPOSED,
    )
    if other := session.scalars(waits).one_or_none():
        what = f"that the bank account {ACTIONS[other.decision][2]}"
        raise proposals.waits(session, maker_id=other.proposed_by, made_at=other.proposed_at, what=what)
    _require_open(session, change, decision, until, now=now)
    row = BankChangeProposal(
        bank_change_id=change_id,
        decision=decision,
        until=until,
        reason=reason,
        proposed_by=me,
        proposed_at=now,
        status=ProposalStatus.PROPOSED,
    )
    session.add(row)
    session.flush()
    action = AuditAction.BANK_CHANGE_PROPOSE.by("staff")
    _note(session, actor, action, change, row, reason=reason, now=now, fresh=True)
    return row


def approve(
    session: Session, actor: Actor, *, now: datetime, proposal_id: int, reason: str = ""
) -> BankChangeProposal:
    """Do it, as another person, and tell the payee. Raises what `proposals.require_checker` does, `ProposalEnded`,
    what `propose` does of the bank account, `StepUpRequired`."""
    require(actor, Permission.CONFIRM_BANK_CHANGE, now)
    said = given(reason) if reason.strip() else None
    change, row = _open(session, proposal_id)
    proposals.require_checker(session, actor, waiting(change, row), now=now)
    _require_open(session, change, row.decision, row.until, now=now)
    action, template, _ = ACTIONS[row.decision]
    proposals.settle(row, ProposalStatus.DONE, actor, now=now)
    row.note = said
    session.flush()
    _carry_out(change, row, now=now)
    session.flush()
    _note(session, actor, action.by("staff"), change, row, reason=said or row.reason, now=now)
    party = session.get_one(Party, change.party_id)
    bank_changes.tell(session, party, template, change, key=f"bank-decision-{row.id}", now=now)
    outbox.wake_party(session, change.party_id, now=now)
    return row


def _carry_out(change: BankChange, row: BankChangeProposal, *, now: datetime) -> None:
    if row.decision is BankDecision.EXTEND and row.until is not None:
        change.held_until = row.until
        return
    change.refused_at = now if row.decision is BankDecision.REFUSE else None
    change.ended_at = change.ended_at or now


def reject(session: Session, actor: Actor, *, now: datetime, proposal_id: int, reason: str) -> None:
    """It stays as it is: whoever proposed it withdraws it, anybody else rejects it. Raises `ProposalEnded`."""
    require_one(actor, Permission.DECIDE_BANK_CHANGE, Permission.CONFIRM_BANK_CHANGE)
    reason = given(reason)
    change, row = _open(session, proposal_id)
    status = proposals.outcome(actor, row.proposed_by)
    withdrawn = status is ProposalStatus.WITHDRAWN
    action = AuditAction.BANK_CHANGE_WITHDRAW if withdrawn else AuditAction.BANK_CHANGE_REJECT
    _end(session, actor, action.by("staff"), change, row, status, reason=reason, now=now)


def stale(session: Session, *, now: datetime) -> list[int]:
    """Which can no longer be confirmed, whoever wants to. Nothing is locked or written."""
    wanted = (
        select(BankChangeProposal, BankChange)
        .join(BankChange, BankChange.id == BankChangeProposal.bank_change_id)
        .where(BankChangeProposal.status == ProposalStatus.PROPOSED)
    )
    return [row.id for row, change in session.execute(wanted) if fallen(session, change, row, now=now)]


def fallen(session: Session, change: BankChange, row: BankChangeProposal, *, now: datetime) -> str | None:
    """Why: its maker, its time, or what became of the bank account since."""
    try:
        _require_open(session, change, row.decision, row.until, now=now)
    except DeskError as problem:
        return problem.message
    return proposals.flaw(session, waiting(change, row), now=now)


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """What can no longer be confirmed goes back to its maker, with the reason."""
    change, row = _open(session, number)
    why = fallen(session, change, row, now=now)
    if why is None:
        return False
    action = AuditAction.BANK_CHANGE_RETURN.by("system")
    _end(session, SYSTEM, action, change, row, ProposalStatus.RETURNED, reason=why, now=now)
    what = f"proposal that the bank account ending in {change.after_last4} {ACTIONS[row.decision][2]}"
    about = ("bank_change_proposal", row.id)
    proposals.tell_returned(session, waiting(change, row), what=what, why=why, about=about, now=now)
    return True


def waiting_of(session: Session, proposal_id: int) -> Waiting:
    """As it waits, for whoever reads of it."""
    row = session.get_one(BankChangeProposal, proposal_id)
    return waiting(session.get_one(BankChange, row.bank_change_id), row)


def waiting(change: BankChange, row: BankChangeProposal) -> Waiting:
    """The proposal as what waits for a second person."""
    return Waiting(ProposalKind.BANK_CHANGE, row.proposed_by, row.proposed_at, _subject(change))


def _subject(change: BankChange) -> Subject:
    return Subject(frozenset({change.party_id}))


def _require_open(
    session: Session, change: BankChange, decision: BankDecision, until: datetime | None, *, now: datetime
) -> None:
    account = session.get_one(PayeeAccount, change.party_id)
    if account.banks.get(change.currency, {}).get("id") != change.after_bank:
        raise BankReplaced(last4=change.after_last4)
    if change.refused_at is not None and decision is not BankDecision.ACCEPT:
        raise BankRefused(last4=change.after_last4)
    if decision is BankDecision.REFUSE:
        return
    if change.ended_at is not None and change.refused_at is None:
        raise BankWaitOver(last4=change.after_last4)
    if decision is BankDecision.EXTEND and (
        until is None or not max(change.held_until, now) < until <= now + BANK_WAIT_AT_MOST
    ):
        raise WaitNotLonger(held_until=change.held_until, days=BANK_WAIT_AT_MOST.days)


def _change(session: Session, change_id: int) -> BankChange:
    """Locked, with the payee first, as wherever a bank account is followed: it stays what it is meanwhile."""
    plain = session.get(BankChange, change_id)
    if plain is None:
        raise NotFound(kind="bank change", id=change_id)
    session.get_one(Party, plain.party_id, with_for_update={"key_share": True}, populate_existing=True)
    session.get_one(PayeeAccount, plain.party_id, populate_existing=True)
    return session.get_one(BankChange, change_id, with_for_update=True, populate_existing=True)


def _open(session: Session, proposal_id: int) -> tuple[BankChange, BankChangeProposal]:
    plain = session.get(BankChangeProposal, proposal_id)
    if plain is None:
        raise NotFound(kind="proposal", id=proposal_id)
    change = _change(session, plain.bank_change_id)
    row = session.get_one(BankChangeProposal, proposal_id, with_for_update=True, populate_existing=True)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.BANK_CHANGE, row.status)
    return change, row


def _end(
    session: Session,
    actor: Actor,
    action: StoredAction,
    change: BankChange,
    row: BankChangeProposal,
    status: ProposalStatus,
    *,
    reason: str,
    now: datetime,
) -> None:
    proposals.settle(row, status, actor, now=now)
    row.note = reason
    session.flush()
    _note(session, actor, action, change, row, reason=reason, now=now)
    outbox.wake_party(session, change.party_id, now=now)


def _note(
    session: Session,
    actor: Actor,
    action: StoredAction,
    change: BankChange,
    row: BankChangeProposal,
    *,
    reason: str,
    now: datetime,
    fresh: bool = False,
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="bank_change_proposal",
        object_id=row.id,
        now=now,
        reason=reason,
        after={
            "payee": change.party_id,
            "bank_change": change.id,
            "decision": row.decision,
            "currency": change.currency,
            "until": row.until,
        },
        contents=[row] if fresh else [Words("bank_change_proposal_ends", row)],
    )
