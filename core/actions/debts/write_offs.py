"""Writing off a payee's debt: one person proposes it with a reason, another does it, and the loss is booked.

Once it is off, releases no longer keep it back. Money that the payee sends after all arrives in suspense, where two
people explain it as recovered; it is linked to the write-off (internal policy).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core import audit
from core.actions.debts import receivables
from core.actions.staff import proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit.actions import AuditAction, StoredAction
from core.errors import DeskError, NotFound, Wording
from core.ledger import journal_store, postings
from core.money import Money
from core.records import DebtWriteOff, Party
from core.rules.permissions import SYSTEM, Actor, Permission, require, require_one
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given

RECOVERED = text(
    """
    select coalesce(sum(amount_minor), 0)::bigint from suspense_items
    where target_id = :number and coalesce(settled_as, proposed_as) = 'DEBT_RECOVERED' and id <> :but
    """
)


class NothingToRecover(DeskError):
    """There is no write-off {number} of {currency} that was carried out."""


class LessWasWrittenOff(DeskError):
    """Of write-off {number}, {left} is not recovered yet, which is less than {amount}."""


class NothingWrittenOff(DeskError):
    """Write off an amount above zero."""


class LessIsOwed(DeskError):
    """{party} owes {owed} that nothing is on its way to settle, so {amount} cannot be written off."""


def propose(
    session: Session, actor: Actor, *, now: datetime, party_id: int, amount: Money, reason: str
) -> DebtWriteOff:
    """Propose it. Nothing is booked yet. Raises `NothingWrittenOff`, `LessIsOwed`, `ProposalWaits`,
    `TiedToParty`."""
    require(actor, Permission.WRITE_OFF_DEBT)
    reason = given(reason)
    party = receivables.locked(session, party_id)
    me = proposals.require_maker(session, actor, Subject(frozenset({party_id})))
    waits = select(DebtWriteOff).where(
        DebtWriteOff.party_id == party_id,
        DebtWriteOff.currency == amount.currency,
        DebtWriteOff.status == ProposalStatus.PROPOSED,
    )
    if other := session.scalars(waits).one_or_none():
        what = f"to write off {other.amount.text()}"
        raise proposals.waits(session, maker_id=other.proposed_by, made_at=other.proposed_at, what=what)
    _require_owed(session, party, amount)
    row = DebtWriteOff(
        party_id=party_id,
        currency=amount.currency,
        amount_minor=amount.minor,
        reason=reason,
        proposed_by=me,
        proposed_at=now,
        status=ProposalStatus.PROPOSED,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor,
        AuditAction.DEBT_PROPOSE_WRITE_OFF.by("finance"),
        object_kind="debt_write_off",
        object_id=row.id,
        now=now,
        reason=reason,
        after={"payee": party_id, "amount": amount.as_dict()},
        contents=[row],
    )
    return row


def approve(
    session: Session, actor: Actor, *, now: datetime, write_off_id: int, reason: str = ""
) -> DebtWriteOff:
    """Write it off, as another person. Raises what `proposals.require_checker` does, `ProposalEnded`, `LessIsOwed`,
    `StepUpRequired`.
    """
    require(actor, Permission.CONFIRM_WRITE_OFF, now)
    said = given(reason) if reason.strip() else None
    party, row = _open(session, write_off_id)
    proposals.require_checker(session, actor, waiting(row), now=now)
    _require_owed(session, party, row.amount)
    proposals.settle(row, ProposalStatus.DONE, actor, now=now)
    row.note = said
    session.flush()
    journal = postings.debt_written_off(
        key=f"debt_write_off.{row.id}",
        party_id=row.party_id,
        amount=row.amount,
        cause={"debt_write_off": row.id},
    )
    journal_store.post(session, journal, now=now)
    _note(session, actor, AuditAction.DEBT_WRITE_OFF.by("staff"), row, reason=said or row.reason, now=now)
    return row


def reject(session: Session, actor: Actor, *, now: datetime, write_off_id: int, reason: str) -> None:
    """It stays owed: whoever proposed it withdraws it, anybody else rejects it. Raises `ProposalEnded`."""
    require_one(actor, Permission.WRITE_OFF_DEBT, Permission.CONFIRM_WRITE_OFF)
    reason = given(reason)
    _, row = _open(session, write_off_id)
    status = proposals.outcome(actor, row.proposed_by)
    withdrawn = status is ProposalStatus.WITHDRAWN
    action = AuditAction.DEBT_WITHDRAW_WRITE_OFF if withdrawn else AuditAction.DEBT_REJECT_WRITE_OFF
    proposals.settle(row, status, actor, now=now)
    row.note = reason
    session.flush()
    _note(session, actor, action.by("staff"), row, reason=reason, now=now)


def stale(session: Session, *, now: datetime) -> list[int]:
    """Which can no longer be confirmed, whoever wants to. Nothing is locked or written."""
    wanted = select(DebtWriteOff).where(DebtWriteOff.status == ProposalStatus.PROPOSED)
    return [row.id for row in session.scalars(wanted) if fallen(session, row, now=now)]


def fallen(session: Session, row: DebtWriteOff, *, now: datetime) -> str | None:
    """Why: its maker, its time, or that less is owed since."""
    if receivables.free(session, row.party_id, row.currency) < row.amount:
        return "Less is owed now than was to be written off."
    return proposals.flaw(session, waiting(row), now=now)


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """What can no longer be confirmed goes back to its maker, with the reason."""
    _, row = _open(session, number)
    why = fallen(session, row, now=now)
    if why is None:
        return False
    proposals.settle(row, ProposalStatus.RETURNED, SYSTEM, now=now)
    row.note = why
    session.flush()
    _note(session, SYSTEM, AuditAction.DEBT_RETURN_WRITE_OFF.by("system"), row, reason=why, now=now)
    what = f"write-off of {row.amount.text()}"
    proposals.tell_returned(
        session, waiting(row), what=what, why=why, about=("debt_write_off", row.id), now=now
    )
    return True


def require_recoverable(session: Session, number: int, amount: Money, *, but: int) -> DebtWriteOff:
    """The write-off that this amount is of; locked, so that no more is recovered than was given up. `but`: the amount
    in suspense itself. Raises `NothingToRecover`, `LessWasWrittenOff`."""
    row = session.get(DebtWriteOff, number, with_for_update=True, populate_existing=True)
    if row is None or row.status != ProposalStatus.DONE or row.currency != amount.currency:
        raise NothingToRecover(number=number, currency=amount.currency)
    left = row.amount - Money(
        session.execute(RECOVERED, {"number": number, "but": but}).scalar_one(), row.currency
    )
    if amount > left:
        raise LessWasWrittenOff(number=number, left=left, amount=amount)
    return row


def waiting_of(session: Session, write_off_id: int) -> Waiting:
    """As it waits, for whoever reads of it."""
    return waiting(session.get_one(DebtWriteOff, write_off_id))


def waiting(row: DebtWriteOff) -> Waiting:
    """The write-off as what waits for a second person, who has no tie to the payee."""
    return Waiting(
        ProposalKind.DEBT_WRITE_OFF, row.proposed_by, row.proposed_at, Subject(frozenset({row.party_id}))
    )


def _require_owed(session: Session, party: Party, amount: Money) -> None:
    if not amount.is_positive:
        raise NothingWrittenOff()
    owed = receivables.free(session, party.id, amount.currency)
    if amount > owed:
        raise LessIsOwed(party=Wording(party.name, party.id), owed=owed, amount=amount)


def _open(session: Session, write_off_id: int) -> tuple[Party, DebtWriteOff]:
    plain = session.get(DebtWriteOff, write_off_id)
    if plain is None:
        raise NotFound(kind="proposal", id=write_off_id)
    party = receivables.locked(session, plain.party_id)
    row = session.get_one(DebtWriteOff, write_off_id, with_for_update=True, populate_existing=True)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.DEBT_WRITE_OFF, row.status)
    return party, row


def _note(
    session: Session, actor: Actor, action: StoredAction, row: DebtWriteOff, *, reason: str, now: datetime
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="debt_write_off",
        object_id=row.id,
        now=now,
        reason=reason,
        after={"payee": row.party_id, "amount": row.amount.as_dict()},
    )
