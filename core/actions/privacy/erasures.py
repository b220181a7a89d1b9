"""A person is erased by two people, once and for good (docs/decisions/0032).

The database does it in the transaction of whoever approves: it overwrites what is theirs, and destroys the salts of the
rows' hashes. The key of their files is destroyed after it (`core.processes.erased_files`).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select, text
from sqlalchemy.orm import Session

from core import audit
from core.actions.privacy.legal_holds import locked
from core.actions.staff import policy_in_force, proposals
from core.actions.staff.proposals import Subject, Waiting
from core.audit import erasure_receipt
from core.audit.actions import AuditAction, StoredAction
from core.audit.content_hashes import Words
from core.audit.pinned_keys import ledger_name
from core.db import one_at_a_time
from core.errors import DeskError, NotFound
from core.policy.retention import documents_kept
from core.queries.erasure_blocks import blocks
from core.records import Erasure, Party, Staff
from core.rules import personal_data
from core.rules.irreversible import check_typed
from core.rules.parties import require_not_erased
from core.rules.permissions import SYSTEM, Actor, Permission, require, require_one
from core.rules.proposals import ProposalKind, ProposalStatus, ended
from core.rules.reasons import given
from core.rules.refusal_reasons import Block, Blocked

ERASE = text("select erase_person(:erasure, :at, cast(:kept as interval))")


class NotErasable(Blocked):
    """This person cannot be erased now. {reasons}"""


class NotErased(DeskError):
    """{party} was not erased, so there is no receipt of it."""


def propose(
    session: Session,
    actor: Actor,
    *,
    now: datetime,
    party_id: int,
    reason: str,
    retention_month: date | None = None,
) -> Erasure:
    """Propose to erase this person; nothing is erased yet. `retention_month`: of the retention run that found them.
    Raises `NotErasable` with every reason, `PartyErased`, `ProposalWaits`, `TiedToParty`."""
    require(actor, Permission.PROPOSE_ERASURE, now)
    reason = given(reason)
    party = locked(session, party_id)
    me = proposals.require_maker(session, actor, Subject(frozenset({party_id})))
    require_not_erased(party.external_id, party.erased_at)
    if other := session.scalars(_open_of(party_id)).one_or_none():
        what = f"to erase {party.external_id}"
        raise proposals.waits(session, maker_id=other.proposed_by, made_at=other.proposed_at, what=what)
    _require_erasable(session, party_id)
    row = Erasure(
        party_id=party_id,
        reason=reason,
        proposed_by=me,
        proposed_at=now,
        retention_month=retention_month,
        status=ProposalStatus.PROPOSED,
    )
    session.add(row)
    session.flush()
    action = AuditAction.PERSON_PROPOSE_ERASURE.by("staff")
    _record(session, actor, action, row, said=reason, now=now, contents=[row])
    return row


def approve(
    session: Session, actor: Actor, *, now: datetime, erasure_id: int, typed: str, reason: str = ""
) -> Erasure:
    """Erase this person, as another than who proposed it. It cannot be undone; `typed` is their external id. Raises
    what `proposals.require_checker` does, `NotTyped`, `NotErasable`, `ProposalEnded`, `StepUpRequired`."""
    require(actor, Permission.CONFIRM_ERASURE, now)
    said = given(reason) if reason.strip() else None
    plain = _known(session, erasure_id)
    party = locked(session, plain.party_id)
    row = _open(session, erasure_id)
    proposals.require_checker(session, actor, waiting(row), now=now)
    check_typed(typed, party.external_id)
    _require_erasable(session, row.party_id)
    proposals.settle(row, ProposalStatus.DONE, actor, now=now)
    row.note = said
    session.flush()
    _erase(session, row, party, now=now)
    after = {"counts": row.counts, "versions": row.versions, "documents_until": row.documents_until}
    _record(
        session,
        actor,
        AuditAction.PERSON_ERASE.by("staff"),
        row,
        said=said or row.reason,
        now=now,
        after=after,
        contents=[Words("erasure_ends", row)],
    )
    _finish_run(session, actor, row, now=now)
    return row


def reject(session: Session, actor: Actor, *, now: datetime, erasure_id: int, reason: str) -> None:
    """Nothing is erased: whoever proposed it withdraws it, anybody else rejects it. Raises `ProposalEnded`."""
    require_one(actor, Permission.PROPOSE_ERASURE, Permission.CONFIRM_ERASURE)
    reason = given(reason)
    row = _open(session, erasure_id)
    status = proposals.outcome(actor, row.proposed_by)
    withdrawn = status is ProposalStatus.WITHDRAWN
    action = AuditAction.PERSON_WITHDRAW_ERASURE if withdrawn else AuditAction.PERSON_REJECT_ERASURE
    _end(session, actor, row, status, action.by("staff"), said=reason, now=now)


def stale(session: Session, *, now: datetime) -> list[int]:
    """Which can no longer be approved, whoever wants to. Nothing is locked or written."""
    wanted = select(Erasure).where(Erasure.status == ProposalStatus.PROPOSED)
    return [row.id for row in session.scalars(wanted) if proposals.flaw(session, waiting(row), now=now)]


def return_stale(session: Session, *, now: datetime, number: int) -> bool:
    """What can no longer be approved goes back to its maker, with the reason."""
    row = _open(session, number)
    why = proposals.flaw(session, waiting(row), now=now)
    if why is None:
        return False
    action = AuditAction.PERSON_RETURN_ERASURE.by("system")
    _end(session, SYSTEM, row, ProposalStatus.RETURNED, action, said=why, now=now)
    what, about = f"erasure of party {row.party_id}", ("erasure", row.id)
    proposals.tell_returned(session, waiting(row), what=what, why=why, about=about, now=now)
    return True


def waiting_of(session: Session, erasure_id: int) -> Waiting:
    """The proposal of this number as it waits. There must be one."""
    return waiting(session.get_one(Erasure, erasure_id))


def waiting(row: Erasure) -> Waiting:
    subject = Subject(frozenset({row.party_id}))
    return Waiting(ProposalKind.ERASURE, row.proposed_by, row.proposed_at, subject)


def files_gone(session: Session, *, now: datetime, erasure_id: int) -> None:
    """The key of their files is destroyed: said once."""
    row = session.get_one(Erasure, erasure_id, with_for_update=True, populate_existing=True)
    if row.files_gone_at is None:
        row.files_gone_at = now
        session.flush()
        _record(session, SYSTEM, AuditAction.PERSON_DESTROY_KEY.by("system"), row, said=None, now=now)


def erase_documents(session: Session, *, now: datetime, erasure_id: int) -> None:
    """What the law kept of the name in documents, now that its time is over. A legal hold keeps it longer."""
    plain = session.get_one(Erasure, erasure_id)
    party = locked(session, plain.party_id)
    row = session.get_one(Erasure, erasure_id, with_for_update=True, populate_existing=True)
    _erase(session, row, party, now=now)
    after = {"counts": row.counts, "versions": row.versions, "documents_until": row.documents_until}
    action = AuditAction.PERSON_ERASE_DOCUMENTS.by("system")
    _record(session, SYSTEM, action, row, said=None, now=now, after=after)


def receipt(
    session: Session, actor: Actor, *, now: datetime, party_id: int, signer: audit.Signer
) -> tuple[str, bytes]:
    """Name and bytes of the signed receipt: who, when, by whose approval, what was overwritten and what is kept.
    Raises `NotErased`, `NotFound`."""
    require(actor, Permission.READ_PERSONAL_DATA)
    party = session.get(Party, party_id)
    if party is None:
        raise NotFound(kind="party", id=party_id)
    row = session.scalars(
        select(Erasure).where(Erasure.party_id == party_id, Erasure.erased_at.is_not(None))
    ).first()
    if row is None or row.erased_at is None:
        raise NotErased(party=party.external_id)
    content = erasure_receipt.signed(_facts(session, party, row, now=now), signer)
    _record(session, actor, AuditAction.PERSON_TAKE_RECEIPT.by(actor.kind), row, said=None, now=now)
    return f"erasure-{row.id}.receipt.json", content


def _facts(session: Session, party: Party, row: Erasure, *, now: datetime) -> dict[str, Any]:
    assert row.erased_at is not None
    assert row.settled_by is not None
    until = row.documents_until
    kept = [{"what": "name in documents", "until": until.isoformat()}] if until else []
    return {
        "ledger": ledger_name(session),
        "erasure": row.id,
        "party": party.id,
        "marketplace": str(party.platform),
        "external_id": party.external_id,
        "erased_at": row.erased_at.isoformat(),
        "proposed_by": {"id": row.proposed_by, "name": session.get_one(Staff, row.proposed_by).name},
        "approved_by": {"id": row.settled_by, "name": session.get_one(Staff, row.settled_by).name},
        "overwritten": dict(row.counts or {}),
        "versions_without_salt": row.versions,
        "files_unreadable_since": row.files_gone_at.isoformat() if row.files_gone_at else None,
        "kept": kept,
        "kept_for_good": list(personal_data.kept_for_good()),
        "issued_at": now.isoformat(),
    }


def _erase(session: Session, row: Erasure, party: Party, *, now: datetime) -> None:
    """The database does it; what this session knows of rows is read again."""
    _, profile = policy_in_force.of(session, party.platform, now)
    kept = documents_kept(profile, party.country)
    session.execute(ERASE, {"erasure": row.id, "at": now, "kept": kept})
    session.expire_all()
    session.refresh(row)


def _require_erasable(session: Session, party_id: int) -> None:
    found: tuple[Block, ...] = blocks(session, party_id)
    if found:
        raise NotErasable(found)


def _open_of(party_id: int) -> Select[Erasure]:
    return select(Erasure).where(Erasure.party_id == party_id, Erasure.status == ProposalStatus.PROPOSED)


def _end(
    session: Session,
    actor: Actor,
    row: Erasure,
    status: ProposalStatus,
    action: StoredAction,
    *,
    said: str,
    now: datetime,
) -> None:
    proposals.settle(row, status, actor, now=now)
    row.note = said
    session.flush()
    _record(session, actor, action, row, said=said, now=now, contents=[Words("erasure_ends", row)])
    _finish_run(session, actor, row, now=now)


def _finish_run(session: Session, actor: Actor, row: Erasure, *, now: datetime) -> None:
    """Of a retention run, the last answer ends it: said once, with what came of all."""
    if row.retention_month is None:
        return
    one_at_a_time(session, "retention-end")  # of two last answers at once, the second sees the first
    of_run = select(Erasure.status, func.count()).where(Erasure.retention_month == row.retention_month)
    counted = {str(status): count for status, count in session.execute(of_run.group_by(Erasure.status))}
    if ProposalStatus.PROPOSED in counted:
        return
    audit.record(
        session,
        actor,
        AuditAction.PERSON_FINISH_RETENTION.by(actor.kind),
        object_kind="retention",
        object_id=row.retention_month.isoformat(),
        now=now,
        after={"people": counted},
    )


def _record(
    session: Session,
    actor: Actor,
    action: StoredAction,
    row: Erasure,
    *,
    said: str | None,
    now: datetime,
    after: dict[str, Any] | None = None,
    contents: list[Erasure | Words] | None = None,
) -> None:
    audit.record(
        session,
        actor,
        action,
        object_kind="erasure",
        object_id=row.id,
        now=now,
        reason=said,
        after={"party": row.party_id, **_of_run(row), **(after or {})},
        contents=contents or [],
    )


def _of_run(row: Erasure) -> dict[str, str]:
    return {"retention": row.retention_month.isoformat()} if row.retention_month else {}


def _known(session: Session, erasure_id: int) -> Erasure:
    row = session.get(Erasure, erasure_id)
    if row is None:
        raise NotFound(kind="proposal", id=erasure_id)
    return row


def _open(session: Session, erasure_id: int) -> Erasure:
    _known(session, erasure_id)
    row = session.get_one(Erasure, erasure_id, with_for_update=True, populate_existing=True)
    if row.status != ProposalStatus.PROPOSED:
        raise ended(ProposalKind.ERASURE, row.status)
    return row
